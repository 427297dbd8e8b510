"""Fold texts and split them into words, once, for everything that counts or hashes words.

The rule is `words_of` of `stages/overlap.py`: NFKC, full case folding, runs of letters and digits.
"""

from __future__ import annotations

import hashlib
import itertools
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.annotate_documents.kernels import compiled
from stages.annotate_documents.kernels.code_points import code_points

PIECE_BYTES = 250_000  # what is folded at once: text, words and hashes of a piece stay in the processor's cache (twice the speed of 4 MB)


class Words(NamedTuple):
    """The words of some texts, in arrays; text i has words word_ends[i] to word_ends[i + 1]."""

    folded: NDArray[np.uint8]  # UTF-8, one space between words
    folded_ends: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    characters: NDArray[np.int32]  # of each word
    letters: NDArray[np.uint8]  # 1 where the word has a letter
    word_ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.word_ends) - 1


class Piece(NamedTuple):
    """Some documents in a row: their place in the table, their texts, and the words of these."""

    start: int
    stop: int
    data: NDArray[np.uint8]  # text i is data[offsets[i] : offsets[i + 1]]
    offsets: NDArray[np.int64]
    words: Words


def pieces(texts: Any) -> Iterator[Piece]:
    """Fold a column of texts, a cacheful at a time."""
    start = 0
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        data, offsets = utf8(chunk)
        for first, last in _spans(offsets):
            begin, end = offsets[first], offsets[last]
            own, ends = data[begin:end], offsets[first : last + 1] - begin
            yield Piece(start + first, start + last, own, ends, _words(own, ends))
        start += len(chunk)


def _spans(offsets: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """As many texts at a time as have PIECE_BYTES together, or one that has more."""
    first, texts = 0, len(offsets) - 1
    while first < texts:
        last = int(np.searchsorted(offsets, offsets[first] + PIECE_BYTES, side="right")) - 1
        last = min(max(last, first + 1), texts)
        yield first, last
        first = last


def fold(texts: Any) -> Words:
    """The words of an Arrow array of texts."""
    return _words(*utf8(texts))


def _words(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Words:
    words, sensitive = _folded(data, offsets)
    if not sensitive.any():
        return words
    # Characters that join with their neighbours: let `unicodedata` do it, then every character folds by itself.
    raw = [data[begin:end].tobytes() for begin, end in itertools.pairwise(offsets.tolist())]
    whole = [
        unicodedata.normalize("NFKC", text.decode("utf-8", "replace")).encode() if marked else text
        for text, marked in zip(raw, sensitive, strict=True)
    ]
    ends = np.cumsum([0, *map(len, whole)], dtype=np.int64)
    words, _ = _folded(np.frombuffer(b"".join(whole), np.uint8), ends)
    return words


def run_hashes(hashes: NDArray[np.uint64], words: int) -> NDArray[np.uint64]:
    """The hash of so many words in a row from every place on, across texts too."""
    runs = np.empty(max(0, len(hashes) - words + 1), np.uint64)
    compiled.run_hashes(hashes, words, runs)
    return runs


def text_hashes(words: Words) -> list[bytes]:
    """128 bits of the SHA-256 of each folded text: two texts with the same words in the same order have the same."""
    buffer, ends = words.folded.data, words.folded_ends.tolist()
    return [hashlib.sha256(buffer[begin:end]).digest()[:16] for begin, end in itertools.pairwise(ends)]


def word_hash(word: str) -> np.uint64:
    """The hash of one folded word."""
    words = fold(pa.array([word], pa.large_string()))
    assert len(words.hashes) == 1, word
    return np.uint64(words.hashes[0])


def utf8(texts: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of an Arrow array of texts and where each ends, without a copy where it is large_string; null is empty."""
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.large_string())
    if array.null_count:
        array = array.fill_null("")
    array = array.cast(pa.large_string())
    _, offset_buffer, data_buffer = array.buffers()
    if len(array) == 0:
        return np.frombuffer(b"", np.uint8), np.zeros(1, np.int64)
    offsets = np.frombuffer(offset_buffer, np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer else np.frombuffer(b"", np.uint8)
    return data[offsets[0] : offsets[-1]], offsets - offsets[0]


def _folded(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> tuple[Words, NDArray[np.bool_]]:
    table = code_points()
    count = len(offsets) - 1
    room = len(data) + count + 4 * compiled.LONGEST_FOLD
    codes = np.zeros(compiled.LONGEST_FOLD, np.int64)
    while True:
        out = np.empty(room, np.uint8)
        hashes, characters = np.empty(room // 2 + 1, np.uint64), np.empty(room // 2 + 1, np.int32)
        letters, sensitive = np.empty(room // 2 + 1, np.uint8), np.zeros(count, np.bool_)
        folded_ends, word_ends = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
        if compiled.fold(
            data, offsets, *table, codes, out, folded_ends,
            hashes, characters, letters, word_ends, sensitive,
        ):  # fmt: skip
            break
        room *= 2
    bytes_, words = int(folded_ends[-1]), int(word_ends[-1])
    folded = Words(out[:bytes_], folded_ends, hashes[:words], characters[:words], letters[:words], word_ends)
    return folded, sensitive
