"""Guard a node's output with Great Expectations: an artifact that fails is not written, and the rows are shown.

Each node keeps its gate in `stages/<node>/expectations.py`: the tables to look at and what is expected of them.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.artifact import write_json
from stages.errors import Trouble

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation

REPORT = "gate.json"  # content only: what was expected and what was found, no time and no machine
ID = "id"  # the column by which failing rows are named, in tables that have it
MOST_ROWS = 20  # of those that fail one expectation: enough to see what they share, and still one message


def enforce(folder: Path, tables: Mapping[str, pd.DataFrame], expected: Mapping[str, Sequence[Expectation]]) -> int:
    """Validate each table and write the report into `folder`; return the number of expectations met.

    Raises Trouble that names the first expectation that failed, its column, and rows that fail it: their ids and values.
    """
    context = _context()
    report = {name: _validate(context, name, tables[name], expected[name]) for name in sorted(expected)}
    write_json(folder / REPORT, report)
    failed = [(name, entry) for name, entries in report.items() for entry in entries if not entry["success"]]
    if failed:
        name, entry = failed[0]
        raise Trouble(
            f"Gate: {name}: {entry['expectation']}({entry['asked']}) failed, found {entry['found']}"
            f" ({len(failed)} of {sum(map(len, report.values()))} expectations failed); nothing was written."
        )
    return sum(len(entries) for entries in report.values())


def _context() -> Any:
    """One for all tables: making it takes longer than to validate a small one."""
    context = _great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = _no_progress_bars()
    return context


def _validate(
    context: Any, name: str, table: pd.DataFrame, expectations: Sequence[Expectation]
) -> list[dict[str, Any]]:
    import great_expectations as gx

    source = context.data_sources.add_pandas(name)
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
    suite = gx.ExpectationSuite(name=name, expectations=list(expectations))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This pattern is interpreted")  # a group in a regex is no mistake
        result = batch.get_batch({"dataframe": table}).validate(suite, result_format=_result_format(table))
    return [_entry(item) for item in result.results]


def _result_format(table: pd.DataFrame) -> dict[str, Any]:
    """SUMMARY holds samples of what failed; with the column named also of the rows."""
    named = {"unexpected_index_column_names": [ID]} if ID in table.columns else {}
    return {"result_format": "SUMMARY", "partial_unexpected_count": MOST_ROWS} | named


def _great_expectations() -> Any:
    """Import Great Expectations quietly (4 s, so only where a gate is)."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # before the import, which logs most
    import great_expectations as gx

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)  # sets its own on import

    return gx


def _no_progress_bars() -> Any:
    """They would fill the node's log."""
    from great_expectations.data_context.types.base import ProgressBarsConfig

    return ProgressBarsConfig(globally=False)


def _entry(item: Any) -> dict[str, Any]:
    config = item.expectation_config
    asked = {key: value for key, value in config.kwargs.items() if key not in {"batch_id"}}
    found = {
        key: item.result[key]
        for key in ("observed_value", "unexpected_count", "partial_unexpected_list")
        if key in item.result
    }
    rows = item.to_json_dict()["result"].get("partial_unexpected_index_list")
    if rows and "unexpected_index_column_names" in item.result:
        del found["partial_unexpected_list"]  # the rows hold the same values
        found["rows"] = [_row(row) for row in rows]
    if item.exception_info.get("raised_exception"):
        found = {"error": str(item.exception_info.get("exception_message"))}
    return {
        "expectation": config.type,
        "asked": ", ".join(f"{key}={value!r}" for key, value in sorted(asked.items())),
        "success": bool(item.success),
        "found": ", ".join(f"{key}={value!r}" for key, value in sorted(found.items())),
    }


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A failing row: its id first, then the columns that were looked at (Great Expectations gives them in any order)."""
    return {name: row[name] for name in sorted(row, key=lambda name: (name != ID, name))}
