"""Expected trouble at the command: one line, exit code not 0, nothing half-done."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.graph import Node, with_needed
from flows.overlay import apply
from flows.slots import urgency
from stages.errors import Trouble
from tests.conftest import commons, set_params


def trouble(toy: Path, *arguments: str, **environment: str) -> str:
    """The one line that the command says on standard error."""
    ended = commons(*arguments, **environment)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert not (toy / "data").exists()
    return ended.stderr


def test_a_misspelt_node_is_answered_with_the_known_ones(toy: Path) -> None:
    assert "No node named 'lfet'; known: first, left, right, last" in trouble(toy, "run", "lfet")


def test_an_unknown_section_is_named(toy: Path) -> None:
    set_params(toy, fisrt="{}")
    assert "unknown section 'fisrt' (did you mean 'first'?)" in trouble(toy, "run")


def test_a_date_without_quotation_marks_is_told(toy: Path) -> None:
    set_params(toy, first="{path: source.txt, days: [2025-11-03]}")
    assert """'first.days.0' is 2025-11-03 without quotation marks""" in trouble(toy, "run")


def test_a_missing_input_is_named(toy: Path) -> None:
    (toy / "source.txt").unlink()
    assert "Input source.txt is missing" in trouble(toy, "run")


def test_a_broken_graph_is_one_line(toy: Path) -> None:
    (toy / "dvc.yaml").write_text("stages: [", encoding="utf-8")
    assert trouble(toy, "run").startswith("commons: dvc.yaml: ")


def test_a_folder_without_a_pipeline_is_refused(tmp_path: Path) -> None:
    ended = commons("run", at=tmp_path)
    assert ended.returncode == 2
    assert "has no dvc.yaml; wanted the project's root" in ended.stderr


def test_a_dead_mlflow_or_prefect_stops_before_anything_runs_and_shows_no_password(toy: Path) -> None:
    line = trouble(toy, "run", MLFLOW_TRACKING_URI="http://me:secret@127.0.0.1:9")
    assert "MLflow at http://127.0.0.1:9 does not answer" in line and "secret" not in line
    assert "Prefect at http://127.0.0.1:9/api does not answer" in trouble(
        toy, "run", PREFECT_API_URL="http://127.0.0.1:9/api"
    )


def test_an_overlay_changes_values_keeps_comments_and_refuses_unknown_sections(tmp_path: Path) -> None:
    params, overlay = tmp_path / "params.yaml", tmp_path / "overlay.yaml"
    params.write_text("first:\n  path: a  # where\n  keep: 1\n", encoding="utf-8")
    overlay.write_text("first:\n  path: b\n", encoding="utf-8")
    apply(overlay, params)
    assert params.read_text(encoding="utf-8") == "first:\n  path: b  # where\n  keep: 1\n"
    overlay.write_text("frist: {}\n", encoding="utf-8")
    with pytest.raises(Trouble, match="unknown section 'frist'; known: first"):
        apply(overlay, params)


def node(name: str, *after: str) -> Node:
    return Node(name=name, title=name, pool="cpu", inputs=(), outputs=(), after=after)


def test_a_stage_stands_for_its_matrix_and_brings_what_it_needs() -> None:
    graph = [
        node("base"),
        node("corpus"),
        node("measure@a", "base"),
        node("measure@b", "base"),
        node("end", "measure@a"),
    ]
    assert [n.name for n in with_needed(graph, ["measure"])] == ["base", "measure@a", "measure@b"]


def test_the_longest_path_goes_first() -> None:
    graph = [
        node("base"),
        node("sft", "base"),
        node("measure", "base"),
        node("dpo", "sft"),
        node("end", "measure", "dpo"),
    ]
    assert urgency(graph) == {"base": 3, "sft": 2, "measure": 1, "dpo": 1, "end": 0}
