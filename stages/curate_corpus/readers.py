"""Read documents from JSON Lines, Parquet or CSV files, whatever their columns are called."""

from __future__ import annotations

import csv
import gzip
import hashlib
import heapq
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stages.curate_corpus.parameters import Columns
from stages.errors import Trouble
from stages.records import Document

# A source without these columns was mapped wrongly; single empty cells are the filters' business.
NEEDED = ("id", "text", "language", "source", "license")
ROWS_PER_BATCH = 4_096  # keeps a streamed Parquet file's share of memory small


class Row(NamedTuple):
    """One line of a source file, and where it stands for messages."""

    place: str
    values: Mapping[str, Any]


def read_documents(source: Path, pattern: str, columns: Columns) -> Iterator[Document]:
    """Yield the documents of a file, or of a folder's files that fit `pattern`, in the order of their names."""
    seen: dict[str, str] = {}
    for path in source_files(source, pattern):
        for row in read_rows(path, columns):
            document = _document(row, columns)
            if document.id in seen:
                raise Trouble(
                    f"{row.place}: id {document.id!r} is also that of {seen[document.id]}; wanted an id once only: "
                    "map curate_corpus.columns.id to a column that tells documents apart."
                )
            seen[document.id] = row.place
            yield document


def source_files(source: Path, pattern: str) -> list[Path]:
    """The readable files, sorted by name; raises Trouble where there is none."""
    if not source.exists():
        raise Trouble(f"{source} is missing; wanted documents there: set curate_corpus.path to a file or folder.")
    if source.is_file():
        found = [source]
    else:
        found = sorted(path for path in source.rglob(pattern) if path.is_file() and _kind(path))
    if not found or not all(map(_kind, found)):
        raise Trouble(
            f"{source} holds no file '{pattern}' that can be read; wanted one of: {', '.join(READERS)}: "
            "check curate_corpus.path and curate_corpus.files."
        )
    return found


def read_rows(path: Path, columns: Columns) -> Iterator[Row]:
    """Yield the rows of one file; raises Trouble where it is corrupt or lacks a column."""
    return READERS[_kind(path)](path, columns)


def smallest_by_hash(documents: Iterable[Document], limit: int | None) -> tuple[list[Document], int]:
    """Take at most `limit` documents per language, those with the smallest sha256 of their id.

    So the choice depends neither on the files' order nor on a random state. Returns them and how many were left.
    """
    if limit is None:
        return list(documents), 0
    heaps: dict[str, list[tuple[int, str, Document]]] = {}
    read = 0
    for document in documents:
        read += 1
        heap = heaps.setdefault(document.language, [])
        # heapq keeps the smallest on top: the negated hash makes that the one to give up first
        entry = (-int(hashlib.sha256(document.id.encode()).hexdigest(), 16), document.id, document)
        if len(heap) < limit:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    taken = [document for heap in heaps.values() for _, _, document in heap]
    return taken, read - len(taken)


def _kind(path: Path) -> str:
    return next((suffix for suffix in READERS if path.name.endswith(suffix)), "")


def _document(row: Row, columns: Columns) -> Document:
    values = {field: _text(row.values.get(column)) for field, column in columns.model_dump().items()}
    for field in ("id", "text"):
        if row.values.get(getattr(columns, field)) is None:
            raise Trouble(f"{row.place} has no '{getattr(columns, field)}'; wanted the document's {field} there.")
    if not values["id"]:
        raise Trouble(f"{row.place} has an empty '{columns.id}'; wanted the document's id there.")
    return Document(**values)


def _text(value: Any) -> str:
    """The cell as text; an absent one is empty. A lone surrogate could not be written as UTF-8 again."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode("utf-8")


def _json_lines(path: Path, columns: Columns) -> Iterator[Row]:
    place = str(path)
    try:
        with _open_text(path) as file:
            for number, line in enumerate(file, start=1):
                place = f"{path}, line {number}"
                if line.strip():
                    yield Row(place, _json_object(place, line))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Trouble(f"{place}: the gzip file is cut off or damaged ({error}); get it again.") from None
    except UnicodeDecodeError as error:
        raise Trouble(f"{place} or the next: not UTF-8 (byte {error.start} of a block); save it as UTF-8.") from None


def _open_text(path: Path) -> Any:
    return gzip.open(path, "rt", encoding="utf-8") if path.name.endswith(".gz") else path.open(encoding="utf-8")


def _json_object(place: str, line: str) -> Mapping[str, Any]:
    try:
        values = json.loads(line)
    except json.JSONDecodeError as error:
        raise Trouble(f"{place} is not valid JSON ({error.msg}); mend or remove that line.") from None
    if not isinstance(values, dict):
        raise Trouble(f"{place} holds a {type(values).__name__}; wanted a JSON object, one document a line.")
    return values


def _parquet(path: Path, columns: Columns) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow.names, columns)
            wanted = [name for name in columns.model_dump().values() if name in file.schema_arrow.names]
            for batch in file.iter_batches(ROWS_PER_BATCH, columns=sorted(set(wanted))):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{path}, row {number}", values)
    except (pa.ArrowException, OSError) as error:
        raise Trouble(
            f"{path}, after row {number}: not readable as Parquet ({_one_line(error)}); get it again."
        ) from None


def _csv(path: Path, columns: Columns) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)  # a cell holds a whole document; Python's default is 128 KiB
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            _check_columns(path, reader.fieldnames or [], columns)
            for values in reader:
                place = f"{path}, line {reader.line_num}"
                if None in values or None in values.values():
                    raise Trouble(f"{place} has another number of cells than the header; mend its commas and quotes.")
                yield Row(place, values)
        except csv.Error as error:
            raise Trouble(f"{path}, line {reader.line_num}: not valid CSV ({error}); mend that line.") from None
        except UnicodeDecodeError:
            raise Trouble(f"{path}, near line {reader.line_num}: not UTF-8; save it as UTF-8.") from None


def _check_columns(path: Path, found: Iterable[str], columns: Columns) -> None:
    for field in NEEDED:
        if getattr(columns, field) not in set(found):
            raise Trouble(
                f"{path} has no column '{getattr(columns, field)}'; it has {', '.join(found)}: "
                f"name the one with the {field} in curate_corpus.columns.{field}."
            )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


READERS = {".jsonl": _json_lines, ".jsonl.gz": _json_lines, ".parquet": _parquet, ".csv": _csv}
