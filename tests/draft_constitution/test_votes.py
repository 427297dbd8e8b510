"""Votes are found by key, and a pass is not the same as not having seen a statement."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from stages.draft_constitution import votes as votes_module
from stages.draft_constitution.votes import VoteMatrix, attended, matrix, read_votes, row_blocks
from stages.errors import Trouble

HEADER = "participant,statement_id,vote\n"


def same(one: VoteMatrix, other: VoteMatrix) -> bool:
    tables = ((m.coded.data.tolist(), m.coded.indices.tolist(), m.coded.indptr.tolist()) for m in (one, other))
    minutes = ((None if m.minutes is None else m.minutes.tolist()) for m in (one, other))
    return (one.participants, one.statements, next(tables), next(minutes)) == (
        other.participants,
        other.statements,
        next(tables),
        next(minutes),
    )


def test_rows_in_any_order_make_the_same_matrix() -> None:
    one = matrix(["b", "a", "a"], [7, 3, 7], [1, 0, -1], known=[7, 3, 9], minutes=[5, 6, 7])
    other = matrix(["a", "b", "a"], [7, 7, 3], [-1, 1, 0], known=[9, 3, 7], minutes=[7, 5, 6])
    assert same(one, other)
    assert one.participants == ("a", "b")
    assert one.statements == (3, 7, 9)
    assert one.value.toarray().tolist() == [[0, -1, 0], [0, 1, 0]]
    assert one.minutes is not None
    assert one.minutes.tolist() == [6, 7, 5]  # row by row, by statement


def test_a_pass_is_seen() -> None:
    votes = matrix(["a", "a"], [3, 7], [0, 1], known=[3, 7])
    assert votes.seen.toarray().tolist() == [[1, 1]]
    assert votes.cast(0).toarray().tolist() == [[1, 0]]
    assert votes.cast(1).sum() == 1


def test_rows_are_taken_with_their_minutes() -> None:
    votes = matrix(["a", "a", "b"], [3, 7, 3], [0, 1, -1], known=[3, 7], minutes=[10, 20, 30])
    taken = votes.rows(np.array([1, 0, 1]))
    assert taken.participants == ("b", "a", "b")
    assert taken.value.toarray().tolist() == [[-1, 0], [0, 1], [-1, 0]]
    assert taken.minutes is not None
    assert taken.minutes.tolist() == [30, 10, 20, 30]


def test_a_vote_takes_one_byte() -> None:
    votes = matrix(["a", "b"], [3, 7], [0, 1], known=[3, 7])
    assert votes.coded.dtype == np.int8
    assert votes.coded.indices.dtype == np.int32


def test_a_second_vote_or_an_unknown_statement_is_not_summed_up_silently() -> None:
    with pytest.raises(ValueError, match="a second vote"):
        matrix(["a", "a"], [3, 3], [1, -1], known=[3])
    with pytest.raises(ValueError, match="not among the known ones"):
        matrix(["a"], [4], [1], known=[3, 9])


def test_blocks_of_rows_hold_every_vote_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(votes_module, "BLOCK_VOTES", 3)
    votes = matrix(list("aabbbbbcd"), [0, 1, 0, 1, 2, 3, 4, 0, 4], [1] * 9, known=range(5))
    parts = [(rows, part) for rows, part in row_blocks(votes.coded)]
    assert [part.start for _, part in parts[1:]] == [part.stop for _, part in parts[:-1]]
    assert (parts[0][1].start, parts[-1][1].stop) == (0, 9)
    assert all(
        votes.coded.indptr[rows.start] == part.start and votes.coded.indptr[rows.stop] == part.stop
        for rows, part in parts
    )
    assert list(row_blocks(matrix([], [], [], known=[1]).coded)) == []


def test_a_file_in_any_row_order_is_read_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(votes_module, "BLOCK_BYTES", 256)  # the file comes in many blocks
    generator = random.Random(1)
    cells = [(f"{p:04x}", s, generator.choice([1, 0, -1])) for p in range(40) for s in range(5)]
    people, statements, cast = (list(column) for column in zip(*cells, strict=True))
    wanted = matrix(people, statements, cast, known=range(6))
    for rows in (cells, generator.sample(cells, len(cells))):
        (tmp_path / "votes.csv").write_text(HEADER + "".join(f"{p},{s},{v}\n" for p, s, v in rows), encoding="utf-8")
        assert same(read_votes(tmp_path / "votes.csv", [5, 4, 3, 2, 1, 0]), wanted)


def test_only_first_and_last_minutes_are_known() -> None:
    votes = matrix(["a", "a", "a", "b", "c"], [1, 2, 3, 1, 1], [1, 1, 0, 0, -1], known=[1, 2, 3])
    there = attended(votes, {"a": (3, 90), "b": (5, 5)})
    assert there.minutes is not None
    assert there.minutes.tolist() == [3, 90, 90, 5, -1]
    assert attended(votes, {}).minutes is None


def test_nobody_voted(tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_text(HEADER, encoding="utf-8")
    votes = read_votes(tmp_path / "votes.csv", [1])
    assert (votes.participants, votes.statements, votes.coded.shape) == ((), (1,), (0, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,1,1\na,1,0\n", "line 3: a second vote of a participant on a statement"),
        ("a,2,1\nb,1,1\na,1,1\na,2,0\n", "line 5: a second vote of a participant on a statement"),
        ("a,1,2\n", "line 2: a vote other than -1, 0 or 1"),
        ("a,1,1\nb,1,-128\n", "line 3: a vote other than -1, 0 or 1"),
        ("a,9,1\n", "line 2: a vote on a statement that statements.jsonl does not hold"),
        ("a,,1\n", "line 2: an empty cell"),
        ("a,1,\n", "line 2: an empty cell"),
        ("a,1,yes\n", "cannot be read .*yes"),
        ("a,1,1,0\n", "cannot be read .*Expected 3 columns, got 4"),
    ],
)
def test_a_corrupt_row_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "votes.csv").write_text(HEADER + text, encoding="utf-8")
    with pytest.raises(Trouble, match=message) as trouble:
        read_votes(tmp_path / "votes.csv", [1, 2])
    assert "\n" not in str(trouble.value)


@pytest.mark.parametrize("content", [b"participant,statement_id\na,1\n", b"", b"\xff\xfe\x00p", b"\n\n"])
def test_a_file_without_the_columns_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "votes.csv").write_bytes(content)
    with pytest.raises(Trouble, match=r"cannot be read .*wanted participant, statement_id, vote: run ingest"):
        read_votes(tmp_path / "votes.csv", [1])


def test_a_missing_file_says_which_node_writes_it(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="run ingest_deliberation"):
        read_votes(tmp_path / "votes.csv", [1])
