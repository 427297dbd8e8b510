"""Could the opinion groups be there by chance? Two tests, by dealing out anew what was cast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stages.draft_constitution import kmeans
from stages.draft_constitution.base_clusters import divide, quick_base_clusters
from stages.draft_constitution.kmeans import Floats, Labels
from stages.draft_constitution.opinion_map import DECIMALS, ROUGH, centred, means, rough_components, stretch
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.stability import Crowd, in_order_of_place
from stages.draft_constitution.votes import CODE, VoteMatrix

GLANCE = 0.1  # relative residual of the axes at a first look
SURELY = 1.25  # times the scatter at a first look, which was at most 6 % too small on votes dealt out by chance


def of_votes(crowd: Crowd, count: int, params: Parameters) -> float | None:
    """How often votes dealt out by chance give `count` groups at least as far apart as the real ones.

    Each statement keeps its voters and its counts; only who of them cast which vote is dealt out anew.
    """
    if params.separation_runs == 0 or count < 2:
        return None
    generator = np.random.default_rng(params.seed)
    rows = in_order_of_place(crowd, np.arange(len(crowd.points)))
    if len(rows) > params.resample_at_most:
        rows = generator.choice(rows, params.resample_at_most, replace=False, shuffle=False)
    votes = crowd.votes.rows(rows)
    deck = _Deck.of(votes, crowd.scored)
    placed, stretched = crowd.placed[rows], stretch(votes, crowd.scored)[crowd.placed[rows]]

    def on_map(table: sparse.csc_array, tolerance: float = ROUGH) -> Floats:
        axes = rough_components(table, crowd.axes, tolerance).T.astype(np.float32)
        return np.round((table @ axes).astype(np.float64)[placed] * stretched[:, None], DECIMALS) + 0.0

    def apart(points: Floats) -> float:
        middles = divide(quick_base_clusters(points, params), count, params)
        return _between(points, kmeans.nearest(points, middles))

    found = apart(on_map(deck.as_cast()))

    def reaches(table: sparse.csc_array) -> bool:
        # Groups are never farther apart than people, so that most deals need neither an exact map nor a division.
        if SURELY * _scatter(on_map(table, GLANCE)) < found:
            return False
        points = on_map(table)
        return _scatter(points) >= found and apart(points) >= found

    reached = sum(reaches(deck.dealt(generator)) for _ in range(params.separation_runs))
    return round((1 + reached) / (1 + params.separation_runs), DECIMALS)


def of_labels(votes: VoteMatrix, labels: Mapping[str, str], runs: int, seed: int) -> float | None:
    """How often labels dealt out by chance differ at least as much in what they voted as the given labels do.

    For labels that come with the votes: where two tables were joined by position, they are no better than chance.
    """
    numbers = {name: number for number, name in enumerate(sorted(set(labels.values())))}
    rows = np.array([row for row, key in enumerate(votes.participants) if key in labels], dtype=np.int64)
    if runs == 0 or len(numbers) < 2:
        return None
    given = np.array([numbers[labels[votes.participants[row]]] for row in rows], dtype=np.int64)
    labelled = votes.rows(rows)
    table, seen = centred(labelled, np.ones(len(votes.statements), dtype=bool)).astype(np.float64), labelled.seen
    generator = np.random.default_rng(seed)
    found = _differences(table, seen, given)
    reached = sum(_differences(table, seen, generator.permutation(given)) >= found for _ in range(runs))
    return round((1 + reached) / (1 + runs), DECIMALS)


def _differences(table: sparse.csr_array, seen: sparse.csr_array, labels: Labels) -> float:
    """How far the groups' mean votes are from everybody's, squared and summed over all votes."""
    shape = (int(labels.max()) + 1, len(labels))
    member = sparse.csr_array((np.ones(len(labels)), (labels, np.arange(len(labels)))), shape=shape)
    total, count = (member @ table).toarray(), (member @ seen).toarray()
    return float(np.round((total**2 / np.maximum(count, 1)).sum(), DECIMALS))


def _scatter(points: Floats) -> float:
    """Mean squared distance of people from the middle."""
    return float(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())


def _between(points: Floats, labels: Labels) -> float:
    """Mean squared distance of the groups' centres from the middle, weighted by size."""
    sizes = np.bincount(labels)
    distances = np.zeros(len(sizes))
    for axis in range(points.shape[1]):
        sums = np.bincount(labels, weights=points[:, axis] - points[:, axis].mean())
        distances += (sums / np.maximum(sizes, 1)) ** 2
    return float((distances * sizes).sum() / sizes.sum())


@dataclass(frozen=True)
class _Deck:
    """The votes statement by statement: what was cast, by whom, and what each vote is worth on the map."""

    votes: sparse.csc_array  # coded
    statement: NDArray[np.uint64]  # of each vote
    less: NDArray[np.float32]  # what to take from each vote, so that the statement's mean becomes 0
    scored: NDArray[np.bool_]  # of each vote

    @classmethod
    def of(cls, votes: VoteMatrix, scored: NDArray[np.bool_]) -> _Deck:
        table = sparse.csc_array(votes.coded)
        statement = np.repeat(np.arange(table.shape[1]), np.diff(table.indptr))
        return cls(
            table, statement.astype(np.uint64), (CODE + means(votes)[statement]).astype(np.float32), scored[statement]
        )

    def as_cast(self) -> sparse.csc_array:
        return self._table(self.votes.data)

    def dealt(self, generator: np.random.Generator) -> sparse.csc_array:
        """Sort by statement and then by chance; the vote itself rides in the last two bits, so that nothing is moved twice."""
        chance = generator.integers(0, 1 << 32, len(self.statement), dtype=np.uint64)
        cards = (self.statement << np.uint64(34)) | (chance << np.uint64(2)) | self.votes.data.astype(np.uint64)
        cards.sort()
        return self._table(cards & np.uint64(3))

    def _table(self, coded: NDArray[np.integer[Any]]) -> sparse.csc_array:
        content = ((coded.astype(np.float32) - self.less) * self.scored, self.votes.indices, self.votes.indptr)
        return sparse.csc_array(content, shape=self.votes.shape)
