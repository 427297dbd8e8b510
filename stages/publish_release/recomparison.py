"""Make the comparison of base and tuned model again from the answers, as an auditor must: values, tests and verdicts.

Written apart from the node that made the comparison, so that a fault there does not repeat itself here; both stand on
the arithmetic of `stages/scoring.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stages.records import Comparison, Constitution, ItemOutcome, Score
from stages.scoring import FEW_CLUSTERS, Paired, generator, holm, metrics_of, paired

ALL = "all"


class Cell(NamedTuple):
    """What one row of the comparison is about, within a benchmark."""

    metric: str
    language: str
    category: str
    principle_id: str


@dataclass(frozen=True)
class Settings:
    """How the comparison was made, as the parameters in the chain tell it."""

    resamples: int
    permutations: int
    seed: int
    confidence: float
    min_items: int
    primary: str | None  # the metric of this benchmark that was named in advance, if it is this benchmark's


@dataclass(frozen=True)
class Side:
    """What one model did on the benchmark."""

    items: Sequence[ItemOutcome]
    scores: Mapping[Cell, Score]


def cell_of(row: Comparison) -> Cell:
    """The row's cell."""
    return Cell(row.metric, row.language, row.category, row.principle_id)


def recompare(
    benchmark: str, base: Side, tuned: Side, constitution: Constitution, settings: Settings
) -> dict[Cell, Comparison]:
    """Every row that the comparison of this benchmark must have."""
    order = {item.item_id: item for item in tuned.items}
    pairs: dict[Cell, Paired] = {}
    for cell, inside in _cells(base, tuned, constitution):
        before = [item for item in base.items if item.item_id in inside]
        after = [order[item.item_id] for item in before]
        same = Cell(cell.metric, ALL, ALL, ALL)
        if cell.principle_id != ALL and len(before) == len(base.items) and same in pairs:
            pairs[cell] = pairs[same]  # a principle that the whole benchmark bears on: one test, counted once
            continue
        random = generator(settings.seed, "compare", benchmark, *cell)
        found = paired(
            before, after, cell.metric, settings.resamples, settings.permutations, settings.confidence, random
        )
        if found is not None:
            pairs[cell] = found
    adjusted = _adjusted(pairs, settings)
    return {cell: _row(benchmark, cell, pair, adjusted[cell], base, tuned, settings) for cell, pair in pairs.items()}


def _cells(base: Side, tuned: Side, constitution: Constitution) -> Iterator[tuple[Cell, set[str]]]:
    """The cells that both models have a score for, then those of each principle; with the items inside."""
    for cell in base.scores:
        if cell in tuned.scores:
            yield cell, {item.item_id for item in base.items if _inside(item, cell)}
    owners = {f"p{statement:03d}": item.id for item in constitution.principles for statement in item.statement_ids}
    owners |= {item.id: item.id for item in constitution.principles}
    for principle in sorted({owners[id_] for item in base.items for id_ in item.principle_ids if id_ in owners}):
        bearing = [item for item in base.items if any(owners.get(id_) == principle for id_ in item.principle_ids)]
        for metric in metrics_of(bearing):
            yield Cell(metric, ALL, ALL, principle), {item.item_id for item in bearing}


def _inside(item: ItemOutcome, cell: Cell) -> bool:
    return cell.language in (ALL, item.language) and cell.category in (ALL, item.category)


def _few(pair: Paired, settings: Settings) -> bool:
    return pair.items < settings.min_items or pair.clusters < FEW_CLUSTERS


def _adjusted(pairs: Mapping[Cell, Paired], settings: Settings) -> dict[Cell, float]:
    """Holm among all items, among principles and among parts apart; what was named in advance stands for itself."""
    counted = {id(pairs.get(Cell(settings.primary, ALL, ALL, ALL)))} if settings.primary else set()
    families: dict[tuple[bool, bool], list[Paired]] = {}
    for cell, pair in pairs.items():
        if id(pair) in counted or _few(pair, settings):
            continue
        counted.add(id(pair))  # a pair that several rows share counts once, where it comes first
        principle = cell.principle_id != ALL
        part = not principle and (cell.language, cell.category) != (ALL, ALL)
        families.setdefault((principle, part), []).append(pair)
    adjusted: dict[int, float] = {}
    for family in families.values():
        adjusted |= dict(zip(map(id, family), holm([pair.p_value for pair in family]), strict=True))
    return {cell: adjusted.get(id(pair), pair.p_value) for cell, pair in pairs.items()}


def verdict(pair: Paired, p_adjusted: float, settings: Settings) -> str:
    """Better or worse only where both the test and the interval say so."""
    if _few(pair, settings):
        return "too few items"
    low, high = pair.improvement_interval
    if p_adjusted >= 1 - settings.confidence or low <= 0 <= high:
        return "within noise"
    return "better" if low > 0 else "worse"


def _row(
    benchmark: str, cell: Cell, pair: Paired, p_adjusted: float, base: Side, tuned: Side, settings: Settings
) -> Comparison:
    own = cell.principle_id == ALL
    before = (base.scores[cell].low, base.scores[cell].high) if own else pair.base_interval
    after = (tuned.scores[cell].low, tuned.scores[cell].high) if own else pair.tuned_interval
    content = {
        "benchmark": benchmark,
        **cell._asdict(),
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
        "p_adjusted": p_adjusted,
        "items": pair.items,
        "clusters": pair.clusters,
        "verdict": verdict(pair, p_adjusted, settings),
    }
    return Comparison.model_validate(content)
