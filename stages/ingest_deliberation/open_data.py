"""Open the tables of a Decidim open-data export: a zip, a folder or one CSV file, with `;` or `,` between columns."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stages.errors import Trouble
from stages.ingest_deliberation.opening import opened
from stages.ingest_deliberation.sidecars import CENSUS, LANGUAGES, PARTICIPANTS

MAX_CELL = 10_000_000  # characters: a body with pasted pictures is large, but not larger
COMPONENTS = "components.csv"  # which components the user wants
SIDE_FILES = {PARTICIPANTS, CENSUS, LANGUAGES, COMPONENTS}
AGAIN = "download the open data again"


@dataclass(frozen=True)
class File:
    """One file of the export, in memory."""

    name: str  # as the user sees it: the zip's path and the name in it
    entity: str  # what it holds, e.g. proposals or proposal_comments
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Line:
    """One record of a table and where it begins."""

    file: str
    line: int
    values: dict[str, str]

    def get(self, column: str) -> str:
        """The cell without white space around it; empty where the table lacks the column."""
        return self.values.get(column, "").strip()

    def number(self, column: str) -> int:
        """The cell as a whole number of at least 0; raises Trouble with file and line."""
        value = self.get(column)
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise self.trouble(f"{column} is {value[:40]!r}", "a whole number, at least 0", "mend the line")
        return int(value)

    def trouble(self, found: str, wanted: str, way_out: str) -> Trouble:
        """One line that names this row."""
        return Trouble(f"{self.file}, line {self.line}: {found}; wanted {wanted}: {way_out}.")


def files(path: Path) -> list[File]:
    """The CSV files at `path` (a zip, a folder with CSV files or with one zip, a single CSV), by name."""
    with opened(path) as place:
        if not place.is_dir():
            return [File(str(path), entity(path.name), path.read_bytes())]
        found = sorted(file for file in place.rglob("*") if _is_table(file.relative_to(place)))
        archives = sorted(file for file in place.glob("*.zip"))
        if archives and found:
            raise Trouble(
                f"{path} holds CSV files and {archives[0].name}; wanted one or the other: remove one of them."
            )
        if len(archives) == 1:
            return files(archives[0])
        return [
            File(f"{path}/{file.relative_to(place).as_posix()}", entity(file.name), file.read_bytes()) for file in found
        ]


def _is_table(path: Path) -> bool:
    return path.suffix.lower() == ".csv" and path.name not in SIDE_FILES


def entity(name: str) -> str:
    """What a file holds by its name: `city.example-open-data-proposals.csv` and `proposals.csv` hold proposals."""
    stem = PurePosixPath(name.replace("\\", "/")).name.lower().removesuffix(".csv")
    return stem.rsplit("open-data-", 1)[-1]


def read(file: File, columns: Sequence[str]) -> tuple[list[str], Iterator[Line]]:
    """The header and the records of a table that must have `columns`, in any order."""
    text = _decoded(file)
    delimiter = detect_delimiter(text)
    records = _records(file, text, delimiter)
    _, header = next(records, (1, []))
    header = [name.strip() for name in header]
    missing = [name for name in columns if name not in header]
    if missing:
        found = ", ".join(name[:30] for name in header[:8]) or "nothing"
        raise Trouble(f"{file.name}, line 1: the header lacks {', '.join(missing)} (found: {found}); {AGAIN}.")
    twice = [name for name in header if name and header.count(name) > 1]
    if twice:
        raise Trouble(f"{file.name}, line 1: the column '{twice[0][:40]}' is there twice; wanted each once: {AGAIN}.")
    return header, _lines(file, header, records)


def count(file: File) -> int:
    """About how many records a table that is not read has."""
    text = file.content.decode("utf-8-sig", errors="replace")
    with _large_cells():
        try:
            return max(0, sum(1 for row in csv.reader(io.StringIO(text), delimiter=detect_delimiter(text)) if row) - 1)
        except csv.Error:
            return max(0, text.count("\n") - 1)


def detect_delimiter(text: str) -> str:
    """`;` (Decidim's default) or `,`: which one the header has more of, outside quotes."""
    header = re.sub(r'"[^"]*"', "", text.split("\n", 1)[0])
    return "," if header.count(",") > header.count(";") else ";"


def _decoded(file: File) -> str:
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.content[: error.start].count(b"\n") + 1
        raise Trouble(
            f"{file.name}, line {line}: byte {error.start} is not UTF-8; wanted one encoding throughout: save it as UTF-8."
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise Trouble(f"{file.name}, line {line}: holds a zero byte; wanted text: save it as UTF-8.")
    return text


def _lines(file: File, header: list[str], records: Iterator[tuple[int, list[str]]]) -> Iterator[Line]:
    for line, record in records:
        if len(record) != len(header):
            raise Trouble(
                f"{file.name}, line {line}: found {len(record)} columns; wanted {len(header)} as in the header:"
                " put quotes around text that holds separators, quotes or line ends."
            )
        yield Line(file.name, line, dict(zip(header, record, strict=True)))


def _records(file: File, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it begins on; empty lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            with _large_cells():
                record = next(reader, None)
        except csv.Error as error:
            raise Trouble(f"{file.name}, line {begins}: {error}; wanted CSV: mend the quotes on that line.") from None
        if record is None:
            return
        if record:
            yield begins, record
        begins = reader.line_num + 1


@contextmanager
def _large_cells() -> Iterator[None]:
    """The csv module's limit holds for the whole process: raise it only while a record is read."""
    before = csv.field_size_limit(MAX_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
