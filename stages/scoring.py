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
from stages.metrics import METRICS
from stages.records import ItemOutcome, Score

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Below five clusters the bootstrap percentiles say nothing (and a sign-flip test cannot go below p = 0.06 even with five).
FEW_CLUSTERS = 5
WEIGHTS_AT_ONCE = 4_000_000  # resampling weights held in memory at a time (32 MB)
DECIMALS = 6


def scores_from_items(
    items: Sequence[ItemOutcome], benchmark: str, resamples: int, seed: int, confidence: float, min_items: int = 30
) -> list[Score]:
    """The mean of each metric over every slice with at least `min_items` items, with its cluster bootstrap interval.

    Slices are all items, each language, each category and each language's category; a slice that holds the same
    items as a wider one is left out. Where a slice has fewer than FEW_CLUSTERS clusters the interval is the metric's
    whole range (or that of the items, for a metric without limits): nothing narrower is known.
    """
    scores = []
    for metric in metrics_of(items):
        column = _column(items, metric)
        for language, category, inside in _slices(column):
            if inside.sum() >= min_items:
                place = (benchmark, metric, language, category)
                scores.append(_score(place, column, inside, resamples, seed, confidence))
    return scores


def suppressed_cells(items: Sequence[ItemOutcome], min_items: int) -> int:
    """How many metric x slice cells have too few items to be reported."""
    columns = [_column(items, metric) for metric in metrics_of(items)]
    return sum(int(inside.sum() < min_items) for column in columns for _, _, inside in _slices(column))


def metrics_of(items: Sequence[ItemOutcome]) -> list[str]:
    """The metrics that occur in the items, in the order of reports."""
    present = {metric for item in items for metric in item.values}
    return [metric for metric in METRICS if metric in present] + sorted(present - METRICS.keys())


@dataclass(frozen=True)
class _Column:
    """One metric as arrays: a value per item that has it, and where the item belongs."""

    values: Floats
    languages: npt.NDArray[np.str_]
    categories: npt.NDArray[np.str_]
    clusters: npt.NDArray[np.str_]


def _column(items: Sequence[ItemOutcome], metric: str) -> _Column:
    having = [item for item in items if metric in item.values]
    return _Column(
        np.array([item.values[metric] for item in having], dtype=np.float64),
        np.array([item.language for item in having], dtype=np.str_),
        np.array([item.category for item in having], dtype=np.str_),
        np.array([item.cluster for item in having], dtype=np.str_),
    )


def _slices(column: _Column) -> Iterator[tuple[str, str, Mask]]:
    """Yield language, category and the items inside; each distinct set of items once, the widest name first."""
    everything = np.ones(len(column.values), dtype=bool)
    languages = [(name, column.languages == name) for name in np.unique(column.languages)]
    categories = [(name, column.categories == name) for name in np.unique(column.categories)]
    yield "all", "all", everything
    for name, inside in languages:
        if len(languages) > 1:
            yield str(name), "all", inside
    for name, inside in categories:
        if len(categories) > 1:
            yield "all", str(name), inside
    for language, spoken in languages:
        for category, inside in categories:
            both = spoken & inside
            if both.any() and both.sum() < min(spoken.sum(), inside.sum()):
                yield str(language), str(category), both


def _score(
    place: tuple[str, str, str, str], column: _Column, inside: Mask, resamples: int, seed: int, confidence: float
) -> Score:
    benchmark, metric, language, category = place
    values = column.values[inside]
    sums, counts = cluster_sums(values, column.clusters[inside])
    low, high = _interval(sums, counts, values, metric, resamples, generator(seed, *place), confidence)
    return Score(
        benchmark=benchmark,
        metric=metric,
        language=language,
        category=category,
        value=_round(values.mean()),
        low=_round(low),
        high=_round(high),
        items=len(values),
        clusters=len(sums),
    )


def _interval(
    sums: Floats,
    counts: Floats,
    values: Floats,
    metric: str,
    resamples: int,
    random: np.random.Generator,
    confidence: float,
) -> tuple[float, float]:
    if len(sums) < FEW_CLUSTERS:
        return whole_range(metric, values)
    table = np.stack([sums, counts], axis=1)
    drawn = resampled(table, resamples, random)
    return percentiles(drawn[:, 0] / drawn[:, 1], confidence)


