"""The charter for citizens; the node writes it beside the constitution, so that there is no second copy in exports/."""

from __future__ import annotations

from stages.ratify_constitution.charter import charter
from stages.records import Constitution

FILE = ""


def export(constitution: Constitution) -> str:
    """The charter in Markdown."""
    return charter(constitution)
