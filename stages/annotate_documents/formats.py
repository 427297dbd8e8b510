"""Decode one file of documents (Parquet, JSON Lines, CSV or plain text) into Arrow batches, counting what cannot be read.

A batch has the columns of DOCUMENT and `place`, the number of the line or row; at most some megabytes are held at a time.
JSON Lines and Parquet may keep fields inside `metadata`, as datatrove and dolma write them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pydantic_core import from_json

from stages.annotate_documents.documents import DOCUMENT
from stages.annotate_documents.parameters import Columns
from stages.annotate_documents.parquet_pages import page_sizes
from stages.annotate_documents.problems import Place, Problems
from stages.annotate_documents.sources import Source

BATCH = DOCUMENT.append(pa.field("place", pa.int64()))
BATCH_BYTES = 8_000_000  # of text, so that a batch's share of memory is small beside a shard's
BATCH_ROWS = 8_192
READ_BYTES = 1 << 20
UNPACKED_BYTES = 1 << 16  # what is lost before the place where a compressed file is damaged
PAGE_BYTES = 128_000_000  # of a Parquet page; a value lies within one, and pages of 1,024 long texts are common
METADATA = "metadata"

TOO_LARGE = "document too large"
NOT_UTF8 = "not UTF-8"
BROKEN = "file damaged or cut off"
NO_TEXT = "no text field"


class Reading(NamedTuple):
    """How files are read."""

    columns: Columns
    max_bytes: int  # of one document
    problems: Problems


def batches(source: Source, reading: Reading) -> Iterator[pa.Table]:
    """The documents of one file, in its order; what cannot be read is counted and left out."""
    suffix = next(suffix for suffix in READERS if source.name.endswith(suffix))
    decode, compression = READERS[suffix]
    try:
        with source.open() as file:
            yield from decode(source, file, compression, reading)
    except (OSError, pa.ArrowException) as error:
        reading.problems.add(Place(source.name), BROKEN, str(error), documents=0)


class _Wrong(NamedTuple):
    """Why a document cannot be read, and what was found there."""

    reason: str
    found: str = ""


# JSON Lines -------------------------------------------------------------------------------------------------------


def _json_lines(source: Source, file: BinaryIO, compression: str, reading: Reading) -> Iterator[pa.Table]:
    rows, columns = _Rows(), dict(reading.columns)
    for number, line in _lines(source, file, compression, reading):
        if line is None:
            fields: list[str] | _Wrong = _Wrong(TOO_LARGE, f"above {reading.max_bytes:,} bytes")
        elif line.strip():
            fields = _json_fields(line, columns)
        else:
            continue
        if isinstance(fields, _Wrong):
            reading.problems.add(Place(source.name, f"line {number}"), *fields)
        elif rows.add(number, fields):
            yield rows.take()
    yield rows.take()


def _json_fields(line: bytes, columns: Mapping[str, Sequence[str]]) -> list[str] | _Wrong:
    """The fields of DOCUMENT of one line."""
    try:
        values, is_text = _json(line)
        if not isinstance(values, dict):
            return _Wrong("not a JSON object", type(values).__name__)
        fields = _fields(values, columns)
        if not is_text:
            "".join(fields).encode()
    except UnicodeError as error:
        return _Wrong(NOT_UTF8, str(error))
    except (ValueError, RecursionError) as error:
        return _Wrong("not JSON", str(error))
    except KeyError as error:
        return _Wrong(NO_TEXT, f"wanted a string in {error.args[0]}")
    return fields


def _json(line: bytes) -> tuple[Any, bool]:
    """The value of a line, and whether its strings are text for sure: a lone surrogate ("\\ud800") is JSON and no text."""
    try:
        return from_json(line), True  # takes two thirds of the time of `json`, and refuses lone surrogates
    except ValueError:  # `json` has the last word, as about nesting deeper than 200
        return json.loads(line.decode()), False


def _fields(values: Mapping[str, Any], columns: Mapping[str, Sequence[str]]) -> list[str]:
    inner = values.get(METADATA)
    metadata: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
    fields = []
    for field, names in columns.items():
        for name in names:  # plain loops: a generator for each field takes three times as long
            value = values.get(name)
            if value is None:
                value = metadata.get(name)
            if value is not None:
                break
        if field == "text" and not isinstance(value, str):
            raise KeyError(" or ".join(names))
        fields.append("" if value is None else str(value))
    return fields


def _lines(source: Source, file: BinaryIO, compression: str, reading: Reading) -> Iterator[tuple[int, bytes | None]]:
    """The lines by number from 1; None for one that is longer than a document may be, of which nothing is kept."""
    so_far, held, size = _SoFar(), [b""], 0
    limit = reading.max_bytes + READ_BYTES  # fields beside the text, and escapes
    for chunk in _chunks(source, file, compression, reading, so_far):
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            size += len(part)
            so_far.lines += 1
            yield so_far.lines, (b"".join([*held, part]) if size <= limit else None)
            held, size = [], 0
        size += len(rest)
        held = [*held, rest] if size <= limit else []
    if size and not so_far.broken:  # half a line is none
        yield so_far.lines + 1, (b"".join(held) if size <= limit else None)


class _SoFar:
    """How far a file was read, and whether it broke off there."""

    def __init__(self) -> None:
        self.lines = 0
        self.broken = False


def _chunks(source: Source, file: BinaryIO, compression: str, reading: Reading, so_far: _SoFar) -> Iterator[bytes]:
    """The file's bytes, decompressed; where it breaks off, that is counted, and what came before stays."""
    stream = pa.PythonFile(file, mode="r")
    try:
        opened = pa.CompressedInputStream(stream, compression) if compression else stream
        while chunk := opened.read(UNPACKED_BYTES if compression else READ_BYTES):
            yield chunk
    except (OSError, pa.ArrowException) as error:
        so_far.broken = True
        within = f"after line {so_far.lines}" if so_far.lines else ""
        reading.problems.add(Place(source.name, within), BROKEN, str(error), documents=0)


