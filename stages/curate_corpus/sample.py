"""Rows on kept documents for the gates: all, or where they are too many, those with the smallest hashes of their id."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.curate_corpus.attributes import Rows
from stages.curate_corpus.masking import residuals
from stages.curate_corpus.rules import CONTAMINATION
from stages.curate_corpus.shard import Shard

SAMPLE = pa.schema(
    [
        ("id", pa.string()),
        ("text sha256", pa.string()),
        ("license", pa.string()),
        ("language", pa.string()),
        ("source", pa.string()),
        ("opt-out verdict", pa.string()),
        ("characters", pa.int64()),
        ("residual personal data", pa.int64()),
        ("benchmark overlaps", pa.int64()),
    ]
)


class Sample:
    """Grows shard by shard to about `most` rows of `kept` documents."""

    def __init__(self, most: int, kept: int) -> None:
        self._below = None if kept <= most else 2**64 * most // kept
        self._tables = [SAMPLE.empty_table()]

    @property
    def table(self) -> pa.Table:
        """What was taken, without texts."""
        return pa.concat_tables(self._tables)

    def take(self, shard: Shard, rows: Rows, texts: pa.Array, characters: NDArray[np.int64]) -> None:
        """Look once more at those of some kept documents that are in the sample."""
        places = np.arange(len(rows)) if self._below is None else self._chosen(shard.ids.take(rows).to_pylist())
        rows, texts = rows[places], texts.take(places)
        columns = {
            "id": shard.ids.take(rows),
            "text sha256": [hashlib.sha256(text.encode()).hexdigest() for text in texts.to_pylist()],
            "license": shard.licenses.at(rows),
            "language": shard.spoken.at(rows),
            "source": shard.sources.at(rows),
            "opt-out verdict": shard.judged.coded("opt_out", "verdict").at(rows),
            "characters": characters[places],
            "residual personal data": residuals(texts),
            "benchmark overlaps": shard.broken(CONTAMINATION)[rows].astype(np.int64),
        }
        self._tables.append(pa.table(columns, schema=SAMPLE))

    def _chosen(self, ids: list[str]) -> NDArray[np.int64]:
        return np.flatnonzero(first_64_bits(ids) < np.uint64(self._below or 0))


def first_64_bits(ids: list[str]) -> NDArray[np.uint64]:
    """Of each id's sha256: a lot that is the same whatever else is read."""
    hashes = b"".join(hashlib.sha256(id.encode()).digest()[:8] for id in ids)
    return np.frombuffer(hashes, ">u8").astype(np.uint64)
