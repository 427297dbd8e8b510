"""Count what was judged: one row per source and language, and one thin row without text per document for the gates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stages.annotate_documents.problems import Problems

BY = ("source", "language")
COUNTS = (
    "documents",
    "characters",
    "words",
    "license unclear",
    "opt-out refused",
    "opt-out not captured",
    "reads as another language",
    "exact duplicates",
    "near duplicates",
    "with personal data",
    "with benchmark items",
)
LEAST_ROWS = 20  # of every source and language, looked at whatever the sample


class Counted(NamedTuple):
    """What the metrics, the gates and the node's milestone are made of."""

    by_source: pa.Table  # one row per source and language
    thin: pa.Table  # one row per document, or a sample


def count(out: Path, gate_rows: int) -> Counted:
    """Read the finished tables shard by shard."""
    total = sum(pq.read_metadata(path).num_rows for path in (out / "documents").iterdir())
    rows, thin = [], []
    seen: dict[tuple[str, str], int] = {}
    for shard in _thin(out):
        rows.append(_summed(shard))
        thin.append(_sample(shard, gate_rows / max(total, 1), seen))
    return Counted(_summed_again(rows), pa.concat_tables(thin))


def _thin(out: Path) -> Iterator[pa.Table]:
    for path in sorted((out / "documents").iterdir()):
        documents = pq.read_table(path, columns=["id", "source", "language"])
        part = {
            name: pq.read_table(out / name / path.name)
            for name in ("language", "quality", "duplicates", "license", "opt_out", "personal_data", "contamination")
        }
        ids = documents["id"]
        near = pc.and_(pc.not_equal(ids, part["duplicates"]["representative"]), pc.invert(part["duplicates"]["exact"]))
        columns = {
            "id": ids,
            "source": documents["source"],
            "language": documents["language"],
            "documents": pa.array([1] * len(ids), pa.int64()),
            "characters": part["quality"]["characters"].cast(pa.int64()),
            "words": part["quality"]["words"].cast(pa.int64()),
            "identified": part["language"]["identified"],
            "probability": part["language"]["probability"],
            "license": part["license"]["license"],
            "license evidence": part["license"]["evidence"],
            "opt-out": part["opt_out"]["verdict"],
            "opt-out evidence": part["opt_out"]["evidence"],
            "text hash": part["duplicates"]["text_hash"],
            "jaccard": part["duplicates"]["jaccard"],
            "aligned": _aligned(ids, part),
            "license unclear": _number(pc.equal(part["license"]["license"], "")),
            "opt-out refused": _number(pc.equal(part["opt_out"]["verdict"], "refused")),
            "opt-out not captured": _number(pc.equal(part["opt_out"]["verdict"], "not captured")),
            "reads as another language": _number(
                pc.not_equal(part["language"]["identified"], part["language"]["declared"])
            ),
            "exact duplicates": _number(part["duplicates"]["exact"]),
            "near duplicates": _number(near),
            "with personal data": _number(pc.is_in(ids, part["personal_data"]["id"].combine_chunks())),
            "with benchmark items": _number(pc.is_in(ids, part["contamination"]["id"].combine_chunks())),
        }
        yield pa.table(columns)


def _number(flags: Any) -> Any:
    return flags.cast(pa.int64())


def _aligned(ids: pa.ChunkedArray, part: dict[str, pa.Table]) -> Any:
    """Whether each table has its row for the same document at the same place."""
    same = pa.chunked_array([pa.array([True] * len(ids))])
    for name in ("language", "quality", "duplicates", "license", "opt_out"):
        same = pc.and_(same, pc.equal(ids, part[name]["id"]))
    return same


def _summed(table: pa.Table) -> pa.Table:
    summed = table.group_by(list(BY)).aggregate([(name, "sum") for name in COUNTS])
    return summed.select([*BY, *(f"{name}_sum" for name in COUNTS)]).rename_columns([*BY, *COUNTS])


def _summed_again(rows: list[pa.Table]) -> pa.Table:
    return _summed(pa.concat_tables(rows)).sort_by([(name, "ascending") for name in BY])


def _sample(shard: pa.Table, share: float, seen: dict[tuple[str, str], int]) -> pa.Table:
    """All rows, or that share of them by the hash of the id, and the first few of every source and language."""
    if share >= 1:
        return shard
    import xxhash

    least = int(share * 2**64)
    chosen = []
    for id_, *group in zip(*(shard[name].to_pylist() for name in ("id", *BY)), strict=True):
        key = (group[0], group[1])
        seen[key] = seen.get(key, 0) + 1
        chosen.append(seen[key] <= LEAST_ROWS or xxhash.xxh3_64_intdigest(id_.encode()) < least)
    return shard.filter(pa.array(chosen))


def metrics(counted: Counted, problems: Problems) -> dict[str, int]:
    """The content of metrics.json, in words for people."""
    totals = {name: int(pc.sum(counted.by_source[name]).as_py() or 0) for name in COUNTS}
    return totals | {f"left out while reading: {reason}": number for reason, number in problems.by_reason().items()}
