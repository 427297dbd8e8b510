"""What must hold for the constitution before a model is taught by it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from stages.records import Constitution

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation


def tables(constitution: Constitution) -> dict[str, pd.DataFrame]:
    """The output as tables; `accounts` has one line per drafted principle, `statements` one per statement behind one,
    `texts` one per wording."""
    import pandas as pd

    adopted = [(p, p.decision) for p in constitution.principles if p.decision]
    principles = [(p.id, p.text, decision.decision) for p, decision in adopted]
    accounts = [(p.id, decision.reason, decision.by) for p, decision in adopted]
    accounts += [(d.principle, d.reason, d.by) for d in constitution.declined]
    statements = [(p.id, s.statement_id, s.relation) for p, _ in adopted for s in p.sources]
    texts = [(p.id, language == p.language, w.origin) for p, _ in adopted for language, w in p.texts.items()]
    return {
        "principles": pd.DataFrame(principles, columns=["id", "text", "decision"]),
        "accounts": pd.DataFrame(accounts, columns=["principle", "reason", "by"]),
        "statements": pd.DataFrame(statements, columns=["principle", "statement_id", "relation"]),
        "adopted texts": pd.DataFrame([t for t in texts if t[1]], columns=["principle", "adopted", "origin"]),
    }


def expected(drafted: Collection[str]) -> dict[str, list[Expectation]]:
    """At least one principle, each accepted or reworded, all drafted ones accounted for, no statement in two,
    no adopted text by a machine."""
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
        "statements": [
            gxe.ExpectColumnValuesToBeUnique(column="statement_id"),
            gxe.ExpectColumnValuesToBeInSet(column="relation", value_set=["verbatim", "merged", "reworded"]),
        ],
        "adopted texts": [
            gxe.ExpectColumnValuesToBeUnique(column="principle"),
            gxe.ExpectColumnValuesToBeInSet(column="origin", value_set=["source", "human"]),
        ],
    }
