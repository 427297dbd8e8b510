"""Divide participants into opinion groups, and say whether the division can be relied on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from stages.draft_constitution import kmeans, separation
from stages.draft_constitution.base_clusters import Base, base_clusters, divide
from stages.draft_constitution.kmeans import Labels
from stages.draft_constitution.opinion_map import (
    FEWEST_IN_GROUPS,
    centred,
    components,
    enough_votes,
    projection,
    regular_voters,
)
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.stability import Crowd, Stability, stabilities
from stages.draft_constitution.votes import VoteMatrix


@dataclass(frozen=True)
class Grouping:
    """Who is in which group, where they lie, and how sure that is."""

    labels: Mapping[str, str]  # participant -> "A" (the largest), "B", ...; those with too few votes are not in it
    points: Mapping[str, tuple[float, float]]
    stability: Mapping[int, Stability]  # number of groups -> how stable
    chosen: str  # how the number of groups was chosen, in words
    separation_p: float | None  # chance of groups as far apart in votes without opinion groups
    reliable: bool
    verdict: str  # "reliable groups: ..." or "no reliable groups: ...", with the figure

    @property
    def sizes(self) -> dict[str, int]:
        """Members by group, A first."""
        names, counts = np.unique(list(self.labels.values()), return_counts=True)
        return {str(name): int(count) for name, count in zip(names, counts, strict=True)}


def find_groups(votes: VoteMatrix, scored: NDArray[np.bool_], params: Parameters) -> Grouping:
    """Divide the regular voters by their votes on the `scored` statements; no input order changes the answer."""
    with threadpool_limits(limits=1):  # one thread: sums in one order, the same bytes on every machine
        crowd = _crowd(votes, scored, params)
        base = base_clusters(crowd.points[crowd.placed], params)
        counts = [k for k in _wanted(params) if k <= len(base.centres)]
        stability = stabilities(crowd, base, counts, params)
        count, chosen = _choose(stability, params)
        p_value = separation.of_votes(crowd, min(count, len(base.centres)), params)
    doubt = _doubt(crowd, stability, count, p_value, params)
    if doubt and params.groups is None:
        count = 1
    labels = _labels(crowd, base, count, params)
    verdict = f"no reliable groups: {doubt}" if doubt else _praise(stability[count], count, p_value)
    return _described(crowd, labels, stability, chosen, p_value, not doubt, verdict)


def _crowd(votes: VoteMatrix, scored: NDArray[np.bool_], params: Parameters) -> Crowd:
    matrix = centred(votes, scored)
    axes = components(matrix)
    placed = np.zeros(len(votes.participants), dtype=bool)
    placed[regular_voters(votes, params.min_votes)] = True
    return Crowd(replace(votes, minutes=None), scored, placed, projection(votes, matrix, scored, axes), axes)


def _wanted(params: Parameters) -> list[int]:
    """The numbers of groups to look at: all that may be chosen, and the neighbours of a fixed one."""
    if params.groups is None:
        return list(range(params.min_groups, params.max_groups + 1))
    return [k for k in (params.groups - 1, params.groups, params.groups + 1) if k >= 2]


def _choose(stability: Mapping[int, Stability], params: Parameters) -> tuple[int, str]:
    """Of the divisions that stay when people are resampled, the clearest (silhouette, as Polis chooses).

    In the open conversations the silhouette alone also picks divisions that a few other people would have turned over.
    """
    if params.groups is not None:
        return params.groups, f"fixed at {params.groups} in params.yaml"
    large = {count: s for count, s in stability.items() if s.smallest_group >= params.min_group_size}
    if not large:
        return 1, f"no division with at least {params.min_group_size} people in every group"
    best = max(s.mean for s in large.values())
    if best < params.min_stability:
        count = min(k for k, s in large.items() if s.mean == best)
        return count, f"none has a stability of {params.min_stability}; {count} groups come nearest"
    stable = [count for count, s in large.items() if s.mean >= params.min_stability]
    clearest = max(stable, key=lambda count: (large[count].silhouette or 0.0, count))
    return clearest, f"the clearest division of those with a stability of at least {params.min_stability}"


def _doubt(
    crowd: Crowd, stability: Mapping[int, Stability], count: int, p_value: float | None, params: Parameters
) -> str:
    """Why this division cannot be relied on, with the figure; empty where it can."""
    regular = int(np.count_nonzero(enough_votes(crowd.votes, params.min_votes)))
    if regular < FEWEST_IN_GROUPS:
        return (
            f"{regular} of {len(crowd.points)} participants cast at least {params.min_votes} votes"
            f" (or voted on all statements); wanted {FEWEST_IN_GROUPS}"
        )
    if params.groups == 1:
        return "one group was asked for (draft_constitution.groups: 1)"
    if count not in stability or count == 1:
        places = len(np.unique(crowd.points[crowd.placed], axis=0))
        return f"no division with at least {params.min_group_size} people in every group ({places} places on the map)"
    found = stability[count]
    if found.mean < params.min_stability:
        return (
            f"{count} groups are unstable: their mean adjusted Rand index over resamples is {found.mean:.3f};"
            f" wanted {params.min_stability}"
        )
    if found.smallest_group < params.min_group_size:
        return f"the smallest of {count} groups has {found.smallest_group} people; wanted {params.min_group_size}"
    if p_value is not None and p_value > params.max_separation_p:
        return f"votes dealt out by chance lie as far apart (p {p_value:.2f}); wanted at most {params.max_separation_p}"
    return ""


def _praise(found: Stability, count: int, p_value: float | None) -> str:
    chance = "" if p_value is None else f", and chance makes groups as far apart with p {p_value:.2f}"
    return (
        f"reliable groups: {count}, with a mean adjusted Rand index of {found.mean:.2f} over resamples"
        f" (lowest {found.lowest:.2f}){chance}"
    )


def _labels(crowd: Crowd, base: Base, count: int, params: Parameters) -> Labels:
    """The group of everybody who is placed, 0 the largest; equal sizes go by the first participant key."""
    points = crowd.points[crowd.placed]
    if not len(points):
        return np.empty(0, dtype=np.int64)
    found = kmeans.nearest(points, divide(base, count, params))
    _, first, inverse, sizes = np.unique(found, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return np.asarray(rank[inverse])


def _described(
    crowd: Crowd,
    labels: Labels,
    stability: Mapping[int, Stability],
    chosen: str,
    p_value: float | None,
    reliable: bool,
    verdict: str,
) -> Grouping:
    rows = np.flatnonzero(crowd.placed)
    keys = [crowd.votes.participants[row] for row in rows]
    names = [chr(ord("A") + label) for label in range(int(labels.max(initial=0)) + 1)]
    places = crowd.points[rows]
    return Grouping(
        labels={key: names[label] for key, label in zip(keys, labels.tolist(), strict=True)},
        points=dict(zip(keys, zip(places[:, 0].tolist(), places[:, 1].tolist(), strict=True), strict=True)),
        stability=stability,
        chosen=chosen,
        separation_p=p_value,
        reliable=reliable,
        verdict=verdict,
    )
