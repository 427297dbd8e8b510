"""The engine calls a function once per name, wherever it runs, and passes on what it raises."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stages.annotate_documents import engine
from stages.errors import Trouble


def leave_mark(path: str) -> str:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write("once\n")
    return path


@pytest.mark.parametrize("workers", [1, 3])
def test_every_name_is_worked_on_once(tmp_path: Path, workers: int) -> None:
    names = [str(tmp_path / f"{n}.mark") for n in range(7)]
    assert sorted(engine.run(leave_mark, names, "native", workers)) == names
    assert [Path(name).read_text(encoding="utf-8") for name in names] == ["once\n"] * 7


def test_nothing_to_do_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_daft", lambda: pytest.fail("Daft was started"))
    assert list(engine.run(leave_mark, [], "native", 1)) == []


def test_daft_sends_nothing_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DO_NOT_TRACK", "false")
    list(engine.run(str.upper, ["a"], "native", 1))
    assert os.environ["DO_NOT_TRACK"] == "true"
    assert os.environ["DAFT_ANALYTICS_ENABLED"] == "0"


def test_what_goes_wrong_is_told() -> None:
    def fail(name: str) -> str:
        raise ZeroDivisionError(f"about {name}")

    with pytest.raises(Exception, match="about a"):
        list(engine.run(fail, ["a"], "native", 1))


def test_ray_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(Trouble, match=r"engine is ray, but Ray is not installed; install the extra"):
        list(engine.run(leave_mark, ["a"], "ray", 1))
