"""Find benchmark items in documents, as `stages/overlap.py` defines it, by hashes of words.

A document that holds a benchmark's words teaches the answer; what to do with it is for the mix to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.annotate_documents.kernels.words import Piece, Words, fold, pieces, run_hashes
from stages.overlap import LEAST_WORDS, RUN, RUN_WORDS, WHOLE, Item, keys_of

CONTAMINATION = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("benchmark", pa.string()),
        pa.field("item", pa.string()),
        pa.field("how", pa.string()),
        pa.field("runs", pa.int32()),
    ]
)


class Table(NamedTuple):
    """Numbers under hashes; `may_hold` says by a hash's uppermost bits whether one begins so, which most do not."""

    may_hold: NDArray[np.bool_]
    hashes: NDArray[np.uint64]  # sorted
    values: NDArray[np.int64]


class Lookup(NamedTuple):
    """The items of benchmarks, by the hashes of their words."""

    names: tuple[tuple[str, str], ...]  # benchmark and item by number, sorted
    runs: Table  # hash of a run -> number of its first item
    wholes: Table  # hash of a whole item -> its number
    heads: Table  # hash of a whole item's first words -> a bit for each length of such items


def lookup(items: Iterable[Item]) -> Lookup:
    """Hash the runs and whole items; the same whatever order the items come in."""
    runs, wholes = keys_of(items)
    names = sorted({*runs.values(), *wholes.values()})
    number = {name: place for place, name in enumerate(names)}
    heads = _hashes([words[:LEAST_WORDS] for words in wholes])
    different, which = np.unique(heads, return_inverse=True)
    lengths = np.zeros(len(different), np.int64)
    np.bitwise_or.at(lengths, which, np.array([1 << len(words) for words in wholes], np.int64))
    return Lookup(
        tuple(names),
        _table(_hashes(list(runs)), np.array([number[name] for name in runs.values()], np.int64)),
        _table(_hashes(list(wholes)), np.array([number[name] for name in wholes.values()], np.int64)),
        _table(different, lengths),
    )


def contamination(documents: pa.Table, known: Lookup) -> pa.Table:
    """The contamination table of documents with `id` and `text`."""
    return table(documents["id"], known, [piece_hits(piece, known) for piece in pieces(documents["text"])])


class Hits(NamedTuple):
    """Places where items were found: the document, the item, and 1 for a whole item."""

    documents: NDArray[np.int64]
    items: NDArray[np.int64]
    wholes: NDArray[np.int64]


def piece_hits(piece: Piece, known: Lookup) -> Hits:
    """Where one piece's words are those of items."""
    found = []
    if len(known.runs.hashes):
        found.append((*_found(piece.words, RUN_WORDS, known.runs), 0))
    if len(known.heads.hashes):
        heads, lengths = _found(piece.words, LEAST_WORDS, known.heads)
        for length in range(LEAST_WORDS, RUN_WORDS):
            starts = heads[(lengths >> length) & 1 > 0]
            starts, values = _matches(starts, _hashes_at(piece.words, starts, length), known.wholes)
            inside = _inside(piece.words, starts, length)
            found.append((starts[inside], values[inside], 1))
    owners = [np.searchsorted(piece.words.word_ends, starts, side="right") - 1 + piece.start for starts, _, _ in found]
    wholes = [np.full(len(starts), whole, np.int64) for starts, _, whole in found]
    return Hits(_joined(owners), _joined([items for _, items, _ in found]), _joined(wholes))


def table(ids: pa.ChunkedArray, known: Lookup, parts: Sequence[Hits]) -> pa.Table:
    """The contamination table of documents, in their order, then that of benchmark, item and how."""
    places = np.stack([_joined([part[column] for part in parts]) for column in range(3)], axis=1)
    if not len(places):
        return CONTAMINATION.empty_table()
    hits, runs = np.unique(places, axis=0, return_counts=True)
    benchmarks, names = _named(hits[:, 1], known.names)
    how = pa.array([WHOLE if whole else RUN for whole in hits[:, 2]], pa.string())
    return pa.table([ids.take(hits[:, 0]), benchmarks, names, how, runs.astype(np.int32)], schema=CONTAMINATION)


def _found(words: Words, length: int, known: Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where runs of a length begin that the table has, and their values."""
    hashes = run_hashes(words.hashes, length)
    starts = np.flatnonzero(known.may_hold[_uppermost(hashes, known.may_hold)])
    starts = starts[_inside(words, starts, length)]
    return _matches(starts, hashes[starts], known)


def _matches(
    starts: NDArray[np.int64], hashes: NDArray[np.uint64], known: Table
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if not len(known.hashes):
        return starts[:0], known.values
    at = np.minimum(np.searchsorted(known.hashes, hashes), len(known.hashes) - 1)
    same = known.hashes[at] == hashes
    return starts[same], known.values[at[same]]


def _inside(words: Words, starts: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """Whether a run from there on ends within its text."""
    ends = words.word_ends[np.searchsorted(words.word_ends, starts, side="right").clip(max=len(words))]
    return starts + length <= ends


def _hashes_at(words: Words, starts: NDArray[np.int64], length: int) -> NDArray[np.uint64]:
    """The hashes of so many words from some places on; what would run over the end is no run."""
    rows = np.minimum(starts[:, None] + np.arange(length), max(0, len(words.hashes) - 1))
    return run_hashes(words.hashes[rows].ravel(), length)[::length]


def _joined(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _named(items: NDArray[np.int64], names: Sequence[tuple[str, str]]) -> tuple[pa.Array, pa.Array]:
    benchmarks, own = [names[item][0] for item in items], [names[item][1] for item in items]
    return pa.array(benchmarks, pa.string()), pa.array(own, pa.string())


def _hashes(runs: Sequence[Sequence[str]]) -> NDArray[np.uint64]:
    """The hash of each run of words."""
    words = fold(pa.array([" ".join(run) for run in runs], pa.large_string()))
    lengths = np.array([len(run) for run in runs], np.int64)
    assert np.array_equal(np.diff(words.word_ends), lengths), "folding twice changes nothing"
    codes = np.zeros(len(runs), np.uint64)
    for length in np.unique(lengths).tolist():
        codes[lengths == length] = run_hashes(words.hashes, length)[words.word_ends[:-1][lengths == length]]
    return codes


def _table(hashes: NDArray[np.uint64], values: NDArray[np.int64]) -> Table:
    """With 16 to 32 places per hash, so that few others are taken for one."""
    order = np.argsort(hashes)
    may_hold = np.zeros(1 << max(8, (16 * len(hashes)).bit_length()), bool)
    may_hold[_uppermost(hashes, may_hold)] = True
    return Table(may_hold, hashes[order], values[order])


def _uppermost(hashes: NDArray[np.uint64], places: NDArray[np.bool_]) -> NDArray[np.int64]:
    return (hashes >> np.uint64(65 - len(places).bit_length())).view(np.int64)
