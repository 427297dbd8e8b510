"""What must hold of the comparison before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from stages.compare_models.scorecard import STATUSES, Line
from stages.records import Comparison

if TYPE_CHECKING:
    import pandas as pd


def tables(comparisons: Sequence[Comparison], lines: Sequence[Line]) -> dict[str, pd.DataFrame]:
    """The comparisons and the scorecard as tables for the gate."""
    import pandas as pd

    rows = [row.model_dump() | {"off": abs(row.tuned - row.base - row.difference)} for row in comparisons]
    named = [row.model_dump() for row in comparisons if row.family == "primary"]
    table = pd.DataFrame(rows, columns=[*Comparison.model_fields, "off"])
    optional = [name for name, field in Comparison.model_fields.items() if field.annotation == (float | None)]
    return {
        "comparisons": table.astype(dict.fromkeys(optional, float)),
        "named in advance": pd.DataFrame(named, columns=list(Comparison.model_fields)),
        "scorecard": pd.DataFrame([{"principle_id": line.principle_id, "status": line.status} for line in lines]),
    }


def expected(principles: Sequence[str]) -> dict[str, list[Any]]:
    """Probabilities are such, adjusted is never smaller, one result is named, and every ratified principle has its line."""
    from great_expectations import expectations as gxe

    verdicts = list(get_args(Comparison.model_fields["verdict"].annotation))
    families = list(get_args(Comparison.model_fields["family"].annotation))
    key = ["benchmark", "metric", "language", "category", "group", "polarity", "principle_id"]
    return {
        "comparisons": [
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=key),
            gxe.ExpectColumnValuesToBeBetween(column="p_value", min_value=0, max_value=1),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="p_adjusted", column_B="p_value", or_equal=True),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="high", column_B="low", or_equal=True),
            gxe.ExpectColumnValuesToBeBetween(column="off", max_value=2e-6),
            gxe.ExpectColumnValuesToBeInSet(column="verdict", value_set=verdicts),
            gxe.ExpectColumnValuesToBeInSet(column="family", value_set=families),
            gxe.ExpectColumnValuesToBeBetween(column="standard_error", min_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="mde", min_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="q_value", min_value=0, max_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="p_equivalence_adjusted", min_value=0, max_value=1),
        ],
        "named in advance": [gxe.ExpectTableRowCountToBeBetween(max_value=1)],
        "scorecard": [
            gxe.ExpectTableRowCountToEqual(value=len(principles)),
            gxe.ExpectColumnDistinctValuesToEqualSet(column="principle_id", value_set=list(principles)),
            gxe.ExpectColumnValuesToBeInSet(column="status", value_set=list(STATUSES)),
        ],
    }
