"""Paired comparisons: every reported score, and every principle, before and after.

The result named in advance stands alone. Claims are adjusted for their number (Holm): results over all items of a
benchmark, categories and principles apart, lest the many parts hide a loss over all items. All else (languages,
stereotyped groups, polarities) is exploration, where the share of chance finds is held down (Benjamini and Hochberg).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from stages.compare_models.measured import Cell, Measurement
from stages.metrics import METRICS
from stages.records import Comparison, Constitution, ItemOutcome
from stages.scoring import (
    ALL,
    MACRO,
    Both,
    Mask,
    Paired,
    Table,
    both,
    generator,
    metrics_of,
    no_harm_p,
    paired,
    tabulated,
)
from stages.uncertainty import FEW_CLUSTERS, benjamini_hochberg, holm

Verdict = Literal["better", "worse", "within noise", "equivalent", "too few items"]
Family = Literal["primary", "overall", "category", "principle", "exploration"]
FAMILIES: tuple[Family, ...] = ("overall", "category", "principle", "exploration")  # the primary result is no family


@dataclass(frozen=True)
class Rules:
    """How the comparison is judged, as it was planned."""

    permutations: int
    primary: tuple[str, str] | None = None  # metric and category ("all" or "macro"), if this benchmark has it
    margins: Mapping[str, float] = field(default_factory=dict)  # metric, or benchmark:metric -> no harm below it


@dataclass(frozen=True)
class Question:
    """What is compared: a metric over a slice of a benchmark's items."""

    metric: str
    language: str = ALL
    category: str = ALL
    group: str = ALL
    polarity: str = ALL
    principle_id: str = ALL

    @property
    def names(self) -> tuple[str, ...]:
        """What its random numbers hang on; group and polarity only where it is one of those."""
        narrow = (self.group, self.polarity)
        return (self.metric, self.language, self.category, self.principle_id, *(() if narrow == (ALL, ALL) else narrow))


@dataclass(frozen=True)
class Judged:
    """What the tests say of a question, adjusted for how much was asked."""

    family: Family
    p_adjusted: float
    q_value: float | None = None
    margin: float | None = None
    p_equivalence: float | None = None
    p_equivalence_adjusted: float | None = None


def compare(measurement: Measurement, constitution: Constitution | None, rules: Rules) -> list[Comparison]:
    """Every cell that both models have a score for, then every principle that some of the items bear on."""
    table = tabulated(measurement.base)
    columns = {
        metric: both(measurement.base, measurement.tuned, metric, table) for metric in metrics_of(measurement.base)
    }
    found: dict[Question, Paired | None] = {}
    for question in _questions(measurement):
        found[question] = _paired(measurement, question, columns, strata_of(table, question), rules)
    for question, inside in _of_principles(measurement, constitution, columns):
        whole = Question(question.metric)
        if inside.all() and whole in found:
            found[question] = found[whole]  # the whole benchmark bears on it: the same test, counted once
        else:
            found[question] = _paired(measurement, question, columns, (inside,), rules)
    pairs = {question: pair for question, pair in found.items() if pair is not None}
    judged = _judged(measurement, pairs, rules)
    return [_comparison(measurement, question, pair, judged[question]) for question, pair in pairs.items()]


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


def strata_of(table: Table, question: Question) -> tuple[Mask, ...]:
    """The items that a question is about; those of each category apart where their mean is asked."""
    inside = np.ones(len(table.items.codes), dtype=np.bool_)
    parts = [(table.languages, question.language), (table.groups, question.group)]
    parts += [(table.polarities, question.polarity)]
    if question.category == MACRO:
        (language, spoken) = parts[0]
        asked = inside if spoken == ALL else language.codes == language.names.index(spoken)
        return tuple(mask for _, mask in table.categories.inside(asked))
    for named, wanted in (*parts, (table.categories, question.category)):
        if wanted != ALL:
            inside = inside & (named.codes == named.names.index(wanted))
    return (inside,)


def _questions(measurement: Measurement) -> Iterator[Question]:
    for cell in measurement.base_scores:
        if cell in measurement.tuned_scores:
            yield Question(*cell)


def _of_principles(
    measurement: Measurement, constitution: Constitution | None, columns: Mapping[str, Both]
) -> Iterator[tuple[Question, Mask]]:
    shared = principle_items(measurement.base, constitution) if constitution else {}
    for principle_id, items in shared.items():
        inside = np.array([item.item_id in items for item in measurement.base], dtype=np.bool_)
        for metric, column in columns.items():
            if not np.isnan(column.base[inside]).all():
                yield Question(metric, principle_id=principle_id), inside


def _paired(
    measurement: Measurement,
    question: Question,
    columns: Mapping[str, Both],
    strata: Sequence[Mask],
    rules: Rules,
) -> Paired | None:
    random = generator(measurement.seed, "compare", measurement.benchmark, *question.names)
    column = columns[question.metric]
    return paired(column, strata, measurement.resamples, rules.permutations, measurement.confidence, random)


# --- what is claimed --------------------------------------------------------------------------------------------------


def family_of(question: Question, primary: tuple[str, str] | None) -> Family:
    """What changed, for which category, which principle gained: one question must not drown the others."""
    if question.principle_id != ALL:
        return "principle"
    if (question.language, question.group, question.polarity) != (ALL, ALL, ALL):
        return "exploration"
    if (question.metric, question.category) == primary:
        return "primary"
    return "overall" if question.category in (ALL, MACRO) else "category"


