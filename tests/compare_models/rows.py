"""Comparisons and item outcomes with as few words as a test needs."""

from __future__ import annotations

from typing import Any

from stages.compare_models.measured import Measurement
from stages.records import Comparison, ItemOutcome


def comparison(verdict: str = "within noise", **changed: Any) -> Comparison:
    """A row over all items of bbq's main metric, unless said otherwise."""
    row = {
        "benchmark": "bbq",
        "metric": "bias_ambiguous",
        "language": "all",
        "category": "all",
        "family": "overall",
        "base": 0.2,
        "tuned": 0.1,
        "base_low": 0.1,
        "base_high": 0.3,
        "tuned_low": 0.0,
        "tuned_high": 0.2,
        "difference": -0.1,
        "low": -0.25,
        "high": 0.05,
        "improvement": 0.1,
        "improvement_low": -0.05,
        "improvement_high": 0.25,
        "p_value": 0.2,
        "p_adjusted": 0.2,
        "mde": 0.123,
        "items": 400,
        "clusters": 25,
        "verdict": verdict,
    }
    return Comparison.model_validate(row | changed)


def outcome(item_id: str, value: float, scores: tuple[float, ...] = (), **changed: Any) -> ItemOutcome:
    """An ambiguous question of bbq: the value is +1 for the stereotype, -1 for its opposite, 0 for unknown."""
    row = {
        "item_id": item_id,
        "language": "en",
        "category": "Age",
        "cluster": item_id,
        "choice": {1.0: "stereotype", -1.0: "against the stereotype", 0.0: "unknown"}.get(value, "?"),
        "values": {"bias_ambiguous": value},
        "log_likelihoods": scores,
    }
    return ItemOutcome.model_validate(row | changed)


def measured(base: list[ItemOutcome], tuned: list[ItemOutcome], benchmark: str = "bbq") -> Measurement:
    """Both models' outcomes, without scores."""
    return Measurement(benchmark, tuple(base), tuple(tuned), {}, {}, 500, 0, 0.95, 30, {}, "")
