"""What must hold for the deliberation before anything is built on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.ingest_deliberation.deliberation import Deliberation

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation


def tables(deliberation: Deliberation) -> dict[str, pd.DataFrame]:
    """The output as tables."""
    import pandas as pd

    statements = pd.DataFrame([statement.model_dump() for statement in deliberation.statements])
    votes = pd.DataFrame(deliberation.votes, columns=["participant", "statement_id", "vote"])
    return {"statements": statements, "votes": votes}


def expected(deliberation: Deliberation) -> dict[str, list[Expectation]]:
    """Ids are unique, participants are pseudonyms, votes are -1, 0 or 1 on known statements."""
    import great_expectations.expectations as gxe

    ids = [statement.id for statement in deliberation.statements]
    return {
        "statements": [
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValuesToNotBeNull(column="text"),
            gxe.ExpectColumnValuesToMatchRegex(column="language", regex="^[a-z]{2}$"),
            gxe.ExpectColumnValuesToBeInSet(column="moderated", value_set=[-1, 0, 1]),
            gxe.ExpectColumnValuesToMatchRegex(column="author", regex="^(?:[0-9a-f]{16})?$"),
        ],
        "votes": [
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectColumnValuesToMatchRegex(column="participant", regex="^[0-9a-f]{16}$"),
            gxe.ExpectColumnValuesToBeInSet(column="statement_id", value_set=ids),
            gxe.ExpectColumnValuesToBeInSet(column="vote", value_set=[-1, 0, 1]),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["participant", "statement_id"]),
        ],
    }
