"""Make the comparison of base and tuned model again from the answers, as an auditor must: values, tests and verdicts.

Written apart from the node that made the comparison, so that a fault there does not repeat itself here; both stand on
the arithmetic of `stages/scoring.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from stages.records import Comparison, Constitution, ItemOutcome, Score
from stages.scoring import Mask, Paired, both, generator, metrics_of, no_harm_p, paired
from stages.uncertainty import FEW_CLUSTERS, benjamini_hochberg, holm

ALL = "all"
MACRO = "macro"
RANGES = (
    "base_range_low", "base_range_high", "tuned_range_low", "tuned_range_high", "range_low", "range_high",
)  # fmt: skip


class Cell(NamedTuple):
    """What one row of the comparison is about, within a benchmark."""

    metric: str
    language: str
    category: str
    principle_id: str = ALL
    group: str = ALL
    polarity: str = ALL


@dataclass(frozen=True)
class Settings:
    """How the comparison was made, as the parameters in the chain tell it."""

    resamples: int
    permutations: int
    seed: int
    confidence: float
    min_items: int
    primary: str | None  # the metric of this benchmark that was named in advance, if it is this benchmark's
    category: str = ALL  # of the result named in advance: all items, or the mean of the categories
    margins: Mapping[str, float] = field(default_factory=dict)  # metric, or benchmark:metric -> no harm below it


@dataclass(frozen=True)
class Side:
    """What one model did on the benchmark."""

    items: Sequence[ItemOutcome]
    scores: Mapping[Cell, Score]


class Tests(NamedTuple):
    """What the tests of one row come to, adjusted for the others of its family."""

    p_adjusted: float
    q_value: float | None = None
    margin: float | None = None
    p_equivalence: float | None = None
    p_equivalence_adjusted: float | None = None


def cell_of(row: Comparison) -> Cell:
    """The row's cell."""
    return Cell(row.metric, row.language, row.category, row.principle_id, row.group, row.polarity)


def cell_of_score(score: Score) -> Cell:
    """The score's cell."""
    return Cell(score.metric, score.language, score.category, ALL, score.group, score.polarity)


def recompare(
    benchmark: str, base: Side, tuned: Side, constitution: Constitution, settings: Settings
) -> dict[Cell, Comparison]:
    """Every row that the comparison of this benchmark must have."""
    order = {(item.item_id, item.variant): item for item in tuned.items}
    after = [order[item.item_id, item.variant] for item in base.items]
    columns = {metric: both(base.items, after, metric) for metric in metrics_of(base.items)}
    pairs: dict[Cell, Paired] = {}
    for cell, strata in _cells(base, tuned, constitution):
        same = Cell(cell.metric, ALL, ALL)
        if cell.principle_id != ALL and strata[0].all() and same in pairs:
            pairs[cell] = pairs[same]  # a principle that the whole benchmark bears on: one test, counted once
            continue
        narrow = () if (cell.group, cell.polarity) == (ALL, ALL) else (cell.group, cell.polarity)
        random = generator(settings.seed, "compare", benchmark, *cell[:4], *narrow)
        found = paired(
            columns[cell.metric], strata, settings.resamples, settings.permutations, settings.confidence, random
        )
        if found is not None:
            pairs[cell] = found
    tests = _tests(benchmark, pairs, settings)
    return {cell: _row(benchmark, cell, pair, tests[cell], base, tuned, settings) for cell, pair in pairs.items()}


def _cells(base: Side, tuned: Side, constitution: Constitution) -> Iterator[tuple[Cell, list[Mask]]]:
    """The cells that both models have a score for, then those of each principle; with the items inside."""
    for cell in base.scores:
        if cell in tuned.scores:
            yield cell, list(_strata(base.items, cell))
    owners = {f"p{statement:03d}": item.id for item in constitution.principles for statement in item.statement_ids}
    owners |= {item.id: item.id for item in constitution.principles}
    for principle in sorted({owners[id_] for item in base.items for id_ in item.principle_ids if id_ in owners}):
        names = {item.item_id for item in base.items if any(owners.get(id_) == principle for id_ in item.principle_ids)}
        bearing = [item for item in base.items if item.item_id in names]
        for metric in metrics_of(bearing):
            yield Cell(metric, ALL, ALL, principle), [np.array([item.item_id in names for item in base.items])]


def _strata(items: Sequence[ItemOutcome], cell: Cell) -> Iterator[Mask]:
    """The items of the cell; for the mean of the categories, those of each category."""
    if cell.category != MACRO:
        yield np.array([_inside(item, cell) for item in items])
        return
    for category in sorted({item.category for item in items}):
        inside = np.array([_inside(item, cell._replace(category=category)) for item in items])
        if inside.any():
            yield inside


