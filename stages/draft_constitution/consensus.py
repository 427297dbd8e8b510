"""Measure how far all opinion groups agree with a statement, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from stages.draft_constitution.votes import CODE, VoteMatrix, row_blocks
from stages.records import ConsensusScores, VoteCount

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

DECIMALS = 6


@dataclass(frozen=True)
class GroupCounts:
    """How often each group (row) cast each vote on each statement (column)."""

    groups: tuple[str, ...]
    statements: tuple[int, ...]
    agree: Counts
    disagree: Counts
    passed: Counts

    @property
    def cast(self) -> Counts:
        """Votes of any kind."""
        return self.agree + self.disagree + self.passed

    def only(self, statements: NDArray[np.bool_]) -> GroupCounts:
        """The counts on these statements, for instance on those that were not moderated out."""
        kept = tuple(s for s, keep in zip(self.statements, statements, strict=True) if keep)
        agree, disagree, passed = (table[:, statements] for table in (self.agree, self.disagree, self.passed))
        return GroupCounts(self.groups, kept, agree, disagree, passed)


@dataclass(frozen=True)
class Consensus:
    """The votes of every group on one statement, each group's lower bound, and the scores made of them."""

    votes: dict[str, VoteCount]
    total: VoteCount  # of everybody, also of those without a group
    lower_bounds: dict[str, float]  # group -> its agree rate is higher than this with the wanted confidence
    scores: ConsensusScores

    @property
    def weakest_group(self) -> str:
        """The group that agrees least surely."""
        return min(self.lower_bounds, key=lambda group: (self.lower_bounds[group], group))


def count(votes: VoteMatrix, labels: Mapping[str, str]) -> GroupCounts:
    """The votes of every group; people without a group are in none."""
    groups = tuple(sorted(set(labels.values())))
    numbers = {group: number for number, group in enumerate(groups)}
    of_row = [numbers[labels[key]] if key in labels else len(groups) for key in votes.participants]
    return _counted(votes, np.array(of_row, dtype=np.int64), groups)


def total(votes: VoteMatrix) -> GroupCounts:
    """The votes of everybody, as one group named "all"."""
    return _counted(votes, np.zeros(len(votes.participants), dtype=np.int64), ("all",))


def measure(
    votes: VoteMatrix, labels: Mapping[str, str], confidence: float, weights: Mapping[str, float] | None = None
) -> dict[int, Consensus]:
    """The consensus on every statement; a pass counts as a vote that does not agree, as in Polis.

    `weights` (participant -> weight) are those of a census; people without one are left out of `weighted_agree`.
    """
    by_group, everybody = count(votes, labels), total(votes)
    bounds = lower_bounds(by_group.agree, by_group.cast, confidence)
    gac = group_informed_consensus(by_group)
    root = gac ** (1 / max(len(by_group.groups), 1))
    exposure = everybody.cast[0] / max(len(votes.participants), 1)
    cells = by_group.cast.min(axis=0) if by_group.groups else np.zeros(len(votes.statements), dtype=np.int64)
    weighted = None if weights is None else _weighted_agree(votes, weights)
    found = {}
    for column, statement in enumerate(votes.statements):
        own_bounds = dict(zip(by_group.groups, bounds[:, column].tolist(), strict=True))
        scores = ConsensusScores(
            gac=round(float(gac[column]), DECIMALS),
            gac_geometric_mean=round(float(root[column]), DECIMALS),
            lower_bound=min(own_bounds.values(), default=0.0),
            exposure=round(float(exposure[column]), DECIMALS),
            smallest_cell=int(cells[column]),
            weighted_agree=None if weighted is None else _known(weighted[column]),
        )
        found[statement] = Consensus(
            _vote_counts(by_group, column), _vote_counts(everybody, column)["all"], own_bounds, scores
        )
    return found


def group_informed_consensus(counts: GroupCounts) -> Floats:
    """The product over the groups of (agrees + 1) / (votes + 2); 0 where there is no group that could agree."""
    if not counts.groups:
        return np.zeros(len(counts.statements))
    return np.asarray(np.prod(agree_rates(counts.agree, counts.cast), axis=0))


def agree_rates(agree: ArrayLike, cast: ArrayLike) -> Floats:
    """The share that agrees, with one vote for and one against added (Polis), so that few votes stay near one half."""
    return np.asarray((np.asarray(agree) + 1) / (np.asarray(cast) + 2))


def lower_bounds(agree: ArrayLike, cast: ArrayLike, confidence: float) -> Floats:
    """The agree rates are higher than this with the wanted confidence (Beta posterior, uniform prior)."""
    agree, cast = np.asarray(agree), np.asarray(cast)
    return np.asarray(np.round(betaincinv(agree + 1.0, cast - agree + 1.0, 1 - confidence), DECIMALS))


def agree_rate(votes: VoteCount) -> float:
    """As `agree_rates`, of one group on one statement."""
    return float(agree_rates(votes.agree, _cast(votes)))


def lower_bound(votes: VoteCount, confidence: float) -> float:
    """As `lower_bounds`, of one group on one statement."""
    return float(lower_bounds(votes.agree, _cast(votes), confidence))


def _cast(votes: VoteCount) -> int:
    return votes.agree + votes.disagree + votes.passed


def _counted(votes: VoteMatrix, of_row: NDArray[np.int64], groups: tuple[str, ...]) -> GroupCounts:
    """One pass over the votes, a block at a time; the row after the last group takes people without one."""
    rows, columns = len(groups) + 1, len(votes.statements)
    shape = (3, rows, columns)  # disagree, pass, agree
    counts = np.zeros(3 * rows * columns, dtype=np.int64)
    per_row = np.diff(votes.coded.indptr)
    for part_rows, part in row_blocks(votes.coded):
        group = np.repeat(of_row[part_rows], per_row[part_rows])
        kind = votes.coded.data[part].astype(np.int64) - (CODE - 1)
        counts += np.bincount((kind * rows + group) * columns + votes.coded.indices[part], minlength=len(counts))
    disagree, passed, agree = counts.reshape(shape)[:, : len(groups)]
    return GroupCounts(groups, votes.statements, agree, disagree, passed)


def _weighted_agree(votes: VoteMatrix, weights: Mapping[str, float]) -> Floats:
    """The weighted agree rate of everybody with a weight; not a number where they cast no vote."""
    of_row = np.array([weights.get(key, 0.0) for key in votes.participants])
    columns = len(votes.statements)
    agree, cast = np.zeros(columns), np.zeros(columns)
    per_row = np.diff(votes.coded.indptr)
    for rows, part in row_blocks(votes.coded):
        weight = np.repeat(of_row[rows], per_row[rows])
        where = votes.coded.indices[part]
        cast += np.bincount(where, weights=weight, minlength=columns)
        agree += np.bincount(where, weights=weight * (votes.coded.data[part] == 1 + CODE), minlength=columns)
    return np.divide(agree, cast, out=np.full(columns, np.nan), where=cast > 0)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), DECIMALS)


def _vote_counts(counts: GroupCounts, column: int) -> dict[str, VoteCount]:
    tables = zip(counts.agree[:, column], counts.disagree[:, column], counts.passed[:, column], strict=True)
    return {
        group: VoteCount(agree=int(agree), disagree=int(disagree), passed=int(passed))
        for group, (agree, disagree, passed) in zip(counts.groups, tables, strict=True)
    }
