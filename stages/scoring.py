"""What the metrics mean, and the arithmetic from item outcomes to scores and paired comparisons (numpy only).

The auditors' `commons verify` recomputes a release's scores with this file, so it needs neither torch nor scipy.
Items made from one template are near copies: every interval resamples whole clusters, never single items.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stages import languages
from stages.errors import Trouble
from stages.metrics import METRICS
from stages.records import ItemOutcome, Score
from stages.uncertainty import FEW_CLUSTERS as FEW_CLUSTERS
from stages.uncertainty import (
    Floats,
    Spread,
    detectable_change,
    drawn,
    equivalence_p,
    interval,
    means,
    spread,
    swap_p_value,
)

Mask = npt.NDArray[np.bool_]

ALL = "all"
MACRO = "macro"  # as a category: the mean of the categories, each weighing the same
DECIMALS = 6


def scores_from_items(
    items: Sequence[ItemOutcome], benchmark: str, resamples: int, seed: int, confidence: float, min_items: int = 30
) -> list[Score]:
    """The mean of each metric over every slice with at least `min_items` items, with its cluster bootstrap interval.

    Slices are all items, each language, category, language's category, stereotyped group and polarity, and the mean of
    the categories; a slice that holds the same items as a wider one is left out. An item that was asked in several ways
    counts once. Where a slice has fewer than FEW_CLUSTERS clusters the interval is the metric's whole range (or that of
    the items, for a metric without limits): nothing narrower is known.
    """
    table = tabulated(items)
    scores = []
    for metric in metrics_of(items):
        values = values_of(items, metric)
        for each in slices(table, ~np.isnan(values)):
            if _reported(table, each, min_items):
                scores.append(_score(benchmark, metric, table, values, each, resamples, seed, confidence))
    return scores


def suppressed_cells(items: Sequence[ItemOutcome], min_items: int) -> int:
    """How many metric x slice cells have too few items to be reported."""
    table = tabulated(items)
    cells = [each for metric in metrics_of(items) for each in slices(table, ~np.isnan(values_of(items, metric)))]
    return sum(not _reported(table, each, min_items) for each in cells)


def metrics_of(items: Sequence[ItemOutcome]) -> list[str]:
    """The metrics that occur in the items, in the order of reports."""
    present = {metric for item in items for metric in item.values}
    return [metric for metric in METRICS if metric in present] + sorted(present - METRICS.keys())


# --- items as arrays --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """A property of each item: its names in order, and each item's place in them."""

    names: tuple[str, ...]
    codes: npt.NDArray[np.int64]

    def inside(self, having: Mask) -> list[tuple[str, Mask]]:
        """Each name that some of the items have, with those items."""
        present = np.unique(self.codes[having])
        return [(self.names[code], having & (self.codes == code)) for code in present]

    def count(self, having: Mask) -> int:
        """How many names the items have."""
        return len(np.unique(self.codes[having]))


@dataclass(frozen=True)
class Table:
    """Where each outcome belongs; several outcomes share an item where it was asked in several ways."""

    items: Named
    variants: Named
    clusters: Named
    languages: Named
    categories: Named
    groups: Named
    polarities: Named


def tabulated(items: Sequence[ItemOutcome]) -> Table:
    """The outcomes' properties as arrays; raises Trouble where a name would be taken for a slice of ours."""
    table = Table(
        _named([item.item_id for item in items]),
        _named([item.variant for item in items]),
        _named([item.cluster for item in items]),
        _named([item.language for item in items]),
        _named([item.category for item in items]),
        _named([item.group for item in items]),
        _named([item.polarity for item in items]),
    )
    for named in (table.languages, table.categories, table.groups, table.polarities):
        if taken := {ALL, MACRO} & set(named.names):
            raise Trouble(
                f"An item has the language, category, group or polarity '{min(taken)}', which is the name of a slice"
                " over items; wanted another name: rename it in the benchmark's items."
            )
    return table


def _named(names: Sequence[str]) -> Named:
    ordered = tuple(sorted(set(names)))
    place = {name: code for code, name in enumerate(ordered)}
    return Named(ordered, np.array([place[name] for name in names], dtype=np.int64))


