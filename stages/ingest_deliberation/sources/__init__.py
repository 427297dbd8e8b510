"""Deliberation sources: each file here has `read(path, language) -> Conversation` and is named in params.yaml."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from pathlib import Path

from stages.errors import Trouble
from stages.ingest_deliberation import pinned
from stages.ingest_deliberation.conversation import Conversation
from stages.ingest_deliberation.opening import opened

# Which file tells the platform; the first that is found decides (open data has comments too, an export a read-me).
NAMES = (
    ("decidim", r"(^|open-data-)proposals\.csv$"),
    ("tidy", r"^statements\.csv$"),
    ("polis", r"^comments\.csv$"),
    ("charter", r"\.(json|ya?ml|md|markdown)$"),
)


def names() -> list[str]:
    """The known sources, by file name."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def read(source: str, path: Path, language: str) -> Conversation:
    """Read the deliberation at `path`, a folder, .zip or file, with the named source.

    `language` is that of statements which no file names.
    """
    if source not in names():
        near = difflib.get_close_matches(source, names(), n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        raise Trouble(
            f"No source named '{source}' in ingest_deliberation.source{hint}; known sources: {', '.join(names())}."
        )
    pinned.verify(path)  # a snapshot is read as it was fetched, or not at all
    with opened(path) as folder:
        conversation: Conversation = importlib.import_module(f"{__name__}.{source}").read(folder, language)
    return conversation


def recognise(path: Path) -> str:
    """The source that reads what lies at `path`, by the names of its files; raises Trouble where they tell nothing."""
    described = pinned.verify(path).get("source")
    if described in names():
        return str(described)
    with opened(path) as place:
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        found = [source for source, name in NAMES if any(re.search(name, file.name.lower()) for file in files)]
    if not found:
        raise Trouble(f"{path} holds no file that tells its platform; give the source: {', '.join(names())}.")
    return found[0]
