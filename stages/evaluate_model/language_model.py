"""Open a model folder: safetensors only, nothing fetched, no code from the folder run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.artifact import read_json
from stages.errors import Trouble

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

USUAL_LENGTH = 2048  # where a model's config names no length
CHUNK = 1 << 22


@dataclass(frozen=True)
class OpenModel:
    """A model that is loaded, and what it is known by."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    length: int  # tokens that it reads at once
    masked: bool  # it guesses hidden tokens and does not write (BERT)
    sha256: str  # over the folder's files


def open_folder(folder: Path, precision: str, threads: int, max_length: int | None) -> OpenModel:
    """Check the folder, load the model and name it by its content."""
    check_folder(folder)
    model, tokenizer = open_model(folder, precision, threads)
    length = readable_length(model, max_length)
    return OpenModel(model, tokenizer, length, is_masked(folder), folder_sha256(folder))


def check_folder(folder: Path) -> None:
    """Raise Trouble where the folder is not a model that may be opened (before the heavy imports)."""
    if not folder.is_dir():
        raise Trouble(f"{folder} is missing; wanted a model folder: run the node that makes it.")
    if not any(folder.glob("*.safetensors")):
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"
        raise Trouble(f"{folder} has no .safetensors weights (found {found}); save the model with safe_serialization.")
    for name in ("config.json", "tokenizer_config.json"):
        if not (folder / name).is_file():
            raise Trouble(f"{folder} has no {name}; wanted a whole model folder with its tokenizer.")


def is_masked(folder: Path) -> bool:
    """Whether the folder's config names a masked language model."""
    config = read_json(folder / "config.json")
    names = config.get("architectures") if isinstance(config, dict) else None
    return any(str(name).endswith("ForMaskedLM") for name in names or ())


def folder_sha256(folder: Path) -> str:
    """Over the names and contents of the folder's files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def open_model(folder: Path, precision: str, threads: int) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model in evaluation mode, on the GPU where the machine has one, and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    torch.set_num_threads(threads)
    transformers_logging.disable_progress_bar()
    safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    kind = AutoModelForMaskedLM if is_masked(folder) else AutoModelForCausalLM
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        model = kind.from_pretrained(folder, dtype=getattr(torch, precision), use_safetensors=True, **safe)
    except Exception as error:  # the formats' own errors have no common class
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Trouble(
            f"{folder} cannot be opened as a model ({reason}); make it again with the node that writes it."
        ) from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.to(device).eval(), tokenizer


def readable_length(model: PreTrainedModel, max_length: int | None) -> int:
    """How many tokens the model reads at once: its own limit, or a lower one that was asked for."""
    config: Any = model.config.get_text_config()
    own = getattr(config, "max_position_embeddings", None) or USUAL_LENGTH
    return min(own, max_length or own)