def whole_range(metric: str, values: Floats) -> tuple[float, float]:
    """All values the metric can take; for a metric without limits, those seen in the items."""
    bounds = METRICS[metric].bounds if metric in METRICS else None
    return bounds or (float(values.min()), float(values.max()))


def cluster_sums(values: Floats, clusters: npt.NDArray[np.str_]) -> tuple[Floats, Floats]:
    """Sum and number of the values of each cluster, clusters in order of name."""
    names, places = np.unique(clusters, return_inverse=True)
    sums = np.bincount(places, weights=values, minlength=len(names))
    return sums.astype(np.float64), np.bincount(places, minlength=len(names)).astype(np.float64)


def resampled(table: Floats, resamples: int, random: np.random.Generator) -> Floats:
    """Column totals of `resamples` draws of the table's rows (clusters) with replacement; shape (resamples, columns)."""
    clusters = len(table)
    at_once = max(1, WEIGHTS_AT_ONCE // clusters)
    blocks = []
    for start in range(0, resamples, at_once):
        draws = min(at_once, resamples - start)
        chosen = random.integers(0, clusters, size=(draws, clusters))
        chosen += np.arange(draws)[:, None] * clusters
        weights = np.bincount(chosen.ravel(), minlength=draws * clusters).reshape(draws, clusters)
        blocks.append(weights @ table)
    return np.concatenate(blocks)


def percentiles(statistics: Floats, confidence: float) -> tuple[float, float]:
    """The percentile interval of resampled statistics; draws in which the statistic is undefined are left out."""
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(statistics, [tail, 1 - tail])
    return float(low), float(high)


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers of their own for each cell: adding a benchmark or a language changes no other interval."""
    digest = hashlib.sha256("\x1f".join([str(seed), *names]).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "big")))


def _round(value: float) -> float:
    return round(float(value), DECIMALS) + 0.0  # + 0.0: no "-0.0" in a file


# --- before and after -------------------------------------------------------------------------------------------------


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
    items: int
    clusters: int


def paired(
    base: Sequence[ItemOutcome],
    tuned: Sequence[ItemOutcome],
    metric: str,
    resamples: int,
    permutations: int,
    confidence: float,
    random: np.random.Generator,
) -> Paired | None:
    """Compare the metric's means over item-aligned outcomes; None where a side has no item with the metric.

    An item may have the metric on one side only (bias among named persons): each side's mean is over its own items,
    and clusters are resampled and swapped whole, so that the pairing by template remains.
    """
    table, items = _paired_table(base, tuned, metric)
    if not items:
        return None
    means = _two_means(table.sum(axis=0)[None, :])[0]
    gains = improvement(metric)
    if len(table) < FEW_CLUSTERS:
        drawn = _widest(metric, base, tuned)
        p_value = 1.0
    else:
        drawn = _two_means(resampled(table, resamples, random))
        p_value = swap_p_value(table, permutations, random)
    difference = drawn[:, 1] - drawn[:, 0]
    return Paired(
        base=_round(means[0]),
        base_interval=_rounded(percentiles(drawn[:, 0], confidence)),
        tuned=_round(means[1]),
        tuned_interval=_rounded(percentiles(drawn[:, 1], confidence)),
        difference=_round(means[1] - means[0]),
        difference_interval=_rounded(percentiles(difference, confidence)),
        improvement=_round(gains(means[None, :])[0]),
        improvement_interval=_rounded(percentiles(gains(drawn), confidence)),
        p_value=_round(p_value),
        items=items,
        clusters=len(table),
    )


def _paired_table(base: Sequence[ItemOutcome], tuned: Sequence[ItemOutcome], metric: str) -> tuple[Floats, int]:
    """Per cluster: base sum, base count, tuned sum, tuned count; and the items of the side that has fewer."""
    cells: dict[str, list[float]] = {}
    for before, after in zip(base, tuned, strict=True):
        for place, outcome in ((0, before), (2, after)):
            if metric in outcome.values:
                cell = cells.setdefault(outcome.cluster, [0.0, 0.0, 0.0, 0.0])
                cell[place] += outcome.values[metric]
                cell[place + 1] += 1
    table = np.array([cells[name] for name in sorted(cells)], dtype=np.float64).reshape(-1, 4)
    return table, int(min(table[:, 1].sum(), table[:, 3].sum()))


def _two_means(totals: Floats) -> Floats:
    """Base and tuned mean of each row of totals; NaN where a side drew no item."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([totals[:, 0] / totals[:, 1], totals[:, 2] / totals[:, 3]], axis=1)


def _widest(metric: str, base: Sequence[ItemOutcome], tuned: Sequence[ItemOutcome]) -> Floats:
    """With too few clusters nothing is known: all four corners of what the two means could be."""
    values = np.array([item.values[metric] for item in (*base, *tuned) if metric in item.values])
    low, high = whole_range(metric, values)
    corners = np.array([[low, low], [low, high], [high, low], [high, high]])
    return np.repeat(corners, 1000, axis=0)  # repeated so that any usual percentile is a corner


def improvement(metric: str) -> Callable[[Floats], Floats]:
    """How much nearer to the metric's target the tuned mean (column 1) is than the base mean (column 0)."""
    target = METRICS[metric].target
    if target == "higher":
        return lambda means: means[:, 1] - means[:, 0]
    if target == "lower":
        return lambda means: means[:, 0] - means[:, 1]
    goal = 0.5 if target == "half" else 0.0
    return lambda means: np.abs(means[:, 0] - goal) - np.abs(means[:, 1] - goal)


def swap_p_value(table: Floats, permutations: int, random: np.random.Generator) -> float:
    """Two-sided p of no change: swap base and tuned in whole clusters (with equal counts, a sign flip of differences).

    Every swap is tried where that takes no more than `permutations`; else that many random ones.
    """
    observed = _distance(table.sum(axis=0)[None, :])[0]
    exact = 2 ** len(table) <= permutations
    tried = reached = 0
    for swaps in _swaps(len(table), permutations, exact, random):
        turned = table[:, [2, 3, 0, 1]] - table
        distances = _distance(table.sum(axis=0) + swaps @ turned)
        reached += int((distances >= observed - 1e-12).sum())
        tried += len(swaps)
    return reached / tried if exact else (reached + 1) / (tried + 1)


def _distance(totals: Floats) -> Floats:
    means = _two_means(totals)
    return np.nan_to_num(np.abs(means[:, 1] - means[:, 0]), nan=0.0)


def _swaps(clusters: int, permutations: int, exact: bool, random: np.random.Generator) -> Iterator[Floats]:
    """Yield blocks of rows of 0 and 1: which clusters are swapped."""
    total = 2**clusters if exact else permutations
    at_once = max(1, WEIGHTS_AT_ONCE // clusters)
    for start in range(0, total, at_once):
        rows = np.arange(start, min(start + at_once, total))
        if exact:
            yield ((rows[:, None] >> np.arange(clusters)) & 1).astype(np.float64)
        else:
            yield random.integers(0, 2, size=(len(rows), clusters)).astype(np.float64)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: the chance of one false claim in the family stays below the level."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, place in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = _round(running)
    return adjusted


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return _round(interval[0]), _round(interval[1])


# --- words ------------------------------------------------------------------------------------------------------------


def slice_words(language: str, category: str) -> str:
    """A slice for people: '' for all items, else e.g. 'Spanish' or 'Religion' or 'Spanish - Religion'."""
    parts = [languages.name(language)] if language != "all" else []
    return " - ".join([*parts, category.replace("_", " ")] if category != "all" else parts)


def metric_name(benchmark: str, metric: str, language: str = "all", category: str = "all") -> str:
    """The name under which a number is shown, in characters that MLflow takes (no comma, no bracket)."""
    known = METRICS[metric]
    parts = [f"{benchmark}: {known.words}", slice_words(language, category), known.target_words]
    return " - ".join(part for part in parts if part)
