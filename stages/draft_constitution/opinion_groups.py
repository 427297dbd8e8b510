"""Divide participants into opinion groups, and say how stable the division is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from stages.draft_constitution.opinion_map import Floats, centred, components, projection, regular_voters
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.votes import VoteMatrix

Labels = NDArray[np.int64]

STARTS = 10  # of k-means: the best of them is kept
STARTS_WHEN_RESAMPLED = 3
WITHIN_NOISE = 0.1  # of mean stability; splitting one of three clear groups cost 0.14 or more in planted crowds


@dataclass(frozen=True)
class Stability:
    """How much a division into so many groups changes when other people from the same crowd had come."""

    mean: float  # adjusted Rand index against the division of everybody: 1 the same, 0 as by chance
    lowest: float
    smallest_group: int


@dataclass(frozen=True)
class Grouping:
    """Who is in which group, where they lie, and how sure that is."""

    labels: Mapping[str, str]  # participant -> "A" (the largest), "B", ...; those with too few votes are not in it
    points: Mapping[str, tuple[float, float]]
    stability: Mapping[int, Stability]  # number of groups -> how stable
    chosen: str  # how the number of groups was chosen, in words
    separation_p: float | None  # chance of groups as far apart in votes without opinion groups

    @property
    def sizes(self) -> dict[str, int]:
        """Members by group, A first."""
        names, counts = np.unique(list(self.labels.values()), return_counts=True)
        return {str(name): int(count) for name, count in zip(names, counts, strict=True)}


def find_groups(votes: VoteMatrix, scored: NDArray[np.bool_], params: Parameters) -> Grouping:
    """Divide the regular voters by their votes on the `scored` statements; no input order changes the answer."""
    with threadpool_limits(limits=1):  # one thread: sums in one order, the same bytes on every machine
        members = regular_voters(votes, params.min_votes)
        matrix = centred(votes, scored)
        points = projection(votes, matrix, scored, components(matrix))[members]
        stability = _stabilities(votes, scored, members, points, params)
        count, chosen = _choose(stability, params)
        labels = cluster(points, count, params)
        p_value = _separation(votes, scored, members, points, labels, params)
    names = _names(labels)
    keys = [votes.participants[row] for row in members]
    return Grouping(
        labels={key: names[label] for key, label in zip(keys, labels, strict=True)},
        points={key: (float(x), float(y)) for key, (x, y) in zip(keys, points, strict=True)},
        stability=stability,
        chosen=chosen,
        separation_p=p_value,
    )


def cluster(points: Floats, count: int, params: Parameters, starts: int = STARTS) -> Labels:
    """K-means, in which a handful of outliers cannot be a group of their own: they join the nearest group."""
    return _fit(points, count, params, starts).predict(points).astype(np.int64)


def _fit(points: Floats, count: int, params: Parameters, starts: int) -> KMeans:
    """Fit on the distinct points in order of place, weighted by how many people share each: no row order matters."""
    distinct, people = np.unique(points, axis=0, return_counts=True)
    kept = np.ones(len(distinct), dtype=bool)
    while True:
        model = KMeans(min(count, int(kept.sum())), n_init=starts, random_state=params.seed)
        labels = model.fit(distinct[kept], sample_weight=people[kept]).labels_
        outlying = np.bincount(labels, weights=people[kept])[labels] < params.min_group_size
        still_kept = kept.copy()
        still_kept[np.flatnonzero(kept)[outlying]] = False
        set_aside = people[~still_kept].sum()
        if not outlying.any() or set_aside > params.max_outliers * people.sum():
            return model
        kept = still_kept


def _names(labels: Labels) -> dict[int, str]:
    """A for the largest group; equal sizes go by the first participant key."""
    numbers, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = sorted(range(len(numbers)), key=lambda i: (-sizes[i], first[i]))
    return {int(numbers[i]): chr(ord("A") + rank) for rank, i in enumerate(order)}


def _choose(stability: Mapping[int, Stability], params: Parameters) -> tuple[int, str]:
    """The most groups that are stable: the more groups must agree, the harder it is to overlook a minority."""
    if params.groups is not None:
        return params.groups, f"fixed at {params.groups} in params.yaml"
    large = {count: s for count, s in stability.items() if s.smallest_group >= params.min_group_size}
    if not large:
        return 1, f"no division with at least {params.min_group_size} people in every group"
    best = max(s.mean for s in large.values())
    near = {count: s.mean for count, s in large.items() if s.mean >= best - WITHIN_NOISE}
    if best < params.min_stability:
        return min(
            near
        ), f"none has a stability of {params.min_stability}, so one of the least unstable: read with caution"
    return max(count for count, mean in near.items() if mean >= params.min_stability), (
        f"the most groups with a stability of at least {params.min_stability} and near the best"
    )


def _stabilities(
    votes: VoteMatrix, scored: NDArray[np.bool_], members: Labels, points: Floats, params: Parameters
) -> dict[int, Stability]:
    """Resample the people, draw map and groups again, and compare with the groups of everybody."""
    counts = [k for k in _wanted(params) if k <= len(np.unique(points, axis=0))]
    reference = {k: cluster(points, k, params) for k in counts}
    scores: dict[int, list[float]] = {k: [] for k in counts}
    generator = np.random.default_rng(params.seed)
    order = np.lexsort(points.T)  # by place on the map, so that the draw does not depend on the participants' keys
    for _ in range(params.stability_runs if counts else 0):
        drawn = members[order[generator.integers(0, len(members), len(members))]]
        placed = _project_onto(votes, scored, drawn, members)
        for k in counts:
            model = _fit(placed[0], k, params, STARTS_WHEN_RESAMPLED)
            scores[k].append(adjusted_rand_score(reference[k], model.predict(placed[1])))
    return {
        k: Stability(round(float(np.mean(found)), 6), round(float(min(found)), 6), int(np.bincount(reference[k]).min()))
        for k, found in scores.items()
    }


def _wanted(params: Parameters) -> list[int]:
    """The numbers of groups to look at: all that may be chosen, and the neighbours of a fixed one."""
    if params.groups is None:
        return list(range(params.min_groups, params.max_groups + 1))
    return [k for k in (params.groups - 1, params.groups, params.groups + 1) if k >= 2]


def _project_onto(
    votes: VoteMatrix, scored: NDArray[np.bool_], drawn: Labels, members: Labels
) -> tuple[Floats, Floats]:
    """The drawn people and all members, on the map that the drawn people's votes make."""
    sample, everybody = votes.rows(drawn), votes.rows(members)
    matrix = centred(sample, scored)
    axes = components(matrix)
    return projection(sample, matrix, scored, axes), projection(everybody, centred(everybody, scored), scored, axes)