def _inside(item: ItemOutcome, cell: Cell) -> bool:
    wanted = (cell.language, cell.category, cell.group, cell.polarity)
    found = (item.language, item.category, item.group, item.polarity)
    return all(name in (ALL, own) for name, own in zip(wanted, found, strict=True))


def _few(pair: Paired, settings: Settings) -> bool:
    return pair.items < settings.min_items or pair.clusters < FEW_CLUSTERS or pair.detectable is None


def family(cell: Cell, settings: Settings) -> str:
    """What was named in advance; what is claimed over all items, of categories and of principles; what is explored."""
    if cell.principle_id != ALL:
        return "principle"
    if (cell.language, cell.group, cell.polarity) != (ALL, ALL, ALL):
        return "exploration"
    if cell.category not in (ALL, MACRO):
        return "category"
    return "primary" if (cell.metric, cell.category) == (settings.primary, settings.category) else "overall"


def _tests(benchmark: str, pairs: Mapping[Cell, Paired], settings: Settings) -> dict[Cell, Tests]:
    """Holm, or Benjamini and Hochberg where things are explored, in each family; a pair of several rows counts once."""
    owner: dict[int, Cell] = {}
    for cell in sorted(pairs, key=lambda cell: family(cell, settings) != "primary"):
        owner.setdefault(id(pairs[cell]), cell)
    families: dict[str, list[Cell]] = {}
    for cell in owner.values():
        families.setdefault(family(cell, settings), []).append(cell)
    found: dict[Cell, Tests] = {}
    for name, cells in families.items():
        found |= _within(benchmark, name, {cell: pairs[cell] for cell in cells}, settings)
    return {cell: found[owner[id(pair)]] for cell, pair in pairs.items()}


def _within(benchmark: str, name: str, pairs: Mapping[Cell, Paired], settings: Settings) -> dict[Cell, Tests]:
    told = {cell: pair for cell, pair in pairs.items() if not _few(pair, settings)}
    explored = name == "exploration"
    holms = dict(zip(told, holm([pair.p_value for pair in told.values()]), strict=True))
    shares = dict(zip(told, benjamini_hochberg([pair.p_value for pair in told.values()]), strict=True))
    margins = {
        cell: settings.margins.get(f"{benchmark}:{cell.metric}", settings.margins.get(cell.metric)) for cell in pairs
    }
    harms = {cell: no_harm_p(pairs[cell], margin) for cell, margin in margins.items() if margin is not None}
    sure = [cell for cell in told if cell in harms]
    adjust = benjamini_hochberg if explored else holm
    adjusted = dict(zip(sure, adjust([harms[cell] for cell in sure]), strict=True))
    return {
        cell: Tests(
            round(holms.get(cell, pair.p_value), 6),
            round(shares[cell], 6) if explored and cell in shares else None,
            margins[cell],
            harms.get(cell),
            round(adjusted.get(cell, harms[cell]), 6) if cell in harms else None,
        )
        for cell, pair in pairs.items()
    }


def verdict(pair: Paired, tests: Tests, settings: Settings) -> str:
    """Better or worse only where both the test and the interval say so; no harm only where that was tested too."""
    if _few(pair, settings):
        return "too few items"
    level = 1 - settings.confidence
    low, high = pair.improvement_interval
    if (tests.p_adjusted if tests.q_value is None else tests.q_value) < level and not low <= 0 <= high:
        return "better" if low > 0 else "worse"
    harm = tests.p_equivalence_adjusted
    return "equivalent" if harm is not None and harm < level else "within noise"


def _row(
    benchmark: str, cell: Cell, pair: Paired, tests: Tests, base: Side, tuned: Side, settings: Settings
) -> Comparison:
    own = cell.principle_id == ALL
    before = (base.scores[cell].low, base.scores[cell].high) if own else pair.base_interval
    after = (tuned.scores[cell].low, tuned.scores[cell].high) if own else pair.tuned_interval
    content = {
        "benchmark": benchmark,
        **cell._asdict(),
        "family": family(cell, settings),
        "base": pair.base,
        "base_low": before[0],
        "base_high": before[1],
        "tuned": pair.tuned,
        "tuned_low": after[0],
        "tuned_high": after[1],
        "difference": pair.difference,
        "low": pair.difference_interval[0],
        "high": pair.difference_interval[1],
        "improvement": pair.improvement,
        "improvement_low": pair.improvement_interval[0],
        "improvement_high": pair.improvement_interval[1],
        "p_value": pair.p_value,
        **tests._asdict(),
        "standard_error": pair.standard_error,
        "mde": pair.detectable or None,
        **dict(zip(RANGES, [end for ends in pair.ranges for end in ends], strict=True)),
        "items": pair.items,
        "clusters": pair.clusters,
        "verdict": verdict(pair, tests, settings),
    }
    return Comparison.model_validate(content)
