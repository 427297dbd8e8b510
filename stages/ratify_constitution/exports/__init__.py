"""The constitution in other projects' formats: a file in this folder is an adapter, named as `--as` names it.

An adapter has FILE, the name it gets in the node's output, and `export`, which turns a constitution into text.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import Any, Protocol

from stages.errors import Trouble
from stages.records import Constitution


class Adapter(Protocol):
    """What each file of this folder offers."""

    FILE: str

    def export(self, constitution: Constitution) -> str:
        """The constitution as the text of a file."""


def names() -> list[str]:
    """The formats there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def adapter(name: str) -> Adapter:
    """The adapter of a format; raises Trouble that names those there are."""
    if name not in names():
        raise Trouble(f"No format named '{name}'; known formats: {', '.join(names())}.")
    found: Any = importlib.import_module(f"{__name__}.{name}")
    return found


def as_json(content: Any) -> str:
    """Canonical JSON, as all our files have it."""
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
