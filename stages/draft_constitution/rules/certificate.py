"""How far a chosen set represents everybody: two axioms checked exactly, and who finds nothing of theirs in it.

JR (justified representation, Aziz et al. 2017): no voters / places people who all approve one more statement are left
without anything they approve. EJR+ (Brill and Peters 2023), for every size: no group of l times that many people, who
all approve one more statement, has members who each approve fewer than l of the set. Both hold or fail for the
approvals used, of which a part is filled in (see approvals.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.draft_constitution.rules.approvals import Approvals
from stages.draft_constitution.rules.choice import percent

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Violation:
    """People who deserve more of the set than they have, and the statement that would give it to them."""

    statement_id: int  # not chosen, and all of them approve it
    deserved: int  # principles that so many people deserve to find in the set
    people: int  # who approve fewer than that
    wanted: int  # so many people would deserve it
    by_group: dict[str, int]


@dataclass(frozen=True)
class Certificate:
    """What a chosen set gives to whom."""

    rule: str
    places: int
    principles: int
    voters: int
    voters_drawn_from: int
    eligible: int  # statements that could have been chosen
    filled_share: float  # of the approvals, filled in for statements that a voter was not shown
    jr: bool
    ejr_plus: bool
    counterexample: Violation | None  # the worst: most deserved, then most people
    unrepresented: int  # voters who approve nothing of the set
    unrepresented_share: float
    unrepresented_by_group: dict[str, int]
    disagreeing: int  # voters who saw principles and agreed with none of them: own votes alone
    mean_approved_share: float  # of the set, on average over voters
    mean_approved_share_by_group: dict[str, float]
    verdict: str


def certify(ballots: Approvals, chosen: Sequence[int], places: int, rule: str) -> Certificate:
    """Check the chosen statements against all that could have been chosen."""
    rows = np.searchsorted(ballots.statements, np.asarray(chosen, dtype=np.int64))
    has = np.count_nonzero(ballots.approved[rows], axis=0)
    without = has == 0
    violation, jr = _worst_violation(ballots, set(map(int, rows)), has, places)
    saw = ballots.seen[rows]
    disagreeing = saw.any(axis=0) & ~(saw & ballots.approved[rows]).any(axis=0)
    voters = len(ballots.voters)
    return Certificate(
        rule=rule,
        places=places,
        principles=len(chosen),
        voters=voters,
        voters_drawn_from=ballots.voters_drawn_from,
        eligible=len(ballots.statements),
        filled_share=round(ballots.filled_share, 6),
        jr=jr,
        ejr_plus=violation is None,
        counterexample=violation,
        unrepresented=int(without.sum()),
        unrepresented_share=round(float(without.mean()), 6) if voters else 0.0,
        unrepresented_by_group=_people_by_group(ballots, without),
        disagreeing=int(disagreeing.sum()),
        mean_approved_share=round(float(has.mean()) / max(len(chosen), 1), 6) if voters else 0.0,
        mean_approved_share_by_group=_mean_by_group(ballots, has / max(len(chosen), 1)),
        verdict=_in_words(violation, jr, int(without.sum()), voters),
    )


def _worst_violation(ballots: Approvals, chosen: set[int], has: Counts, places: int) -> tuple[Violation | None, bool]:
    """The violation of EJR+ that deserves most, and whether JR holds.

    For a statement that is not chosen, the people who might complain together at level l are all its supporters with
    fewer than l of the set: counting them is enough, so the check is exact and takes one pass.
    """
    worst: tuple[int, int, int] | None = None  # deserved, people, row
    jr = True
    levels = np.arange(1, places + 1)
    for row in sorted(set(range(len(ballots.statements))) - chosen):
        by_level = np.bincount(has, weights=ballots.approved[row], minlength=places + 1)
        with_fewer = np.cumsum(by_level).astype(np.int64)[:places]
        broken = levels[(with_fewer * places >= levels * len(ballots.voters)) & (with_fewer > 0)]
        if not len(broken):
            continue
        jr = jr and bool(broken[0] != 1)
        deserved = int(broken[-1])
        if worst is None or (deserved, int(with_fewer[deserved - 1])) > worst[:2]:
            worst = deserved, int(with_fewer[deserved - 1]), row
    if worst is None:
        return None, jr
    deserved, people, row = worst
    complaining = ballots.approved[row] & (has < deserved)
    return Violation(
        statement_id=ballots.statements[row],
        deserved=deserved,
        people=people,
        wanted=-(-deserved * len(ballots.voters) // places),
        by_group=_people_by_group(ballots, complaining),
    ), jr


def _people_by_group(ballots: Approvals, people: NDArray[np.bool_]) -> dict[str, int]:
    counts = np.bincount(ballots.group_of[people], minlength=len(ballots.groups))
    return {group: int(count) for group, count in zip(ballots.groups, counts, strict=True)}


def _mean_by_group(ballots: Approvals, share: NDArray[np.float64]) -> dict[str, float]:
    sizes = np.bincount(ballots.group_of, minlength=len(ballots.groups))
    sums = np.bincount(ballots.group_of, weights=share, minlength=len(ballots.groups))
    return {
        group: round(float(total / size), 6) for group, total, size in zip(ballots.groups, sums, sizes, strict=True)
    }


def _in_words(violation: Violation | None, jr: bool, without: int, voters: int) -> str:
    left = (
        f"{without:,} of {voters:,} voters ({percent(without / voters if voters else 0.0)}) approve nothing of the set"
    )
    if violation is None:
        return f"everybody has what a part of the crowd of its size deserves (EJR+ and JR hold); {left}"
    return (
        f"{'JR holds, EJR+ fails' if jr else 'JR and EJR+ fail'}: {violation.people:,} people who all approve statement"
        f" {violation.statement_id} each approve fewer than {violation.deserved} of the set, and {violation.wanted:,} would"
        f" deserve that many; {left}"
    )