class _Rows:
    """Rows of strings on their way into a batch."""

    def __init__(self) -> None:
        self._rows: list[Sequence[str]] = []
        self._places: list[int] = []
        self._size = 0

    def add(self, place: int, fields: Sequence[str]) -> bool:
        """Add a row; whether the batch is full."""
        self._rows.append(fields)
        self._places.append(place)
        self._size += sum(map(len, fields))
        return self._size >= BATCH_BYTES or len(self._rows) >= BATCH_ROWS

    def take(self) -> pa.Table:
        """The batch, and begin anew."""
        columns = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(DOCUMENT)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, DOCUMENT, strict=True)]
        table = pa.table([*arrays, pa.array(self._places, pa.int64())], schema=BATCH)
        self._rows, self._places, self._size = [], [], 0
        return table


# CSV --------------------------------------------------------------------------------------------------------------


class _TooLong(Exception):
    """A line of a CSV file is longer than a document may be."""


def _csv(source: Source, file: BinaryIO, compression: str, reading: Reading) -> Iterator[pa.Table]:
    csv.field_size_limit(reading.max_bytes)
    rows, columns, lines = _Rows(), dict(reading.columns), _csv_lines(source, file, compression, reading)
    reader = csv.DictReader(lines, strict=True)
    try:
        if not any(name in (reader.fieldnames or ()) for name in reading.columns.text):
            reading.problems.add(Place(source.name), NO_TEXT, f"columns: {', '.join(reader.fieldnames or ())}", 0)
            return
        for values in reader:
            fields = _csv_fields(values, columns)
            if isinstance(fields, _Wrong):
                reading.problems.add(Place(source.name, f"line {reader.line_num}"), *fields)
            elif rows.add(reader.line_num, fields):
                yield rows.take()
    except _TooLong:
        reading.problems.add(Place(source.name, f"after line {reader.line_num}"), TOO_LARGE, "the rest is not read")
    except csv.Error as error:
        too_large = "field limit" in str(error)
        place = Place(source.name, f"after line {reader.line_num}")
        reading.problems.add(place, TOO_LARGE if too_large else "not CSV", f"{error}; the rest is not read")
    yield rows.take()


