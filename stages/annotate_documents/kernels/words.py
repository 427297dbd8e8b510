"""Fold texts and split them into words, once, for everything that counts or hashes words.

The rule is `words_of` of `stages/overlap.py`: NFKC, full case folding, runs of letters and digits.
"""

from __future__ import annotations

import hashlib
import itertools
import unicodedata
from collections.abc import Iterator, Sequence
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
    """Some documents in a row, and their words."""

    documents: pa.Table
    words: Words


def pieces(documents: pa.Table) -> Iterator[Piece]:
    """Fold documents, a cacheful of text at a time."""
    documents = pa.table(documents)
    for start, length in _spans(documents["text"]):
        part = documents.slice(start, length)
        yield Piece(part, fold(part["text"]))


def _spans(texts: pa.ChunkedArray) -> Iterator[tuple[int, int]]:
    start, length, size = 0, 0, 0
    for chunk in texts.chunks:
        _, offsets = utf8(chunk)
        for bytes_ in np.diff(offsets).tolist():
            if length and size + bytes_ > PIECE_BYTES:
                yield start, length
                start, length, size = start + length, 0, 0
            length, size = length + 1, size + bytes_
    if length:
        yield start, length


def fold(texts: Any) -> Words:
    """The words of an Arrow array of texts."""
    data, offsets = utf8(texts)
    words, sensitive = _folded(data, offsets)
    if not sensitive.any():
        return words
    # Characters that join with their neighbours: let `unicodedata` do it, then every character folds by itself.
    whole = [
        unicodedata.normalize("NFKC", text) if marked else text
        for text, marked in zip(_strings(texts), sensitive, strict=True)
    ]
    words, _ = _folded(*utf8(pa.array(whole, pa.large_string())))
    return words


def text_hashes(words: Words) -> list[bytes]:
    """128 bits (BLAKE2b) of each folded text: two texts with the same words in the same order have the same."""
    buffer, ends = words.folded.data, words.folded_ends.tolist()
    return [hashlib.blake2b(buffer[begin:end], digest_size=16).digest() for begin, end in itertools.pairwise(ends)]


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
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    offsets = np.frombuffer(offset_buffer, np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer else np.zeros(0, np.uint8)
    return data[offsets[0] : offsets[-1]], offsets - offsets[0]


def _strings(texts: Any) -> Sequence[str]:
    return [text or "" for text in texts.to_pylist()]


def _folded(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> tuple[Words, NDArray[np.bool_]]:
    table = code_points()
    count = len(offsets) - 1
    room = len(data) + count + 4 * compiled.LONGEST_FOLD
    while True:
        out = np.empty(room, np.uint8)
        hashes, characters = np.empty(room // 2 + 1, np.uint64), np.empty(room // 2 + 1, np.int32)
        letters, sensitive = np.empty(room // 2 + 1, np.uint8), np.zeros(count, np.bool_)
        folded_ends, word_ends = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
        if compiled.fold(
            data, offsets, *table, out, folded_ends,
            hashes, characters, letters, word_ends, sensitive,
        ):  # fmt: skip
            break
        room *= 2
    bytes_, words = int(folded_ends[-1]), int(word_ends[-1])
    folded = Words(out[:bytes_], folded_ends, hashes[:words], characters[:words], letters[:words], word_ends)
    return folded, sensitive
