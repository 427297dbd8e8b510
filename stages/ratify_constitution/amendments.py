"""What a new version changes: principles added, removed and reworded, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from stages.errors import Trouble
from stages.records import Amendment, Constitution, Decision, Principle


def amendments(
    before: Mapping[str, str], after: Iterable[Principle], reasons: Mapping[str, str]
) -> tuple[Amendment, ...]:
    """The differences: first what changes in the order of the new version, then what is removed, by id."""
    principles = list(after)
    kept = {principle.id for principle in principles}
    changed = [_changed(principle, before.get(principle.id)) for principle in principles]
    removed = [
        Amendment(principle=name, change="removed", before=text, reason=reasons.get(name, ""))
        for name, text in sorted(before.items())
        if name not in kept
    ]
    return (*(amendment for amendment in changed if amendment), *removed)


def _changed(principle: Principle, before: str | None) -> Amendment | None:
    if before == principle.text:
        return None
    reason = principle.decision.reason if principle.decision else ""
    change = "added" if before is None else "reworded"
    return Amendment(principle=principle.id, change=change, before=before, after=principle.text, reason=reason)


def between(before: Constitution, after: Constitution) -> tuple[Amendment, ...]:
    """The differences of two constitutions, whether or not one names the other as its parent."""
    texts = {principle.id: principle.text for principle in before.principles}
    reasons = {amendment.principle: amendment.reason for amendment in after.amendments if amendment.change == "removed"}
    return amendments(texts, after.principles, removal_reasons(texts, after.declined, after) | reasons)


def removal_reasons(before: Iterable[str], declined: Iterable[Decision], draft: Constitution) -> dict[str, str]:
    """Why principles of the version before are not in this one: people declined them, or they were not drafted."""
    not_drafted = {f"p{statement.statement_id:03d}": statement.reason for statement in draft.rejected}
    reasons = {name: f"not drafted again: {not_drafted[name]}" for name in before if name in not_drafted}
    for decision in declined:
        into = f"merged into {decision.into}: " if decision.into else ""
        reasons[decision.principle] = f"{into}{decision.reason}"
    return reasons


def find_constitution(path: Path) -> Path:
    """The constitution's file, where a file, a node's output or a release's folder is named."""
    if path.is_file():
        return path
    for place in ("constitution.json", "constitution/ratified/constitution.json"):
        if (path / place).is_file():
            return path / place
    found = sorted(path.rglob("ratified/constitution.json")) if path.is_dir() else []
    if len(found) == 1:
        return found[0]
    raise Trouble(f"{path} holds no constitution.json; wanted that file, or a release's folder: check the path.")
