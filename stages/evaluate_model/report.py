"""What is said of a measurement beside its numbers: the benchmark, its files, its settings, its metrics in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stages.evaluate_model.items import Benchmark
from stages.evaluate_model.parameters import Options, Parameters
from stages.metrics import METRICS
from stages.records import ItemOutcome, Score
from stages.scoring import metric_name, metrics_of, suppressed_cells


def describe(
    name: str,
    benchmark: Benchmark,
    files: Mapping[str, str],
    items: Sequence[ItemOutcome],
    params: Parameters,
    settings: Mapping[str, Any],
    cut: int,
) -> dict[str, Any]:
    """The content of benchmark.json: with items.jsonl, all that is needed to make the scores again."""
    options = params.options.get(name, Options())
    return {
        "name": name,
        "what_it_asks": benchmark.SAYS,
        "files": dict(files),
        "items": len(items),
        "clusters": len({item.cluster for item in items}),
        "languages": sorted({item.language for item in items}),
        "metrics": {metric: _words(metric) for metric in metrics_of(items)},
        "principle_ids": list(options.principles),
        "contexts_cut": cut,
        "cells_suppressed": suppressed_cells(items, params.min_items),
        "settings": {
            "resamples": params.resamples,
            "seed": params.seed,
            "confidence": params.confidence,
            "min_items": params.min_items,
            "max_items": options.max_items,
            "precision": params.precision,
            **settings,
        },
    }


def _words(metric: str) -> dict[str, str]:
    known = METRICS[metric]
    return {"words": known.words, "target": known.target_words, "meaning": known.meaning, "caution": known.caution}


def numbers(name: str, scores: Sequence[Score]) -> dict[str, float]:
    """The content of metrics.json: all items, each language and each category, by names a council member understands."""
    shown = [score for score in scores if "all" in (score.language, score.category)]
    return {metric_name(name, score.metric, score.language, score.category): score.value for score in shown}
