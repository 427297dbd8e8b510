"""The decision on every document as a table: whether it stays, the rule that drops it, and all others that it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.curate_corpus.attributes import MAKE_AGAIN, Flags, Rows
from stages.curate_corpus.rules import DUPLICATE, MAXIMUM, NEAR_DUPLICATE, ORDER, Told, same_words
from stages.curate_corpus.shard import Shard
from stages.errors import Trouble

TOLD = ("rule", "value", "threshold")
DECISION = pa.struct([(name, pa.string()) for name in TOLD])
DECISIONS = pa.schema(
    [("id", pa.string()), ("kept", pa.bool_()), *((name, pa.string()) for name in TOLD), ("also", pa.list_(DECISION))]
)


def decisions(shard: Shard) -> pa.Table:
    """A row for each document of a shard. Only of dropped ones anything is put into words, rule by rule."""
    told = list(_told(shard))
    rows = np.concatenate([np.empty(0, np.int64), *(rows for _, rows, _ in told)])
    order = np.argsort(rows, kind="stable")  # by document; of one document the rules stay in their order
    rows = rows[order]
    words = [
        [same_words(rule, rows) for rule, rows, _ in told],
        [value for _, _, (value, _) in told],
        [wanted for _, _, (_, wanted) in told],
    ]
    columns = [pa.concat_arrays([pa.array([], pa.string()), *column]).take(order) for column in words]
    is_first = np.diff(rows, prepend=-1) != 0
    first = np.full(len(shard.ids), -1, np.int64)
    first[rows[is_first]] = np.flatnonzero(is_first)
    _check_reasons(shard, first)
    places = pa.array(first, mask=first < 0)
    others = np.bincount(rows[~is_first], minlength=len(shard.ids))
    offsets = np.concatenate([[0], np.cumsum(others)]).astype(np.int32)
    also = pa.StructArray.from_arrays([column.filter(~is_first) for column in columns], fields=list(DECISION))
    return pa.table(
        [
            shard.ids,
            shard.kept,
            *(pc.fill_null(column.take(places), "") for column in columns),
            pa.ListArray.from_arrays(offsets, also),
        ],
        schema=DECISIONS,
    )


def _check_reasons(shard: Shard, first: NDArray[np.int64]) -> None:
    """Nothing goes without its reason: only tables that contradict each other let one go so, as when an id comes twice."""
    lost = np.flatnonzero(~shard.kept & (first < 0))
    if len(lost):
        raise Trouble(
            f"{len(lost)} documents of shard {shard.judged.number}, first {shard.ids[int(lost[0])]}, would go without a"
            f" rule that says why; wanted every id once: {MAKE_AGAIN}."
        )


def _told(shard: Shard) -> Iterator[tuple[str, Rows, Told]]:
    """Every rule that is broken, in order, with the dropped documents that break it and what was found and wanted."""
    limited = shard.codes == ORDER.index(MAXIMUM)
    alike = shard.copies & ~shard.kept & ~limited
    tellers: list[tuple[str, Flags, Callable[[Rows], Told]]] = [
        *shard.own,
        (DUPLICATE, alike & shard.exact, lambda rows: _like(shard, DUPLICATE, rows)),
        (NEAR_DUPLICATE, alike & ~shard.exact, lambda rows: _like(shard, NEAR_DUPLICATE, rows)),
        (MAXIMUM, limited, lambda rows: _beyond(shard, rows)),
    ]
    for rule, broken, tell in tellers:
        rows = np.flatnonzero(broken)
        if len(rows):
            yield rule, rows, tell(rows)


def _beyond(shard: Shard, rows: Rows) -> Told:
    most = f"at most {shard.params.max_documents_per_language} in "
    return same_words("beyond the limit by the hash of its id", rows), shard.spoken.map(most.__add__).at(rows)


def _like(shard: Shard, rule: str, rows: Rows) -> Told:
    """Whom copies are like, and who stays for them where that one goes too."""
    representatives = shard.judged.column("duplicates", "representative").take(rows).to_pylist()
    found = []
    for row, representative, jaccard in zip(
        rows.tolist(), representatives, shard.judged.numbers("duplicates", "jaccard")[rows].tolist(), strict=True
    ):
        stays = shard.stand_ins.get(row, representative)
        value = f"same words as {representative}" if rule == DUPLICATE else f"Jaccard {jaccard:.2f} to {representative}"
        found.append(
            value if stays == representative else f"{value}, which another rule dropped; {stays} stays for both"
        )
    below = f"below {shard.params.duplicates.min_jaccard:g} to every kept text"
    wanted = "words that no kept text has" if rule == DUPLICATE else below
    return pa.array(found, pa.string()), same_words(wanted, rows)
