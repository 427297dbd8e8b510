"""The engine calls a function once per name, wherever it runs, and passes on what it raises."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
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


def test_work_begins_with_the_first_name() -> None:
    begun = threading.Event()

    def begin(name: str) -> str:
        begun.set()
        return name

    def names() -> Iterator[str]:
        yield "a"
        assert begun.wait(60), "the first name waits for the second"
        yield "b"

    assert sorted(engine.run(begin, names(), "native", 1)) == ["a", "b"]


@pytest.mark.parametrize("workers", [1, 2])
def test_names_are_asked_for_when_they_are_needed(workers: int) -> None:
    asked, ended, ahead = 0, 0, []

    def work(name: str) -> str:
        nonlocal ended
        time.sleep(0.02)
        ended += 1
        return name

    def names() -> Iterator[str]:
        nonlocal asked
        for number in range(12):
            asked += 1
            ahead.append(asked - ended)
            yield str(number)

    assert len(list(engine.run(work, names(), "native", workers))) == 12
    assert max(ahead) <= engine.AHEAD * workers


def test_what_goes_wrong_ends_the_rest() -> None:
    begun = []

    def fail(name: str) -> str:
        begun.append(name)
        raise ZeroDivisionError(f"about {name}")

    with pytest.raises(Exception, match="about 0"):
        list(engine.run(fail, map(str, range(50)), "native", 1))
    assert len(begun) <= engine.AHEAD


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
