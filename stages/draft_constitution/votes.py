"""The votes as a sparse matrix whose rows and columns are found by key, never by position in a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from stages.errors import Trouble

COLUMNS = ("participant", "statement_id", "vote")
CODE = 2  # a vote is stored as vote + 2, so that a pass (0) is not taken for "not seen", which is not stored
NO_MINUTE = -1  # among `minutes`, where the export tells the time of some people's votes only
BLOCK_BYTES = 1 << 20  # of votes.csv, read at a time
BLOCK_VOTES = 1 << 19  # worked on at a time: memory for wider numbers stays at a few tens of MB


@dataclass(frozen=True)
class VoteMatrix:
    """Who voted what: participants (rows) and statements (columns), both sorted by key.

    A vote takes one byte and four for its column, so that a hundred million of them fit into half a gigabyte.
    """

    participants: tuple[str, ...]
    statements: tuple[int, ...]
    coded: sparse.csr_array  # int8
    minutes: NDArray[np.int32] | None = None  # of each vote, in the order of coded.data; None where nobody knows

    def cast(self, vote: int) -> sparse.csr_array:
        """1 where this vote was cast."""
        return self._with_values(self.coded.data == vote + CODE)

    @property
    def seen(self) -> sparse.csr_array:
        """1 where there is a vote of any kind."""
        return self._with_values(np.ones(self.coded.nnz))

    @property
    def value(self) -> sparse.csr_array:
        """1 agree, -1 disagree, 0 pass."""
        return self._with_values(self.coded.data - CODE)

    @property
    def votes_cast(self) -> NDArray[np.int64]:
        """How many votes each participant cast."""
        return np.diff(self.coded.indptr).astype(np.int64)

    def rows(self, rows: NDArray[np.int64]) -> VoteMatrix:
        """Only these participants, in this order; one may come more than once."""
        coded = self.coded[rows]
        minutes = None
        if self.minutes is not None:
            content = (self.minutes, self.coded.indices, self.coded.indptr)
            minutes = sparse.csr_array(content, shape=self.coded.shape)[rows].data
        return VoteMatrix(tuple(map(self.participants.__getitem__, rows.tolist())), self.statements, coded, minutes)

    def _with_values(self, values: NDArray[Any]) -> sparse.csr_array:
        content = (values.astype(np.float64), self.coded.indices, self.coded.indptr)
        return sparse.csr_array(content, shape=self.coded.shape)


def row_blocks(table: sparse.csr_array) -> Iterator[tuple[slice, slice]]:
    """The table in pieces of about BLOCK_VOTES cells: which rows, and which part of `data` and `indices` they are."""
    if not table.nnz:
        return
    starts = np.unique(np.searchsorted(table.indptr, np.arange(0, table.nnz, BLOCK_VOTES), side="right") - 1)
    for start, stop in zip(starts, [*starts[1:], table.shape[0]], strict=True):
        yield slice(int(start), int(stop)), slice(int(table.indptr[start]), int(table.indptr[stop]))


def attended(votes: VoteMatrix, times: Mapping[str, tuple[int, int]]) -> VoteMatrix:
    """With the minutes of each participant's first and last vote; which votes these were is neither known nor told."""
    first, last = (
        np.array([times.get(person, (NO_MINUTE, NO_MINUTE))[end] for person in votes.participants], dtype=np.int32)
        for end in (0, 1)
    )
    if not len(first) or (last == NO_MINUTE).all():
        return votes
    minutes = np.repeat(last, np.diff(votes.coded.indptr))
    minutes[votes.coded.indptr[:-1]] = first  # everybody in the table cast at least one vote
    return replace(votes, minutes=minutes)


def matrix(
    participants: ArrayLike, statements: ArrayLike, votes: ArrayLike, known: ArrayLike, minutes: ArrayLike | None = None
) -> VoteMatrix:
    """The matrix of columns of equal length, in whatever order their rows come; `known` are all statement ids."""
    people, rows = np.unique(np.asarray(participants, dtype=str), return_inverse=True)
    ids = np.unique(np.asarray(known, dtype=np.int64))
    columns = _columns(np.asarray(statements, dtype=np.int64), ids)
    if np.any(columns < 0):
        raise ValueError("a vote on a statement that is not among the known ones")
    coded = (np.asarray(votes) + CODE).astype(np.int8)
    when = None if minutes is None else np.asarray(minutes, dtype=np.int32)
    table, when = _compressed(rows.astype(np.int32), columns, coded, when, (len(people), len(ids)))
    if table.nnz < len(coded):
        raise ValueError("a second vote of a participant on a statement")
    return VoteMatrix(tuple(map(str, people)), tuple(map(int, ids)), table, when)


def _columns(statements: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int32]:
    """The column of each statement; -1 where it is not known."""
    if not len(ids):
        return np.full(len(statements), -1, dtype=np.int32)
    found = np.minimum(np.searchsorted(ids, statements), len(ids) - 1)
    return np.where(ids[found] == statements, found, -1).astype(np.int32)


