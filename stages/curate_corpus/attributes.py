"""Read documents and what was judged of them: side-car tables, one part per shard, in the same order of rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from stages.artifact import read_json
from stages.errors import Trouble

DOCUMENTS = "documents"
ABOUT = ("id", "language", "source", "url", "license", "title", "kind", "retrieved")  # a document without its text
ONE_ROW_EACH = ("language", "quality", "duplicates", "license", "opt_out")
MANY_ROWS = ("personal_data", "contamination")
MAKE_AGAIN = "make it again with annotate_documents"


class Judged(NamedTuple):
    """One shard without its texts: the documents, and each table's rows for them in the same order."""

    number: int
    documents: pa.Table
    tables: dict[str, pa.Table]

    def column(self, table: str, name: str) -> Any:
        """A column as a numpy array; text as objects."""
        return self.tables[table][name].to_numpy()

    def words(self, table: str, name: str) -> list[str]:
        """A column of text as a list."""
        found: list[str] = self.tables[table][name].to_pylist()
        return found


def shard_numbers(attributes: Path) -> list[int]:
    """The shards' numbers in order; raises Trouble where there is none."""
    found = sorted(int(path.stem.removeprefix("part-")) for path in (attributes / DOCUMENTS).glob("part-*.parquet"))
    if not found:
        raise Trouble(
            f"{attributes / DOCUMENTS} holds no part-*.parquet; wanted the documents' texts:"
            " run annotate_documents with keep_text: true."
        )
    return found


def read_judged(attributes: Path, number: int) -> Judged:
    """One shard's documents and attributes; raises Trouble where a table is missing or tells of other documents."""
    documents = _read(attributes, DOCUMENTS, number, ABOUT)
    tables = {name: _aligned(attributes, name, number, documents) for name in ONE_ROW_EACH}
    tables |= {name: _read(attributes, name, number) for name in MANY_ROWS}
    if (attributes / "toxicity").is_dir():
        tables["toxicity"] = _aligned(attributes, "toxicity", number, documents)
    return Judged(number, documents, tables)


def read_column(attributes: Path, table: str, number: int, columns: Sequence[str]) -> pa.Table:
    """Some columns of one shard's table."""
    return _read(attributes, table, number, columns)


def read_texts(attributes: Path, number: int) -> pa.ChunkedArray:
    """The texts of one shard, the only thing of it that is large."""
    return _read(attributes, DOCUMENTS, number, ["text"])["text"]


def _aligned(attributes: Path, name: str, number: int, documents: pa.Table) -> pa.Table:
    table = _read(attributes, name, number)
    if not table["id"].equals(documents["id"]):
        raise Trouble(
            f"{_path(attributes, name, number)} tells of {table.num_rows} documents that are not the"
            f" {documents.num_rows} of {_path(attributes, DOCUMENTS, number)} in their order; {MAKE_AGAIN}."
        )
    return table


def _read(attributes: Path, name: str, number: int, columns: Sequence[str] | None = None) -> pa.Table:
    path = _path(attributes, name, number)
    try:
        # one file, not a data set: a path such as language=ca would otherwise add columns
        return pq.read_table(path, columns=list(columns) if columns else None, partitioning=None, use_threads=False)
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
