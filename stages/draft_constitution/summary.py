"""The report in a few sentences, for those who read nothing else of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stages.draft_constitution.marks import listed

if TYPE_CHECKING:
    from stages.draft_constitution.drafting import Drafted, VoteFindings
    from stages.draft_constitution.sensitivity import Scenario


def in_short(drafted: Drafted) -> Iterator[str]:
    """What was drafted, whether the groups hold, who is missing, how firm the draft is, and which checks failed."""
    constitution = drafted.constitution
    count, others = len(constitution.principles), len(constitution.rejected)
    yield f"{_counted(count, 'principle was', 'principles were')} drafted; {others:,} other statements were not, each with its reason."
    yield from _found(drafted.found, count) if drafted.found else _without_votes()
    failed = [gate.name for gate in drafted.gates if not gate.passed]
    if failed:
        yield f"Checks of quality that were not passed: {'; '.join(failed)}."
    else:
        yield "All checks of quality were passed."
    pairs = sorted({tuple(sorted((p.id, other))) for p in constitution.principles for other in p.conflicts})
    if pairs:
        named = listed([f"{one} and {other}" for one, other in pairs[:3]])
        more = f", and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
        yield f"Some drafted principles may contradict each other: {named}{more}. People have to decide."


def _without_votes() -> Iterator[str]:
    yield "Nobody's single votes are known: there are no opinion groups, and nothing shows whether groups agree."


def _found(found: VoteFindings, principles: int) -> Iterator[str]:
    groups = len(found.grouping.sizes)
    if groups > 1 and found.grouping.reliable:
        yield f"The people fall into {groups} opinion groups, and drawing other people gives the same ones."
    elif groups > 1:
        yield f"The {groups} opinion groups shown are NOT reliable: read nothing into who is in which."
    else:
        yield "No reliable opinion groups were found: the votes are looked at as those of one crowd."
    verdict = found.representation.verdict
    yield f"Who came: {verdict}."
    if principles:
        yield from _firmness(found.sensitivity)


def _firmness(scenarios: Sequence[Scenario]) -> Iterator[str]:
    """The variant that changes the draft most; where nobody was left out, nothing was tried."""
    tried = [scenario for scenario in scenarios if scenario.left_out]
    closest = min(tried, key=lambda one: (one.overlap, one.name), default=None)
    if closest is None:
        return
    if closest.overlap < 1:
        come, go = _counted(len(closest.added), "principle", "principles"), len(closest.removed)
        yield f"The draft changes most {closest.name}: {come} would come and {go:,} would go."
    else:
        yield f"The draft stays the same {listed([scenario.name for scenario in tried])}."


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
