"""The arithmetic of uncertainty for items that come in clusters (numpy only): resampling, tests, adjustments.

A statistic is made from one or more strata (one per category for a macro average), each a table with a row per cluster:
its sum and its number of items, or both of base and tuned. Clusters are drawn and swapped whole, within their stratum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Below five clusters the bootstrap percentiles say nothing (and a sign-flip test cannot go below p = 0.06 even with five).
FEW_CLUSTERS = 5
WEIGHTS_AT_ONCE = 1_000_000  # resampling weights held in memory at a time (8 MB)
POWER = 0.8  # of the minimum detectable change
ALIKE = 8  # from so many equal rows per distinct one on, it pays to draw how often each kind of row comes
MANY_CLUSTERS = 400  # of more that all differ, means are drawn from their normal law: 60,000 would take minutes


@dataclass(frozen=True)
class Spread:
    """How far a statistic would scatter over new clusters."""

    standard_error: float  # cluster-robust, with the small-sample factor G / (G - 1)
    degrees: float  # of freedom, from the effective number of clusters
    widening: float  # by which the bootstrap's scatter must be multiplied to match that of new clusters


def spread(strata: Sequence[Floats]) -> Spread:
    """The closed form for a mean over strata, of `sum, items` or of `base sum, base items, tuned sum, tuned items`.

    For one stratum this is the error of a regression on a constant with clustered errors. Degrees of freedom rest on
    Kish's effective number of clusters: unequal clusters know less than equal ones. Strata are pooled by Satterthwaite.
    """
    squares = np.array([np.square(influence(table)).sum() for table in strata]) / len(strata) ** 2
    clusters = np.array([len(table) for table in strata], dtype=np.float64)
    effective = np.array([max(2.0, effective_clusters(table[:, 1::2].sum(axis=1))) for table in strata])
    total = squares.sum()
    error = math.sqrt((squares * clusters / np.maximum(clusters - 1, 1)).sum())
    if total == 0:
        return Spread(0.0, float((effective - 1).sum()), 1.0)
    shares = squares * effective / (effective - 1)
    degrees = shares.sum() ** 2 / (np.square(shares) / (effective - 1)).sum()
    return Spread(error, float(degrees), math.sqrt(shares.sum() / total))


def influence(table: Floats) -> Floats:
    """What each cluster adds to the statistic's deviation; the sum is 0."""
    sides = [_residuals(table[:, place], table[:, place + 1]) for place in range(0, table.shape[1], 2)]
    return sides[0] if len(sides) == 1 else sides[1] - sides[0]


def _residuals(sums: Floats, counts: Floats) -> Floats:
    residuals: Floats = (sums - counts * (sums.sum() / counts.sum())) / counts.sum()
    return residuals


def effective_clusters(counts: Floats) -> float:
    """Kish's effective number: of equal clusters all, of one that holds nearly everything about one."""
    return float(counts.sum() ** 2 / np.square(counts).sum())


# --- resampling -------------------------------------------------------------------------------------------------------


