"""What is said of a measurement beside its numbers: the benchmark, its files, its settings, its metrics in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stages.evaluate_model.parameters import Options, Parameters
from stages.metrics import METRICS
from stages.records import ItemOutcome, Score
from stages.scoring import metric_name, metrics_of, suppressed_cells


def describe(
    name: str,
    says: str,
    files: Mapping[str, str],
    items: Sequence[ItemOutcome],
    params: Parameters,
    settings: Mapping[str, Any],
    counted: Mapping[str, int],
) -> dict[str, Any]:
    """The content of benchmark.json: with items.jsonl, all that is needed to make the scores again."""
    options = params.options.get(name, Options())
    ids, clusters, languages, variants = _names(items)
    return {
        "name": name,
        "what_it_asks": says,
        "files": dict(files),
        "items": len(items),
        "different_items": len(ids),
        "clusters": len(clusters),
        "languages": sorted(languages),
        "variants": sorted(variants - {""}),
        "metrics": {metric: _words(metric) for metric in metrics_of(items)},
        "principle_ids": list(options.principles),
        "contexts_cut": counted.get("contexts_cut", 0),
        "cells_suppressed": suppressed_cells(items, params.min_items),
        "settings": {
            "resamples": params.resamples,
            "seed": params.seed,
            "confidence": params.confidence,
            "min_items": params.min_items,
            "max_items": options.max_items,
            "precision": params.precision,
            "temperature": options.temperature,
            **settings,
        },
    }


def _names(items: Sequence[ItemOutcome]) -> tuple[set[str], set[str], set[str], set[str]]:
    """The different ids, clusters, languages and variants."""
    found: tuple[set[str], set[str], set[str], set[str]] = (set(), set(), set(), set())
    for item in items:
        for names, name in zip(found, (item.item_id, item.cluster, item.language, item.variant), strict=True):
            names.add(name)
    return found


def _words(metric: str) -> dict[str, str]:
    known = METRICS[metric]
    return {"words": known.words, "target": known.target_words, "meaning": known.meaning, "caution": known.caution}


def numbers(name: str, scores: Sequence[Score]) -> dict[str, float]:
    """The content of metrics.json: all items, each language and each category, by names a council member understands."""
    shown = [
        score
        for score in scores
        if "all" in (score.language, score.category) and (score.group, score.polarity) == ("all", "all")
    ]
    return {metric_name(name, score.metric, score.language, score.category): score.value for score in shown}
