"""Read what both models did on each benchmark, and refuse to compare what was not measured alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.artifact import read_json, read_jsonl
from stages.errors import Trouble
from stages.records import ItemOutcome, Score

Cell = tuple[str, str, str, str, str]  # metric, language, category, group, polarity
ABOUT, ITEMS, SCORES = "benchmark.json", "items.jsonl", "scores.json"
ALIKE = ("files", "settings", "plan")  # parts of benchmark.json that must be the same for both


@dataclass(frozen=True)
class Measurement:
    """Base and tuned model on one benchmark: the same items in the same order, and the scores made of them."""

    benchmark: str
    base: tuple[ItemOutcome, ...]
    tuned: tuple[ItemOutcome, ...]
    base_scores: Mapping[Cell, Score]
    tuned_scores: Mapping[Cell, Score]
    resamples: int
    seed: int
    confidence: float
    min_items: int
    files: Mapping[str, str]  # item file -> sha256
    plan: str  # sha256 of the evaluation plan it was measured by; "" where there was none


def read_measurement(scores: Path, benchmark: str) -> Measurement:
    """Both models' outcomes on a benchmark; raises Trouble where items or settings differ."""
    folders = {"base": scores / "base" / benchmark, "tuned": scores / "tuned" / benchmark}
    base, tuned = folders.values()
    about, items = read_alike(benchmark, folders)
    return measurement(benchmark, about, items, (read_scores(base / SCORES), read_scores(tuned / SCORES)))


def read_alike(benchmark: str, folders: Mapping[str, Path]) -> tuple[dict[str, Any], list[tuple[ItemOutcome, ...]]]:
    """What is said of the measurement, and the outcomes of two folders; raises Trouble where they are not alike."""
    first, second = folders
    about = {name: read_json(folder / ABOUT) for name, folder in folders.items()}
    for part in ALIKE:
        if about[first].get(part) != about[second].get(part):
            raise Trouble(
                f"{benchmark}: {first} and {second} were measured with different {part}"
                f"{_apart(about[first].get(part), about[second].get(part))}; measure both again."
            )
    items = [tuple(read_jsonl(folder / ITEMS, ItemOutcome)) for folder in folders.values()]
    _check_same_items(benchmark, (first, second), items[0], items[1])
    return about[first], items


def measurement(
    benchmark: str,
    about: Mapping[str, Any],
    items: Sequence[tuple[ItemOutcome, ...]],
    scores: Sequence[Mapping[Cell, Score]],
) -> Measurement:
    """The measurement, with the settings that its scores were made by."""
    settings = about["settings"]
    return Measurement(
        benchmark,
        items[0],
        items[1],
        scores[0],
        scores[1],
        settings["resamples"],
        settings["seed"],
        settings["confidence"],
        settings["min_items"],
        about.get("files", {}),
        about.get("plan") or "",
    )


def by_cell(scores: Sequence[Score]) -> dict[Cell, Score]:
    """The scores by what they are of."""
    return {(one.metric, one.language, one.category, one.group, one.polarity): one for one in scores}


def read_scores(path: Path) -> dict[Cell, Score]:
    """The scores in a file, by what they are of."""
    return by_cell([Score.model_validate(row) for row in read_json(path)])


def _apart(one: Any, other: Any) -> str:
    """The first entry in which two settings differ, in words."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return f" ({one!r} and {other!r})"[:120]
    key = next(key for key in sorted({*one, *other}) if one.get(key) != other.get(key))
    return f" ({key}: {one.get(key)!r} and {other.get(key)!r})"[:120]


def _check_same_items(
    benchmark: str, names: tuple[str, str], base: Sequence[ItemOutcome], tuned: Sequence[ItemOutcome]
) -> None:
    for place, (before, after) in enumerate(zip(base, tuned, strict=False)):
        if (before.item_id, before.variant) != (after.item_id, after.variant):
            raise Trouble(
                f"{benchmark}: item {place + 1} is '{_asked(before)}' for {names[0]} and '{_asked(after)}' for {names[1]};"
                " wanted the same items: measure both again."
            )
        if _place(before) != _place(after):
            raise Trouble(
                f"{benchmark}: item '{_asked(before)}' has another language, category, cluster, group or principle for"
                f" {names[0]} than for {names[1]}; wanted the same items: measure both again."
            )
    if len(base) != len(tuned):
        raise Trouble(
            f"{benchmark}: {len(base):,} items for {names[0]}, {len(tuned):,} for {names[1]}; wanted the same: measure"
            " both again."
        )


def _asked(item: ItemOutcome) -> str:
    return f"{item.item_id} ({item.variant})" if item.variant else item.item_id


def _place(item: ItemOutcome) -> tuple[object, ...]:
    return item.language, item.category, item.cluster, item.group, item.polarity, item.principle_ids