def _compressed(
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    coded: NDArray[np.int8],
    minutes: NDArray[np.int32] | None,
    shape: tuple[int, int],
) -> tuple[sparse.csr_array, NDArray[np.int32] | None]:
    """The cells as a table sorted by row and column; it holds fewer cells where one came twice."""
    later = rows[1:] > rows[:-1]
    later |= (rows[1:] == rows[:-1]) & (columns[1:] > columns[:-1])
    if later.all():  # as votes.csv is written: nothing needs to be moved
        indptr = np.searchsorted(rows, np.arange(shape[0] + 1)).astype(np.int32)
        return sparse.csr_array((coded, columns, indptr), shape=shape), minutes
    # Sort the positions, which both votes and minutes then follow.
    positions = sparse.csr_array((np.arange(len(rows)), (rows, columns)), shape=shape)
    if positions.nnz < len(rows):
        return positions, None
    positions.sort_indices()
    table = sparse.csr_array((coded[positions.data], positions.indices, positions.indptr), shape=shape)
    return table, None if minutes is None else minutes[positions.data]


@dataclass
class _Columns:
    """The columns of votes.csv as numbers, collected block by block, and the keys that the row numbers stand for."""

    numbers: dict[str, int]
    rows: list[NDArray[np.int32]]
    columns: list[NDArray[np.int32]]
    coded: list[NDArray[np.int8]]


def read_votes(path: Path, known: Sequence[int]) -> VoteMatrix:
    """Read votes.csv; raises Trouble where a vote is not -1, 0 or 1, is there twice or is on an unknown statement."""
    ids = np.unique(np.asarray(known, dtype=np.int64))
    found = _Columns({}, [], [], [])
    line = 2  # the header is line 1
    for batch in _batches(path):
        _take(path, line, batch, ids, found)
        line += len(batch)
    keys, rows = _by_key(found.numbers, _joined(found.rows, np.int32))
    columns, coded = _joined(found.columns, np.int32), _joined(found.coded, np.int8)
    table, _ = _compressed(rows, columns, coded, None, (len(keys), len(ids)))
    if table.nnz < len(coded):
        _refuse(path, _second(rows, columns) + 2, "a second vote of a participant on a statement")
    return VoteMatrix(keys, tuple(map(int, ids)), table)


def _batches(path: Path) -> Iterator[Any]:
    """The file in blocks of a few megabytes, so that no more of its text is ever in memory."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    _check_header(path)
    types = {
        "participant": pa.dictionary(pa.int32(), pa.string()),
        "statement_id": pa.int64(),
        "vote": pa.int8(),
    }
    try:
        yield from arrow_csv.open_csv(
            path,
            arrow_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
            convert_options=arrow_csv.ConvertOptions(column_types=types, include_columns=list(COLUMNS)),
            memory_pool=pa.system_memory_pool(),  # the default one keeps what it no longer needs
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        _unreadable(path, " ".join(str(error).split())[:120])


def _check_header(path: Path) -> None:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except FileNotFoundError:
        raise Trouble(f"{path} is missing; wanted the votes: run ingest_deliberation.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        _unreadable(path, str(error)[:120])
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        _unreadable(path, f"no column {', '.join(missing)}")


def _unreadable(path: Path, reason: str) -> None:
    raise Trouble(f"{path} cannot be read ({reason}); wanted {', '.join(COLUMNS)}: run ingest_deliberation.") from None


def _take(path: Path, line: int, batch: Any, ids: NDArray[np.int64], found: _Columns) -> None:
    """Check one block and add it to what was found."""
    people = batch.column("participant")
    statements, votes = (_whole(path, line, batch.column(name)) for name in ("statement_id", "vote"))
    columns = _columns(statements.astype(np.int64), ids)
    for problem, wrong in (
        ("a vote other than -1, 0 or 1", (votes < -1) | (votes > 1)),
        ("a vote on a statement that statements.jsonl does not hold", columns < 0),
    ):
        if wrong.any():
            _refuse(path, line + int(np.argmax(wrong)), problem)
    numbers = found.numbers
    codes = np.array([numbers.setdefault(key, len(numbers)) for key in people.dictionary.to_pylist()], dtype=np.int32)
    found.rows.append(codes[np.from_dlpack(people.indices)])
    found.columns.append(columns)
    found.coded.append(votes + np.int8(CODE))


def _whole(path: Path, line: int, column: Any) -> NDArray[Any]:
    if column.null_count:
        _refuse(path, line + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False))), "an empty cell")
    return np.from_dlpack(column)  # `to_numpy` would import pandas, which is 55 MB


def _joined(parts: list[NDArray[Any]], kind: type) -> NDArray[Any]:
    """One array; the parts are let go, so that not all columns are in memory twice."""
    whole = np.concatenate([np.empty(0, dtype=kind), *parts])
    parts.clear()
    return whole


def _by_key(numbers: dict[str, int], rows: NDArray[np.int32]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Number the participants by key instead of by first appearance in the file."""
    seen = list(numbers)
    keys = sorted(seen)
    if keys == seen:
        return tuple(keys), rows
    place = np.empty(len(keys), dtype=np.int32)
    place[[numbers[key] for key in keys]] = np.arange(len(keys), dtype=np.int32)
    return tuple(keys), place[rows]


def _second(rows: NDArray[np.int32], columns: NDArray[np.int32]) -> int:
    """The first row of the file that repeats the cell of an earlier one."""
    order = np.lexsort((columns, rows))
    same = (np.diff(rows[order]) == 0) & (np.diff(columns[order]) == 0)
    return int(order[1:][same].min())


def _refuse(path: Path, line: int, problem: str) -> None:
    raise Trouble(f"{path}, line {line}: {problem}; wanted one vote each: run ingest_deliberation again.")
