"""Semantic versions: what changed says which number comes next.

Major: a principle was removed or reworded, so that an assistant which kept the old version may break the new one.
Minor: principles were only added. Patch: no principle changed (a translation, the title).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

SEMANTIC_VERSION = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$"
FIRST = "1.0.0"

Change = Literal["added", "removed", "reworded"]


def numbers(version: str) -> tuple[int, int, int]:
    """The three numbers, which can be compared."""
    major, minor, patch = map(int, version.split("."))
    return major, minor, patch


def next_version(previous: str, changes: Collection[Change]) -> str:
    """The version that fits the changes; below 1.0.0, where everything may still change, the minor number counts."""
    major, minor, patch = numbers(previous)
    if not changes:
        return f"{major}.{minor}.{patch + 1}"
    if major and not set(changes) <= {"added"}:
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0"


def problem(version: str, previous: str | None, changes: Collection[Change]) -> str | None:
    """Why the version does not fit, with the one that does, or None."""
    if previous is None:
        return None if version == FIRST or numbers(version)[0] == 0 else _no_previous(version)
    wanted = next_version(previous, changes)
    if version == wanted or (numbers(previous)[0] == 0 and version == FIRST):
        return None
    found = f"found version {version} after {previous}"
    if numbers(version) <= numbers(previous):
        found += ", which is not greater"
    return f"{found}; wanted {wanted} ({_why(changes)}): write it"


def _no_previous(version: str) -> str:
    return (
        f"found version {version} without `previous`; wanted {FIRST} for a first constitution (0.x.y for a trial),"
        " or the version that it amends: write it, or name that with `commons ratify --amends FILE`"
    )


def _why(changes: Collection[Change]) -> str:
    counts = {change: sum(other == change for other in changes) for change in ("removed", "reworded", "added")}
    words = ", ".join(f"{count} {change}" for change, count in counts.items() if count)
    return f"principles {words}" if words else "no principle changed"
