"""What must hold of a curated corpus before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stages.curate_corpus.curate import Curation
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.personal_data import residual

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation


def tables(curation: Curation, read: int) -> Mapping[str, pd.DataFrame]:
    """The kept documents without their text, and the count that must come out even."""
    import pandas as pd

    documents = [
        {
            "id": document.id,
            "license": document.license,
            "language": document.language,
            "characters": len(document.text),
            "residual personal data": residual(document.text),
        }
        for document in curation.kept
    ]
    unaccounted = read - len(curation.kept) - len(curation.dropped)
    return {
        "documents": pd.DataFrame(documents),
        "counts": pd.DataFrame([{"documents kept": len(documents), "documents unaccounted for": unaccounted}]),
    }


def expected(params: Parameters) -> Mapping[str, Sequence[Expectation]]:
    """The expectations on each table."""
    import great_expectations.expectations as gxe

    return {
        "documents": [
            gxe.ExpectColumnValuesToNotBeNull(column="id"),
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValuesToBeInSet(column="license", value_set=list(params.licenses)),
            gxe.ExpectColumnValuesToBeInSet(column="language", value_set=list(params.languages)),
            gxe.ExpectColumnValuesToBeBetween(column="characters", min_value=1),
            gxe.ExpectColumnValuesToBeInSet(column="residual personal data", value_set=[0]),
        ],
        "counts": [
            gxe.ExpectColumnValuesToBeBetween(column="documents kept", min_value=1),
            gxe.ExpectColumnValuesToBeInSet(column="documents unaccounted for", value_set=[0]),
        ],
    }
