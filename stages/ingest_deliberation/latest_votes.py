"""Keep each participant's latest vote on each statement, for 100 million votes in memory and without a loop over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.ingest_deliberation.conversation import VoteTable

BLOCK = 2**22  # rows turned at once, so that no step needs a second copy of a whole column
MINUTE = 60_000  # milliseconds

REPLACED = "votes that a later vote replaced"
REPEATED = "rows that repeat another row exactly (counted once)"
TORN = "different votes at the same moment, counted as pass"


@dataclass(frozen=True)
class Cast:
    """Votes as they were cast, also those that a later one replaces; columns of equal length."""

    participants: tuple[str, ...]
    participant: NDArray[np.int32]  # index into participants
    statements: tuple[int, ...]  # ids, rising
    statement: NDArray[np.int32]  # index into statements
    vote: NDArray[np.int8]
    milliseconds: NDArray[np.int64] | None  # None: the export does not tell; all votes then are of one moment


def latest(cast: Cast) -> tuple[VoteTable, dict[str, int]]:
    """The votes that count, by participant and statement, and how many did not.

    Different votes at the same moment count as pass: the order of the lines must not decide what a person thinks.
    """
    people, ids, votes, milliseconds = cast.participants, cast.statements, cast.vote, cast.milliseconds
    cells, rows = in_order(cast.participant, cast.statement, len(ids))
    del cast  # at 100 million votes, two columns less are 800 MB
    first = np.ones(len(cells), bool)
    np.not_equal(cells[1:], cells[:-1], out=first[1:])
    repeated = _settle_repeated(first, rows, votes, milliseconds)
    if len(repeated.cell):
        cells, rows = cells[first], rows[first]
    vote = votes[rows]
    vote[repeated.cell] = repeated.vote
    minute = None
    if milliseconds is not None:
        minute = in_blocks(rows, _minutes_since_first(milliseconds), np.dtype(np.int32))
        minute[repeated.cell] = _minutes_since_first(milliseconds)(repeated.row)
    del rows
    width = max(len(ids), 1)
    known = np.array(ids or (0,), np.int64)
    participant = in_blocks(cells, lambda part: part // width, np.dtype(np.int32))
    statement = in_blocks(cells, lambda part: known[part % width], np.dtype(np.int64))
    return VoteTable(people, participant, statement, vote, minute), dict(repeated.quirks)


def _minutes_since_first(milliseconds: NDArray[np.int64]) -> Callable[[NDArray[np.int64]], NDArray[np.int64]]:
    """Whole minutes between the first vote, also where that one was replaced later, and that of each row."""
    beginning = int(milliseconds.min()) if len(milliseconds) else 0
    return lambda rows: (milliseconds[rows] - beginning) // MINUTE


def places(ids: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.int32]:
    """Where each number of the column stands in the rising `ids`, which hold them all; else some place or other."""
    if len(ids) and ids[0] >= 0 and ids[-1] < len(ids) * 4 + 1000:  # a table is ten times quicker than searching
        table = np.zeros(int(ids[-1]) + 1, np.int32)
        table[ids] = np.arange(len(ids), dtype=np.int32)
        return in_blocks(column, lambda part: table.take(part, mode="clip"), np.dtype(np.int32))
    return in_blocks(column, lambda part: np.searchsorted(ids, part).clip(0, len(ids) - 1), np.dtype(np.int32))


def in_blocks(
    column: NDArray[Any], change: Callable[[NDArray[Any]], NDArray[Any]], kind: np.dtype[Any]
) -> NDArray[Any]:
    """The column changed piece by piece: a step in between would take 800 MB for 100 million votes."""
    changed = np.empty(len(column), kind)
    for at in range(0, len(column), BLOCK):
        changed[at : at + BLOCK] = change(column[at : at + BLOCK])
    return changed


def in_order(
    participant: NDArray[np.int32], statement: NDArray[np.int32], statements: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cells (participant * statements + statement) in rising order, and the row that each comes from."""
    width, rows = max(statements, 1), len(participant)
    row_bits = max(rows - 1, 1).bit_length()
    highest = (int(participant.max(initial=0)) + 1) * width
    key = np.empty(rows, np.int64)
    packed = highest.bit_length() + row_bits < 64
    for at in range(0, rows, BLOCK):
        part = slice(at, at + BLOCK)
        key[part] = participant[part].astype(np.int64) * width + statement[part]
        if packed:  # cell and row in one number: sorting numbers is several times quicker than sorting rows by two keys
            key[part] = (key[part] << row_bits) | np.arange(at, at + len(key[part]))
    if not packed:
        order = np.argsort(key, kind="stable")
        return key[order], order
    key.sort()
    from_row = key & ((1 << row_bits) - 1)
    key >>= row_bits
    return key, from_row


@dataclass(frozen=True)
class _Repeated:
    """The cells that have several rows, and what counts in them."""

    cell: NDArray[np.int64]  # among all cells
    vote: NDArray[np.int8]
    row: NDArray[np.int64]  # of the latest vote
    quirks: Mapping[str, int]


def _settle_repeated(
    first: NDArray[np.bool_], rows: NDArray[np.int64], votes: NDArray[np.int8], milliseconds: NDArray[np.int64] | None
) -> _Repeated:
    """Look at the few cells that have several rows; `first` marks the rows that begin a cell."""
    several = ~first
    several[:-1] |= ~first[1:]
    row = rows[several]
    cell = (np.cumsum(first, dtype=np.int32)[several] - 1).astype(np.int64) if len(row) else row
    vote = votes[row]
    time = np.zeros(len(row), np.int64) if milliseconds is None else milliseconds[row]
    order = np.lexsort((vote, time, cell))
    row, cell, vote, time = row[order], cell[order], vote[order], time[order]
    last = np.ones(len(row), bool)  # the last row of its cell: the latest, and of those the highest vote
    last[:-1] = cell[1:] != cell[:-1]
    last_of = np.flatnonzero(last)[np.cumsum(last) - last] if len(row) else row
    at_last = time == time[last_of]
    settled = vote[last]
    settled[np.isin(cell[last], cell[at_last & (vote != vote[last_of])])] = 0
    repeats = np.zeros(len(row), bool)
    repeats[1:] = (cell[1:] == cell[:-1]) & (time[1:] == time[:-1]) & (vote[1:] == vote[:-1])
    torn = len(np.unique(cell[at_last & (vote != vote[last_of])]))
    quirks = {
        REPLACED: int(np.count_nonzero(~at_last & ~repeats)),
        REPEATED: int(np.count_nonzero(repeats)),
        TORN: torn,
    }
    return _Repeated(cell[last], settled, row[last], quirks)
