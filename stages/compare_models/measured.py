"""Read what both models did on each benchmark, and refuse to compare what was not measured alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.artifact import read_json, read_jsonl
from stages.errors import Trouble
from stages.records import ItemOutcome, Score

Cell = tuple[str, str, str]  # metric, language, category


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


def planned_benchmarks(params: Mapping[str, Any]) -> list[str]:
    """The benchmarks that `params.yaml` names: the folder may still hold one that was taken out."""
    section = params.get("evaluate_model")
    names = section.get("benchmarks") if isinstance(section, dict) else None
    if not isinstance(names, list) or not names:
        raise Trouble("params.yaml names no evaluate_model.benchmarks; wanted at least one to compare.")
    return [str(name) for name in names]


def read_measurement(scores: Path, benchmark: str) -> Measurement:
    """Both models' outcomes on a benchmark; raises Trouble where items or settings differ."""
    about = {model: read_json(scores / model / benchmark / "benchmark.json") for model in ("base", "tuned")}
    for part in ("files", "settings"):
        if about["base"][part] != about["tuned"][part]:
            raise Trouble(f"{benchmark}: base and tuned were measured with different {part}; measure both again.")
    base, tuned = (tuple(read_jsonl(scores / model / benchmark / "items.jsonl", ItemOutcome)) for model in about)
    _check_same_items(benchmark, base, tuned)
    settings = about["base"]["settings"]
    return Measurement(
        benchmark,
        base,
        tuned,
        _scores(scores / "base" / benchmark / "scores.json"),
        _scores(scores / "tuned" / benchmark / "scores.json"),
        settings["resamples"],
        settings["seed"],
        settings["confidence"],
        settings["min_items"],
    )


def _scores(path: Path) -> dict[Cell, Score]:
    scores = [Score.model_validate(row) for row in read_json(path)]
    return {(score.metric, score.language, score.category): score for score in scores}


def _check_same_items(benchmark: str, base: Sequence[ItemOutcome], tuned: Sequence[ItemOutcome]) -> None:
    for place, (before, after) in enumerate(zip(base, tuned, strict=False)):
        if before.item_id != after.item_id:
            raise Trouble(
                f"{benchmark}: item {place + 1} is '{before.item_id}' for base and '{after.item_id}' for tuned;"
                " wanted the same items: measure both again."
            )
    if len(base) != len(tuned):
        raise Trouble(
            f"{benchmark}: {len(base):,} items for base, {len(tuned):,} for tuned; wanted the same: measure both again."
        )
