"""Votes are found by key, and a pass is not the same as not having seen a statement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.draft_constitution.votes import matrix, read_votes
from stages.errors import Trouble


def test_rows_in_any_order_make_the_same_matrix() -> None:
    one = matrix(["b", "a", "a"], [7, 3, 7], [1, 0, -1], known=[7, 3, 9])
    other = matrix(["a", "b", "a"], [7, 7, 3], [-1, 1, 0], known=[9, 3, 7])
    assert one.participants == other.participants == ("a", "b")
    assert one.statements == other.statements == (3, 7, 9)
    assert one.value.toarray().tolist() == other.value.toarray().tolist() == [[0, -1, 0], [0, 1, 0]]


def test_a_pass_is_seen() -> None:
    votes = matrix(["a", "a"], [3, 7], [0, 1], known=[3, 7])
    assert votes.seen.toarray().tolist() == [[1, 1]]
    assert votes.cast(0).toarray().tolist() == [[1, 0]]
    assert votes.cast(1).sum() == 1
    assert votes.rows(np.array([0, 0])).participants == ("a", "a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("participant,statement_id,vote\na,1,1\na,1,0\n", "line 3: a second vote of a participant on a statement"),
        ("participant,statement_id,vote\na,1,2\n", "line 2: a vote other than -1, 0 or 1"),
        ("participant,statement_id,vote\na,9,1\n", "line 2: a vote on a statement that statements.jsonl does not hold"),
        ("participant,statement_id,vote\na,1,yes\n", "cannot be read"),
        ("participant,statement_id\na,1\n", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_corrupt_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "votes.csv").write_text(text, encoding="utf-8")
    with pytest.raises(Trouble, match=message):
        read_votes(tmp_path / "votes.csv", [1])


def test_a_missing_file_says_which_node_writes_it(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="run ingest_deliberation"):
        read_votes(tmp_path / "votes.csv", [1])
