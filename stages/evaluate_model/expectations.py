"""What must hold of a model's scores before they are written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stages.metrics import METRICS
from stages.records import ItemOutcome, Score

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("item_id", "variant", "language", "category", "cluster", "choice", "best", "worst")


def tables(items: Sequence[ItemOutcome], scores: Sequence[Score]) -> dict[str, pd.DataFrame]:
    """The items and the scores as tables for the gate."""
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for item in items:
        for name in ("item_id", "variant", "language", "category", "cluster", "choice"):
            columns[name].append(sys.intern(getattr(item, name)))
        columns["best"].append(max(item.log_likelihoods, default=None))
        columns["worst"].append(min(item.log_likelihoods, default=None))
    return {
        "items": pd.DataFrame(columns),
        "scores": pd.DataFrame([score.model_dump() for score in scores], columns=list(Score.model_fields)),
    }


def expected(item_count: int, min_items: int, metrics: Sequence[str] = ()) -> dict[str, list[Any]]:
    """Every item once in each way of asking, with finite log-likelihoods; every score inside its interval, on enough items.

    `metrics` are those of lm-evaluation-harness, which no list of ours names.
    """
    from great_expectations import expectations as gxe

    named = [gxe.ExpectColumnValuesToNotBeNull(column=name) for name in ("language", "category", "cluster", "choice")]
    return {
        "items": [
            gxe.ExpectTableRowCountToEqual(value=item_count),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["item_id", "variant"]),
            gxe.ExpectColumnValuesToBeBetween(column="best", max_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="worst", min_value=-1e9),
            *named,
        ],
        "scores": [
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectColumnValuesToBeInSet(column="metric", value_set=[*METRICS, *metrics]),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="high", column_B="low", or_equal=True),
            gxe.ExpectColumnValuesToBeBetween(column="items", min_value=min_items),
        ],
    }
