"""What must hold of the attribute tables before they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stages.annotate_documents.metrics import COUNTS, Counted
from stages.annotate_documents.parameters import Parameters
from stages.annotate_documents.problems import Problems

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation

VERDICTS = ["allowed", "refused", "not captured"]


def tables(counted: Counted, problems: Problems) -> Mapping[str, pd.DataFrame]:
    """One row per source and language, one thin row per document (or a sample), and the counts of reading."""
    import pandas as pd

    written = int(counted.by_source["documents"].to_numpy().sum())
    lost = problems.documents()
    return {
        "sources": counted.by_source.to_pandas(),
        "documents": counted.thin.to_pandas(),
        "reading": pd.DataFrame([{"documents": written, "share left out": lost / max(1, written + lost)}]),
    }


def expected(params: Parameters) -> Mapping[str, Sequence[Expectation]]:
    """The expectations on each table."""
    import great_expectations.expectations as gxe

    never_empty = ("id", "license evidence", "opt-out evidence", "text hash")
    documents: list[Expectation] = [
        *(gxe.ExpectColumnValuesToNotBeNull(column=name) for name in (*never_empty, "identified", "license")),
        *(gxe.ExpectColumnValueLengthsToBeBetween(column=name, min_value=1) for name in never_empty),
        gxe.ExpectColumnValuesToBeUnique(column="id"),
        gxe.ExpectColumnValuesToBeInSet(column="aligned", value_set=[True]),
        gxe.ExpectColumnValuesToBeInSet(column="opt-out", value_set=VERDICTS),
        gxe.ExpectColumnValuesToBeInSet(column="identified", value_set=_languages(params)),
        gxe.ExpectColumnValuesToBeBetween(column="probability", min_value=0, max_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="jaccard", min_value=0, max_value=1),
        gxe.ExpectColumnValueLengthsToEqual(column="text hash", value=32),
        gxe.ExpectColumnValuesToBeBetween(column="characters", min_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="words", min_value=0),
    ]
    return {
        "documents": documents,
        "sources": [
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["source", "language"]),
            gxe.ExpectColumnValuesToBeBetween(column="documents", min_value=1),
            *(gxe.ExpectColumnValuesToBeBetween(column=name, min_value=0) for name in COUNTS[1:]),
            *(
                gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="documents", column_B=name, or_equal=True)
                for name in COUNTS[3:]
            ),
        ],
        "reading": [
            gxe.ExpectColumnValuesToBeBetween(column="documents", min_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="share left out", max_value=params.max_refused_share),
        ],
    }


def _languages(params: Parameters) -> list[str]:
    return sorted({*params.languages, *params.language_identification.confusable, ""})
