"""Read documents from whatever they lie in, as one stream of checked Arrow batches: ids unique, texts neither empty nor huge.

An id that a source does not give is the file's name within the input, `#`, and the number of the line or row; that of a
plain text file is its name. Files are read in the order of their names. Of an id that comes twice the first stays: with
the same text the second is counted as repeated, with another text it is refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.annotate_documents import formats
from stages.annotate_documents.documents import DOCUMENT
from stages.annotate_documents.formats import Reading
from stages.annotate_documents.problems import Place, Problems
from stages.annotate_documents.seen_ids import NEW, SAME_TEXT, SeenIds
from stages.annotate_documents.shards import text_lengths
from stages.annotate_documents.sources import Source

EMPTY = "empty text"
REPEATED = "same id and same text as before"
OTHER_TEXT = "same id as before, other text"


def read(sources: Sequence[Source], reading: Reading) -> Iterator[pa.Table]:
    """The documents of all files, as batches with the columns of DOCUMENT."""
    seen = SeenIds()
    for source in sources:
        for batch in formats.batches(source, reading):
            batch = _with_ids(batch, source.name)
            batch = _without_unusable(batch, source.name, reading)
            batch = _once(batch, source.name, seen, reading.problems)
            if batch.num_rows:
                yield batch.select(DOCUMENT.names).cast(DOCUMENT)


def _with_ids(batch: pa.Table, name: str) -> pa.Table:
    """With ids made where there are none."""
    missing = pc.equal(batch["id"], "")
    if not pc.any(missing).as_py():
        return batch
    made = [f"{name}#{place}" for place in batch["place"].to_pylist()]
    ids = pc.if_else(missing, pa.array(made, pa.string()), batch["id"])
    return batch.set_column(0, DOCUMENT.field("id"), ids)


def _without_unusable(batch: pa.Table, name: str, reading: Reading) -> pa.Table:
    sizes = text_lengths(batch["text"])
    blank = np.zeros(batch.num_rows, bool)
    short = np.flatnonzero(sizes < 1_000)  # a longer blank text has no words, and says so among its quality counts
    if len(short):
        blank[short] = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(batch["text"].take(short))), 0).to_numpy()
    large = sizes > reading.max_bytes
    for reason, which in ((EMPTY, blank), (formats.TOO_LARGE, large)):
        for row in np.flatnonzero(which):
            found = "" if reason == EMPTY else f"{sizes[row]:,} bytes"
            reading.problems.add(_place(batch, name, row), reason, found)
    return batch.filter(pa.array(~(blank | large))) if (blank | large).any() else batch


def _once(batch: pa.Table, name: str, seen: SeenIds, problems: Problems) -> pa.Table:
    if not batch.num_rows:
        return batch
    verdicts = seen.verdicts(_bytes(batch["id"]), _bytes(batch["text"]))
    for row in np.flatnonzero(verdicts != NEW):
        same = verdicts[row] == SAME_TEXT
        problems.add(
            _place(batch, name, row),
            REPEATED if same else OTHER_TEXT,
            batch["id"][int(row)].as_py(),
            harmless=bool(same),
        )
    return batch if (verdicts == NEW).all() else batch.filter(pa.array(verdicts == NEW))


def _bytes(texts: pa.ChunkedArray) -> Iterator[memoryview]:
    """The UTF-8 of each text, without copying it."""
    for chunk in texts.chunks:
        if not len(chunk):
            continue
        _, offsets, data = chunk.cast(pa.large_string()).buffers()
        ends = np.frombuffer(offsets, np.int64)[chunk.offset : chunk.offset + len(chunk) + 1].tolist()
        view = memoryview(data) if data is not None else memoryview(b"")
        for begin, end in itertools.pairwise(ends):
            yield view[begin:end]


def _place(batch: pa.Table, name: str, row: Any) -> Place:
    number = batch["place"][int(row)].as_py()
    return Place(name, f"line or row {number}" if number else "")
