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


def test_failing_rows_are_named_by_id_and_value_at_most_twenty(tmp_path: Path) -> None:
    ids = [f"d{n}" for n in range(60)]
    tables = {"documents": pd.DataFrame({"id": ids, "license": ["CC0-1.0"] * 30 + ["CC-BY-NC-4.0"] * 30})}
    with pytest.raises(Trouble) as trouble:
        gate.enforce(tmp_path, tables, expected())
    message = str(trouble.value)
    assert "unexpected_count=30" in message
    assert "rows=[{'id': 'd30', 'license': 'CC-BY-NC-4.0'}, {'id': 'd31', 'license': 'CC-BY-NC-4.0'}," in message
    assert message.count("'id': ") == 20
    entry = json.loads((tmp_path / "gate.json").read_text(encoding="utf-8"))["documents"][1]
    assert not entry["success"]
    assert entry["found"].count("'id': ") == 20


def test_rows_of_a_table_without_ids_are_shown_by_their_values(tmp_path: Path) -> None:
    import great_expectations.expectations as gxe

    tables = {"counts": pd.DataFrame({"kept": [0]})}
    with pytest.raises(Trouble, match=r"found partial_unexpected_list=\[0\], unexpected_count=1"):
        gate.enforce(tmp_path, tables, {"counts": [gxe.ExpectColumnValuesToBeBetween(column="kept", min_value=1)]})
