"""Apply people's decisions to the draft: the constitution is what they accepted and reworded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stages.ratify_constitution.decisions import Decisions
from stages.records import Constitution, Decision, Principle, RatifiedPrinciple


@dataclass(frozen=True)
class Ratification:
    """The constitution, and what was counted on the way."""

    constitution: Constitution
    counts: dict[str, int]  # decision -> how many drafted principles
    not_in_draft: tuple[str, ...]  # principles decided on that the draft does not hold


def ratify(draft: Sequence[Principle], decisions: Decisions, question: str) -> Ratification:
    """The ratified constitution in the draft's order; decisions must have been checked against the draft."""
    by_principle = {decision.principle: decision for decision in decisions.decisions}
    drafted = {principle.id for principle in draft}
    taken_in = _taken_in(draft, by_principle)
    principles = tuple(
        _ratified(principle, by_principle[principle.id], taken_in.get(principle.id, ()))
        for principle in draft
        if by_principle[principle.id].decision in ("accept", "reword")
    )
    declined = tuple(by_principle[p.id] for p in draft if by_principle[p.id].decision in ("merge", "reject"))
    constitution = Constitution(
        title=_one_line(decisions.title),
        version=decisions.version,
        status="ratified",
        question=_one_line(decisions.question or question),
        languages=tuple(sorted({principle.language for principle in principles})),
        principles=principles,
        declined=declined,
    )
    return Ratification(
        constitution=constitution,
        counts=dict(Counter(by_principle[principle.id].decision for principle in draft)),
        not_in_draft=tuple(sorted(by_principle.keys() - drafted)),
    )


def _taken_in(draft: Sequence[Principle], by_principle: Mapping[str, Decision]) -> dict[str, tuple[int, ...]]:
    """The statements that each principle takes in from those merged into it."""
    statements: dict[str, tuple[int, ...]] = {}
    for principle in draft:
        decision = by_principle[principle.id]
        if decision.decision == "merge" and decision.into is not None:
            statements[decision.into] = statements.get(decision.into, ()) + principle.statement_ids
    return statements


def _ratified(principle: Principle, decision: Decision, taken_in: tuple[int, ...]) -> RatifiedPrinciple:
    """The principle as adopted; its votes stay those on its own statement, which are not added up over texts."""
    added = sorted(set(taken_in) - set(principle.statement_ids))
    adopted = principle.model_dump() | {"statement_ids": (*principle.statement_ids, *added), "decision": decision}
    if decision.decision == "reword":
        adopted |= {"text": _one_line(decision.text or ""), "amended_from": principle.text}
    return RatifiedPrinciple.model_validate(adopted)


def _one_line(text: str) -> str:
    """YAML may fold a sentence over lines; a principle is one line."""
    return " ".join(text.split())
