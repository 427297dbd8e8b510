"""Paired comparisons: every reported score, and every principle, before and after.

The result named in advance stands alone; all others are adjusted for their number (Holm), so that the more one looks
at, the more a change must show: apart for results over all items of a benchmark, for principles, and for parts
(languages and categories), lest the many parts hide a loss over all items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stages.compare_models.measured import Measurement
from stages.metrics import METRICS
from stages.records import Comparison, Constitution, ItemOutcome
from stages.scoring import FEW_CLUSTERS, Paired, generator, holm, metrics_of, paired

Verdict = Literal["better", "worse", "within noise", "too few items"]


@dataclass(frozen=True)
class Question:
    """What is compared: a metric over a slice of a benchmark's items."""

    metric: str
    language: str
    category: str
    principle_id: str


def compare(
    measurement: Measurement, constitution: Constitution, primary_metric: str | None, permutations: int
) -> list[Comparison]:
    """Every cell that both models have a score for, then every principle that some of the items bear on.

    `primary_metric` is the metric whose score over all items was named in advance, on that benchmark.
    """
    found = {question: _paired(measurement, question, keep, permutations) for question, keep in _slices(measurement)}
    shared = principle_items(measurement.base, constitution)
    for principle_id, items in shared.items():
        for metric in metrics_of([item for item in measurement.base if item.item_id in items]):
            question = Question(metric, "all", "all", principle_id)
            whole = Question(metric, "all", "all", "all")
            if len(items) == len(measurement.base) and whole in found:
                found[question] = found[whole]  # the whole benchmark bears on it: the same test, counted once
            else:
                found[question] = _paired(measurement, question, _among(items), permutations)
    pairs = {question: pair for question, pair in found.items() if pair is not None}
    adjusted = _adjusted(pairs, primary_metric, measurement.min_items)
    return [_comparison(measurement, question, pair, adjusted[question]) for question, pair in pairs.items()]


def one_sided_cells(measurement: Measurement) -> int:
    """How many cells only one model has a score for (too few of the other's items have the metric)."""
    return len(measurement.base_scores.keys() ^ measurement.tuned_scores.keys())


def principle_items(items: Sequence[ItemOutcome], constitution: Constitution) -> dict[str, set[str]]:
    """Per ratified principle, the items that bear on it; a merged principle takes the items of all its statements."""
    owners = {principle.id: principle.id for principle in constitution.principles}
    for principle in constitution.principles:
        for statement in principle.statement_ids:
            owners.setdefault(f"p{statement:03d}", principle.id)
    found: dict[str, set[str]] = {}
    for item in items:
        for principle_id in item.principle_ids:
            if principle_id in owners:
                found.setdefault(owners[principle_id], set()).add(item.item_id)
    return dict(sorted(found.items()))


def _slices(measurement: Measurement) -> Iterator[tuple[Question, Callable[[ItemOutcome], bool]]]:
    for metric, language, category in measurement.base_scores:
        if (metric, language, category) in measurement.tuned_scores:
            yield Question(metric, language, category, "all"), _inside(language, category)


def _inside(language: str, category: str) -> Callable[[ItemOutcome], bool]:
    return lambda item: language in ("all", item.language) and category in ("all", item.category)


def _among(items: set[str]) -> Callable[[ItemOutcome], bool]:
    return lambda item: item.item_id in items


def _paired(
    measurement: Measurement, question: Question, keep: Callable[[ItemOutcome], bool], permutations: int
) -> Paired | None:
    base = [item for item in measurement.base if keep(item)]
    tuned = [after for before, after in zip(measurement.base, measurement.tuned, strict=True) if keep(before)]
    names = (measurement.benchmark, question.metric, question.language, question.category, question.principle_id)
    random = generator(measurement.seed, "compare", *names)
    return paired(base, tuned, question.metric, measurement.resamples, permutations, measurement.confidence, random)


def _adjusted(pairs: Mapping[Question, Paired], primary_metric: str | None, min_items: int) -> dict[Question, float]:
    """Holm within the benchmark and the kind of question; the primary result and what is not claimed keep their own.

    A pair that several questions share (a principle on which the whole benchmark bears) counts once, where it comes first.
    """
    primary = pairs.get(Question(primary_metric, "all", "all", "all")) if primary_metric else None
    kinds: dict[str, dict[int, Paired]] = {"all items": {}, "a principle": {}, "a part": {}}
    seen = {id(primary)}
    for question, pair in pairs.items():
        if id(pair) not in seen and not _too_few(pair, min_items):
            kinds[_kind(question)][id(pair)] = pair
            seen.add(id(pair))
    adjusted: dict[int, float] = {}
    for family in kinds.values():
        adjusted |= dict(zip(family, holm([pair.p_value for pair in family.values()]), strict=True))
    return {question: adjusted.get(id(pair), pair.p_value) for question, pair in pairs.items()}


def _kind(question: Question) -> str:
    """What changed, which principle gained, and for whom, are three questions: one must not drown the others."""
    if question.principle_id != "all":
        return "a principle"
    return "all items" if (question.language, question.category) == ("all", "all") else "a part"


def _too_few(pair: Paired, min_items: int) -> bool:
    return pair.items < min_items or pair.clusters < FEW_CLUSTERS


def _verdict(pair: Paired, p_adjusted: float, level: float, min_items: int) -> Verdict:
    """Better or worse only where both the test and the interval of the improvement say so."""
    if _too_few(pair, min_items):
        return "too few items"
    if p_adjusted < level and pair.improvement_interval[0] > 0:
        return "better"
    if p_adjusted < level and pair.improvement_interval[1] < 0:
        return "worse"
    return "within noise"


def _comparison(measurement: Measurement, question: Question, pair: Paired, p_adjusted: float) -> Comparison:
    cell = (question.metric, question.language, question.category)
    scores = (
        (measurement.base_scores.get(cell), measurement.tuned_scores.get(cell))
        if question.principle_id == "all"
        else ()
    )
    # The published scores' own intervals where there are such, so that one number has one interval everywhere.
    sides = [(score.low, score.high) for score in scores if score] or [pair.base_interval, pair.tuned_interval]
    return Comparison(
        benchmark=measurement.benchmark,
        metric=question.metric,
        language=question.language,
        category=question.category,
        principle_id=question.principle_id,
        base=pair.base,
        tuned=pair.tuned,
        base_low=sides[0][0],
        base_high=sides[0][1],
        tuned_low=sides[1][0],
        tuned_high=sides[1][1],
        difference=pair.difference,
        low=pair.difference_interval[0],
        high=pair.difference_interval[1],
        improvement=pair.improvement,
        improvement_low=pair.improvement_interval[0],
        improvement_high=pair.improvement_interval[1],
        p_value=pair.p_value,
        p_adjusted=p_adjusted,
        items=pair.items,
        clusters=pair.clusters,
        verdict=_verdict(pair, p_adjusted, 1 - measurement.confidence, measurement.min_items),
    )


def main_metric(comparisons: Sequence[Comparison], benchmark: str) -> str | None:
    """The benchmark's metric that stands first in the order of reports."""
    present = {row.metric for row in comparisons if row.benchmark == benchmark}
    return next((metric for metric in METRICS if metric in present), None)
