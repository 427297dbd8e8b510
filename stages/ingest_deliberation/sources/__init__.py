"""Deliberation sources: each file here has `read(path, language) -> Conversation` and is named in params.yaml."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from pathlib import Path

from stages.errors import Trouble
from stages.ingest_deliberation.conversation import Conversation


def names() -> list[str]:
    """The known sources, by file name."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def read(source: str, path: Path, language: str) -> Conversation:
    """Read the deliberation at `path` with the named source; `language` is that of statements which no file names."""
    if source not in names():
        near = difflib.get_close_matches(source, names(), n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        raise Trouble(
            f"No source named '{source}' in ingest_deliberation.source{hint}; known sources: {', '.join(names())}."
        )
    conversation: Conversation = importlib.import_module(f"{__name__}.{source}").read(path, language)
    return conversation
