"""What must hold of a model's scores before they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stages.metrics import METRICS
from stages.records import ItemOutcome, Score

if TYPE_CHECKING:
    import pandas as pd


def tables(items: Sequence[ItemOutcome], scores: Sequence[Score]) -> dict[str, pd.DataFrame]:
    """The items and the scores as tables for the gate."""
    import pandas as pd

    rows = [
        item.model_dump() | {"best": max(item.log_likelihoods), "worst": min(item.log_likelihoods)} for item in items
    ]
    kept = ["item_id", "language", "category", "cluster", "choice", "best", "worst"]
    return {
        "items": pd.DataFrame(rows, columns=kept),
        "scores": pd.DataFrame([score.model_dump() for score in scores], columns=list(Score.model_fields)),
    }


def expected(item_count: int, min_items: int) -> dict[str, list[Any]]:
    """Every item once and with finite log-likelihoods; every score inside its interval, on enough items."""
    from great_expectations import expectations as gxe

    named = [gxe.ExpectColumnValuesToNotBeNull(column=name) for name in ("language", "category", "cluster", "choice")]
    return {
        "items": [
            gxe.ExpectTableRowCountToEqual(value=item_count),
            gxe.ExpectColumnValuesToBeUnique(column="item_id"),
            gxe.ExpectColumnValuesToBeBetween(column="best", max_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="worst", min_value=-1e9),
            *named,
        ],
        "scores": [
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectColumnValuesToBeInSet(column="metric", value_set=list(METRICS)),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="high", column_B="low", or_equal=True),
            gxe.ExpectColumnValuesToBeBetween(column="items", min_value=min_items),
        ],
    }
