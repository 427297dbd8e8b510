"""What must hold for the draft before people decide on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.draft_constitution.drafting import Drafted, Material
from stages.draft_constitution.parameters import Parameters

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation


WITH_FLOORS = ("threshold", "top_n", "proportional")  # rules that ask for exposure and votes of every group


def tables(material: Material, drafted: Drafted) -> dict[str, pd.DataFrame]:
    """The output as tables; `accounts` has one line per statement, selected or not; groups are counted, not listed."""
    import pandas as pd

    constitution = drafted.constitution
    principles = [
        {"id": p.id, "statement_id": p.statement_ids[0], "text": p.text, **(p.scores.model_dump() if p.scores else {})}
        for p in constitution.principles
    ]
    accounts = [(p.statement_ids[0], p.selection.reason) for p in constitution.principles]
    accounts += [(r.statement_id, r.reason) for r in constitution.rejected]
    sizes = drafted.found.grouping.sizes if drafted.found else {}
    return {
        "principles": pd.DataFrame(principles, columns=None if principles else ["id", "statement_id", "text"]),
        "accounts": pd.DataFrame(accounts, columns=["statement_id", "reason"]),
        "groups": pd.DataFrame(sorted(sizes.items()), columns=["group", "participants"]),
    }


def expected(material: Material, drafted: Drafted, params: Parameters) -> dict[str, list[Expectation]]:
    """Principles keep to the rule, no statement is lost or counted twice, groups are large enough to be groups."""
    import great_expectations.expectations as gxe

    statements = sorted(statement.id for statement in material.statements)
    moderated_out = [statement.id for statement in material.statements if statement.moderated == -1]
    expected: dict[str, list[Expectation]] = {
        "principles": [
            gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=len(statements)),
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValueLengthsToBeBetween(column="text", min_value=1),
            gxe.ExpectColumnValuesToNotBeInSet(column="statement_id", value_set=moderated_out),
        ],
        "accounts": [
            gxe.ExpectTableRowCountToEqual(value=len(statements)),
            gxe.ExpectColumnValuesToBeUnique(column="statement_id"),
            gxe.ExpectColumnValuesToBeInSet(column="statement_id", value_set=statements),
            gxe.ExpectColumnValueLengthsToBeBetween(column="reason", min_value=1),
        ],
    }
    if material.about["kind"] == "votes" and params.rule in WITH_FLOORS:
        expected["principles"] += [
            gxe.ExpectColumnValuesToBeBetween(column="exposure", min_value=params.min_exposure, max_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="smallest_cell", min_value=params.min_cell),
        ]
    if drafted.found:
        expected["groups"] = [
            gxe.ExpectColumnValuesToMatchRegex(column="group", regex="^[A-E]$"),
            gxe.ExpectColumnValuesToBeBetween(column="participants", min_value=1),
        ]
    if drafted.found and params.rule == "threshold":
        expected["principles"].append(
            gxe.ExpectColumnValuesToBeBetween(column="lower_bound", min_value=params.threshold, max_value=1)
        )
    return expected
