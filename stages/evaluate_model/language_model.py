"""Open a model folder: safetensors only, nothing fetched, no code from the folder run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.errors import Trouble

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

USUAL_LENGTH = 2048  # where a model's config names no length


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


def open_model(folder: Path, precision: str, threads: int) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model in evaluation mode, on the GPU where the machine has one, and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    torch.set_num_threads(threads)
    transformers_logging.disable_progress_bar()
    safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, precision), use_safetensors=True, **safe
        )
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
