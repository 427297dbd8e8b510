"""Read a table of millions of rows as columns: in blocks and without a loop over rows.

The fast reader (Arrow) is trusted with files in which every line is one record. Where it stumbles, or a value is not
what was wanted, the strict reader goes through the file line by line: it names the first line that is wrong, or, where
none is, returns what it read. Both return the same for every file that both can read.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stages.errors import Trouble
from stages.ingest_deliberation.inspection import Inspection, inspect
from stages.ingest_deliberation.read_csv import WHOLE_NUMBER, Row, read_table
from stages.ingest_deliberation.sidecars import same_id

BLOCK = 2**24  # bytes that Arrow parses at once; the widest row must fit in

# Where a number of seconds or milliseconds since 1970 can only be one of the two: 10^10 s is the year 2286, and
# 10^11 ms is 1973.
SECONDS_BELOW = 10**10
MILLISECONDS_FROM, MILLISECONDS_BELOW = 10**11, 10**13
TIME_WANTED = "seconds or milliseconds since 1970 (the same throughout the file)"
ISO_WANTED = f"{TIME_WANTED}, or a date and time as in 2026-05-01T18:30:00Z"
VOTE_WANTED = "one of -1, 0, 1"


@dataclass(frozen=True)
class Column:
    """A column that is read: as keys (ids, votes), or as a time."""

    name: str
    wanted: str
    accepts: Callable[[str], bool]
    kind: Literal["key", "time"] = "key"
    dates: bool = False  # a time may be ISO 8601


@dataclass(frozen=True)
class Keys:
    """A column of keys: each one once, in sorted order, and which of them each row holds."""

    names: tuple[str, ...]
    codes: NDArray[np.int32]


@dataclass(frozen=True)
class Times:
    """A column of times, and in what they were written."""

    milliseconds: NDArray[np.int64]  # since 1970, UTC
    unit: Literal["seconds", "milliseconds", "dates"]


@dataclass(frozen=True)
class Table:
    """The columns of a file."""

    header: tuple[str, ...]
    keys: Mapping[str, Keys]
    times: Mapping[str, Times]
    sha256: str


class Stumbled(Exception):
    """The fast reader cannot read this; the strict one shall say why."""


def id_column(name: str) -> Column:
    """Any text that is not empty; whole numbers are compared as numbers."""
    return Column(name, "an id", bool)


def statement_column(name: str) -> Column:
    """A whole number from 0."""
    return Column(name, "a whole number from 0", lambda text: text.isascii() and text.isdigit() and len(text) <= 18)


def vote_column(name: str, words: Mapping[str, int] | None = None) -> Column:
    """-1, 0 or 1, or one of the words for them."""
    known = {"-1", "0", "1", *(words or {})}
    wanted = VOTE_WANTED + "".join(f", {word}" for word in words or {})
    return Column(name, wanted, known.__contains__)


def time_column(name: str, dates: bool = False) -> Column:
    """Seconds or milliseconds since 1970, or (where `dates`) ISO 8601."""
    return Column(name, ISO_WANTED if dates else TIME_WANTED, bool, "time", dates)


def read_columns(path: Path, required: Sequence[Column], optional: Sequence[Column] = ()) -> Table:
    """The columns of the file; raises Trouble with the line of the first value that is not what was wanted."""
    inspection = inspect(path)
    header = tuple(read_table(path, [column.name for column in required])[0])
    columns = [*required, *(column for column in optional if column.name in header)]
    try:
        return _fast(path, inspection, header, columns)
    except Stumbled:
        return _strict(path, inspection, header, columns)


# The fast reader


def _fast(path: Path, inspection: Inspection, header: tuple[str, ...], columns: Sequence[Column]) -> Table:
    first = _first_row(path, header, inspection)
    integers = {column.name for column in columns if WHOLE_NUMBER.fullmatch(first.values[column.name].strip())}
    if integers and inspection.hexadecimal:  # Arrow would read 0x10 as 16
        raise Stumbled
    types = {column.name: _arrow_type(column, column.name in integers, first) for column in columns}
    # Every row ends a line, so the lines are enough room; what is never written to takes no memory.
    whole = {column.name: Growing(inspection.lines) for column in columns if _is_number(types[column.name])}
    texts: dict[str, list[Any]] = {name: [] for name in types if name not in whole}
    for batch in arrow_batches(path, header, types):
        for name, grown in whole.items():
            grown.add(_numbers(batch.column(name)))
        for name, pieces in texts.items():
            pieces.append(batch.column(name))
    keys: dict[str, Keys] = {}
    times: dict[str, Times] = {}
    for column in columns:  # one after the other, and freed on the way: a column of 100 million times is 800 MB
        if column.kind == "time":
            times[column.name] = _fast_times(whole.pop(column.name).values(), column.name in integers)
            continue
        name = column.name
        keys[name] = _integer_keys(whole.pop(name).values()) if name in whole else _text_keys(texts.pop(name))
        if not all(map(column.accepts, keys[name].names)):
            raise Stumbled
    return Table(header, keys, times, inspection.sha256)


class Growing:
    """A column that is filled block by block, in the fewest bytes that hold its numbers."""

    def __init__(self, room: int) -> None:
        self.array: NDArray[Any] = np.empty(room, np.int8)
        self.used = 0

    def add(self, values: NDArray[np.int64]) -> None:
        """Put the values behind those that are there."""
        low, high = int(values.min(initial=0)), int(values.max(initial=0))
        if low < np.iinfo(self.array.dtype).min or high > np.iinfo(self.array.dtype).max:
            kinds = (np.int16, np.int32, np.int64)
            kind = next(kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
            wider = np.empty(len(self.array), kind)
            wider[: self.used] = self.array[: self.used]
            self.array = wider
        self.array[self.used : self.used + len(values)] = values
        self.used += len(values)

    def values(self) -> NDArray[Any]:
        """The whole column."""
        return self.array[: self.used]


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_timestamp(kind))


def _numbers(column: Any) -> NDArray[np.int64]:
    """Whole numbers as they are; moments as milliseconds since 1970, rounded down."""
    import pyarrow as pa

    if column.null_count:
        raise Stumbled
    values = column.to_numpy(zero_copy_only=False)
    if pa.types.is_integer(column.type):
        return np.asarray(values, np.int64)
    return np.asarray(values.astype("datetime64[us]").astype(np.int64) // 1000, np.int64)


def _first_row(path: Path, header: tuple[str, ...], inspection: Inspection) -> Row:
    """The first row below the header, which tells how each column is written."""
    first = next(read_table(path, header)[1], None) if inspection.plain else None
    if first is None or first.line != 2:
        raise Stumbled
    return first


def _arrow_type(column: Column, integer: bool, first: Row) -> Any:
    import pyarrow as pa

    if integer:
        return pa.int64()
    if column.kind == "key":
        return pa.dictionary(pa.int32(), pa.string())
    if not column.dates:
        raise Stumbled
    with_zone = re.search(r"(?:Z|[+-]\d\d:?\d\d)$", first.values[column.name].strip())
    return pa.timestamp("us", tz="UTC") if with_zone else pa.timestamp("us")


def arrow_batches(
    path: Path, header: Sequence[str], types: Mapping[str, Any], null: Sequence[str] = ()
) -> Iterator[Any]:
    """The columns named in `types`, in blocks; `null` are the values that mean nothing. Raises Stumbled."""
    import pyarrow as pa
    from pyarrow import csv

    try:
        yield from csv.open_csv(
            path,
            csv.ReadOptions(block_size=BLOCK, column_names=list(header), skip_rows=1),
            csv.ParseOptions(newlines_in_values=False),
            csv.ConvertOptions(column_types=dict(types), include_columns=list(types), null_values=list(null)),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError, UnicodeDecodeError):
        raise Stumbled from None


def _integer_keys(values: NDArray[Any]) -> Keys:
    if not len(values):
        return Keys((), np.empty(0, np.int32))
    low, high = int(values.min()), int(values.max())
    if high - low < 4 * len(values) + 1000:  # dense: a table of all numbers between is smaller than sorting
        there = np.zeros(high - low + 1, bool)
        for at in range(0, len(values), BLOCK):
            there[values[at : at + BLOCK].astype(np.int64) - low] = True
        rank = np.cumsum(there, dtype=np.int32) - np.int32(1)
        codes = np.empty(len(values), np.int32)
        for at in range(0, len(values), BLOCK):
            codes[at : at + BLOCK] = rank[values[at : at + BLOCK].astype(np.int64) - low]
        numbers = np.flatnonzero(there) + low
    else:
        numbers, found = np.unique(values, return_inverse=True)
        codes = found.astype(np.int32)
    return _sorted_keys(list(map(str, numbers.tolist())), codes)


def _text_keys(parts: list[Any]) -> Keys:
    import pyarrow as pa

    chunked = pa.chunked_array(parts, type=pa.dictionary(pa.int32(), pa.string())).unify_dictionaries()
    if not chunked.num_chunks:
        return Keys((), np.empty(0, np.int32))
    codes = np.concatenate([chunk.indices.to_numpy(zero_copy_only=False) for chunk in chunked.chunks])
    return _sorted_keys([same_id(name) for name in chunked.chunk(0).dictionary.to_pylist()], codes.astype(np.int32))


def _sorted_keys(names: list[str], codes: NDArray[np.int32]) -> Keys:
    """Keys whose names may come in any order and twice (written differently), put in order."""
    ordered = sorted(set(names))
    if ordered == names:
        return Keys(tuple(names), codes)
    place = {name: number for number, name in enumerate(ordered)}
    return Keys(tuple(ordered), np.array([place[name] for name in names], np.int32)[codes])


def _fast_times(values: NDArray[Any], integer: bool) -> Times:
    times = milliseconds(values.astype(np.int64, copy=False)) if integer else Times(values.astype(np.int64), "dates")
    if times is None or times.milliseconds.min(initial=0) < 0:
        raise Stumbled
    return times


def milliseconds(values: NDArray[np.int64]) -> Times | None:
    """Whole numbers as times, where all of them are seconds, or all milliseconds; else None."""
    if not len(values) or (values.min() >= 0 and values.max() < SECONDS_BELOW):
        return Times(values * 1000, "seconds")
    if values.min() >= MILLISECONDS_FROM and values.max() < MILLISECONDS_BELOW:
        return Times(values, "milliseconds")
    return None


# The strict reader


def _strict(path: Path, inspection: Inspection, header: tuple[str, ...], columns: Sequence[Column]) -> Table:
    codes = {column.name: array("i") for column in columns if column.kind == "key"}
    names: dict[str, dict[str, int]] = {name: {} for name in codes}
    clocks = {column.name: _Clock(column) for column in columns if column.kind == "time"}
    for row in read_table(path, [column.name for column in columns])[1]:
        for column in columns:
            if column.kind == "time":
                clocks[column.name].add(row)
            else:
                known = names[column.name]
                codes[column.name].append(known.setdefault(_accepted(row, column), len(known)))
    keys = {name: _sorted_keys(list(names[name]), np.array(codes[name], np.int32)) for name in codes}
    return Table(header, keys, {name: clock.times() for name, clock in clocks.items()}, inspection.sha256)


def _accepted(row: Row, column: Column) -> str:
    key = same_id(row.values[column.name])
    if not column.accepts(key):
        found = f"{column.name} is {key[:40]!r}" if key else f"{column.name} is empty"
        raise row.trouble(found, column.wanted, "mend the line")
    return key


class _Clock:
    """Reads times line by line and refuses the first that is not written like those before."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.values = array("q")
        self.unit: Literal["seconds", "milliseconds", "dates"] | None = None

    def add(self, row: Row) -> None:
        text = row.values[self.column.name].strip()
        unit, value = _moment(text, self.column.dates)
        if unit is None or (self.unit or unit) != unit:
            raise row.trouble(f"{self.column.name} is {text[:40]!r}", self.column.wanted, "mend the line")
        self.unit = unit
        self.values.append(value)

    def times(self) -> Times:
        return Times(np.array(self.values, np.int64), self.unit or "seconds")


def _moment(text: str, dates: bool) -> tuple[Literal["seconds", "milliseconds", "dates"] | None, int]:
    if WHOLE_NUMBER.fullmatch(text):
        times = milliseconds(np.array([int(text)], np.int64))
        return (times.unit, int(times.milliseconds[0])) if times else (None, 0)
    try:
        moment = datetime.fromisoformat(text) if dates else None
    except ValueError:
        moment = None
    if moment is None or moment.year < 1970:
        return None, 0
    return "dates", _since_1970(moment)


def _since_1970(moment: datetime) -> int:
    """Milliseconds, rounded down; without a zone, the time is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    passed = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400_000_000 + passed.seconds * 1_000_000 + passed.microseconds) // 1000


def trouble_without_rows(path: Path) -> Trouble:
    """One line for a table of a header alone."""
    return Trouble(f"{path} holds no row below its header; wanted one per vote: export the conversation again.")
