"""Read a curated corpus as curate_corpus writes it: its documents in `corpus/*.parquet`, what was dropped in `decisions.parquet`.

Everything is read in pieces, and only the columns that are asked for: a corpus is larger than a machine's memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stages.errors import Trouble
from stages.records import Document

if TYPE_CHECKING:
    import pyarrow as pa

PARTS = "corpus"  # the folder below that of the corpus
DECISIONS = "decisions.parquet"
ROWS_AT_ONCE = 256  # documents in memory; a document holds up to some ten megabytes
MAKE_AGAIN = "make it again with curate_corpus"


def parts(folder: Path) -> list[Path]:
    """The files of a corpus's documents in their order; raises Trouble where there is none."""
    found = sorted((folder / PARTS).glob("part-*.parquet"))
    if not found:
        raise Trouble(f"{folder / PARTS} holds no part-*.parquet; wanted a curated corpus: {MAKE_AGAIN}.")
    return found


def read_documents(folder: Path) -> Iterator[Document]:
    """The documents in the order in which they were written."""
    for path in parts(folder):
        for batch in _batches(path, list(Document.model_fields)):
            for row in batch.to_pylist():
                yield Document(**row)


def count_documents(folder: Path, column: str) -> Counter[str]:
    """How many documents there are of each language, licence or the like."""
    counts: Counter[str] = Counter()
    for path in parts(folder):
        for batch in _batches(path, [column]):
            _add(counts, batch.column(column))
    return counts


def count_dropped(folder: Path) -> Counter[str]:
    """How many documents each rule dropped first."""
    counts: Counter[str] = Counter()
    for batch in _batches(folder / DECISIONS, ["rule"]):
        _add(counts, batch.column("rule"))
    del counts[""]  # what was kept broke no rule
    return counts


def _add(counts: Counter[str], column: pa.Array) -> None:
    for entry in column.value_counts().to_pylist():
        counts[entry["values"]] += entry["counts"]


def _batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with _telling(path), pq.ParquetFile(path) as file:
        if missing := sorted({*columns} - {*file.schema_arrow.names}):
            raise Trouble(f"{path} has no column {', '.join(missing)}; wanted a curated corpus: {MAKE_AGAIN}.")
        yield from file.iter_batches(ROWS_AT_ONCE, columns=list(columns), use_threads=False)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """A file that is missing or broken in one line."""
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError:
        raise Trouble(f"{path} is missing; wanted a curated corpus: {MAKE_AGAIN}.") from None
    except (pa.ArrowException, OSError) as error:
        raise Trouble(f"{path} cannot be read ({' '.join(str(error).split())[:200]}); {MAKE_AGAIN}.") from None
