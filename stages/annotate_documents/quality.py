"""Count what the quality rules of Gopher, C4 and FineWeb look at, as numbers; which number is too high is for the mix to say.

Sources: Gopher (Rae et al. 2021, table A1 and section A1.1), C4 (Raffel et al. 2020, section 2.2), FineWeb (Penedo et al.
2024, section 3.6). Words are those of `stages/overlap.py`; lines end at a line feed, are stripped of ASCII blanks, and count
where anything is left.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.annotate_documents.kernels import compiled
from stages.annotate_documents.kernels.words import Piece, Words, pieces, word_hash

SHARES = (
    "symbol_word_ratio",
    "alpha_word_share",
    "bullet_line_share",
    "ellipsis_line_share",
    "short_line_share",
    "terminal_line_share",
    "duplicate_line_share",
    "duplicate_line_character_share",
    "top_2gram_share",
    "top_3gram_share",
    "top_4gram_share",
    "duplicate_5gram_share",
    "duplicate_6gram_share",
    "duplicate_7gram_share",
    "duplicate_8gram_share",
    "duplicate_9gram_share",
    "duplicate_10gram_share",
)
QUALITY = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("characters", pa.int32()),
        pa.field("words", pa.int32()),
        pa.field("mean_word_length", pa.float32()),
        *(pa.field(name, pa.float32()) for name in SHARES),
        pa.field("stop_words", pa.int32()),  # different ones; -1 where the language has no list here
        pa.field("curly_brackets", pa.int32()),
        pa.field("lorem_ipsum", pa.bool_()),
    ]
)
BULLETS = "•‣◦▪■●–—-*·"
TERMINALS = ".!?…\"'»”’。！？"
STRETCH = 1 << 20  # words: a longer text's repetitions are counted in stretches, so that memory stays bounded

# Gopher asks for two of eight English ones; these are as common in theirs.
STOP_WORDS = {
    "en": "the be to of and that have with",
    "es": "de la que el en y los con",
    "fr": "de la et le les des que est",
    "ca": "de la que el i els amb és",
    "eu": "eta da du ez dira bat hau den",
    "gl": "de que o a e do da non",
    "oc": "de la que lo e los amb es",
    "de": "der die und das in den mit nicht",
    "it": "di e che la il per non con",
    "pt": "de que o a e do da para",
    "nl": "de het een van en in dat niet",
}


class Counts(NamedTuple):
    """What was counted in the texts of one piece: a row per text."""

    languages: NDArray[np.int64]
    words: NDArray[np.int64]
    of_words: NDArray[np.int64]  # characters, words with a letter, different stop words, "lorem ipsum" or not
    top: NDArray[np.int64]  # characters by length of run, of `repetition`
    covered: NDArray[np.int64]
    of_lines: NDArray[np.int64]  # what `compiled` names


def measure(documents: pa.Table) -> pa.Table:
    """The quality table of documents with `id`, `text` and `language`."""
    which = languages(documents["language"])
    return table(documents["id"], [piece_counts(piece, which) for piece in pieces(documents["text"])])


def languages(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """The number of each document's language among those with stop words; the last one has none."""
    found = pc.index_in(column, pa.array(STOP_WORDS))
    return pc.fill_null(found, len(STOP_WORDS)).to_numpy().astype(np.int64)


def piece_counts(piece: Piece, languages: NDArray[np.int64]) -> Counts:
    """The counts of one piece, given the languages of all documents."""
    words, which = piece.words, languages[piece.start : piece.stop]
    lines = _line_counts(piece.data, piece.offsets)
    return Counts(which, np.diff(words.word_ends), _word_counts(words, which), *repetition(words), lines)