def values_of(items: Sequence[ItemOutcome], metric: str) -> Floats:
    """The metric's value on each outcome; NaN where it does not apply."""
    return np.array([item.values.get(metric, np.nan) for item in items], dtype=np.float64)


@dataclass(frozen=True)
class Slice:
    """A part of the items; the mean of the categories has one stratum per category, all others one."""

    language: str
    category: str
    group: str
    polarity: str
    strata: tuple[Mask, ...]

    @property
    def place(self) -> tuple[str, ...]:
        """Its name among a metric's slices; group and polarity only where it is one of those."""
        narrow = (self.group, self.polarity)
        return (self.language, self.category) + (() if narrow == (ALL, ALL) else narrow)


def slices(table: Table, having: Mask) -> Iterator[Slice]:
    """Yield the slices of the items that have a metric; each distinct set of items once, the widest name first."""
    languages = table.languages.inside(having)
    categories = table.categories.inside(having)
    yield Slice(ALL, ALL, ALL, ALL, (having,))
    if len(languages) > 1:
        for name, inside in languages:
            yield Slice(name, ALL, ALL, ALL, (inside,))
    if len(categories) > 1:
        for name, inside in categories:
            yield Slice(ALL, name, ALL, ALL, (inside,))
        yield Slice(ALL, MACRO, ALL, ALL, tuple(inside for _, inside in categories))
    for language, spoken in languages:
        for category, inside in categories:
            both = spoken & inside
            if both.any() and both.sum() < min(spoken.sum(), inside.sum()):
                yield Slice(language, category, ALL, ALL, (both,))
    yield from _narrow(table, having, categories)


def _narrow(table: Table, having: Mask, categories: Sequence[tuple[str, Mask]]) -> Iterator[Slice]:
    """Polarities, and in each category the stereotyped groups and their polarities ("" is neither)."""
    yield from _polarities(table, having, ALL, ALL)
    for name, inside in categories:
        category = name if len(categories) > 1 else ALL
        for group, members in table.groups.inside(inside):
            if group and members.sum() < inside.sum():
                yield Slice(ALL, category, group, ALL, (members,))
            if group:
                yield from _polarities(table, members, category, group)


def _polarities(table: Table, having: Mask, category: str, group: str) -> Iterator[Slice]:
    for polarity, inside in table.polarities.inside(having):
        if polarity and inside.sum() < having.sum():
            yield Slice(ALL, category, group, polarity, (inside,))


def _reported(table: Table, each: Slice, min_items: int) -> bool:
    """Enough different items; for the mean of the categories, in every category, and clusters to draw from."""
    if any(table.items.count(inside) < min_items for inside in each.strata):
        return False
    return len(each.strata) == 1 or all(table.clusters.count(inside) >= FEW_CLUSTERS for inside in each.strata)


def cluster_sums(values: Floats, clusters: npt.NDArray[np.int64]) -> Floats:
    """Sum and number of the values of each cluster, as rows in order of the clusters' names."""
    sums, counts = np.bincount(clusters, weights=values), np.bincount(clusters)
    rows: Floats = np.stack([sums, counts.astype(np.float64)], axis=1)[counts > 0]
    return rows


# --- scores -----------------------------------------------------------------------------------------------------------


def _score(
    benchmark: str,
    metric: str,
    table: Table,
    values: Floats,
    each: Slice,
    resamples: int,
    seed: int,
    confidence: float,
) -> Score:
    strata = [cluster_sums(values[inside], table.clusters.codes[inside]) for inside in each.strata]
    everything = np.any(each.strata, axis=0)
    about = spread(strata)
    low, high = whole_range(metric, values[everything])
    if min(map(len, strata)) >= FEW_CLUSTERS:
        random = generator(seed, benchmark, metric, *each.place)
        low, high = interval(drawn(strata, resamples, random)[:, 0], about, confidence)
    variants = _range([means_by[0] for means_by in _by_variant(table, each, values)])
    return Score(
        benchmark=benchmark,
        metric=metric,
        language=each.language,
        category=each.category,
        group=each.group,
        polarity=each.polarity,
        value=_round(means([stratum.sum(axis=0)[None, :] for stratum in strata])[0, 0]),
        low=_round(low),
        high=_round(high),
        standard_error=_error(strata, about),
        range_low=variants[0],
        range_high=variants[1],
        items=table.items.count(everything),
        clusters=table.clusters.count(everything),
    )


