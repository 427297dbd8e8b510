"""Measure how far all opinion groups agree with a statement, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.stats import beta

from stages.draft_constitution.votes import VoteMatrix
from stages.records import ConsensusScores, VoteCount

DECIMALS = 6


@dataclass(frozen=True)
class Consensus:
    """The votes of every group on one statement, each group's lower bound, and the scores made of them."""

    votes: dict[str, VoteCount]
    lower_bounds: dict[str, float]  # group -> its agree rate is higher than this with the wanted confidence
    scores: ConsensusScores

    @property
    def weakest_group(self) -> str:
        """The group that agrees least surely."""
        return min(self.lower_bounds, key=lambda group: (self.lower_bounds[group], group))


def measure(votes: VoteMatrix, labels: Mapping[str, str], confidence: float) -> dict[int, Consensus]:
    """The consensus on every statement; a pass counts as a vote that does not agree, as in Polis."""
    groups = sorted(set(labels.values()))
    counts = {vote: _by_group(votes, labels, groups, vote) for vote in (1, -1, 0)}
    exposure = np.asarray(votes.seen.sum(axis=0)).ravel() / len(votes.participants)
    return {
        statement: _consensus(
            {
                group: VoteCount(
                    agree=int(counts[1][row, column]),
                    disagree=int(counts[-1][row, column]),
                    passed=int(counts[0][row, column]),
                )
                for row, group in enumerate(groups)
            },
            float(exposure[column]),
            confidence,
        )
        for column, statement in enumerate(votes.statements)
    }


def _by_group(
    votes: VoteMatrix, labels: Mapping[str, str], groups: Sequence[str], vote: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """How often each group (row) cast this vote on each statement (column)."""
    cells = [(groups.index(labels[p]), row) for row, p in enumerate(votes.participants) if p in labels]
    rows, columns = zip(*cells, strict=True)
    shape = (len(groups), len(votes.participants))
    membership = sparse.csr_array(sparse.coo_array((np.ones(len(cells)), (rows, columns)), shape=shape))
    return np.asarray((membership @ votes.cast(vote)).todense())


def _consensus(votes: dict[str, VoteCount], exposure: float, confidence: float) -> Consensus:
    bounds = {group: lower_bound(count, confidence) for group, count in votes.items()}
    gac = float(np.prod([agree_rate(count) for count in votes.values()]))
    scores = ConsensusScores(
        gac=round(gac, DECIMALS),
        gac_geometric_mean=round(gac ** (1 / len(votes)), DECIMALS),
        lower_bound=min(bounds.values()),
        exposure=round(exposure, DECIMALS),
    )
    return Consensus(votes, bounds, scores)


def agree_rate(count: VoteCount) -> float:
    """The share that agrees, with one vote for and one against added (Polis), so that few votes stay near one half."""
    return (count.agree + 1) / (_total(count) + 2)


def lower_bound(count: VoteCount, confidence: float) -> float:
    """The group's agree rate is higher than this with the wanted confidence (Beta posterior, uniform prior)."""
    bound = beta.ppf(1 - confidence, count.agree + 1, _total(count) - count.agree + 1)
    return round(float(bound), DECIMALS)


def _total(count: VoteCount) -> int:
    return count.agree + count.disagree + count.passed
