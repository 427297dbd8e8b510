"""Bring the base model (safetensors only) with its licence and revision.

python -m stages.fetch_base_model --local data/sample/base-model --out models/base
"""

from __future__ import annotations

import shutil
from pathlib import Path

from stages import gate
from stages.artifact import new_folder, read_text, write_json, write_text
from stages.errors import Trouble
from stages.fetch_base_model import expectations
from stages.fetch_base_model.chat import choose_tokens, read_chat
from stages.fetch_base_model.files import CHAT_TEMPLATE, check_folder, copy_model
from stages.fetch_base_model.hub import download
from stages.fetch_base_model.origin import Architecture, check_fit, describe_files, metrics, origin
from stages.fetch_base_model.parameters import Parameters
from stages.fetch_base_model.weights import read_weights
from stages.node import arguments, run
from stages.params import load

DOWNLOADS = Path(".commons") / "hub"  # kept between runs until the model is whole, so that a download goes on


def main() -> str:
    """Run the node; returns its counts in words."""
    args = arguments(__doc__, local="a model folder, or the files to put beside a hub model", out="the base model")
    params = load("fetch_base_model", Parameters)
    source = _downloaded(params) if params.hub_id and params.revision else args.local
    check_folder(source)
    with new_folder(args.out) as folder:
        copy_model(source, folder)
        if params.chat_template:
            write_text(folder / CHAT_TEMPLATE, _given_template(args.local, params.chat_template))
        choose_tokens(folder, params)
        weights, chat, architecture = read_weights(folder), read_chat(folder), Architecture(folder)
        check_fit(folder, architecture, weights, chat)
        files = describe_files(folder)
        about = origin(args.local, params, architecture, weights, files)
        write_json(folder / "origin.json", about)
        write_json(folder / "metrics.json", metrics(architecture, weights, files))
        gate.enforce(folder, expectations.tables(about, weights), expectations.expected())
    if params.hub_id:
        shutil.rmtree(source)
    return f"{architecture.name}, {weights.parameters:,} parameters in {len(weights.tensors)} tensors, {params.license}"


def _downloaded(params: Parameters) -> Path:
    assert params.hub_id and params.revision
    folder = DOWNLOADS / f"{params.hub_id.replace('/', '--')}@{params.revision}"
    download(params.hub_id, params.revision, folder)
    return folder


def _given_template(local: Path, name: str) -> str:
    if not (local / name).is_file():
        raise Trouble(
            f"{local} has no file {name!r}; wanted the chat template that fetch_base_model.chat_template names."
        )
    return read_text(local / name)


if __name__ == "__main__":
    run(main)
