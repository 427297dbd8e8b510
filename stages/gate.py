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


def enforce(folder: Path, tables: Mapping[str, pd.DataFrame], expected: Mapping[str, Sequence[Expectation]]) -> int:
    """Validate each table and write the report into `folder`; return the number of expectations met.

    Raises Trouble that names the first expectation that failed, its column and sample rows.
    """
    report = {name: _validate(name, tables[name], expected[name]) for name in sorted(expected)}
    failed = [(name, entry) for name, entries in report.items() for entry in entries if not entry["success"]]
    if failed:
        name, entry = failed[0]
        raise Trouble(
            f"Gate: {name}: {entry['expectation']}({entry['asked']}) failed, found {entry['found']}"
            f" ({len(failed)} of {sum(map(len, report.values()))} expectations failed); nothing was written."
        )
    write_json(folder / REPORT, report)
    return sum(len(entries) for entries in report.values())


def _validate(name: str, table: pd.DataFrame, expectations: Sequence[Expectation]) -> list[dict[str, Any]]:
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = _no_progress_bars()
    source = context.data_sources.add_pandas(name)
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
    suite = gx.ExpectationSuite(name=name, expectations=list(expectations))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This pattern is interpreted")  # a group in a regex is no mistake
        result = batch.get_batch({"dataframe": table}).validate(suite)
    return [_entry(item) for item in result.results]


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
    if item.exception_info.get("raised_exception"):
        found = {"error": str(item.exception_info.get("exception_message"))}
    return {
        "expectation": config.type,
        "asked": ", ".join(f"{key}={value!r}" for key, value in sorted(asked.items())),
        "success": bool(item.success),
        "found": ", ".join(f"{key}={value!r}" for key, value in sorted(found.items())),
    }
