"""A plain list: one principle a line, as collective constitutions are usually passed on."""

from __future__ import annotations

from stages.records import Constitution

FILE = "principles.txt"


def export(constitution: Constitution) -> str:
    """One adopted text a line."""
    return "\n".join(principle.text for principle in constitution.principles)
