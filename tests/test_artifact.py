"""Files between nodes: canonical bytes, whole or not at all, one line where a line does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.artifact import new_folder, read_jsonl, write_csv, write_json, write_jsonl
from stages.errors import Trouble
from stages.records import Statement

STATEMENT = Statement(id=3, text="Sempre hi ha d'haver una persona.", language="ca", moderated=1, author="")


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(RuntimeError), new_folder(out) as folder:
        (folder / "half.txt").write_text("half", encoding="utf-8")
        raise RuntimeError("killed")
    assert list(tmp_path.iterdir()) == []
    with new_folder(out) as folder:
        (folder / "whole.txt").write_text("whole", encoding="utf-8")
    assert [path.name for path in out.iterdir()] == ["whole.txt"]


def test_what_a_killed_node_left_is_removed_first(tmp_path: Path) -> None:
    (tmp_path / ".out.partial").mkdir()
    (tmp_path / ".out.partial/old.txt").write_text("old", encoding="utf-8")
    with new_folder(tmp_path / "out") as folder:
        (folder / "new.txt").write_text("new", encoding="utf-8")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new.txt"]


def test_bytes_are_canonical(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"ñ": 1, "a": [1.5]})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "a": [\n    1.5\n  ],\n  "ñ": 1\n}\n'.encode()
    assert write_jsonl(tmp_path / "a.jsonl", [STATEMENT]) == 1
    assert list(read_jsonl(tmp_path / "a.jsonl", Statement)) == [STATEMENT]
    write_csv(tmp_path / "a.csv", ["a", "b"], [[1, "x,y"]])
    assert (tmp_path / "a.csv").read_bytes() == b'a,b\n1,"x,y"\n'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"id": "three"}\n', "line 1: id: Input should be a valid integer"),
        (b"not json\n", "line 1: the line: Invalid JSON"),
        (b"\xff\xfe\n", "is not UTF-8"),
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(Trouble, match=words):
        list(read_jsonl(tmp_path / "a.jsonl", Statement))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"none\.jsonl is missing"):
        list(read_jsonl(tmp_path / "none.jsonl", Statement))