def table(ids: pa.ChunkedArray, parts: Sequence[Counts]) -> pa.Table:
    """The quality table of documents, given the counts of their pieces."""
    if not parts:
        return QUALITY.empty_table()
    languages, number, of_words, top, covered, lines = map(np.concatenate, zip(*parts, strict=True))
    (total, with_letter, stop_words, lorem_ipsum), top, covered, lines = of_words.T, top.T, covered.T, lines.T
    of_lines = (compiled.BULLET, compiled.ELLIPSIS, compiled.SHORT, compiled.TERMINAL, compiled.REPEATED)
    shares = [
        (total, number),
        (np.maximum(lines[compiled.HASH_SIGNS], lines[compiled.ELLIPSES]), number),
        (with_letter, number),
        *((lines[counted], lines[compiled.LINES]) for counted in of_lines),
        (lines[compiled.REPEATED_CHARACTERS], lines[compiled.CHARACTERS]),
        *((top[length], total) for length in (2, 3, 4)),
        *((covered[length], total) for length in range(5, 11)),
    ]
    mean, *rest = ((part / np.maximum(whole, 1)).astype(np.float32) for part, whole in shares)
    stop_words[languages == len(STOP_WORDS)] = -1
    numbers = [lines[compiled.TEXT_CHARACTERS], number, stop_words, lines[compiled.BRACKETS]]
    characters, words, stops, brackets = (column.astype(np.int32) for column in numbers)
    return pa.table([ids, characters, words, mean, *rest, stops, brackets, lorem_ipsum > 0], schema=QUALITY)


def repetition(words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By text and length of run: the characters of the most frequent run's occurrences, and those of repeated runs.

    Characters are those of words. The most frequent run counts where it occurs twice, the longest of equally frequent ones;
    a repeated run is one that was there before, and a character in two of them counts once.
    """
    top = np.zeros((len(words), compiled.LONGEST_RUN + 1), np.int64)
    covered = np.zeros_like(top)
    longest = min(STRETCH, int(np.diff(words.word_ends).max(initial=0)))
    table = np.empty(4 * longest + 8, np.uint32)
    space = (
        table, table.view(np.uint8), np.empty(longest, np.uint64), np.empty(longest + 1, np.uint32),
        np.empty(longest, np.int32), np.empty(longest, np.uint32), np.empty(longest + 1, np.int64),
    )  # fmt: skip
    compiled.repetition(words.hashes, words.characters, words.word_ends, STRETCH, *space, top, covered)
    return top, covered


def _line_counts(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """What `compiled` names of lines and signs, a row for each text."""
    out = np.zeros((len(offsets) - 1, compiled.COUNTED), np.int64)
    # The eight bytes from every place on, as one number: overlapping views, no copy.
    eights = np.ndarray((max(len(data) - 7, 0),), np.dtype("<u8"), data, strides=(1,))
    longest = int(np.diff(offsets).max(initial=0))
    codes = np.zeros(1 << (longest // 2 + 1).bit_length(), np.uint64)
    compiled.line_counts(data, eights, offsets, _points(), np.empty(compiled.BLOCK + 1, np.uint16), codes, out)
    return out


@functools.cache
def _points() -> NDArray[np.uint8]:
    """By code point, or by byte, the bits that `compiled` names."""
    points = np.zeros(0x10000, np.uint8)
    for bit, characters in (
        (compiled.IS_BULLET, BULLETS),
        (compiled.IS_TERMINAL, TERMINALS),
        (compiled.IS_BLANK, " \t\n\v\f\r"),
    ):
        points[[ord(character) for character in characters]] |= bit
    points[[*b"\n#{.", "…".encode()[0]]] |= compiled.IS_SIGN
    return points


def _word_counts(words: Words, languages: NDArray[np.int64]) -> NDArray[np.int64]:
    """Characters of words, words with a letter, different stop words, and "lorem ipsum" or not: a row for each text."""
    out = np.zeros((len(words), 4), np.int64)
    compiled.word_counts(
        words.hashes, words.characters, words.letters, words.word_ends, languages, *_known_words(), out
    )
    return out


@functools.cache
def _known_words() -> tuple[NDArray[np.uint8], NDArray[np.uint64], np.uint64, np.uint64]:
    """By language: by the lowest bits of a hash which stop word may have it, and their hashes; then "lorem ipsum"."""
    stops = np.zeros((len(STOP_WORDS) + 1, max(len(listed.split()) for listed in STOP_WORDS.values())), np.uint64)
    for language, listed in enumerate(STOP_WORDS.values()):
        stops[language, : len(listed.split())] = [word_hash(word) for word in listed.split()]
    return _slots(stops), stops, word_hash("lorem"), word_hash("ipsum")


def _slots(stops: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """By language and the lowest bits of a hash the place of the word that ends so, with as many bits as tell all words apart."""
    size = 256
    while any(len(np.unique(own[own > 0] % size)) < np.count_nonzero(own) for own in stops):
        size *= 2
    slots = np.zeros((len(stops), size), np.uint8)
    for language, own in enumerate(stops):
        known = own[own > 0]
        slots[language, known % size] = np.arange(len(known))
    return slots
