"""What must hold of preference pairs before they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stages.generate_preferences.lessons import Lessons
from stages.generate_preferences.parameters import Parameters
from stages.records import Constitution

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation


def tables(lessons: Lessons) -> Mapping[str, pd.DataFrame]:
    """The pairs without their texts, and which principle each one teaches."""
    import pandas as pd

    pairs = [
        {
            "id": pair.id,
            "language": pair.language,
            "kind and principles agree": (pair.kind == "benign") == (not pair.principle_ids),
            "chosen equals rejected": pair.chosen == pair.rejected,
            "shortest text": min(len(text.strip()) for text in (pair.prompt, pair.chosen, pair.rejected)),
            "length ratio": len(pair.chosen.strip()) / max(len(pair.rejected.strip()), 1),
        }
        for pair in lessons.pairs
    ]
    links = [{"pair": pair.id, "principle": principle} for pair in lessons.pairs for principle in pair.principle_ids]
    return {
        "pairs": pd.DataFrame(pairs),
        "principles": pd.DataFrame(links, columns=["pair", "principle"]),
    }


def expected(params: Parameters, constitution: Constitution) -> Mapping[str, Sequence[Expectation]]:
    """The expectations on each table."""
    import great_expectations.expectations as gxe

    ids = sorted(principle.id for principle in constitution.principles)
    return {
        "pairs": [
            gxe.ExpectColumnValuesToNotBeNull(column="id"),
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValuesToBeInSet(column="language", value_set=list(params.languages)),
            gxe.ExpectColumnValuesToBeInSet(column="kind and principles agree", value_set=[True]),
            gxe.ExpectColumnValuesToBeInSet(column="chosen equals rejected", value_set=[False]),
            gxe.ExpectColumnValuesToBeBetween(column="shortest text", min_value=1),
            gxe.ExpectColumnValuesToBeBetween(
                column="length ratio", min_value=params.min_length_ratio, max_value=params.max_length_ratio
            ),
        ],
        "principles": [gxe.ExpectColumnValuesToBeInSet(column="principle", value_set=ids)],
    }