def _separation(
    votes: VoteMatrix, scored: NDArray[np.bool_], members: Labels, points: Floats, labels: Labels, params: Parameters
) -> float | None:
    """How often votes dealt out by chance give groups at least as far apart as the real ones.

    Each statement keeps its voters and its counts; only who of them cast which vote is dealt out anew.
    """
    if params.separation_runs == 0 or len(np.unique(labels)) < 2:
        return None
    generator = np.random.default_rng(params.seed)
    found = _between(points, labels)
    order = members[np.lexsort(points.T)]
    in_place_order = votes.rows(order)
    reached = 0
    for _ in range(params.separation_runs):
        dealt = _deal(in_place_order, generator)
        matrix = centred(dealt, scored)
        placed = projection(dealt, matrix, scored, components(matrix))
        groups = cluster(placed, len(np.unique(labels)), params, STARTS_WHEN_RESAMPLED)
        reached += _between(placed, groups) >= found
    return round((1 + reached) / (1 + params.separation_runs), 6)


def _between(points: Floats, labels: Labels) -> float:
    """Mean squared distance of the groups' centres from the middle, weighted by size."""
    numbers, sizes = np.unique(labels, return_counts=True)
    centres = np.array([points[labels == number].mean(axis=0) for number in numbers])
    distances = ((centres - points.mean(axis=0)) ** 2).sum(axis=1)
    return float((distances * sizes).sum() / sizes.sum())


def _deal(votes: VoteMatrix, generator: np.random.Generator) -> VoteMatrix:
    """The same counts on every statement among the same voters, dealt out by chance."""
    by_statement = sparse.csc_array(votes.coded)
    statement_of = np.repeat(np.arange(by_statement.shape[1]), np.diff(by_statement.indptr))
    by_chance = np.lexsort((generator.random(by_statement.nnz), statement_of))
    dealt = (by_statement.data[by_chance], by_statement.indices, by_statement.indptr)
    return VoteMatrix(
        votes.participants, votes.statements, sparse.csr_array(sparse.csc_array(dealt, shape=by_statement.shape))
    )
