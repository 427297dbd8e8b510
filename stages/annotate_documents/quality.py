"""Count what the quality rules of Gopher, C4 and FineWeb look at, as numbers; which number is too high is for the mix to say.

Sources: Gopher (Rae et al. 2021, table A1 and section A1.1), C4 (Raffel et al. 2020, section 2.2), FineWeb (Penedo et al.
2024, section 3.6). Words are those of `stages/overlap.py`; lines end at a line feed, are stripped of ASCII blanks, and count
where anything is left.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

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
SHORT_LINE = 30  # characters (FineWeb)
BULLETS = "•‣◦▪■●–—-*·"
TERMINALS = ".!?…\"'»”’。！？"
ELLIPSIS_SIGN = "…".encode()
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
    """What was counted in the texts of one piece, a row per number."""

    shares: NDArray[np.float32]  # the mean length of words, then SHARES
    numbers: NDArray[np.int32]  # characters, words, stop words, curly brackets, "lorem ipsum" or not


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
    total, with_letter, stop_words, lorem_ipsum = _word_counts(words, which)
    top, covered = repetition(words)
    signs = Signs(piece.data, piece.offsets)
    lines, characters = _line_counts(piece.data, piece.offsets, signs.places(ord("\n")))
    number = np.diff(words.word_ends)
    shares = [
        _share(total, number),
        _share(np.maximum(signs.count("#"), signs.ellipses()), number),
        _share(with_letter, number),
        *(_share(lines[counted], lines[LINES]) for counted in (BULLET, ELLIPSIS, SHORT, TERMINAL, REPEATED)),
        _share(lines[REPEATED_CHARACTERS], lines[CHARACTERS]),
        *(_share(top[:, length], total) for length in (2, 3, 4)),
        *(_share(covered[:, length], total) for length in range(5, 11)),
    ]
    stop_words[which == len(STOP_WORDS)] = -1
    return Counts(
        np.stack(shares), np.stack([characters, number, stop_words, signs.count("{"), lorem_ipsum]).astype(np.int32)
    )


def table(ids: pa.ChunkedArray, parts: Sequence[Counts]) -> pa.Table:
    """The quality table of documents, given the counts of their pieces."""
    if not parts:
        return QUALITY.empty_table()
    mean, *shares = np.concatenate([part.shares for part in parts], axis=1)
    characters, words, stop_words, brackets, lorem = np.concatenate([part.numbers for part in parts], axis=1)
    return pa.table([ids, characters, words, mean, *shares, stop_words, brackets, lorem > 0], schema=QUALITY)


def repetition(words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By text and length of run: the characters of the most frequent run's occurrences, and those of repeated runs.

    Characters are those of words. The most frequent run counts where it occurs twice, the longest of equally frequent ones;
    a repeated run is one that was there before, and a character in two of them counts once.
    """
    top = np.zeros((len(words), compiled.LONGEST_RUN + 1), np.int64)
    covered = np.zeros_like(top)
    longest = min(STRETCH, int(np.diff(words.word_ends).max(initial=0)))
    space = (
        np.empty(4 * longest + 8, np.uint32), np.empty(longest, np.uint64), np.empty(longest + 1, np.uint32),
        np.empty(longest, np.int32), np.empty(longest, np.uint32), np.empty(longest + 1, np.int64),
    )  # fmt: skip
    compiled.repetition(words.hashes, words.characters, words.word_ends, STRETCH, *space, top, covered)
    return top, covered


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float32]:
    return (part / np.maximum(whole, 1)).astype(np.float32)