def resampled(table: Floats, resamples: int, random: np.random.Generator) -> Floats:
    """Column totals of `resamples` draws of the table's rows (clusters) with replacement; shape (resamples, columns)."""
    rows, counts = _kinds(table)
    at_once = max(1, WEIGHTS_AT_ONCE // len(rows))
    blocks = []
    for start in range(0, resamples, at_once):
        draws = min(at_once, resamples - start)
        blocks.append(_weights(counts, len(table), draws, random) @ rows)
    return np.concatenate(blocks)


def _kinds(table: Floats) -> tuple[Floats, Floats]:
    """The distinct rows and how often each comes, where many rows are equal; else the rows as they are."""
    rows, counts = np.unique(table, axis=0, return_counts=True)
    if len(rows) * ALIKE <= len(table):
        return rows, counts.astype(np.float64)
    return table, np.ones(len(table))


def _weights(counts: Floats, clusters: int, draws: int, random: np.random.Generator) -> Floats:
    """How often each row was drawn: the same law in either way, only faster for many equal rows."""
    if len(counts) < clusters:
        return random.multinomial(clusters, counts / clusters, size=draws).astype(np.float64)
    chosen = random.integers(0, clusters, size=(draws, clusters))
    chosen += np.arange(draws)[:, None] * clusters
    weights = np.bincount(chosen.ravel(), minlength=draws * clusters).reshape(draws, clusters)
    return weights.astype(np.float64)


def means(totals: Sequence[Floats]) -> Floats:
    """The mean over strata of each row's means: one column per side; NaN where a side drew no item."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = [each[:, 0::2] / each[:, 1::2] for each in totals]
    return np.mean(ratios, axis=0)


def drawn(strata: Sequence[Floats], resamples: int, random: np.random.Generator) -> Floats:
    """The means in `resamples` bootstrap samples, clusters drawn within their stratum; one column per side."""
    return np.mean([_drawn(table, resamples, random) for table in strata], axis=0)


def _drawn(table: Floats, resamples: int, random: np.random.Generator) -> Floats:
    if len(_kinds(table)[0]) <= MANY_CLUSTERS:
        return means([resampled(table, resamples, random)])
    whole = means([table.sum(axis=0)[None, :]])[0]
    around = [_residuals(table[:, place], table[:, place + 1]) for place in range(0, table.shape[1], 2)]
    first = math.sqrt(around[0] @ around[0])
    columns = [random.standard_normal(resamples) * first]
    if len(around) == 2:  # by hand (Cholesky): a library's choice of signs would change the draws between machines
        slope = float(around[0] @ around[1]) / first**2 if first else 0.0
        rest = math.sqrt(max(0.0, float(around[1] @ around[1]) - (slope * first) ** 2))
        columns.append(columns[0] * slope + random.standard_normal(resamples) * rest)
    return whole + np.stack(columns, axis=1)


def interval(statistics: Floats, about: Spread, confidence: float) -> tuple[float, float]:
    """The percentile interval, its tails moved out to where Student's t wants them (Hesterberg 2015, section 4.3).

    Plain percentiles of 25 unequal clusters cover 90 to 94 % where 95 % are asked (docs/benchmarks.md). Draws in
    which the statistic is undefined are left out.
    """
    reach = student_quantile(1 - (1 - confidence) / 2, about.degrees) * about.widening
    tail = NormalDist().cdf(-reach)
    low, high = np.nanquantile(statistics, [tail, 1 - tail])
    return float(low), float(high)


# --- tests ------------------------------------------------------------------------------------------------------------


def swap_p_value(strata: Sequence[Floats], permutations: int, random: np.random.Generator) -> float:
    """Two-sided p of no change: swap base and tuned in whole clusters (with equal counts, a sign flip of differences).

    Every swap is tried where that takes no more than `permutations`; else that many random ones. Of very many clusters
    that all differ, the swaps' normal law is taken, and no p below what so many random swaps could show.
    """
    exact = 2 ** min(64, sum(map(len, strata))) <= permutations
    kinds = [(table, np.ones(len(table))) if exact else _kinds(table) for table in strata]
    if sum(len(rows) for rows, _ in kinds) > MANY_CLUSTERS:
        return max(_normal_swap_p(strata), 1 / (permutations + 1))
    turned = [rows[:, [2, 3, 0, 1]] - rows for rows, _ in kinds]
    cuts = np.cumsum([len(rows) for rows, _ in kinds])[:-1]
    whole = [table.sum(axis=0) for table in strata]
    observed = _distance([total[None, :] for total in whole])[0]
    tried = reached = 0
    for swaps in _swaps(np.concatenate([counts for _, counts in kinds]), permutations, exact, random):
        parts = np.split(swaps, cuts, axis=1)
        distances = _distance([total + part @ turn for total, part, turn in zip(whole, parts, turned, strict=True)])
        reached += int((distances >= observed - 1e-12).sum())
        tried += len(swaps)
    return reached / tried if exact else (reached + 1) / (tried + 1)


def _normal_swap_p(strata: Sequence[Floats]) -> float:
    """As if every swap was tried: what each cluster adds has either sign, around the mean of both sides together."""
    parts = []
    for table in strata:
        sums, counts = table[:, [0, 2]], table[:, [1, 3]]
        rest = (sums - counts * (sums.sum() / counts.sum())) / (counts.sum() / 2)
        parts.append((rest[:, 1] - rest[:, 0]) / len(strata))
    each = np.concatenate(parts)
    scatter = math.sqrt(float(each @ each))
    return 2 * NormalDist().cdf(-abs(float(each.sum())) / scatter) if scatter else 1.0


def _distance(totals: Sequence[Floats]) -> Floats:
    both = means(totals)
    return np.nan_to_num(np.abs(both[:, 1] - both[:, 0]), nan=0.0)


def _swaps(counts: Floats, permutations: int, exact: bool, random: np.random.Generator) -> Iterator[Floats]:
    """Yield blocks of rows: how many clusters of each kind are swapped."""
    total = 2 ** len(counts) if exact else permutations
    at_once = max(1, WEIGHTS_AT_ONCE // len(counts))
    alone = bool((counts == 1).all())
    for start in range(0, total, at_once):
        rows = np.arange(start, min(start + at_once, total))
        if exact:
            yield ((rows[:, None] >> np.arange(len(counts))) & 1).astype(np.float64)
        elif alone:
            yield random.integers(0, 2, size=(len(rows), len(counts)), dtype=np.bool_).astype(np.float64)
        else:
            swapped = random.binomial(counts.astype(np.int64), 0.5, size=(len(rows), len(counts)))
            yield swapped.astype(np.float64)


def equivalence_p(difference: float, about: Spread, margin: float) -> float:
    """The larger p of two one-sided tests (TOST) that the true difference lies outside -margin to margin."""
    inside = margin - abs(difference)
    if about.standard_error == 0:
        return 0.0 if inside > 0 else 1.0
    return 1 - student_cdf(inside / about.standard_error, about.degrees)


def detectable_change(about: Spread, confidence: float) -> float:
    """The true change that a test at this level finds with 80 % power (Student's t: with many clusters 2.8 errors)."""
    level = student_quantile(1 - (1 - confidence) / 2, about.degrees)
    return (level + student_quantile(POWER, about.degrees)) * about.standard_error


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: the chance of one false claim in the family stays below the level."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, place in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The step-up adjustment: of what is pointed out, the expected share that is chance stays below the level."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place], reverse=True)
    adjusted = [0.0] * len(p_values)
    running = 1.0
    for rank, place in enumerate(order):
        running = min(running, p_values[place] * len(p_values) / (len(p_values) - rank))
        adjusted[place] = running
    return adjusted


# --- Student's t, without scipy ---------------------------------------------------------------------------------------

# Points for the integral below: its error is under 1e-12 for the values that tests ask for.
_POINTS, _SHARES = np.polynomial.legendre.leggauss(96)


def student_cdf(value: float, degrees: float) -> float:
    """The share of Student's t distribution below `value`; with t = sqrt(degrees) tan(a) an integral of a cosine."""
    angle = math.atan(abs(value) / math.sqrt(degrees))
    density = np.cos(angle / 2 * (_POINTS + 1)) ** (degrees - 1)
    constant = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(math.pi)
    between = min(0.5, constant * angle / 2 * float(_SHARES @ density))
    return 0.5 + math.copysign(between, value)


@lru_cache(maxsize=4096)
def student_quantile(share: float, degrees: float) -> float:
    """Where `share` of Student's t distribution lies below; by halving."""
    if share < 0.5:
        return -student_quantile(1 - share, degrees)
    low, high = 0.0, 1.0
    while student_cdf(high, degrees) < share and high < 1e9:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_cdf(middle, degrees) < share else (low, middle)
    return (low + high) / 2