def _error(strata: Sequence[Floats], about: Spread) -> float | None:
    """None for a single cluster, which tells nothing of others."""
    return _round(about.standard_error) if min(map(len, strata)) > 1 else None


def _by_variant(table: Table, each: Slice, *sides: Floats) -> list[tuple[float, ...]]:
    """Each side's mean (over strata) of every variant that all strata and sides have."""
    found = []
    for code in range(len(table.variants.names)):
        asked = table.variants.codes == code
        cells = [[side[inside & asked] for side in sides] for inside in each.strata]
        cells = [[cell[~np.isnan(cell)] for cell in stratum] for stratum in cells]
        if all(len(cell) for stratum in cells for cell in stratum):
            ratios = [[float(cell.mean()) for cell in stratum] for stratum in cells]
            found.append(tuple(float(np.mean(side)) for side in zip(*ratios, strict=True)))
    return found


def _range(values: Sequence[float]) -> tuple[float | None, float | None]:
    """The smallest and the largest; None where there is one way of asking only."""
    return (_round(min(values)), _round(max(values))) if len(values) > 1 else (None, None)


def whole_range(metric: str, values: Floats) -> tuple[float, float]:
    """All values the metric can take; for a metric without limits, those seen in the items."""
    bounds = METRICS[metric].bounds if metric in METRICS else None
    return bounds or (float(values.min()), float(values.max()))


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers of their own for each cell: adding a benchmark or a language changes no other interval."""
    digest = hashlib.sha256("\x1f".join([str(seed), *names]).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "big")))


def _round(value: float) -> float:
    return round(float(value), DECIMALS) + 0.0  # + 0.0: no "-0.0" in a file


# --- before and after -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Both:
    """One metric of base and tuned over the same outcomes, in the same order."""

    metric: str
    table: Table
    base: Floats  # NaN where the outcome does not have the metric
    tuned: Floats


@dataclass(frozen=True)
class Paired:
    """Base against tuned over the same items; intervals from the same resampled clusters."""

    base: float
    base_interval: tuple[float, float]
    tuned: float
    tuned_interval: tuple[float, float]
    difference: float
    difference_interval: tuple[float, float]
    improvement: float
    improvement_interval: tuple[float, float]
    p_value: float  # 1 where there are too few clusters to test
    standard_error: float | None  # of the difference, in closed form
    detectable: float | None  # the smallest change that would be found with 80 % power
    ranges: tuple[tuple[float | None, float | None], ...]  # over the ways of asking: base, tuned, difference
    items: int
    clusters: int
    about: Spread


def both(base: Sequence[ItemOutcome], tuned: Sequence[ItemOutcome], metric: str, table: Table | None = None) -> Both:
    """The metric on both sides of item-aligned outcomes; `table` is that of the base, if it was made before."""
    return Both(metric, table or tabulated(base), values_of(base, metric), values_of(tuned, metric))


def paired(
    column: Both,
    strata: Sequence[Mask],
    resamples: int,
    permutations: int,
    confidence: float,
    random: np.random.Generator,
) -> Paired | None:
    """Compare the metric's means over the items of the strata; None where a side has no item with the metric.

    An item may have the metric on one side only (bias among named persons): each side's mean is over its own items,
    and clusters are resampled and swapped whole, so that the pairing by template remains.
    """
    strata, tables = _paired_tables(column, strata)
    if not tables or any(rows[:, place].sum() == 0 for rows in tables for place in (1, 3)):
        return None
    whole = means([rows.sum(axis=0)[None, :] for rows in tables])[0]
    gains = improvement(column.metric)
    about = spread(tables)
    few = min(map(len, tables)) < FEW_CLUSTERS
    everything = np.any(strata, axis=0)
    draws = _corners(column, everything) if few else drawn(tables, resamples, random)
    p_value = 1.0 if few else swap_p_value(tables, permutations, random)

    def between(statistics: Floats) -> tuple[float, float]:
        low, high = (statistics.min(), statistics.max()) if few else interval(statistics, about, confidence)
        return _round(low), _round(high)

    variants = _by_variant(column.table, Slice(ALL, ALL, ALL, ALL, tuple(strata)), column.base, column.tuned)
    return Paired(
        base=_round(whole[0]),
        base_interval=between(draws[:, 0]),
        tuned=_round(whole[1]),
        tuned_interval=between(draws[:, 1]),
        difference=_round(whole[1] - whole[0]),
        difference_interval=between(draws[:, 1] - draws[:, 0]),
        improvement=_round(gains(whole[None, :])[0]),
        improvement_interval=between(gains(draws)),
        p_value=_round(p_value),
        standard_error=_error(tables, about),
        detectable=None if few else _round(detectable_change(about, confidence)),
        ranges=(
            _range([one[0] for one in variants]),
            _range([one[1] for one in variants]),
            _range([one[1] - one[0] for one in variants]),
        ),
        items=min(column.table.items.count(everything & ~np.isnan(side)) for side in (column.base, column.tuned)),
        clusters=column.table.clusters.count(everything & ~(np.isnan(column.base) & np.isnan(column.tuned))),
        about=about,
    )


def _paired_tables(column: Both, strata: Sequence[Mask]) -> tuple[list[Mask], list[Floats]]:
    """Per stratum that has items, and cluster: base sum, base count, tuned sum, tuned count."""
    clusters = column.table.clusters
    kept, tables = [], []
    for inside in strata:
        cells = []
        for side in (column.base, column.tuned):
            codes, values = clusters.codes[inside], side[inside]
            known = ~np.isnan(values)
            for weights in (np.nan_to_num(values), np.ones(len(values))):
                cells.append(np.bincount(codes[known], weights=weights[known], minlength=len(clusters.names)))
        rows: Floats = np.stack(cells, axis=1).astype(np.float64)
        rows = rows[(rows[:, 1] > 0) | (rows[:, 3] > 0)]
        if len(rows):
            kept.append(inside)
            tables.append(rows)
    return kept, tables


def _corners(column: Both, inside: Mask) -> Floats:
    """With too few clusters nothing is known: all four corners of what the two means could be."""
    values = np.concatenate([column.base[inside], column.tuned[inside]])
    low, high = whole_range(column.metric, values[~np.isnan(values)])
    return np.array([[low, low], [low, high], [high, low], [high, high]])


def improvement(metric: str) -> Callable[[Floats], Floats]:
    """How much nearer to the metric's target the tuned mean (column 1) is than the base mean (column 0)."""
    target = METRICS[metric].target
    if target == "higher":
        return lambda both_means: both_means[:, 1] - both_means[:, 0]
    if target == "lower":
        return lambda both_means: both_means[:, 0] - both_means[:, 1]
    goal = 0.5 if target == "half" else 0.0
    return lambda both_means: np.abs(both_means[:, 0] - goal) - np.abs(both_means[:, 1] - goal)


def no_harm_p(pair: Paired, margin: float) -> float:
    """The p of the equivalence test: 1 where there are too few clusters to test."""
    return 1.0 if pair.detectable is None else _round(equivalence_p(pair.difference, pair.about, margin))


# --- words ------------------------------------------------------------------------------------------------------------


def slice_words(language: str, category: str) -> str:
    """A slice for people: '' for all items, else e.g. 'Spanish' or 'Religion' or 'Spanish - Religion'."""
    parts = [languages.name(language)] if language != "all" else []
    if category == MACRO:
        return " - ".join([*parts, "mean of the categories"])
    return " - ".join([*parts, category.replace("_", " ")] if category != "all" else parts)


def metric_name(benchmark: str, metric: str, language: str = "all", category: str = "all") -> str:
    """The name under which a number is shown, in characters that MLflow takes (no comma, no bracket)."""
    known = METRICS[metric]
    parts = [f"{benchmark}: {known.words}", slice_words(language, category), known.target_words]
    return " - ".join(part for part in parts if part)
