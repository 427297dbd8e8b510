"""Say where the base model comes from, under which licence, and what exactly its files are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from stages.errors import Trouble
from stages.fetch_base_model.chat import Chat
from stages.fetch_base_model.files import CONFIG, read_object
from stages.fetch_base_model.parameters import Parameters
from stages.fetch_base_model.weights import Weights

# What the largest licences of open weights ask that are not open-source licences; people's own list comes on top.
KNOWN_OBLIGATIONS = {
    "llama2": "Llama 2 community licence: keep its notice, follow its acceptable-use policy",
    "llama3.1": "Llama 3.1 community licence: begin the model's name with Llama, say 'Built with Llama', "
    "follow its acceptable-use policy",
    "gemma": "Gemma terms: pass on the terms and the prohibited-use policy",
}


class Architecture:
    """What config.json says of the model's shape."""

    def __init__(self, folder: Path) -> None:
        config = read_object(folder / CONFIG)
        names = config.get("architectures")
        if not isinstance(names, list) or not names or not isinstance(names[0], str):
            raise Trouble(
                f"{folder / CONFIG} names no architecture; wanted e.g. ['LlamaForCausalLM']: get the model again."
            )
        self.name: str = names[0]
        text = config.get("text_config") or config  # models that also see keep the language part apart
        self.vocabulary: int = int(text.get("vocab_size", 0))
        self.context: int = int(text.get("max_position_embeddings", 0))
        self.quantized: bool = "quantization_config" in config


def check_fit(folder: Path, architecture: Architecture, weights: Weights, chat: Chat) -> None:
    """Raise Trouble where config, weights and tokenizer are not of one model, or cannot be trained."""
    if architecture.quantized:
        raise Trouble(f"{folder / CONFIG} has 'quantization_config'; wanted weights in float32, float16 or bfloat16.")
    if chat.vocabulary > architecture.vocabulary:
        raise Trouble(
            f"{folder}: the tokenizer has {chat.vocabulary:,} tokens, the model {architecture.vocabulary:,}; "
            "wanted no more tokens than the model knows: take both from one place."
        )
    embeddings = [tensor for name, tensor in weights.tensors.items() if name.endswith("embed_tokens.weight")]
    if embeddings and embeddings[0].shape[0] != architecture.vocabulary:
        raise Trouble(
            f"{folder}: {CONFIG} says {architecture.vocabulary:,} tokens, the embeddings have "
            f"{embeddings[0].shape[0]:,}; take both from one place."
        )


def origin(
    local: Path, params: Parameters, architecture: Architecture, weights: Weights, files: dict[str, Any]
) -> dict[str, Any]:
    """The content of origin.json; a local model is named by its folder's name, never by its path."""
    known = [
        text
        for key, text in KNOWN_OBLIGATIONS.items()
        if key in params.license.lower().replace("-", "").replace(" ", "")
    ]
    return {
        "hub_id": params.hub_id,
        "local": None if params.hub_id else local.resolve().name,
        "revision": params.revision,
        "license": params.license,
        "obligations": [*params.obligations, *(text for text in known if text not in params.obligations)],
        "architecture": architecture.name,
        "parameters": weights.parameters,
        "stored_types": weights.dtypes,
        "files": files,
    }


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Bytes and sha256 of every file, by name."""
    return {
        path.name: {"bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def metrics(architecture: Architecture, weights: Weights, files: dict[str, Any]) -> dict[str, int]:
    """The figures that the platform shows, by their names in words."""
    return {
        "parameters": weights.parameters,
        "tensors": len(weights.tensors),
        "vocabulary, tokens": architecture.vocabulary,
        "context, tokens": architecture.context,
        "weight files": sum(name.endswith(".safetensors") for name in files),
        "bytes": sum(entry["bytes"] for entry in files.values()),
    }
