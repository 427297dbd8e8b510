"""Read documents and what was judged of them: side-car tables, one part per shard, in the same order of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.artifact import read_json
from stages.errors import Trouble

DOCUMENTS = "documents"
ONE_ROW_EACH = ("language", "quality", "duplicates", "license", "opt_out")
MANY_ROWS = ("personal_data", "contamination")
TOXICITY = "toxicity"  # only where a model was given
MAKE_AGAIN = "make it again with annotate_documents"

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]


class Coded(NamedTuple):
    """A column of few different words: the words, and for each row the place of its word among them."""

    words: list[str]
    codes: NDArray[np.int32]

    def where(self, holds: Callable[[str], bool]) -> Flags:
        """The rows whose word is such; each word is asked once."""
        return self.numbers(holds).astype(np.bool_)

    def numbers(self, number: Callable[[str], int]) -> NDArray[np.int32]:
        """For each row the number of its word."""
        return np.fromiter(map(number, self.words), np.int32, len(self.words))[self.codes]

    def map(self, change: Callable[[str], str]) -> Coded:
        """The same rows with other words."""
        return Coded([change(word) for word in self.words], self.codes)

    def at(self, rows: Rows) -> pa.Array:
        """The words of some rows."""
        return pa.array(self.words, pa.string()).take(self.codes[rows])

    @property
    def array(self) -> pa.DictionaryArray:
        """The same for Arrow."""
        return pa.DictionaryArray.from_arrays(pa.array(self.codes, pa.int32()), pa.array(self.words, pa.string()))


class Judged:
    """One shard without its texts: the documents and each table's rows for them, column by column when asked for."""

    def __init__(self, attributes: Path, number: int) -> None:
        self.number = number
        self._attributes = attributes
        self._files: dict[str, pq.ParquetFile] = {}
        self._columns: dict[tuple[str, str], pa.Array] = {}
        self.ids = self.column(DOCUMENTS, "id")
        self.has_toxicity = (attributes / TOXICITY).is_dir()
        for table in (*ONE_ROW_EACH, *([TOXICITY] if self.has_toxicity else [])):
            self._check_rows(table)
        for table in MANY_ROWS:
            self.column(table, "id")

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, table: str, name: str) -> pa.Array:
        """A column as it was written."""
        if (table, name) not in self._columns:
            self._columns[table, name] = _whole(self._read(table, name))
        return self._columns[table, name]

    def numbers(self, table: str, name: str) -> NDArray[Any]:
        """A column of numbers or flags."""
        values: NDArray[Any] = self.column(table, name).to_numpy(zero_copy_only=False)
        return values

    def coded(self, table: str, name: str) -> Coded:
        """A column of text that says the same of many documents."""
        key = (table, f"{name}, coded")
        if key not in self._columns:
            self._columns[key] = _whole(self._read(table, name).dictionary_encode().unify_dictionaries())
        array = self._columns[key]
        return Coded(array.dictionary.to_pylist(), array.indices.to_numpy())

    def rows_of(self, table: str) -> NDArray[np.int64]:
        """For each row of a table with many rows per document, or none, the row of its document; -1: of no document."""
        ids = self.column(table, "id")
        if not len(ids):
            return np.empty(0, np.int64)
        places = pa.compute.index_in(ids, value_set=self.ids).fill_null(-1)
        return places.to_numpy().astype(np.int64)

    def texts(self, wanted: Flags) -> Iterator[tuple[Rows, pa.Array]]:
        """The texts of the wanted rows with their rows, a row group at a time: the only thing of a shard that is large."""
        start = 0
        with _telling(_path(self._attributes, DOCUMENTS, self.number)):
            file = self._file(DOCUMENTS)
            for group in range(file.num_row_groups):
                end = start + file.metadata.row_group(group).num_rows
                mine = wanted[start:end]
                if mine.any():
                    text = _whole(file.read_row_group(group, columns=["text"], use_threads=False)["text"])
                    rows = np.flatnonzero(mine)
                    yield rows + start, text if mine.all() else text.take(rows)
                start = end

    def _check_rows(self, table: str) -> None:
        ids = self.column(table, "id")
        if not ids.equals(self.ids):
            raise Trouble(
                f"{_path(self._attributes, table, self.number)} tells of {len(ids)} documents that are not the"
                f" {len(self.ids)} of {_path(self._attributes, DOCUMENTS, self.number)} in their order; {MAKE_AGAIN}."
            )

    def _read(self, table: str, name: str) -> pa.ChunkedArray:
        with _telling(_path(self._attributes, table, self.number)):
            return self._file(table).read(columns=[name], use_threads=False)[name]

    def _file(self, table: str) -> pq.ParquetFile:
        if table not in self._files:
            self._files[table] = pq.ParquetFile(_path(self._attributes, table, self.number))
        return self._files[table]


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """One piece: a shard is small enough for it."""
    joined = column.combine_chunks()
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined


def shard_numbers(attributes: Path) -> list[int]:
    """The shards' numbers in order; raises Trouble where there is none."""
    found = sorted(int(path.stem.removeprefix("part-")) for path in (attributes / DOCUMENTS).glob("part-*.parquet"))
    if not found:
        raise Trouble(
            f"{attributes / DOCUMENTS} holds no part-*.parquet; wanted the documents' texts:"
            " run annotate_documents with keep_text: true."
        )
    return found


def read_columns(attributes: Path, table: str, number: int, columns: Sequence[str]) -> pa.Table:
    """Some columns of one shard's table."""
    path = _path(attributes, table, number)
    with _telling(path):
        # one file, not a data set: a path such as language=ca would otherwise add columns
        return pq.read_table(path, columns=list(columns), partitioning=None, use_threads=False)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """A table that is missing or broken in one line."""
    try:
        yield
    except FileNotFoundError:
        raise Trouble(f"{path} is missing; wanted one part per shard: {MAKE_AGAIN}.") from None
    except (pa.ArrowException, OSError, KeyError) as error:
        raise Trouble(f"{path} cannot be read ({' '.join(str(error).split())[:200]}); {MAKE_AGAIN}.") from None


def _path(attributes: Path, name: str, number: int) -> Path:
    return attributes / name / f"part-{number:05}.parquet"


def read_reading_errors(attributes: Path) -> list[dict[str, Any]]:
    """What could not be read, by file and reason; nothing where the annotations tell nothing."""
    path = attributes / "errors.json"
    found: list[dict[str, Any]] = read_json(path) if path.exists() else []
    return found