class Signs:
    """Where the signs that are counted stand in the texts of a piece."""

    def __init__(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        places = np.empty(len(data) + 1, np.int32)
        self._places = places[: compiled.places(data, _signs(), places)]
        self._bytes = data[self._places]
        self._data, self._offsets = data, offsets

    def places(self, byte: int) -> NDArray[np.int32]:
        """Where a byte stands."""
        return self._places[self._bytes == byte]

    def count(self, sign: str) -> NDArray[np.int64]:
        """How often an ASCII sign stands in each text."""
        return np.diff(np.searchsorted(self.places(ord(sign)), self._offsets))

    def ellipses(self) -> NDArray[np.int64]:
        """How many times each text has three dots or more in a row, or the sign for them."""
        data, dots, starts = self._data, self.places(ord(".")), self._offsets[:-1]
        rows = dots[:-2][dots[2:] - dots[:-2] == 2]
        rows = rows[(rows == 0) | (data[rows - 1] != ord("."))]  # of many in a row the first
        begun = np.unique(starts[self._are(starts, "...") & (starts > 0)])
        joined = begun[data[begun - 1] == ord(".")]  # they go on with the row that ends the text before
        signs = self.places(ELLIPSIS_SIGN[0])
        found = np.concatenate([rows, joined, signs[self._are(signs, "…")]])
        text = np.searchsorted(self._offsets, found, side="right") - 1
        inside = found + 2 < self._offsets[text + 1]  # not the dots of two texts
        return np.bincount(text[inside], minlength=len(starts))

    def _are(self, places: NDArray[Any], signs: str) -> NDArray[np.bool_]:
        """Whether some bytes are there."""
        wanted = signs.encode()
        same = places + len(wanted) <= len(self._data)
        for step, byte in enumerate(wanted):
            same[same] = self._data[places[same] + step] == byte
        return same


LINES, BULLET, ELLIPSIS, SHORT, TERMINAL, REPEATED, CHARACTERS, REPEATED_CHARACTERS = range(8)


def _line_counts(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], breaks: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per text, of lines that are not blank, what the names above say; and the characters of the whole text."""
    begins, ends, texts = _lines(offsets, breaks)
    # The eight bytes from every place on, as one number: overlapping views, no copy.
    eights = np.ndarray((max(len(data) - 7, 0),), np.dtype("<u8"), data, strides=(1,))
    characters, codes = np.empty(len(ends), np.int32), np.empty(len(ends), np.uint64)
    whole = np.diff(np.searchsorted(breaks, offsets))  # a line's end is a character too
    kept = compiled.strip_lines(data, eights, _blanks(), begins, ends, texts, characters, codes, whole)
    begins, ends, texts, characters = (lines[:kept] for lines in (begins, ends, texts, characters))
    number = len(whole)
    rows = [np.bincount(texts, minlength=number)]
    opening = _characters(data, begins, ends)
    rows.append(np.bincount(texts[_points(BULLETS)[opening]], minlength=number))
    del opening  # there may be as many lines as half of the bytes: what is done with goes
    last = _last_characters(data, begins, ends)
    dots = np.flatnonzero((last == ord(".")) & (ends - begins >= 3))
    dots = dots[(data[ends[dots] - 2] == ord(".")) & (data[ends[dots] - 3] == ord("."))]
    ellipses = np.concatenate([dots, np.flatnonzero(last == ord("…"))])
    again = _again(texts, codes[:kept])
    for which in (ellipses, characters <= SHORT_LINE, _points(TERMINALS)[last], again):
        rows.append(np.bincount(texts[which], minlength=number))
    for those, sizes in ((texts, characters), (texts[again], characters[again])):
        rows.append(np.bincount(those, sizes, minlength=number).astype(np.int64))
    return np.stack(rows), whole


def _lines(offsets: NDArray[np.int64], breaks: NDArray[np.int32]) -> tuple[NDArray[np.int32], ...]:
    """Where each line begins and ends, and of which text it is; the last line of a text ends with it."""
    texts = len(offsets) - 1
    before = np.searchsorted(breaks, offsets[1:])
    last = before + np.arange(texts)  # the place of each text's last line
    is_last = np.zeros(len(breaks) + texts, bool)
    is_last[last] = True
    ends = np.empty(len(is_last), np.int32)
    ends[is_last], ends[~is_last] = offsets[1:], breaks
    begins = np.zeros_like(ends)
    begins[1:] = ends[:-1] + ~is_last[:-1]
    return begins, ends, np.repeat(np.arange(texts, dtype=np.int32), np.diff(last, prepend=-1))


def _again(texts: NDArray[np.int32], codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The lines that their text has twice, without one of each (which one is all the same); writes over `codes`."""
    codes += texts.view(np.uint32)
    codes *= compiled.ODD
    order = np.argsort(codes)
    codes = codes[order]
    return order[1:][codes[1:] == codes[:-1]]


def _last_characters(data: NDArray[np.uint8], begins: NDArray[np.int32], ends: NDArray[np.int32]) -> NDArray[np.uint16]:
    """The code point of each line's last character."""
    places = ends - 1
    within = np.flatnonzero((data[places] & 0xC0) == 0x80)  # of a character that began before
    while len(within):
        places[within] -= 1
        within = within[((data[places[within]] & 0xC0) == 0x80) & (places[within] > begins[within])]
    return _characters(data, places, ends)


def _characters(data: NDArray[np.uint8], places: NDArray[np.int32], ends: NDArray[np.int32]) -> NDArray[np.uint16]:
    """The code points of the characters at some places; 0 above 0xFFFF, or where the bytes are broken."""
    points = data[places].astype(np.uint16)
    wide = np.flatnonzero(points >= 0x80)
    leads, places, ends = data[places[wide]], places[wide], ends[wide]
    points[wide] = 0
    for size, least, most in ((2, 0xC0, 0xE0), (3, 0xE0, 0xF0)):
        which = np.flatnonzero((leads >= least) & (leads < most) & (places + size <= ends))
        found = (leads[which] - least).astype(np.uint16)
        for step in range(1, size):
            found = (found << 6 | (data[places[which] + step] & 0x3F)).astype(np.uint16)
        points[wide[which]] = found
    return points


@functools.cache
def _signs() -> NDArray[np.uint8]:
    """By byte, 1 where something that is counted begins."""
    signs = np.zeros(256, np.uint8)
    signs[[*b"\n#{.", ELLIPSIS_SIGN[0]]] = 1
    return signs


@functools.cache
def _blanks() -> NDArray[np.bool_]:
    """By byte, whether it is a blank of ASCII."""
    blanks = np.zeros(256, bool)
    blanks[[*range(9, 14), 32]] = True
    return blanks


@functools.cache
def _points(characters: str) -> NDArray[np.bool_]:
    """By code point, whether it is one of the characters."""
    table = np.zeros(0x10000, bool)
    table[[ord(character) for character in characters]] = True
    return table


def _word_counts(words: Words, languages: NDArray[np.int64]) -> NDArray[np.int64]:
    """Characters of words, words with a letter, different stop words, and "lorem ipsum" or not: a row of each."""
    out = np.zeros((len(words), 4), np.int64)
    compiled.word_counts(
        words.hashes, words.characters, words.letters, words.word_ends, languages, *_known_words(), out
    )
    return out.T


@functools.cache
def _known_words() -> tuple[NDArray[np.bool_], NDArray[np.uint64], np.uint64, np.uint64]:
    """By language, whether a stop word's hash may end so, and their hashes; then "lorem ipsum"."""
    stops = np.zeros((len(STOP_WORDS) + 1, max(len(listed.split()) for listed in STOP_WORDS.values())), np.uint64)
    maybe = np.zeros((len(stops), 256), bool)
    for language, listed in enumerate(STOP_WORDS.values()):
        for place, word in enumerate(listed.split()):
            stops[language, place] = word_hash(word)
            maybe[language, int(stops[language, place]) & 0xFF] = True
    return maybe, stops, word_hash("lorem"), word_hash("ipsum")