def _csv_lines(source: Source, file: BinaryIO, compression: str, reading: Reading) -> Iterator[str]:
    for number, line in _lines(source, file, compression, reading):
        if line is None:
            raise _TooLong
        text = line.decode("utf-8", "surrogateescape")
        yield (text.removeprefix("\ufeff") if number == 1 else text) + "\n"


def _csv_fields(values: Mapping[str | None, Any], columns: Mapping[str, Sequence[str]]) -> list[str] | _Wrong:
    """The fields of DOCUMENT of one record."""
    if None in values or None in values.values():
        return _Wrong("another number of cells than the header")
    fields = _fields({str(name): value for name, value in values.items()}, columns)
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return _Wrong(NOT_UTF8)
    return fields


# Plain text -------------------------------------------------------------------------------------------------------


def _text(source: Source, file: BinaryIO, compression: str, reading: Reading) -> Iterator[pa.Table]:
    """One file is one document; its id is its name."""
    if not compression and source.size > reading.max_bytes:
        reading.problems.add(Place(source.name), TOO_LARGE, f"{source.size:,} bytes")
        return
    parts, size, so_far = [], 0, _SoFar()
    for chunk in _chunks(source, file, compression, reading, so_far):
        parts.append(chunk)
        size += len(chunk)
        if size > reading.max_bytes:
            reading.problems.add(Place(source.name), TOO_LARGE, f"above {reading.max_bytes:,} bytes")
            return
    if so_far.broken:  # half a document is none
        return
    try:
        text = b"".join(parts).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reading.problems.add(Place(source.name), NOT_UTF8, f"byte {error.start}")
        return
    rows = _Rows()
    rows.add(0, [source.name if field == "id" else text if field == "text" else "" for field in DOCUMENT.names])
    yield rows.take()


# Parquet ----------------------------------------------------------------------------------------------------------


def _parquet(source: Source, file: BinaryIO, compression: str, reading: Reading) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    parquet = pq.ParquetFile(file, buffer_size=READ_BYTES, pre_buffer=False, page_checksum_verification=True)
    wanted = _parquet_columns(parquet.schema_arrow, reading.columns)
    if "text" not in wanted:
        found = f"columns: {', '.join(parquet.schema_arrow.names)}"
        reading.problems.add(Place(source.name), NO_TEXT, found, parquet.metadata.num_rows)
        return
    first = 1
    for group in range(parquet.num_row_groups):
        rows = parquet.metadata.row_group(group).num_rows
        yield from _row_group(_Group(source, file, parquet, group, first, rows), wanted, reading)
        first += rows


class _Group(NamedTuple):
    """One row group of an open Parquet file; its first row by number in the file."""

    source: Source
    file: BinaryIO
    parquet: Any
    number: int
    first: int
    rows: int

    @property
    def place(self) -> Place:
        """For messages."""
        return Place(self.source.name, f"rows {self.first} to {self.first + self.rows - 1}")


def _row_group(group: _Group, wanted: Mapping[str, Sequence[str]], reading: Reading) -> Iterator[pa.Table]:
    done = 0
    try:
        largest, average = _largest_page(group, wanted["text"][0])
        if largest > max(
            PAGE_BYTES, 4 * reading.max_bytes
        ):  # it would have to be in memory to see which of its rows is too large
            reading.problems.add(group.place, TOO_LARGE, f"in a page of {largest:,} bytes", group.rows)
            return
        size = max(1, min(BATCH_ROWS, int(BATCH_BYTES / (average + 1))))
        columns = sorted({name for names in wanted.values() for name in names})
        for batch in group.parquet.iter_batches(size, [group.number], columns, use_threads=False):
            yield _parquet_batch(batch, wanted, group, group.first + done, reading)
            done += batch.num_rows
    except (OSError, ValueError, pa.ArrowException) as error:
        reading.problems.add(group.place, BROKEN, str(error), group.rows - done)


