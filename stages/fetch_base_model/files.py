"""Which files of a model folder are taken, and which are refused because they could run code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from stages.artifact import read_json, read_text, write_text
from stages.errors import Trouble

INDEX = "model.safetensors.index.json"
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
CHAT_TEMPLATE = "chat_template.jinja"
TOKENIZER_CONFIG = "tokenizer_config.json"

JSON_FILES = (CONFIG, "generation_config.json", TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json")
OTHER_FILES = (TOKENIZER, "vocab.json", "merges.txt", CHAT_TEMPLATE)
TEXT_FILES = ("README.md", "LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE", "NOTICE.md", "NOTICE.txt", "USE_POLICY.md")
HUB_PATTERNS = ["model*.safetensors", INDEX, *JSON_FILES, *OTHER_FILES, "*.model", *TEXT_FILES]

# Formats that run code when they are loaded (pickle and what wraps it), or that may.
PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".keras", ".npy", ".npz"}
PICKLE_START = b"\x80"  # the opcode PROTO that every pickle since protocol 2 begins with
ZIP_START = b"PK\x03\x04"  # a torch checkpoint


def check_folder(source: Path) -> None:
    """Raise Trouble where the folder is not a safetensors model without code of its own."""
    if not source.is_dir():
        raise Trouble(f"{source} is not a folder; wanted a model folder there: set fetch_base_model.path.")
    pickles = sorted(path.name for path in source.iterdir() if path.suffix.lower() in PICKLES)
    if pickles:
        raise Trouble(
            f"{source} holds {', '.join(pickles)}, which can run code when loaded; wanted safetensors only: "
            "take them out, or convert the model with transformers' save_pretrained first."
        )
    if not list(source.glob("*.safetensors")):
        raise Trouble(f"{source} holds no *.safetensors file; wanted the model's weights in that format.")
    _refuse_own_code(source)


def _refuse_own_code(source: Path) -> None:
    """A config with `auto_map` asks the loader to run the model's own Python files."""
    for name in (CONFIG, TOKENIZER_CONFIG):
        path = source / name
        if (name == CONFIG or path.exists()) and "auto_map" in read_object(path):
            raise Trouble(
                f"{path} has 'auto_map', which runs code that came with the model; "
                "wanted a model whose class is part of transformers: choose another."
            )


def read_object(path: Path) -> dict[str, Any]:
    """A JSON file's object; raises Trouble where it holds something else."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise Trouble(f"{path} holds a JSON {type(content).__name__}; wanted an object: get the model again.")
    return content


def weight_files(source: Path) -> list[str]:
    """The names of the weight files that a loader would read: `model.safetensors`, or those that the index names."""
    if not (source / INDEX).exists():
        if not (source / WEIGHTS).exists():
            found = ", ".join(sorted(path.name for path in source.glob("*.safetensors")))
            raise Trouble(f"{source} holds {found}, but neither {WEIGHTS} nor {INDEX}; get the missing file too.")
        return [WEIGHTS]
    names = sorted(set(weight_map(source).values()))
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise Trouble(f"{source / INDEX} names the file {name!r}; wanted *.safetensors files beside it.")
        if not (source / name).exists():
            raise Trouble(f"{source} lacks {name}, which {INDEX} names; get the missing file too.")
    if unnamed := sorted({path.name for path in source.glob("model-*-of-*.safetensors")} - set(names)):
        raise Trouble(f"{source / INDEX} does not name {', '.join(unnamed)}; get the index of this model again.")
    return names


def weight_map(source: Path) -> dict[str, str]:
    """Tensor name -> file, as the index of a model in several files says."""
    mapping = read_object(source / INDEX).get("weight_map")
    if not isinstance(mapping, dict) or not mapping or not all(isinstance(name, str) for name in mapping.values()):
        raise Trouble(f"{source / INDEX} has no 'weight_map' of tensors to files; get the model again.")
    return mapping


def copy_model(source: Path, target: Path) -> None:
    """Copy what a loader needs and what people should read; nothing else comes along."""
    weights = weight_files(source)
    index = [INDEX] if (source / INDEX).exists() else []
    tokenizer = sorted(path.name for path in source.glob("*.model"))
    for name in [*weights, *index, *JSON_FILES, *OTHER_FILES, *tokenizer]:
        if (source / name).exists():
            _refuse_disguise(source / name)
            shutil.copyfile(source / name, target / name)
    for name in TEXT_FILES:
        if (source / name).exists():
            write_text(target / name, read_text(source / name))


def _refuse_disguise(path: Path) -> None:
    """A pickle under an allowed name stays a pickle."""
    with path.open("rb") as file:
        start = file.read(4)
    # a safetensors file may begin with 0x80 by chance (its header's length); its header is parsed instead
    if path.suffix != ".safetensors" and (start[:1] == PICKLE_START or start == ZIP_START):
        raise Trouble(f"{path} is a pickle or an archive under another name; get the model from its publisher again.")


def write_plain_json(path: Path, content: dict[str, Any]) -> None:
    """Write a config back as the library does (keys keep their order)."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2))
