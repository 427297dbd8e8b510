"""Read in another process the documents, problems and troubles are the same, and that process never outlives its use."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import psutil
import pyarrow as pa
import pytest

from stages.annotate_documents import formats, reader_process, readers
from stages.annotate_documents.documents import DOCUMENT
from stages.annotate_documents.formats import Reading
from stages.annotate_documents.parameters import Columns
from stages.annotate_documents.problems import Problems
from stages.annotate_documents.sources import Source, find_sources
from stages.errors import Trouble

BROKEN = '{"id": "1", "text": "Bai"}\nnot JSON\n{"id": "1", "text": "Ez"}\n{"text": ""}\n'


def reading(stop: bool = False) -> Reading:
    return Reading(Columns(), 10_000_000, Problems(stop))


def sources(folder: Path) -> list[Source]:
    return find_sources(folder, "*", formats.READERS)


def is_reader(process: psutil.Process) -> bool:
    try:
        return reader_process.__name__ in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if is_reader(child)]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    gc.collect()
    assert not children()


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Far more documents than the pipe and a batch hold."""
    (tmp_path / "many").mkdir()
    for number in range(4):
        text = "".join(f'{{"id": "{number}-{n}", "text": "{n} {"x" * 4000}"}}\n' for n in range(4000))
        (tmp_path / "many" / f"{number}.jsonl").write_text(text, encoding="utf-8")
    return tmp_path / "many"


def test_documents_and_problems_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(BROKEN, encoding="utf-8")
    (tmp_path / "b.csv").write_text("id,text\n2,Kaixo\n", encoding="utf-8")
    here, there = reading(), reading()
    read_here = pa.concat_tables(readers.read(sources(tmp_path), here))
    read_there = pa.concat_tables(reader_process.read(sources(tmp_path), there))
    assert read_there.equals(read_here)
    assert read_there.schema == DOCUMENT
    assert there.problems.listed() == here.problems.listed()
    assert there.problems.by_reason() == {
        "empty text": 1, "not JSON": 1, "same id as before, other text": 1,
    }  # fmt: skip


def test_nothing_to_read_is_nothing() -> None:
    assert list(reader_process.read([], reading())) == []


def test_problems_are_added_to_those_before(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(BROKEN, encoding="utf-8")
    twice = reading()
    for _ in range(2):
        list(reader_process.read(sources(tmp_path), twice))
    assert [(entry["reason"], entry["documents"], entry["first"]) for entry in twice.problems.listed()] == [
        ("empty text", 2, "line or row 4"),
        ("not JSON", 2, "line 2"),
        ("same id as before, other text", 2, "line or row 3"),
    ]


def test_a_run_that_is_to_stop_stops_with_the_same_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(BROKEN, encoding="utf-8")
    with pytest.raises(Trouble, match=r"^a.jsonl, line 2: not JSON \(.*on_error to skip.$"):
        list(reader_process.read(sources(tmp_path), reading(stop=True)))


def _fail() -> BinaryIO:
    raise ZeroDivisionError("a bug")


def test_a_bug_is_told_with_where_it_was() -> None:
    with pytest.raises(ZeroDivisionError, match="a bug") as caught:
        list(reader_process.read([Source("a.jsonl", 1, _fail)], reading()))
    assert "in _fail" in "".join(caught.value.__notes__)


def test_who_stops_taking_ends_it(many: Path) -> None:
    batches = reader_process.read(sources(many), reading())
    next(batches)
    (reader,) = children()
    batches.close()
    assert not reader.is_running()


def test_an_early_end_is_one_line(many: Path) -> None:
    batches = reader_process.read(sources(many), reading())
    next(batches)
    (reader,) = children()
    os.kill(reader.pid, signal.SIGKILL)
    with pytest.raises(Trouble, match=r"The process that reads the documents ended early \(-9\)"):
        list(batches)


STARTER = """
import os, sys
from tests.annotate_documents.test_reader_process import children, reader_process, reading, sources
from pathlib import Path
batches = reader_process.read(sources(Path(sys.argv[1])), reading())
next(batches)
assert children()
os.kill(os.getpid(), 9)
"""


def test_it_ends_when_its_starter_is_killed(many: Path) -> None:
    before = set(psutil.pids())
    here = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", STARTER, many], cwd=here, check=False)
    assert ended.returncode == -9
    new = [psutil.Process(pid) for pid in set(psutil.pids()) - before if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs([process for process in new if is_reader(process)], timeout=30)
    assert not alive
