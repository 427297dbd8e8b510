"""Write documents as datatrove and dolma read them: JSON Lines, gzipped, with id, text, source, added, created, metadata."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

IN_METADATA = ("language", "url", "license", "title", "kind")


def write_parts(tables: Iterable[pa.Table], folder: Path) -> int:
    """Write each table (with the columns of DOCUMENT) as one part; returns the number of documents."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for number, table in enumerate(tables):
        path = folder / f"part-{number:05}.jsonl.gz"
        with (
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed,  # no name and no time inside
            io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as file,
        ):
            for batch in table.to_batches(max_chunksize=1024):
                for row in batch.to_pylist():
                    file.write(json.dumps(_line(row), ensure_ascii=False, sort_keys=True) + "\n")
                    count += 1
    return count


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "text": row["text"],
        "source": row["source"],
        "added": row["retrieved"],
        "created": "",  # when the text was written: not known
        "metadata": {name: row[name] for name in IN_METADATA},
    }
