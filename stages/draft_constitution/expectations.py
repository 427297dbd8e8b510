"""What must hold for the draft before people decide on it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from stages.draft_constitution.opinion_groups import Grouping
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.selection import Draft

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation


def tables(draft: Draft, grouping: Grouping) -> dict[str, pd.DataFrame]:
    """The output as tables; `accounts` has one line per statement, selected or not."""
    import pandas as pd

    principles = [
        {"id": p.id, "statement_id": p.statement_ids[0], "text": p.text, **p.scores.model_dump()}
        for p in draft.principles
    ]
    accounts = [(p.statement_ids[0], p.selection) for p in draft.principles]
    accounts += [(r.statement_id, r.reason) for r in draft.rejected]
    return {
        "principles": pd.DataFrame(principles),
        "accounts": pd.DataFrame(accounts, columns=["statement_id", "reason"]),
        "groups": pd.DataFrame(sorted(grouping.labels.items()), columns=["participant", "group"]),
    }


def expected(
    params: Parameters, statements: Collection[int], moderated_out: Collection[int]
) -> dict[str, list[Expectation]]:
    """Principles keep to the rule, no statement is lost, nobody is in two groups."""
    import great_expectations.expectations as gxe

    return {
        "principles": [
            gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=params.top_n),
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValueLengthsToBeBetween(column="text", min_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="lower_bound", min_value=params.threshold, max_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="exposure", min_value=params.min_exposure, max_value=1),
            gxe.ExpectColumnValuesToNotBeInSet(column="statement_id", value_set=sorted(moderated_out)),
        ],
        "accounts": [
            gxe.ExpectTableRowCountToEqual(value=len(statements)),
            gxe.ExpectColumnValuesToBeUnique(column="statement_id"),
            gxe.ExpectColumnValuesToBeInSet(column="statement_id", value_set=sorted(statements)),
            gxe.ExpectColumnValueLengthsToBeBetween(column="reason", min_value=1),
        ],
        "groups": [
            gxe.ExpectColumnValuesToBeUnique(column="participant"),
            gxe.ExpectColumnValuesToMatchRegex(column="group", regex="^[A-E]$"),
        ],
    }
