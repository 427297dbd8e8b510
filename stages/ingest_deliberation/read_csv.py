"""Read a CSV file strictly: every trouble names the file and the line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.artifact import read_text
from stages.errors import Trouble


@dataclass(frozen=True)
class Row:
    """One record of a table and where it begins."""

    path: Path
    line: int
    values: dict[str, str]

    def integer(self, column: str) -> int:
        """The column as a whole number; raises Trouble with file and line."""
        value = self.values[column].strip()
        try:
            return int(value)
        except ValueError:
            raise self.trouble(f"{column} is {value[:40]!r}", "a whole number", "mend the line") from None

    def choice(self, column: str, allowed: Sequence[int]) -> int:
        """The column as one of the allowed whole numbers; raises Trouble with file and line."""
        value = self.integer(column)
        if value not in allowed:
            raise self.trouble(f"{column} is {value}", f"one of {', '.join(map(str, allowed))}", "mend the line")
        return value

    def trouble(self, found: str, wanted: str, way_out: str) -> Trouble:
        """One line that names this row."""
        return Trouble(f"{self.path}, line {self.line}: {found}; wanted {wanted}: {way_out}.")


def read_table(path: Path, columns: Sequence[str]) -> tuple[list[str], Iterator[Row]]:
    """The header and the rows of a table that must have `columns` (it may have more)."""
    records = _records(path, read_text(path).removeprefix("\ufeff"))
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
        raise Trouble(f"{path}, line 1: the column '{twice}' is there twice; wanted each once: export the file again.")
    return header, _rows(path, header, records)


def read_pairs(path: Path) -> dict[str, str]:
    """A table without header of key and value, such as summary.csv."""
    pairs = {}
    for line, record in _records(path, read_text(path).removeprefix("\ufeff")):
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


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it begins on; empty lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise Trouble(f"{path}, line {begins}: {error}; wanted CSV: mend the quotes on that line.") from None
        if record is None:
            return
        if record:
            yield begins, record
        begins = reader.line_num + 1


def _shorten(header: list[str]) -> str:
    """The first columns of a header, short enough for one line."""
    names = ", ".join(name[:30] for name in header[:8])
    return names + (", …" if len(header) > 8 else "") if names else "nothing"
