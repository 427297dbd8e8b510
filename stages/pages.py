"""Pages that need no network and no other file: text is escaped where it is put in, style and script stand inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(
    templates: Path, filters: Mapping[str, Callable[..., Any]] | None = None, known: Mapping[str, Any] | None = None
) -> Environment:
    """Jinja over a folder of templates, with escaping on and undefined names as errors; `known` are names in all of them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= dict(filters or {})
    made.globals |= dict(known or {})
    return made


def inline(path: Path) -> tuple[str, str]:
    """A style or script to put into a page, and its sha256 for the page's Content-Security-Policy."""
    text = path.read_text(encoding="utf-8").strip()
    return text, base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
