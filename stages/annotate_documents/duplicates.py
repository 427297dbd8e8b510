"""Find texts that say the same, exactly or nearly, and which of them stands for the others.

First every shard is signed (`signatures`: one key per MinHash band), then `resolve` looks at all shards together: texts with
the same folded words are one; texts that share a band's key are candidates; their runs of words are compared in full; of what
hangs together, the first in rank (best licence, then longest, then smallest id) takes in all that are near *to it*, then
the first of those left, so that no text is dropped for one that it is not like. Nothing depends on the order of shards or rows.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.annotate_documents.kernels import compiled
from stages.annotate_documents.kernels.words import Piece, Words, pieces, text_hashes

DUPLICATES = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("text_hash", pa.string()),
        pa.field("representative", pa.string()),
        pa.field("jaccard", pa.float32()),
        pa.field("exact", pa.bool_()),
    ]
)
# Of a component's members, how many comparisons each may cost before the rest are left to stand for themselves.
COMPARISONS_PER_MEMBER = 64
HELD_RUNS = 16_000_000  # run hashes kept in memory while edges are compared (128 MB)

Ints = NDArray[Any]  # numbers of documents or places
Result = TypeVar("Result")


class Near(NamedTuple):
    """When two texts count as one: the Jaccard similarity of their runs of words, searched by MinHash bands."""

    words: int = 5
    bands: int = 14
    rows: int = 8
    seed: int = 20250101
    min_jaccard: float = 0.7


class Shard(NamedTuple):
    """What `resolve` needs of one shard: its signatures' file, its licences' ranks (0 is best), and its texts again."""

    signatures: Path
    ranks: NDArray[np.integer[Any]]
    texts: Callable[[], Any]  # an Arrow column, in the order of the signatures; asked for only where candidates are


@functools.cache
def signature_schema(near: Near) -> pa.Schema:
    """The columns of a shard's signatures: one column per band, so that bands are read one by one."""
    bands = [pa.field(f"band_{band:02}", pa.uint64()) for band in range(near.bands)]
    fixed = [pa.field("id", pa.string()), pa.field("text_hash", pa.binary(16)), pa.field("bytes", pa.int64())]
    return pa.schema([*fixed, pa.field("words", pa.int64()), *bands])


def signatures(documents: pa.Table, near: Near) -> pa.Table:
    """The signatures of documents with `id` and `text`."""
    return table(documents["id"], near, [piece_signatures(piece, near) for piece in pieces(documents["text"])])


class Signatures(NamedTuple):
    """The signatures of one piece."""

    hashes: bytes  # 16 of each text
    sizes: NDArray[np.int64]  # bytes and words, a row of each
    keys: NDArray[np.uint64]  # a row per band


def piece_signatures(piece: Piece, near: Near) -> Signatures:
    """The signatures of one piece."""
    words = piece.words
    keys = np.empty((near.bands, len(words)), np.uint64)
    factors, terms = permutations(near)
    space = np.empty(len(factors), np.uint32), np.empty(compiled.CHUNK, np.uint64), np.empty(compiled.CHUNK, np.uint32)
    compiled.band_keys(words.hashes, words.word_ends, near.words, factors, terms, near.rows, *space, keys)
    sizes = np.stack([np.diff(words.folded_ends), np.diff(words.word_ends)])
    return Signatures(b"".join(text_hashes(words)), sizes, keys)


def table(ids: pa.ChunkedArray, near: Near, parts: Sequence[Signatures]) -> pa.Table:
    """The signatures of documents, given those of their pieces."""
    if not parts:
        return signature_schema(near).empty_table()
    counts = [part.sizes.shape[1] for part in parts]
    hashes = [
        pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(part.hashes)])
        for part, count in zip(parts, counts, strict=True)
    ]
    numbers = (pa.chunked_array(rows) for rows in zip(*(itertools.chain(p.sizes, p.keys) for p in parts), strict=True))
    return pa.table([ids, pa.chunked_array(hashes), *numbers], schema=signature_schema(near))


