"""What must hold for the constitution before a model is taught by it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from stages.records import Constitution

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation


def tables(constitution: Constitution) -> dict[str, pd.DataFrame]:
    """The output as tables; `accounts` has one line per drafted principle, `statements` one per statement behind one."""
    import pandas as pd

    principles = [{"id": p.id, "text": p.text, "decision": p.decision.decision} for p in constitution.principles]
    accounts = [(p.id, p.decision.reason, p.decision.by) for p in constitution.principles]
    accounts += [(d.principle, d.reason, d.by) for d in constitution.declined]
    statements = [(p.id, statement) for p in constitution.principles for statement in p.statement_ids]
    return {
        "principles": pd.DataFrame(principles, columns=["id", "text", "decision"]),
        "accounts": pd.DataFrame(accounts, columns=["principle", "reason", "by"]),
        "statements": pd.DataFrame(statements, columns=["principle", "statement_id"]),
    }


def expected(drafted: Collection[str]) -> dict[str, list[Expectation]]:
    """At least one principle, each accepted or reworded, all drafted ones accounted for, no statement in two."""
    import great_expectations.expectations as gxe

    return {
        "principles": [
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValueLengthsToBeBetween(column="text", min_value=1),
            gxe.ExpectColumnValuesToBeInSet(column="decision", value_set=["accept", "reword"]),
        ],
        "accounts": [
            gxe.ExpectTableRowCountToEqual(value=len(drafted)),
            gxe.ExpectColumnValuesToBeUnique(column="principle"),
            gxe.ExpectColumnValuesToBeInSet(column="principle", value_set=sorted(drafted)),
            gxe.ExpectColumnValueLengthsToBeBetween(column="reason", min_value=1),
            gxe.ExpectColumnValueLengthsToBeBetween(column="by", min_value=1),
        ],
        "statements": [gxe.ExpectColumnValuesToBeUnique(column="statement_id")],
    }
