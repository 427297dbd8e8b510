"""The gate: an artifact that fails is not written, and the failing rows are shown in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages import gate
from stages.artifact import new_folder
from stages.errors import Trouble

pd = pytest.importorskip("pandas")


def expected() -> dict[str, list[object]]:
    import great_expectations.expectations as gxe

    return {
        "documents": [
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValuesToBeInSet(column="license", value_set=["CC0-1.0"]),
        ]
    }


def test_a_good_artifact_gets_a_report_without_time_or_place(tmp_path: Path) -> None:
    tables = {"documents": pd.DataFrame({"id": ["a", "b"], "license": ["CC0-1.0", "CC0-1.0"]})}
    assert gate.enforce(tmp_path, tables, expected()) == 2
    report = json.loads((tmp_path / "gate.json").read_text(encoding="utf-8"))
    assert [entry["success"] for entry in report["documents"]] == [True, True]
    assert str(tmp_path) not in json.dumps(report)
    first = (tmp_path / "gate.json").read_bytes()
    gate.enforce(tmp_path, tables, expected())
    assert (tmp_path / "gate.json").read_bytes() == first


def test_a_failing_artifact_is_not_written_and_the_rows_are_shown(tmp_path: Path) -> None:
    tables = {"documents": pd.DataFrame({"id": ["a", "b"], "license": ["CC0-1.0", "CC-BY-NC-4.0"]})}
    out = tmp_path / "out"
    with (
        pytest.raises(Trouble, match=r"Gate: documents: expect_column_values_to_be_in_set.*CC-BY-NC-4\.0"),
        new_folder(out) as folder,
    ):
        gate.enforce(folder, tables, expected())
    assert not out.exists()
