"""Cut a stream of documents into shards of bounded text, and keep them as Parquet parts that everything after reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.annotate_documents.documents import DOCUMENT


class Shard(NamedTuple):
    """Some documents in a row; `sha256` is that of their content."""

    number: int
    sha256: str
    table: pa.Table

    @property
    def name(self) -> str:
        """The name of its part in every table."""
        return part_name(self.number)


def part_name(number: int) -> str:
    """The name of a shard's part."""
    return f"part-{number:05}.parquet"


def shards(batches: Iterable[pa.Table], text_bytes: int) -> Iterator[Shard]:
    """Cut after the row that brings a shard's text to `text_bytes`, wherever batches begin and end."""
    held: list[pa.Table] = []
    size, number = 0, 0
    for batch in batches:
        ends = np.cumsum(text_lengths(batch["text"]))
        start = 0
        while start < batch.num_rows:
            before = int(ends[start - 1]) if start else 0
            cut = int(np.searchsorted(ends, before + text_bytes - size)) + 1
            piece = batch.slice(start, min(cut, batch.num_rows) - start)
            held.append(piece)
            size += int(ends[start + piece.num_rows - 1]) - before
            start += piece.num_rows
            if size >= text_bytes:
                yield _shard(number, held)
                held, size, number = [], 0, number + 1
    if held:
        yield _shard(number, held)


def _shard(number: int, held: list[pa.Table]) -> Shard:
    table = pa.concat_tables(held).combine_chunks()
    held.clear()
    return Shard(number, content_sha256(table), table)


def text_lengths(texts: pa.ChunkedArray) -> Any:
    """The length of each text in bytes."""
    import pyarrow.compute as pc

    return pc.binary_length(texts).to_numpy()


def content_sha256(table: pa.Table) -> str:
    """The sha256 of a table of strings, column by column (lengths, then bytes): however its rows lie in memory."""
    digest = hashlib.sha256()
    for column in table.columns:
        parts = [_lengths_and_bytes(chunk.cast(pa.large_string())) for chunk in column.chunks if len(chunk)]
        for lengths, _ in parts:
            digest.update(lengths)
        for _, data in parts:
            digest.update(data)
    return digest.hexdigest()


def _lengths_and_bytes(texts: pa.Array) -> tuple[bytes, memoryview]:
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.diff(ends).tobytes(), memoryview(data or b"")[ends[0] : ends[-1]]


def write_table(table: pa.Table, path: Path) -> None:
    """Write a part, whole or not at all; the same bytes for the same rows."""
    partial = path.with_name(f".{path.name}.partial")
    # Level 1: of text, a tenth larger than level 3 and nearly twice as fast; texts and ids repeat too rarely for a dictionary.
    plain = {"id", "text", "text_hash", "representative"}
    words = [field.name for field in table.schema if field.name not in plain and pa.types.is_string(field.type)]
    pq.write_table(
        table, partial, compression="zstd", compression_level=1, use_dictionary=words, row_group_size=8192,
        write_statistics=[name for name in table.column_names if name != "text"],
    )  # fmt: skip
    partial.replace(path)


def read_shard(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The documents of a part."""
    schema = DOCUMENT if columns is None else pa.schema([DOCUMENT.field(name) for name in columns])
    return pq.read_table(path, columns=columns, use_threads=False, pre_buffer=False, memory_map=True).cast(schema)
