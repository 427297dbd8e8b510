"""Read a CSV file strictly, line by line: every trouble names the file and the line.

Small tables are read with this; large ones only where the fast reader (columns.py) stumbles, to find the line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.errors import Trouble
from stages.ingest_deliberation.inspection import LINE_TOO_LONG, LONGEST_LINE, unreadable

WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")  # 18 digits fit 64 bits
LONGEST_CELL = 131_072  # characters: two hundred times the longest statement seen


@dataclass(frozen=True)
class Row:
    """One record of a table and where it begins."""

    path: Path
    line: int
    values: dict[str, str]

    def integer(self, column: str) -> int:
        """The column as a whole number; raises Trouble with file and line."""
        value = self.values[column].strip()
        if not WHOLE_NUMBER.fullmatch(value):
            raise self.trouble(f"{column} is {value[:40]!r}", "a whole number", "mend the line")
        return int(value)

    def choice(self, column: str, allowed: Sequence[int]) -> int:
        """The column as one of the allowed whole numbers; raises Trouble with file and line."""
        value = self.integer(column)
        if value not in allowed:
            raise self.trouble(f"{column} is {value}", f"one of {', '.join(map(str, allowed))}", "mend the line")
        return value

    def flag(self, column: str) -> bool:
        """The column as true or false; empty, or no such column, is false."""
        value = self.values.get(column, "").strip().lower()
        if value not in ("true", "false", "1", "0", ""):
            raise self.trouble(f"{column} is {value[:40]!r}", "true or false", "mend the line")
        return value in ("true", "1")

    def trouble(self, found: str, wanted: str, way_out: str) -> Trouble:
        """One line that names this row."""
        return Trouble(f"{self.path}, line {self.line}: {found}; wanted {wanted}: {way_out}.")


def read_table(path: Path, columns: Sequence[str]) -> tuple[list[str], Iterator[Row]]:
    """The header and the rows of a table that must have `columns` (it may have more)."""
    records = _records(path)
    _, header = next(records, (1, []))
    header = [name.strip() for name in header]
    missing = [name for name in columns if name not in header]
    if missing:
        raise Trouble(
            f"{path}, line 1: the header lacks {', '.join(missing)} (found: {_shorten(header)});"
            f" wanted {', '.join(columns)}: export the file again, with commas between the columns."
        )
    if len(set(header)) != len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise Trouble(
            f"{path}, line 1: the column {twice[:40]!r} is there twice; wanted each once: export the file again."
        )
    return header, _rows(path, header, records)


def read_pairs(path: Path) -> dict[str, str]:
    """A table without header of key and value, such as summary.csv."""
    pairs = {}
    for line, record in _records(path):
        if len(record) != 2:
            raise Trouble(
                f"{path}, line {line}: found {len(record)} columns; wanted 2, a key and a value:"
                " put quotes around a value that holds commas or line ends."
            )
        pairs[record[0].strip()] = record[1]
    return pairs


def _rows(path: Path, header: list[str], records: Iterator[tuple[int, list[str]]]) -> Iterator[Row]:
    for line, record in records:
        if len(record) != len(header):
            raise Trouble(
                f"{path}, line {line}: found {len(record)} columns; wanted {len(header)} as in the header:"
                " put quotes around text that holds commas, quotes or line ends (some newer exports forget them)."
            )
        yield Row(path, line, dict(zip(header, record, strict=True)))


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it begins on; empty lines are passed over."""
    csv.field_size_limit(LONGEST_CELL)  # of the whole process: another reader may have raised it
    reader = csv.reader(_lines(path), strict=True)
    begins = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise Trouble(f"{path}, line {begins}: {_in_words(error)}.") from None
        if record is None:
            return
        if record:
            yield begins, record
        begins = reader.line_num + 1


def _in_words(error: csv.Error) -> str:
    if "field limit" in str(error):
        return (
            f"a cell holds more than {LONGEST_CELL:,} characters; wanted less:"
            " shorten it, or mend the quotes if the line before lacks one"
        )
    if str(error).startswith("new-line character"):
        return "a line ends with a carriage return alone; wanted LF or CR LF: save the file with Unix line ends"
    return f"{str(error).split(' - ')[0]}; wanted CSV: mend the quotes on that line"


def _lines(path: Path) -> Iterator[str]:
    """The file's lines with their ends, never more than one in memory."""
    try:
        with path.open("rb") as file:
            number = 1
            while line := file.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise Trouble(f"{path}, line {number}: {LINE_TOO_LONG}")
                yield _decoded(path, number, line)
                number += 1
    except OSError as error:
        raise unreadable(path, error) from None


def _decoded(path: Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise Trouble(
            f"{path}, line {number}: byte 0x{line[error.start]:02x} is not UTF-8; wanted UTF-8 throughout:"
            " save the file as UTF-8."
        ) from None


def _shorten(header: list[str]) -> str:
    """The first columns of a header, short enough for one line."""
    names = ", ".join(name[:30] for name in header[:8])
    return " ".join(names.split()) + (", …" if len(header) > 8 else "") if names else "nothing"
