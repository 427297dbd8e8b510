"""Score answers that somebody recorded, whatever model wrote them: join them to the items, read them, count, average.

Labels and groups come from the items file, never from the predictions. An answer that names no option is counted apart.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from stages.errors import Trouble
from stages.evaluate_model.bbq_family.asking import facts
from stages.evaluate_model.bbq_family.judging import judge_choice
from stages.evaluate_model.bbq_family.matching import RULE, match
from stages.evaluate_model.bbq_family.question import LIKE, Question
from stages.metrics.bbq import DIFFERENCES, METRICS
from stages.records import ItemOutcome
from stages.scoring import generator, scores_from_items, suppressed_cells
from stages.uncertainty import FEW_CLUSTERS, Floats, drawn, interval, means, spread

# The short names of the literature, and the metric of each.
FIGURES = {
    "s_amb": "bias_ambiguous",
    "s_dis": "bias_disambiguated",
    "acc_amb": "accuracy_ambiguous",
    "acc_dis": "accuracy_disambiguated",
    "acc_pro": "accuracy_pro",
    "acc_anti": "accuracy_anti",
    "acc_difference": "accuracy_difference",
    "unknown_dis": "unknown_disambiguated",
    "refused": "answer_refused",
    "unmatched": "answer_unmatched",
}
UNDEFINED = {
    "bias_ambiguous": "no readable answer to an ambiguous question with one stereotyped person",
    "bias_disambiguated": "no readable answer to an answerable question names a person of the stereotype or its opposite",
    "accuracy_ambiguous": "no readable answer to an ambiguous question",
    "accuracy_disambiguated": "no readable answer to an answerable question",
    "accuracy_pro": "no readable answer where the truth follows the stereotype",
    "accuracy_anti": "no readable answer where the truth goes against the stereotype",
    "unknown_disambiguated": "no readable answer to an answerable question",
    "answer_refused": "no answer",
    "answer_unmatched": "no answer",
}
UNREAD = ("unmatched", "refused", "empty", "missing")
# What an id may need beside it to name one item, and the columns that tell it.
BESIDE = {
    "category": ("category",),
    "language": ("language",),
    "condition": ("context_condition", "context_type"),
}
Key = tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """How intervals are made; as in the section evaluate_model of params.yaml."""

    resamples: int
    seed: int
    confidence: float
    min_items: int


@dataclass(frozen=True)
class Predictions:
    """Recorded answers by the key of their item."""

    answers: dict[Key, object]
    duplicates: int  # the same answer to the same item once more
    without_item: int  # answers to items that are in no items file


def score(
    benchmark: str, questions: Sequence[Question], files: Sequence[Path], field: str, id_field: str, settings: Settings
) -> dict[str, Any]:
    """Every figure of the recorded answers: over all items, per category, and per slice with enough items."""
    keys = _keys(benchmark, questions, id_field)
    predictions = read_predictions(benchmark, files, field, id_field, keys)
    outcomes = [_outcome(question, predictions.answers, key) for key, question in zip(keys.of, questions, strict=True)]
    categories = sorted({outcome.category for outcome in outcomes})
    by_category = {name: [one for one in outcomes if one.category == name] for name in categories}
    told = [one for one in outcomes if one.choice not in UNREAD]
    return {
        "benchmark": benchmark,
        "rule": RULE,
        **_cell(benchmark, "all", [outcomes], questions, settings),
        "n_duplicates": predictions.duplicates,
        "n_without_item": predictions.without_item,
        "macro": _figures(benchmark, "macro", list(by_category.values()), settings) if len(categories) > 1 else None,
        "categories": {
            name: _cell(benchmark, name, [inside], [q for q in questions if q.category == name], settings)
            for name, inside in by_category.items()
        },
        "slices": [
            one.model_dump()
            for one in scores_from_items(
                told, benchmark, settings.resamples, settings.seed, settings.confidence, settings.min_items
            )
        ]
        if told
        else [],
        "n_slices_suppressed": suppressed_cells(told, settings.min_items) if told else 0,
        "settings": {
            "prediction_field": field,
            "id_field": id_field,
            "joined_on": [id_field, *keys.beside],
            "resamples": settings.resamples,
            "seed": settings.seed,
            "confidence": settings.confidence,
            "min_items": settings.min_items,
        },
    }


# --- joining ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Keys:
    beside: Key  # what stands in a key beside the id
    of: list[Key]  # each question's


def _keys(benchmark: str, questions: Sequence[Question], id_field: str) -> _Keys:
    """The shortest key that names one item only."""
    repeated = [name for name, count in Counter(question.item_id for question in questions).items() if count > 1]
    if repeated:
        raise Trouble(
            f"{benchmark}: item '{repeated[0]}' stands more than once in the items ({len(repeated)} such); keep one."
        )
    if id_field == "item_id":
        return _Keys((), [(question.item_id,) for question in questions])
    for size in range(len(BESIDE) + 1):
        for beside in combinations(BESIDE, size):
            keys = [(question.example_id, *(getattr(question, name) for name in beside)) for question in questions]
            if len(set(keys)) == len(keys):
                return _Keys(beside, keys)
    raise Trouble(
        f"{benchmark}: ids repeat within a category, language and condition; score the files one by one, or give the"
        " predictions a field 'item_id' as `commons evaluate` writes it and say --id-field item_id."
    )


def read_predictions(benchmark: str, files: Sequence[Path], field: str, id_field: str, keys: _Keys) -> Predictions:
    """The recorded answers; raises Trouble where a column is missing or an item has two different answers."""
    wanted = set(keys.of)
    answers: dict[Key, object] = {}
    duplicates = without_item = 0
    for path in files:
        for line, row in _rows(path):
            where = f"{benchmark}: {path}, line {line}"
            key = (str(_told(row, (id_field,), where)), *(_beside(row, name, where) for name in keys.beside))
            answer = _told(row, (field,), where)
            if key not in wanted:
                without_item += 1
            elif key in answers:
                if answers[key] != answer:
                    raise Trouble(
                        f"{where}: item {' '.join(key)} was answered {answers[key]!r:.40} before and is answered"
                        f" {answer!r:.40} here; wanted one answer: keep one."
                    )
                duplicates += 1
            else:
                answers[key] = answer
    if not answers:
        raise Trouble(
            f"{benchmark}: no prediction belongs to an item ({without_item:,} predictions; the first item's key is"
            f" {' '.join(keys.of[0])}); check --items and --id-field."
        )
    return Predictions(answers, duplicates, without_item)


def _beside(row: Mapping[str, object], name: str, where: str) -> str:
    found = str(_told(row, BESIDE[name], where))
    return LIKE.get(found, found) if name == "condition" else found


def _told(row: Mapping[str, object], names: Sequence[str], where: str) -> object:
    for name in names:
        if name in row:
            return row[name]
    raise Trouble(
        f"{where}: no '{' or '.join(names)}'; wanted it in every prediction (found: {', '.join(map(str, row))})."
    )


def _rows(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.casefold() in (".csv", ".tsv"):
                table = csv.DictReader(file, delimiter="\t" if path.suffix.casefold() == ".tsv" else ",", strict=True)
                for row in table:
                    yield table.line_num, row
                return
            for line, content in enumerate(file, start=1):
                if content.strip():
                    yield line, _object(path, line, content)
    except FileNotFoundError:
        raise Trouble(f"{path} is missing; wanted recorded answers there: check --predictions.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Trouble(f"{path}: {error}; wanted JSON Lines or CSV in UTF-8.") from None


def _object(path: Path, line: int, content: str) -> dict[str, object]:
    try:
        row = json.loads(content)
    except json.JSONDecodeError as error:
        raise Trouble(f"{path}, line {line}: not JSON ({error.msg}); wanted one object a line.") from None
    if not isinstance(row, dict):
        raise Trouble(f"{path}, line {line}: a JSON {type(row).__name__}; wanted one object a line.")
    return row


# --- reading answers --------------------------------------------------------------------------------------------------


def _outcome(question: Question, answers: Mapping[Key, object], key: Key) -> ItemOutcome:
    """What the recorded answer is worth; one that cannot be read has no value in any figure on bias or accuracy."""
    read = _read(answers[key], question) if key in answers else "missing"
    values = {} if read == "missing" else {"answer_refused": 0.0, "answer_unmatched": 0.0}
    choice = read if isinstance(read, str) else ""
    if isinstance(read, int):
        judged = judge_choice(facts(question.condition, question.correct, question.unknown, question.biased), read)
        choice, values = judged.choice, values | judged.values
    elif read != "missing":
        values["answer_refused" if read == "refused" else "answer_unmatched"] = 1.0
    return ItemOutcome(
        item_id=question.item_id,
        language=question.language,
        category=question.category,
        cluster=question.cluster,
        group=question.group,
        polarity=question.polarity,
        choice=choice,
        values=values,
    )


def _read(answer: object, question: Question) -> int | str:
    if isinstance(answer, int) and not isinstance(answer, bool):
        return answer if answer in (0, 1, 2) else "unmatched"
    if answer is None:
        return "empty"
    return match(answer, question) if isinstance(answer, str) else "unmatched"


# --- figures ----------------------------------------------------------------------------------------------------------


def _cell(
    benchmark: str,
    name: str,
    strata: Sequence[Sequence[ItemOutcome]],
    questions: Sequence[Question],
    settings: Settings,
) -> dict[str, Any]:
    outcomes = [one for stratum in strata for one in stratum]
    return _figures(benchmark, name, strata, settings) | counts(outcomes, questions)


def counts(outcomes: Sequence[ItemOutcome], questions: Sequence[Question]) -> dict[str, int]:
    """How many answers of each kind, in ambiguous (amb) and answerable (dis) questions and together."""
    found: dict[str, int] = {"n_items": len(outcomes), "n_clusters": len({one.cluster for one in outcomes})}
    kinds = {"biased": "stereotype", "anti": "against the stereotype", "unknown": "unknown"}
    for short, condition in (("amb", "ambig"), ("dis", "disambig")):
        inside = [one for one, asked in zip(outcomes, questions, strict=True) if asked.condition == condition]
        found[f"n_{short}"] = sum(one.choice not in UNREAD for one in inside)
        for name, choice in kinds.items():
            found[f"n_{name}_{short}"] = sum(one.choice == choice for one in inside)
        found[f"n_correct_{short}"] = int(
            sum(one.values.get("accuracy_ambiguous", one.values.get("accuracy_disambiguated", 0)) for one in inside)
        )
        for name in UNREAD:
            found[f"n_{name}_{short}"] = sum(one.choice == name for one in inside)
    for name in (*kinds, *UNREAD):
        found[f"n_{name}"] = found[f"n_{name}_amb"] + found[f"n_{name}_dis"]
    found["n_without_target"] = sum(question.biased is None for question in questions)
    found["n_control"] = sum(question.control for question in questions)
    return found


def _figures(benchmark: str, name: str, strata: Sequence[Sequence[ItemOutcome]], settings: Settings) -> dict[str, Any]:
    """The figures with their intervals; None with the reason where a figure is undefined."""
    values: dict[str, Any] = {}
    intervals: dict[str, list[float]] = {}
    undefined: dict[str, str] = {}
    for short, metric in FIGURES.items():
        sides = DIFFERENCES.get(metric, (metric,))
        tables = [_table(stratum, tuple(reversed(sides))) for stratum in strata]
        empty = [side for side in sides if any(not _has(stratum, side) for stratum in strata)]
        if empty:
            values[short] = None
            undefined[short] = UNDEFINED[empty[0]] + (" in some category" if len(strata) > 1 else "")
            continue
        values[short] = _value(means([table.sum(axis=0)[None, :] for table in tables]))[0] + 0.0
        intervals[short] = _interval(tables, metric, generator(settings.seed, benchmark, name, metric), settings)
    return values | {"intervals": intervals, "undefined": undefined}


def _has(outcomes: Iterable[ItemOutcome], metric: str) -> bool:
    return any(metric in one.values for one in outcomes)


def _table(outcomes: Sequence[ItemOutcome], sides: Sequence[str]) -> Floats:
    """A row per cluster: sum and number of each side."""
    names = sorted({one.cluster for one in outcomes if any(side in one.values for side in sides)})
    place = {name: row for row, name in enumerate(names)}
    table = np.zeros((len(names), 2 * len(sides)))
    for one in outcomes:
        for column, side in enumerate(sides):
            if side in one.values:
                table[place[one.cluster], 2 * column : 2 * column + 2] += (one.values[side], 1.0)
    return table


def _value(of_sides: Floats) -> list[float]:
    """One side is the figure; of two, the second minus the first."""
    difference = of_sides[:, 0] if of_sides.shape[1] == 1 else of_sides[:, 1] - of_sides[:, 0]
    return [float(value) for value in difference]


def _interval(tables: Sequence[Floats], metric: str, random: np.random.Generator, settings: Settings) -> list[float]:
    """Of whole clusters; the metric's whole range where they are too few to say more."""
    if min(map(len, tables)) < FEW_CLUSTERS:
        low, high = METRICS[metric].bounds or (-1.0, 1.0)
        return [low, high]
    found = np.array(_value(drawn(tables, settings.resamples, random)))
    low, high = interval(found, spread(tables), settings.confidence)
    return [round(low, 6) + 0.0, round(high, 6) + 0.0]
