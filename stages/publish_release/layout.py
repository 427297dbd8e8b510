"""Where things lie in a release, what role each file plays and which files never belong in one."""

from __future__ import annotations

from pathlib import PurePosixPath

MANIFEST = "manifest.json"
CHAIN = "chain.json"
CARD = "README.md"
PAGE = "index.html"

MODEL = "model"
DELIBERATION = "deliberation"
DRAFT = "constitution/draft"
RATIFIED = "constitution/ratified"
CORPUS = "corpus"
DOCUMENTS = f"{CORPUS}/corpus/"  # the texts, in Parquet
PREFERENCES = "preferences"
SCORES = "scores"
COMPARISON = "comparison"

REPRESENTATION = f"{DRAFT}/representation.json"

# First match wins, so the narrower folder stands first.
ROLES = {
    MODEL: "model",
    DELIBERATION: "deliberation",
    DRAFT: "draft constitution",
    RATIFIED: "constitution",
    CORPUS: "corpus",
    PREFERENCES: "preferences",
    SCORES: "scores",
    COMPARISON: "comparison",
}
OWN_ROLES = {CHAIN: "lineage", CARD: "document", "gate.json": "gate", "metrics.json": "metrics"}

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".jinja": "text/plain",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".model": "application/octet-stream",  # a SentencePiece vocabulary: read as data, never run
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".safetensors": "application/vnd.safetensors",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
}

# Files of an artifact that are never published, and why. Their hash stays in the chain, so that the artifact can still
# be recognised; no other file may be missing.
PERSONAL = {
    f"{DELIBERATION}/participants.csv": "what single participants declared of themselves",
    f"{DELIBERATION}/attendance.csv": "when single participants voted",
    f"{DRAFT}/weights.csv": "how single participants were weighted, which tells what they declared",
}

# Loading these can run code (pickle), or they are code.
FORBIDDEN_SUFFIXES = (
    ".bin", ".ckpt", ".dll", ".exe", ".h5", ".joblib", ".msgpack", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth",
    ".py", ".pyc", ".pyd", ".sh", ".so",
)  # fmt: skip

# Keys of a model's JSON by which transformers is led to code that is not its own.
CODE_KEYS = ("auto_map", "custom_pipelines", "trust_remote_code", "_attn_implementation_internal")


def role(path: str) -> str:
    """What this file is for, in a word; empty where the file does not belong in a release."""
    if path in OWN_ROLES:
        return OWN_ROLES[path]
    if "/" not in path and path.startswith("index.") and path.endswith(".html"):
        return "document"
    return next((name for folder, name in ROLES.items() if path.startswith(folder + "/")), "")


def media_type(path: str) -> str:
    """The media type by the file's ending."""
    return MEDIA_TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")


def is_forbidden(path: str) -> bool:
    """Whether the file is code, or of a kind that can run code when it is loaded."""
    return path.lower().endswith(FORBIDDEN_SUFFIXES)
