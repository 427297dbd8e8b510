"""Where a statement stands between consensus and division, and what one group holds alone; for drawings and page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stages.records import Constitution, VoteCount

MAJORITY = 0.5


@dataclass(frozen=True)
class Standing:
    """How high the least agreeing group is on a statement, and how far the groups are apart.

    With a single group there is no distance between groups: then `apart` is the share that disagrees.
    """

    statement_id: int
    text: str
    language: str
    principle: str  # its id; empty where the statement was not drafted
    least: float  # share of the least agreeing group's voters who agree
    least_group: str
    most: float
    most_group: str
    apart: float


@dataclass(frozen=True)
class Standings:
    """All statements that can be placed, and how many cannot because a group cast too few votes."""

    placed: tuple[Standing, ...]
    too_few_votes: int
    groups: int


@dataclass(frozen=True)
class HeldAlone:
    """A statement that a majority of one group surely agrees with and a majority of no other group."""

    group: str
    statement_id: int
    text: str
    language: str
    shares: Mapping[str, float]  # group -> share that agrees
    counts: Mapping[str, VoteCount]
    ahead: float  # of the next group


def seen(count: VoteCount) -> int:
    """How many voted, passes included."""
    return count.agree + count.disagree + count.passed


def share(count: VoteCount) -> float:
    """The share of those who voted that agrees; 0 where nobody voted."""
    whole = seen(count)
    return count.agree / whole if whole else 0.0


def standings(constitution: Constitution, min_cell: int) -> Standings:
    """Every scored statement on which each group cast `min_cell` votes, by id."""
    placed, left_out, groups = [], 0, 0
    for id_, text, language, principle, votes in _scored(constitution):
        groups = max(groups, len(votes))
        if not votes or min(seen(count) for count in votes.values()) < max(min_cell, 1):
            left_out += 1
        else:
            placed.append(_standing(id_, text, language, principle, votes))
    return Standings(tuple(sorted(placed, key=lambda s: s.statement_id)), left_out, groups)


def _scored(constitution: Constitution) -> Iterator[tuple[int, str, str, str, Mapping[str, VoteCount]]]:
    for principle in constitution.principles:
        if principle.scores:
            yield principle.statement_ids[0], principle.text, principle.language, principle.id, principle.votes
    for rejected in constitution.rejected:
        if rejected.scores:
            yield rejected.statement_id, rejected.text, rejected.language, "", rejected.votes


def _standing(id_: int, text: str, language: str, principle: str, votes: Mapping[str, VoteCount]) -> Standing:
    shares = {group: share(count) for group, count in votes.items()}
    least = min(shares, key=lambda group: (shares[group], group))
    most = max(shares, key=lambda group: (shares[group], group))
    apart = shares[most] - shares[least]
    if len(votes) == 1:
        apart = votes[least].disagree / seen(votes[least])
    return Standing(id_, text, language, principle, shares[least], least, shares[most], most, apart)


def held_alone(
    constitution: Constitution, lower_bounds: Mapping[int, Mapping[str, float]], min_cell: int
) -> dict[str, tuple[HeldAlone, ...]]:
    """By group, the statements that it alone holds, the most its own first.

    `lower_bounds` tells per statement and group what share surely agrees.
    """
    found: dict[str, list[HeldAlone]] = {}
    for id_, text, language, _, votes in _scored(constitution):
        if len(votes) < 2 or min(seen(count) for count in votes.values()) < max(min_cell, 1):
            continue
        shares = {group: share(count) for group, count in sorted(votes.items())}
        for group in shares:
            others = max(rate for name, rate in shares.items() if name != group)
            if lower_bounds.get(id_, {}).get(group, 0.0) > MAJORITY > others:
                alone = HeldAlone(group, id_, text, language, shares, votes, shares[group] - others)
                found.setdefault(group, []).append(alone)
    return {
        group: tuple(sorted(views, key=lambda v: (-v.ahead, v.statement_id))) for group, views in sorted(found.items())
    }
