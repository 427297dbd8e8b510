"""The words that a run shows of a node it did not execute are those of the outputs that are now there, or none."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from flows.reproduce import Outcome, reproduce
from stages.lineage import dvc_md5
from tests.conftest import set_params


@pytest.fixture
def counting(toy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy, whose first node says what its parameter tells it to keep; its output stays the same."""
    node = (toy / "toy.py").read_text(encoding="utf-8")
    counted = node.replace('return "1 line"', "return f\"kept {behaviour['kept']}\"")
    assert counted != node
    (toy / "toy.py").write_text(counted, encoding="utf-8")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return toy


def run_first(project: Path, kept: int, run: str) -> Outcome:
    set_params(project, first=f"{{kept: {kept}}}")
    return reproduce("first", run, lambda line: None)


def test_a_parameter_that_is_put_back_finds_its_own_words(counting: Path) -> None:
    made = [run_first(counting, 160, "run 1"), run_first(counting, 200, "run 2")]
    assert [(outcome.how, outcome.counts) for outcome in made] == [("executed", "kept 160"), ("executed", "kept 200")]
    back = run_first(counting, 160, "run 3")
    assert (back.how, back.counts) == ("reused", "kept 160")
    assert back.lineage.params == {"first": {"kept": 160}}
    assert back.lineage.outputs == {"data/first": dvc_md5(counting / "data/first")}
    unchanged = run_first(counting, 160, "run 4")
    assert (unchanged.how, unchanged.counts) == ("reused", "kept 160")


def test_words_that_are_not_known_are_not_shown(counting: Path) -> None:
    run_first(counting, 160, "run 1")
    shutil.rmtree(counting / ".commons/words")  # as after an execution by hand, or in a fresh clone
    reused = run_first(counting, 160, "run 2")
    assert (reused.how, reused.counts) == ("reused", "")
