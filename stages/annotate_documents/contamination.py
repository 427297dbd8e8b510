"""Find benchmark items in documents, as `stages/overlap.py` defines it, by hashes in open-addressing tables.

A document that holds a benchmark's words teaches the answer; what to do with it is for the mix to say.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.annotate_documents.kernels import compiled
from stages.annotate_documents.kernels.words import Piece, fold, pieces
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


class Lookup(NamedTuple):
    """The items of benchmarks, as compiled code looks them up."""

    names: tuple[tuple[str, str], ...]  # benchmark and item by number, sorted
    bits: NDArray[np.uint64]
    keys: NDArray[np.uint64]  # hashes of runs and of whole items, and the number of their first item
    values: NDArray[np.int32]
    head_bits: NDArray[np.uint64]
    head_keys: NDArray[np.uint64]  # hashes of whole items' first words, and a bit for each length of such items
    head_lengths: NDArray[np.int32]


def lookup(items: Iterable[Item]) -> Lookup:
    """Hash the runs and whole items; the same whatever order the items come in."""
    runs, wholes = keys_of(items)
    names = sorted({*runs.values(), *wholes.values()})
    number = {name: place for place, name in enumerate(names)}
    entries = {**runs, **wholes}
    hashes = _hashes(list(entries))
    values = np.array([number[name] for name in entries.values()], np.int32)
    heads = _hashes([words[:LEAST_WORDS] for words in wholes])
    lengths = np.array([1 << len(words) for words in wholes], np.int32)
    head_hashes, inverse = np.unique(heads, return_inverse=True)
    head_lengths = np.zeros(len(head_hashes), np.int32)
    np.bitwise_or.at(head_lengths, inverse, lengths)
    table = _table(hashes, values)
    return Lookup(
        tuple(names), _bits(hashes[: len(runs)]), *table, _bits(head_hashes), *_table(head_hashes, head_lengths)
    )


def contamination(documents: pa.Table, known: Lookup) -> pa.Table:
    """The contamination table of documents with `id` and `text`."""
    tables = (piece_contamination(piece, known) for piece in pieces(documents))
    return pa.concat_tables([CONTAMINATION.empty_table(), *tables])


def piece_contamination(piece: Piece, known: Lookup) -> pa.Table:
    """The contamination table of one piece, in order of its documents, then of benchmark, item and how."""
    words, room = piece.words, 1024
    while True:
        documents, items = np.empty(room, np.int64), np.empty(room, np.int64)
        wholes = np.empty(room, np.int64)
        found = compiled.item_hits(
            words.hashes, words.word_ends, RUN_WORDS, LEAST_WORDS, *known[1:], documents, items, wholes
        )
        if found <= room:
            break
        room = found
    places = np.stack([documents[:found], items[:found], wholes[:found]], axis=1)
    hits, runs = np.unique(places, axis=0, return_counts=True)
    benchmarks, names = _named(hits[:, 1], known.names)
    how = pa.array([WHOLE if whole else RUN for whole in hits[:, 2]], pa.string())
    ids = piece.documents["id"].take(hits[:, 0])
    return pa.table([ids, benchmarks, names, how, runs.astype(np.int32)], schema=CONTAMINATION)


def _named(items: NDArray[np.int64], names: Sequence[tuple[str, str]]) -> tuple[pa.Array, pa.Array]:
    benchmarks, own = [names[item][0] for item in items], [names[item][1] for item in items]
    return pa.array(benchmarks, pa.string()), pa.array(own, pa.string())


def _hashes(runs: Sequence[Sequence[str]]) -> NDArray[np.uint64]:
    """The hash of each run of words."""
    words = fold(pa.array([" ".join(run) for run in runs], pa.large_string()))
    assert np.diff(words.word_ends).tolist() == [len(run) for run in runs], "folding twice changes nothing"
    ends = words.word_ends.tolist()
    codes = [compiled.run_hash(words.hashes, begin, end - begin) for begin, end in itertools.pairwise(ends)]
    return np.array(codes, np.uint64)


def _table(keys: NDArray[np.uint64], values: NDArray[np.int32]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    size = 1 << max(3, (4 * len(keys)).bit_length())
    table, held = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    compiled.fill(table, held, keys, values)
    return table, held


def _bits(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A bit array with some 16 to 32 bits per key."""
    bits = np.zeros(1 << max(3, (len(keys) // 4).bit_length()), np.uint64)
    compiled.mark(bits, keys)
    return bits
