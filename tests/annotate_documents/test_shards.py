"""Shards hold bounded text, and are the same however the documents come."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.annotate_documents.documents import DOCUMENT
from stages.annotate_documents.shards import read_shard, shards, write_table


def table(texts: list[str]) -> pa.Table:
    rows = [dict.fromkeys(DOCUMENT.names, "") | {"id": str(n), "text": text} for n, text in enumerate(texts)]
    return pa.Table.from_pylist(rows, schema=DOCUMENT)


def slow(texts: list[str], text_bytes: int) -> list[list[str]]:
    """Cut after the document that fills the shard."""
    cut: list[list[str]] = [[]]
    for text in texts:
        cut[-1].append(text)
        if sum(len(t.encode()) for t in cut[-1]) >= text_bytes:
            cut.append([])
    return [part for part in cut if part]


TEXTS = st.lists(st.text("aé€", min_size=1, max_size=9), max_size=30)


@settings(deadline=None)
@given(TEXTS, st.integers(1, 40), st.integers(1, 7))
def test_shards_are_cut_after_the_row_that_fills_them(texts: list[str], text_bytes: int, batch_rows: int) -> None:
    whole = table(texts)
    batches = [whole.slice(start, batch_rows) for start in range(0, len(texts), batch_rows)]
    found = list(shards(batches, text_bytes))
    assert [shard.table["text"].to_pylist() for shard in found] == slow(texts, text_bytes)
    assert [shard.number for shard in found] == list(range(len(found)))
    at_once = list(shards([whole] if texts else [], text_bytes))
    assert [shard.sha256 for shard in found] == [shard.sha256 for shard in at_once]


def test_the_digest_is_of_every_field() -> None:
    whole = table(["Kaixo", "Hola"])
    digests = {next(iter(shards([whole], 100))).sha256}
    for name in DOCUMENT.names:
        changed = [row | {name: f"{row[name]}x"} for row in whole.to_pylist()]
        digests.add(next(iter(shards([pa.Table.from_pylist(changed, schema=DOCUMENT)], 100))).sha256)
    assert len(digests) == 1 + len(DOCUMENT)


def test_a_part_reads_back_and_has_the_same_bytes(tmp_path: Path) -> None:
    whole = table(["L’acta", "", "«Çó»\n" * 1000])
    write_table(whole, tmp_path / "a.parquet")
    write_table(pa.concat_tables([whole.slice(0, 1), whole.slice(1)]), tmp_path / "b.parquet")
    assert read_shard(tmp_path / "a.parquet").equals(whole)
    assert read_shard(tmp_path / "a.parquet", ["text"]).equals(whole.select(["text"]))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.parquet", "b.parquet"]


def test_a_part_holds_no_statistics_of_its_texts(tmp_path: Path) -> None:
    write_table(table(["L’acta", "b"]), tmp_path / "a.parquet")
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    told = {group.column(n).path_in_schema: group.column(n).is_stats_set for n in range(group.num_columns)}
    assert told == {name: name != "text" for name in DOCUMENT.names}
