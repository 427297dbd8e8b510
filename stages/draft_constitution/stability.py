"""How much the opinion groups change when other people from the same crowd had come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stages.draft_constitution import kmeans
from stages.draft_constitution.base_clusters import Base, divide, quick_base_clusters, silhouette
from stages.draft_constitution.kmeans import Floats, Labels
from stages.draft_constitution.opinion_map import centred, means, projection, rough_components, stretch
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.votes import VoteMatrix

DECIMALS = 6


@dataclass(frozen=True)
class Stability:
    """How much a division into so many groups changes when other people from the same crowd had come."""

    mean: float  # adjusted Rand index against the division of everybody: 1 the same, 0 as by chance
    lowest: float
    smallest_group: int
    silhouette: float  # of the base clusters: how clear the division is, as Polis measures it


@dataclass(frozen=True)
class Crowd:
    """The votes and what was made of them: who is placed on the map, and where."""

    votes: VoteMatrix
    scored: NDArray[np.bool_]
    placed: NDArray[np.bool_]  # who has a place in a group: those who voted often enough
    points: Floats  # of everybody, row by row
    axes: Floats


def stabilities(crowd: Crowd, base: Base, counts: Sequence[int], params: Parameters) -> dict[int, Stability]:
    """Resample the people, draw map and groups again, and compare with the groups of everybody."""
    middles = {k: divide(base, k, params) for k in counts}
    judged = _Judged.of(crowd, params)
    reference = {k: kmeans.nearest(crowd.points[judged.rows], middles[k]) for k in counts}
    found: dict[int, list[float]] = {k: [] for k in counts}
    generator = np.random.default_rng(params.seed)
    everybody = in_order_of_place(crowd, np.arange(len(crowd.points)))
    for _ in range(params.stability_runs if counts else 0):
        drawn = everybody[generator.integers(0, len(everybody), min(len(everybody), params.resample_at_most))]
        again, places = _resampled(crowd, judged, drawn, params)
        for k in counts:
            found[k].append(rand_index(reference[k], kmeans.nearest(places, divide(again, k, params))))
    points = crowd.points[crowd.placed]
    return {
        k: Stability(
            mean=round(float(np.mean(found[k])), DECIMALS),
            lowest=round(float(min(found[k])), DECIMALS),
            smallest_group=int(np.bincount(kmeans.nearest(points, middles[k]), minlength=k).min()),
            silhouette=round(silhouette(base, kmeans.nearest(base.centres, middles[k])), DECIMALS),
        )
        for k in counts
    }


def in_order_of_place(crowd: Crowd, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """These rows by place on the map, so that what is drawn of them does not depend on the participants' keys."""
    return rows[np.lexsort(crowd.points[rows].T)]


def rand_index(one: Labels, other: Labels) -> float:
    """The adjusted Rand index of two divisions: 1 the same, 0 as by chance (Hubert and Arabie 1985)."""
    width = int(other.max()) + 1
    shared = np.bincount(one * width + other, minlength=(int(one.max()) + 1) * width).reshape(-1, width)
    pairs, first, second = (_pairs(table) for table in (shared, shared.sum(axis=1), shared.sum(axis=0)))
    by_chance = first * second / max(_pairs(np.array([len(one)])), 1)
    most = (first + second) / 2
    return 1.0 if most == by_chance else float((pairs - by_chance) / (most - by_chance))


def _pairs(counts: NDArray[np.int64]) -> float:
    counts = counts.astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())


@dataclass(frozen=True)
class _Judged:
    """Those whose groups are compared, at most `resample_at_most`, and their votes ready to be placed on any map."""

    rows: NDArray[np.int64]
    value: sparse.csr_array
    seen: sparse.csr_array
    stretched: Floats

    @classmethod
    def of(cls, crowd: Crowd, params: Parameters) -> _Judged:
        rows = in_order_of_place(crowd, np.flatnonzero(crowd.placed))
        if len(rows) > params.resample_at_most:
            rows = np.random.default_rng(params.seed).choice(
                rows, params.resample_at_most, replace=False, shuffle=False
            )
        votes = crowd.votes.rows(rows)
        return cls(rows, votes.value, votes.seen, stretch(votes, crowd.scored))

    def on_map(self, middle: Floats, axes: Floats) -> Floats:
        """Where they lie on another crowd's map."""
        places = self.value @ axes.T - self.seen @ (middle[:, None] * axes.T)
        return np.asarray(places * self.stretched[:, None])


def _resampled(crowd: Crowd, judged: _Judged, drawn: NDArray[np.int64], params: Parameters) -> tuple[Base, Floats]:
    """The base clusters of the people drawn, and where those judged lie on the map of these people."""
    votes = crowd.votes.rows(drawn)
    middle = means(votes)
    matrix = centred(votes, crowd.scored, middle)
    axes = rough_components(matrix, crowd.axes)
    points = projection(votes, matrix, crowd.scored, axes)[crowd.placed[drawn]]
    return quick_base_clusters(points, params), judged.on_map(middle, axes)