@functools.cache
def permutations(near: Near) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Odd factors (so that modulo 2^32 each is a permutation) and terms, one for each row of each band."""
    random = np.random.Generator(np.random.PCG64(near.seed))
    size = near.bands * near.rows
    factors = random.integers(0, 2**31, size=size, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, random.integers(0, 2**32, size=size, dtype=np.uint32)


def write_signatures(table: pa.Table, path: Path) -> None:
    """Write a shard's signatures, as they lie in memory: keys look random, and a column is read without the others."""
    partial = path.with_suffix(".partial")
    with pa.OSFile(str(partial), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    partial.rename(path)


def _read_signatures(path: Path, *columns: str) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all().select(columns)


def resolve(shards: Sequence[Shard], near: Near, scratch: Path, workers: int = 1) -> Iterator[pa.Table]:
    """The duplicates table of each shard, in its order of rows; `scratch` is a folder for the candidates' runs."""
    index = _Index(shards)
    same = _exact(index)
    edges = _candidates(index, near, same, workers)
    stands_for, similarity = same.copy(), np.ones(index.size, np.float32)
    if len(edges):
        path = scratch / "candidate_runs"
        with _spilled(index, np.unique(_ends(edges)), near, path, workers) as runs:
            members, leaders, jaccards = _led(index, runs, edges, near.min_jaccard)
        leader_of, jaccard_of = np.arange(index.size, dtype=np.int32), similarity.copy()
        leader_of[members], jaccard_of[members] = leaders, jaccards
        stands_for, similarity = leader_of[same], jaccard_of[same]
    yield from index.tables(same, stands_for, similarity)


def _in_turn(workers: int, work: Callable[..., Result], items: Iterable[tuple[Any, ...]]) -> Iterator[Result]:
    """What `work` gives for each item, in their order; few are done ahead, so that memory stays bounded."""
    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[Future[Result]] = deque()
        for item in items:
            ahead.append(pool.submit(work, *item))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


class _Index:
    """All shards' documents by number: what fits in memory of them (24 bytes each); ids are read where needed."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards = shards
        sizes = [column.to_numpy() for column in self._column("bytes")]
        self.bytes = _joined([np.minimum(part, 2**31 - 1) for part in sizes], np.int32)  # of folded words; 0: none
        self.ranks = _joined([np.asarray(shard.ranks) for shard in shards], np.int32)
        self.size = len(self.bytes)
        self.starts = np.cumsum([0, *map(len, sizes)])
        assert len(self.ranks) == self.size, "one licence rank per document"
        self.hashes = _joined([_halves(column) for column in self._column("text_hash")], np.uint64).reshape(-1, 2)

    def _column(self, name: str) -> Iterator[pa.ChunkedArray]:
        return (_read_signatures(shard.signatures, name)[name] for shard in self._shards)

    def band(self, band: int) -> NDArray[np.uint64]:
        """The keys of one band."""
        return _joined([column.to_numpy() for column in self._column(f"band_{band:02}")], np.uint64)

    def by_shard(self, documents: Ints) -> Iterator[tuple[int, Ints]]:
        """Sorted document numbers as (shard, rows)."""
        cuts = np.searchsorted(documents, self.starts)
        for shard, (begin, end) in enumerate(itertools.pairwise(cuts)):
            if end > begin:
                yield shard, documents[begin:end] - self.starts[shard]

    def ids(self, documents: Ints) -> pa.ChunkedArray:
        """The ids of sorted document numbers."""
        parts = []
        for shard, rows in self.by_shard(documents):
            parts += _read_signatures(self._shards[shard].signatures, "id")["id"].take(rows).chunks
        return pa.chunked_array(parts, pa.string())

    def texts(self, shard: int, rows: Ints) -> pa.ChunkedArray:
        """The texts of some rows of a shard."""
        return self._shards[shard].texts().take(rows)

    def in_rank(self, documents: Ints, groups: Ints) -> Ints:
        """Sorted document numbers by group, in each the one that is to stand for the others first."""
        names = pc.rank(self.ids(documents).combine_chunks(), sort_keys="ascending", tiebreaker="dense").to_numpy()
        return documents[np.lexsort((names, -self.bytes[documents], self.ranks[documents], groups))]

    def tables(self, same: Ints, stands_for: Ints, similarity: NDArray[np.float32]) -> Iterator[pa.Table]:
        """The table of each shard."""
        standing = np.unique(stands_for[stands_for != np.arange(self.size)])
        standing_ids = self.ids(standing)
        for number, shard in enumerate(self._shards):
            own = _read_signatures(shard.signatures, "id", "text_hash")
            numbers = np.arange(self.starts[number], self.starts[number + 1])
            span = slice(self.starts[number], self.starts[number + 1])
            alone = stands_for[span] == numbers
            which = np.where(alone, numbers - self.starts[number], 0)
            which[~alone] = own.num_rows + np.searchsorted(standing, stands_for[span][~alone])
            ids = pa.chunked_array([*own["id"].chunks, *standing_ids.chunks], pa.string())
            hashes = pa.chunked_array(map(_hex, own["text_hash"].chunks), pa.string())
            exact = ~alone & (same[span] == stands_for[span])
            columns = [own["id"], hashes, ids.take(which), similarity[span], exact]
            yield pa.table(columns, schema=DUPLICATES)


def _joined(parts: Sequence[Any], kind: Any) -> Any:
    return np.concatenate([np.zeros(0, kind), *(np.asarray(part).astype(kind, copy=False) for part in parts)])


def _halves(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    """The 128-bit hashes of a column as pairs of numbers, end to end."""
    parts = [
        np.frombuffer(chunk.buffers()[1], np.uint64)[2 * chunk.offset :][: 2 * len(chunk)] for chunk in column.chunks
    ]
    return _joined(parts, np.uint64)


def _hex(hashes: pa.FixedSizeBinaryArray) -> pa.StringArray:
    """128-bit hashes in hexadecimal (of each at once: one by one they take as long as finding their duplicates)."""
    two_signs = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)
    data = np.frombuffer(hashes.buffers()[1], np.uint8)[16 * hashes.offset :][: 16 * len(hashes)]
    ends = np.arange(len(hashes) + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(hashes), pa.py_buffer(ends), pa.py_buffer(two_signs[data]))


def _exact(index: _Index) -> Ints:
    """By document, the one that stands for all with the same folded words; a text without words is like no other."""
    same = np.arange(index.size, dtype=np.int32)
    order = np.lexsort((index.hashes[:, 1], index.hashes[:, 0]))
    order = order[index.bytes[order] > 0].astype(np.int32)
    begins = np.ones(len(order), bool)
    begins[1:] = np.diff(index.hashes[order, 0]) != 0
    begins[1:] |= np.diff(index.hashes[order, 1]) != 0
    group = np.cumsum(begins, dtype=np.int32) - 1
    several = np.bincount(group, minlength=1)[group] > 1
    if not several.any():
        return same
    documents, groups = order[several], group[several]
    by_number = np.argsort(documents)
    documents, groups = documents[by_number], groups[by_number]
    ranked = index.in_rank(documents, groups)
    groups = groups[np.searchsorted(documents, ranked)]
    begins = np.ones(len(ranked), bool)
    begins[1:] = groups[1:] != groups[:-1]
    same[ranked] = ranked[begins][np.cumsum(begins) - 1]
    return same


def _candidates(index: _Index, near: Near, same: Ints, workers: int) -> NDArray[np.uint64]:
    """Pairs to compare, as first << 32 | second."""
    unique = np.flatnonzero((same == np.arange(index.size)) & (index.bytes > 0)).astype(np.int32)
    edges = np.zeros(0, np.uint64)
    for found in _in_turn(workers, _candidates_of, ((index, band, unique) for band in range(near.bands))):
        edges = np.unique(np.concatenate([edges, found]))
    return edges


def _candidates_of(index: _Index, band: int, unique: Ints) -> NDArray[np.uint64]:
    """In each bucket of a band every member with the first in rank, and with the one before it.

    A star and a chain: of a million alike there are two million pairs, not half a billion squared.
    """
    keys = index.band(band)[unique]
    order = np.argsort(keys)
    shared = np.zeros(len(keys) + 1, bool)  # by place in that order: with the key of the one before
    shared[1:-1] = keys[order[1:]] == keys[order[:-1]]
    order = order[shared[:-1] | shared[1:]]
    members, keys = unique[order], keys[order]
    high, low = index.hashes[members, 0], index.hashes[members, 1]  # ids would do, but are not in memory
    order = np.lexsort((low, high, -index.bytes[members], index.ranks[members], keys))
    members, keys = members[order], keys[order]
    begins = np.ones(len(members), bool)
    begins[1:] = keys[1:] != keys[:-1]
    hubs = members[begins][np.cumsum(begins) - 1]
    star, chain = _pairs(hubs, members)[~begins], _pairs(np.roll(members, 1), members)[~begins]
    return np.concatenate([star, chain])


def _pairs(first: Ints, second: Ints) -> NDArray[np.uint64]:
    low, high = np.minimum(first, second).astype(np.uint64), np.maximum(first, second).astype(np.uint64)
    return (low << np.uint64(32)) | high


def _ends(edges: NDArray[np.uint64]) -> Ints:
    """The two documents of each edge, as two rows."""
    return np.stack([edges >> np.uint64(32), edges & np.uint64(0xFFFFFFFF)]).astype(np.int64)


class _Runs:
    """The run sets of candidates: on disk, those that are being compared in memory."""

    def __init__(self, opened: BinaryIO, documents: Ints, sizes: Ints) -> None:
        self._file, self._documents, self._sizes = opened, documents, sizes
        self._starts = np.cumsum([0, *sizes])

    def jaccards(self, first: Ints, second: Ints, least: float) -> NDArray[np.float64]:
        """The Jaccard similarity of each pair of documents; 0 where their sizes already keep it below `least`."""
        first, second = (np.searchsorted(self._documents, documents) for documents in (first, second))
        small, large = np.sort([self._sizes[first], self._sizes[second]], axis=0)
        similar = np.zeros(len(first))
        pairs = np.flatnonzero(small >= least * large)
        pairs = pairs[np.lexsort((second[pairs], first[pairs]))]
        ends = np.cumsum(self._sizes[first[pairs]] + self._sizes[second[pairs]])  # many are held once for several pairs
        for block in np.split(
            pairs, np.searchsorted(ends, np.arange(HELD_RUNS, ends[-1] if len(ends) else 0, HELD_RUNS))
        ):
            places = np.unique([first[block], second[block]])
            starts = np.cumsum([0, *self._sizes[places]])
            a, b = np.searchsorted(places, first[block]), np.searchsorted(places, second[block])
            found = np.empty(len(block))
            compiled.jaccards(self._held(places), starts, a, b, found)
            similar[block] = found
        return similar

    def _held(self, places: Ints) -> NDArray[np.uint64]:
        """The runs at some sorted places, end to end; of neighbours in one go."""
        parts = []
        for together in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(places) else ():
            self._file.seek(8 * int(self._starts[together[0]]))
            parts.append(self._file.read(8 * int(self._starts[together[-1] + 1] - self._starts[together[0]])))
        return np.frombuffer(b"".join(parts), np.uint64)


def run_sets(words: Words, length: int) -> tuple[NDArray[np.uint64], Ints]:
    """Of each text the sorted, distinct hashes (44 bits) of its runs of words, end to end, and how many they are."""
    runs = np.empty(len(words.hashes), np.uint64)
    runs = runs[: compiled.owned_runs(words.hashes, words.word_ends, length, runs)]
    runs.sort()  # of all texts in one go, by text: one by one they take five times as long
    new = np.ones(len(runs), bool)
    new[1:] = runs[1:] != runs[:-1]
    runs, hash_bits = runs[new], np.uint64(64) - compiled.OWNER_BITS
    sizes = np.bincount((runs >> hash_bits).astype(np.int64), minlength=len(words))
    return runs & ((np.uint64(1) << hash_bits) - np.uint64(1)), sizes


@contextlib.contextmanager
def _spilled(index: _Index, documents: Ints, near: Near, path: Path, workers: int) -> Iterator[_Runs]:
    """Write the run sets of some documents to a file, shard by shard, for as long as they are compared."""
    sizes: list[Ints] = []
    try:
        with path.open("wb") as out:
            for sets in _in_turn(workers, _run_sets_of, ((index, near, *part) for part in index.by_shard(documents))):
                for runs, own in sets:
                    out.write(runs.data)
                    sizes.append(own)
        with path.open("rb") as opened:
            yield _Runs(opened, documents, _joined(sizes, np.int64))
    finally:
        path.unlink(missing_ok=True)


def _run_sets_of(index: _Index, near: Near, shard: int, rows: Ints) -> list[tuple[NDArray[np.uint64], Ints]]:
    return [run_sets(piece.words, near.words) for piece in pieces(index.texts(shard, rows))]


def _led(index: _Index, runs: _Runs, edges: NDArray[np.uint64], least: float) -> tuple[Ints, Ints, NDArray[np.float32]]:
    """Documents that another stands for, which, and their similarity."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = _ends(edges)
    jaccards = runs.jaccards(first, second, least)
    near = jaccards >= least
    linked = np.unique([first[near], second[near]])
    a, b = np.searchsorted(linked, first[near]), np.searchsorted(linked, second[near])
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(len(linked), len(linked)))
    _, component = connected_components(graph, directed=False)
    ranked = index.in_rank(linked, component) if len(linked) else linked
    of_ranked = component[np.searchsorted(linked, ranked)]
    groups = np.split(ranked, np.flatnonzero(np.diff(of_ranked)) + 1)
    pairs = np.array([group for group in groups if len(group) == 2], np.int64).reshape(
        -1, 2
    )  # most: no more to compare
    found = [(pairs[:, 1], pairs[:, 0], jaccards[np.searchsorted(edges, _pairs(pairs[:, 0], pairs[:, 1]))])]
    for members in groups:
        if len(members) > 2:
            found += _leaders(members, runs, edges, jaccards, least)
    return (
        _joined([members for members, _, _ in found], np.int64),
        _joined([leaders for _, leaders, _ in found], np.int64),
        _joined([values for _, _, values in found], np.float32),
    )


def _leaders(
    members: Ints, runs: _Runs, known: NDArray[np.uint64], values: NDArray[np.float64], least: float
) -> Iterator[tuple[Ints, Ints, NDArray[np.float64]]]:
    """Of one component in rank: the first takes in those near to it, then the first of those left, and so on."""
    comparisons = COMPARISONS_PER_MEMBER * len(members)
    while len(members) > 1 and comparisons >= 0:
        leader, others = members[0], members[1:]
        pairs = _pairs(np.full(len(others), leader), others)
        at = np.minimum(np.searchsorted(known, pairs), len(known) - 1)
        jaccards, unknown = values[at], np.flatnonzero(known[at] != pairs)
        jaccards[unknown] = runs.jaccards(np.full(len(unknown), leader), others[unknown], least)
        comparisons -= len(others)
        taken = jaccards >= least
        yield others[taken], np.full(int(taken.sum()), leader), jaccards[taken]
        members = others[~taken]
