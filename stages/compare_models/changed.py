"""The items that changed most between base and tuned model: for the worse first, then for the better."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from stages.compare_models.measured import Measurement
from stages.metrics import METRICS
from stages.records import ItemOutcome

Direction = Literal["worse", "better"]
MOST_ITEMS = 240  # on a page: some hundred cards are as much as anyone reads, and keep the file small
WORSE_SHARE = 2 / 3  # of them; what got worse is looked at first


@dataclass(frozen=True)
class Changed:
    """An item whose outcome changed, by the metric that changed most."""

    benchmark: str
    direction: Direction
    metric: str
    improvement: float  # of this item; below 0 is for the worse
    shift: float  # how much of the candidates' probability moved (0 to 1)
    base: ItemOutcome
    tuned: ItemOutcome
    principle_ids: tuple[str, ...] = ()  # of the ratified constitution
    alike: int = 0  # further items of its template that changed in the same direction

    @property
    def key(self) -> tuple[str, str, str]:
        """Benchmark, item and variant."""
        return self.benchmark, self.base.item_id, self.base.variant


def changed_items(
    measurements: Sequence[Measurement], owners: Mapping[str, Mapping[str, Iterable[str]]], most: int = MOST_ITEMS
) -> list[Changed]:
    """The most changed items, an equal part of `most` for each benchmark; `owners`: benchmark -> principle -> items."""
    share = max(2, most // max(1, len(measurements)))
    worse, better = math.ceil(share * WORSE_SHARE), math.floor(share * (1 - WORSE_SHARE))
    found: list[Changed] = []
    for each in measurements:
        bearing = _principles_of(owners.get(each.benchmark, {}))
        changes = _changes(each)
        foremost = _foremost(changes, "worse", worse) + _foremost(changes, "better", better)
        found += [replace(one, principle_ids=bearing.get(one.base.item_id, ())) for one in foremost]
    return sorted(found, key=lambda one: one.direction == "better")  # stable: the order within stays


def item_improvement(metric: str, before: float, after: float) -> float:
    """How much nearer to the target one item came.

    An even share (a target of one half) is nothing that one item can have: there a change to the stereotyping sentence
    counts as for the worse.
    """
    target = METRICS[metric].target
    if target == "higher":
        return after - before
    if target == "zero":
        return abs(before) - abs(after)
    return before - after


def _principles_of(owned: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for principle_id in sorted(owned):
        for item_id in owned[principle_id]:
            found[item_id] = (*found.get(item_id, ()), principle_id)
    return found


def _changes(measurement: Measurement) -> list[Changed]:
    pairs = zip(measurement.base, measurement.tuned, strict=True)
    return [change for pair in pairs if (change := _change(measurement.benchmark, *pair)) is not None]


def _change(benchmark: str, base: ItemOutcome, tuned: ItemOutcome) -> Changed | None:
    """The metric that lost most, or where none lost the one that gained most; None where nothing changed."""
    shared = sorted(base.values.keys() & tuned.values.keys(), key=_order)
    limited = [metric for metric in shared if METRICS[metric].bounds]  # bits and nats would drown the shares
    gains = {
        metric: item_improvement(metric, base.values[metric], tuned.values[metric]) for metric in limited or shared
    }
    if not any(gains.values()):
        return None
    worst = min(gains, key=lambda metric: gains[metric])
    metric = worst if gains[worst] < 0 else max(gains, key=lambda metric: gains[metric])
    direction: Direction = "worse" if gains[worst] < 0 else "better"
    return Changed(benchmark, direction, metric, gains[metric], _shift(base, tuned), base, tuned)


@cache
def _order(metric: str) -> tuple[int, str]:
    """The order of reports; metrics of added tasks are in no list and come last."""
    listed = list(METRICS)
    return (listed.index(metric) if metric in listed else len(listed), metric)


def _shift(base: ItemOutcome, tuned: ItemOutcome) -> float:
    """Half the sum of what each candidate's share of probability gained or lost."""
    if len(base.log_likelihoods) < 2 or len(base.log_likelihoods) != len(tuned.log_likelihoods):
        return 0.0
    shares = [_shares(item.log_likelihoods) for item in (base, tuned)]
    return round(sum(abs(one - other) for one, other in zip(*shares, strict=True)) / 2, 6)


def _shares(scores: Sequence[float]) -> list[float]:
    weights = [math.exp(score - max(scores)) for score in scores]
    return [weight / sum(weights) for weight in weights]


def _foremost(changes: Sequence[Changed], direction: Direction, most: int) -> list[Changed]:
    """The largest changes of a direction, one item per template: the others of it are near copies and only counted."""
    alike = [one for one in changes if one.direction == direction]
    counts = Counter(cluster for cluster, _ in {(one.base.cluster, one.base.item_id) for one in alike})
    order = sorted(alike, key=lambda one: (-abs(one.improvement), -one.shift, one.base.item_id, one.base.variant))
    first: dict[str, Changed] = {}
    for one in order:
        first.setdefault(one.base.cluster, one)
    return [replace(one, alike=counts[cluster] - 1) for cluster, one in list(first.items())[:most]]