def _largest_page(group: _Group, column: str) -> tuple[int, float]:
    """The uncompressed size of the largest page of a column in this row group, and the average size of a row."""
    about = group.parquet.metadata.row_group(group.number)
    for number in range(about.num_columns):
        chunk = about.column(number)
        if chunk.path_in_schema == column:
            average = chunk.total_uncompressed_size / max(1, group.rows)
            if chunk.total_uncompressed_size <= BATCH_BYTES:
                return chunk.total_uncompressed_size, average
            return max(page_sizes(group.file, chunk), default=0), average
    return 0, 0.0


def _parquet_columns(schema: pa.Schema, columns: Columns) -> dict[str, list[str]]:
    """Field -> the columns that may hold it, a nested one as `metadata.name`."""
    there = set(schema.names)
    if METADATA in there and pa.types.is_struct(schema.field(METADATA).type):
        there |= {f"{METADATA}.{field.name}" for field in schema.field(METADATA).type}
    found = {
        field: [name for plain in names for name in (plain, f"{METADATA}.{plain}") if name in there]
        for field, names in columns.model_dump().items()
    }
    return {field: names for field, names in found.items() if names}


def _parquet_batch(
    batch: pa.RecordBatch, wanted: Mapping[str, Sequence[str]], group: _Group, first: int, reading: Reading
) -> pa.Table:
    columns = {}
    for field in DOCUMENT:
        as_text = pc.CastOptions(target_type=field.type, allow_invalid_utf8=True)
        found = [pc.cast(_column(batch, name), options=as_text) for name in wanted.get(field.name, ())]
        columns[field.name] = pc.coalesce(*found) if found else pa.nulls(batch.num_rows, field.type)
    places = pa.array(range(first, first + batch.num_rows), pa.int64())
    table = pa.table([*columns.values(), places], schema=BATCH)
    table = _valid(table, group.source, reading)
    missing = table.filter(pc.is_null(table["text"]))
    for place in missing["place"].to_pylist():
        reading.problems.add(Place(group.source.name, f"row {place}"), NO_TEXT)
    table = table.filter(pc.is_valid(table["text"])) if missing.num_rows else table
    filled = [pc.fill_null(table[name], "") for name in DOCUMENT.names]
    return pa.table([*filled, table["place"]], schema=BATCH)


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    outer, _, inner = name.partition(".")
    return pc.struct_field(batch.column(outer), inner) if inner else batch.column(outer)


def _valid(table: pa.Table, source: Source, reading: Reading) -> pa.Table:
    """Without the rows whose strings are not UTF-8 (Parquet does not check what it reads)."""
    try:
        table.validate(full=True)
        return table
    except pa.ArrowInvalid:
        good = []
        for row in range(table.num_rows):
            try:
                table.slice(row, 1).combine_chunks().validate(full=True)
                good.append(row)
            except pa.ArrowInvalid as error:
                place = table["place"][row].as_py()
                reading.problems.add(Place(source.name, f"row {place}"), NOT_UTF8, str(error))
        return table.take(good)


Decode = Callable[[Source, BinaryIO, str, Reading], Iterator[pa.Table]]
READERS: dict[str, tuple[Decode, str]] = {
    ".parquet": (_parquet, ""),
    **{
        f"{name}{ending}": (decode, compression)
        for name, decode in ((".jsonl", _json_lines), (".ndjson", _json_lines), (".csv", _csv), (".txt", _text), (".md", _text))
        for ending, compression in (("", ""), (".gz", "gzip"), (".zst", "zstd"))
    },
    ".json.gz": (_json_lines, "gzip"),  # dolma's names for JSON Lines
    ".json.zst": (_json_lines, "zstd"),
}  # fmt: skip