def margin_of(margins: Mapping[str, float], benchmark: str, metric: str) -> float | None:
    """The margin set for the benchmark's metric, else for the metric wherever it is measured."""
    return margins.get(f"{benchmark}:{metric}", margins.get(metric))


def _judged(measurement: Measurement, pairs: Mapping[Question, Paired], rules: Rules) -> dict[Question, Judged]:
    """Adjust within each family; the primary result and what is not claimed keep their own.

    A pair that several questions share (a principle on which the whole benchmark bears) counts once, where it comes first.
    """
    first: dict[int, Question] = {}
    for question, pair in sorted(pairs.items(), key=lambda each: family_of(each[0], rules.primary) != "primary"):
        first.setdefault(id(pair), question)
    judged: dict[Question, Judged] = {}
    for family in ("primary", *FAMILIES):
        of_family = [question for question in first.values() if family_of(question, rules.primary) == family]
        judged |= _of_family(measurement, family, {question: pairs[question] for question in of_family}, rules)
    return {question: _shared(judged[first[id(pair)]], question, rules) for question, pair in pairs.items()}


def _shared(judged: Judged, question: Question, rules: Rules) -> Judged:
    return Judged(**{**judged.__dict__, "family": family_of(question, rules.primary)})


def _of_family(
    measurement: Measurement, family: Family, pairs: Mapping[Question, Paired], rules: Rules
) -> dict[Question, Judged]:
    claimed = [question for question, pair in pairs.items() if not _too_few(pair, measurement.min_items)]
    margins = {question: margin_of(rules.margins, measurement.benchmark, question.metric) for question in pairs}
    harms = {q: no_harm_p(pairs[q], margin) for q, margin in margins.items() if margin is not None}
    compared = [question for question in claimed if question in harms]
    adjusted = _adjusted(holm, {question: pairs[question].p_value for question in claimed})
    explored = _adjusted(benjamini_hochberg, {q: pairs[q].p_value for q in claimed}) if family == "exploration" else {}
    way = benjamini_hochberg if family == "exploration" else holm
    harms_adjusted = _adjusted(way, {question: harms[question] for question in compared})
    return {
        question: Judged(
            family,
            adjusted.get(question, pair.p_value),
            explored.get(question),
            margins[question],
            harms.get(question),
            harms_adjusted.get(question, harms.get(question)),
        )
        for question, pair in pairs.items()
    }


def _adjusted(way: Callable[[Sequence[float]], list[float]], values: Mapping[Question, float]) -> dict[Question, float]:
    return {question: round(value, 6) for question, value in zip(values, way(list(values.values())), strict=True)}


def _too_few(pair: Paired, min_items: int) -> bool:
    return pair.items < min_items or pair.detectable is None or pair.clusters < FEW_CLUSTERS


def _verdict(pair: Paired, judged: Judged, level: float, min_items: int) -> Verdict:
    """Better or worse only where both the test and the interval of the improvement say so."""
    if _too_few(pair, min_items):
        return "too few items"
    p_value = judged.p_adjusted if judged.q_value is None else judged.q_value
    if p_value < level and pair.improvement_interval[0] > 0:
        return "better"
    if p_value < level and pair.improvement_interval[1] < 0:
        return "worse"
    if judged.p_equivalence_adjusted is not None and judged.p_equivalence_adjusted < level:
        return "equivalent"
    return "within noise"


def _comparison(measurement: Measurement, question: Question, pair: Paired, judged: Judged) -> Comparison:
    cell: Cell = (question.metric, question.language, question.category, question.group, question.polarity)
    if question.principle_id == ALL:  # a score's interval stands in two places: it must be the same one
        sides = [(score.low, score.high) for score in (measurement.base_scores[cell], measurement.tuned_scores[cell])]
    else:
        sides = [pair.base_interval, pair.tuned_interval]
    return Comparison(
        benchmark=measurement.benchmark,
        metric=question.metric,
        language=question.language,
        category=question.category,
        group=question.group,
        polarity=question.polarity,
        principle_id=question.principle_id,
        family=judged.family,
        base=pair.base,
        tuned=pair.tuned,
        base_low=sides[0][0],
        base_high=sides[0][1],
        tuned_low=sides[1][0],
        tuned_high=sides[1][1],
        difference=pair.difference,
        low=pair.difference_interval[0],
        high=pair.difference_interval[1],
        standard_error=pair.standard_error,
        improvement=pair.improvement,
        improvement_low=pair.improvement_interval[0],
        improvement_high=pair.improvement_interval[1],
        p_value=pair.p_value,
        p_adjusted=judged.p_adjusted,
        q_value=judged.q_value,
        mde=pair.detectable or None,  # no scatter at all tells nothing of what could be found
        margin=judged.margin,
        p_equivalence=judged.p_equivalence,
        p_equivalence_adjusted=judged.p_equivalence_adjusted,
        base_range_low=pair.ranges[0][0],
        base_range_high=pair.ranges[0][1],
        tuned_range_low=pair.ranges[1][0],
        tuned_range_high=pair.ranges[1][1],
        range_low=pair.ranges[2][0],
        range_high=pair.ranges[2][1],
        items=pair.items,
        clusters=pair.clusters,
        verdict=_verdict(pair, judged, 1 - measurement.confidence, measurement.min_items),
    )


def main_metric(comparisons: Sequence[Comparison], benchmark: str) -> str | None:
    """The benchmark's metric that stands first in the order of reports."""
    present = {row.metric for row in comparisons if row.benchmark == benchmark}
    return next((metric for metric in METRICS if metric in present), min(present, default=None))
