"""Which of the documents that say the same stays: the representative, or where another rule drops it the next in rank.

A cluster is what the annotations found near one representative. It stays where it breaks no other rule; else the first of
its cluster that breaks none: of the best licence (their order in the parameters), then the longest, then the smallest id.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.curate_corpus.attributes import Flags, Judged, read_columns

MEMBERS = pa.schema(
    [
        ("place", pa.int64()),  # of the document in all shards
        ("representative", pa.string()),
        ("id", pa.string()),
        ("passes", pa.bool_()),  # breaks no rule on its own
        ("first", pa.bool_()),  # is the representative
        ("license_rank", pa.int32()),
        ("characters", pa.int32()),
    ]
)


class Superfluous(NamedTuple):
    """The documents that another one stands for, by their place in all shards, and that one's id."""

    places: NDArray[np.int64]
    stand_ins: pa.Array

    def between(self, start: int, end: int) -> dict[int, str]:
        """Those of a shard, by row, with the id that stays."""
        low, high = np.searchsorted(self.places, (start, end))
        rows = (self.places[low:high] - start).tolist()
        return dict(zip(rows, self.stand_ins[low:high].to_pylist(), strict=True))


def represented(attributes: Path, shards: Sequence[int], min_jaccard: float) -> pa.Array:
    """The ids of documents that others are near to: only their clusters are held in memory."""
    names = [pa.chunked_array([], pa.string())]
    for number in shards:
        table = read_columns(attributes, "duplicates", number, ["id", "representative", "jaccard"])
        names.append(table.filter(is_copy(table, min_jaccard))["representative"].cast(pa.string()))
    return pc.unique(pa.chunked_array([chunk for name in names for chunk in name.chunks], pa.string()))


def is_copy(table: pa.Table, min_jaccard: float) -> Any:
    """Whether a document is at least so near to another that represents it."""
    near = pc.greater_equal(table["jaccard"], pa.scalar(min_jaccard, pa.float32()))
    return pc.and_(pc.not_equal(table["id"], table["representative"]), near)


def copies(judged: Judged, min_jaccard: float) -> Flags:
    """The same for a shard."""
    names = ("id", "representative", "jaccard")
    table = pa.table({name: judged.column("duplicates", name) for name in names})
    flags: Flags = is_copy(table, min_jaccard).to_numpy()
    return flags


def members(
    judged: Judged, start: int, passes: Flags, ranks: NDArray[np.int32], copies: Flags, heads: pa.Array
) -> pa.Table:
    """The rows of a shard that belong to a cluster of several; `start` is the place of its first document."""
    first = pc.is_in(judged.ids, value_set=heads).to_numpy(zero_copy_only=False) & ~copies
    rows = np.flatnonzero(copies | first)
    return pa.table(
        [
            rows + start,
            judged.column("duplicates", "representative").take(rows),
            judged.ids.take(rows),
            passes[rows],
            first[rows],
            ranks[rows],
            judged.column("quality", "characters").take(rows),
        ],
        schema=MEMBERS,
    )


def superfluous(clusters: Sequence[pa.Table]) -> Superfluous:
    """All documents that pass by themselves, but for which another of their cluster stands."""
    table = pa.concat_tables([MEMBERS.empty_table(), *clusters])
    table = table.filter(table["passes"])
    table = table.sort_by(
        [
            ("representative", "ascending"),
            ("first", "descending"),
            ("license_rank", "ascending"),
            ("characters", "descending"),
            ("id", "ascending"),
        ]
    )
    codes = table["representative"].combine_chunks().dictionary_encode()
    codes = codes.indices.to_numpy() if not isinstance(codes, pa.ChunkedArray) else np.empty(0, np.int32)
    begins = np.flatnonzero(np.diff(codes, prepend=-1))
    leader = np.repeat(begins, np.diff(np.append(begins, len(codes))))
    others = np.flatnonzero(leader != np.arange(len(codes)))
    places = table["place"].to_numpy()[others]
    order = np.argsort(places)
    stand_ins = table["id"].take(leader[others][order]).cast(pa.string()).combine_chunks()
    return Superfluous(places[order], stand_ins)


def kept_together(attributes: Path, shards: Sequence[int], kept: NDArray[np.bool_], min_jaccard: float) -> int:
    """How many documents were kept beside another of their cluster: a check on what was decided; none is wanted."""
    heads = represented(attributes, shards, min_jaccard)
    names = [pa.chunked_array([], pa.string())]
    start = 0
    for number in shards:
        table = read_columns(attributes, "duplicates", number, ["id", "representative", "jaccard"])
        stays = pa.array(kept[start : start + table.num_rows])
        copies = is_copy(table, min_jaccard)
        start += table.num_rows
        names.append(table.filter(pc.and_(copies, stays))["representative"])
        alone = pc.and_(pc.is_in(table["id"], value_set=heads), pc.invert(copies))
        names.append(table.filter(pc.and_(alone, stays))["id"])
    together = pa.chunked_array([chunk.cast(pa.string()) for name in names for chunk in name.chunks], pa.string())
    return len(together) - len(pc.unique(together))
