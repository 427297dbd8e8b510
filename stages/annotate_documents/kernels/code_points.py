"""How every Unicode character folds, as arrays that compiled code reads: the fold rule of `stages/overlap.py`, per character.

NFKC looks at neighbours only where a character can join or pass the one before it (combining marks, Hangul vowels). Such a
character is SENSITIVE: a text that has one goes through `unicodedata` as a whole first. Every other one folds by itself.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.annotate_documents.kernels.kept import kept

LETTER, DIGIT, SENSITIVE, SEVERAL = 1, 2, 4, 8  # bits of a kind; neither LETTER nor DIGIT: it parts words


class CodePoints(NamedTuple):
    """By code point: its kind, and what it folds to; `several` holds (count, then code point and kind in turn).

    `ascii` is by byte: what it folds to, 0 where it parts words, 1 where it begins or goes on with another character.
    `pairs` is by code point below 2,048: the two bytes that a letter folds to, 0 where it is not as simple as that.
    """

    ascii: NDArray[np.uint8]
    pairs: NDArray[np.uint64]
    kinds: NDArray[np.uint8]
    folds: NDArray[np.int32]
    several: NDArray[np.int32]


@functools.cache
def code_points() -> CodePoints:
    """The table of Python's own Unicode version."""
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return kept(CodePoints, (unicodedata.unidata_version, sys.version_info, own), _built)


def _built() -> CodePoints:
    """The table anew (0.4 s)."""
    kinds = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    folds = np.zeros(sys.maxunicode + 1, dtype=np.int32)
    several: list[int] = []
    text = "".join(map(chr, _points()))
    # One call for all characters, with NUL between, is quick; most fold to one, which is seen in arrays.
    apart = unicodedata.normalize("NFKC", "\0".join(text)).casefold()
    points, parts = _code_points_of(text), _code_points_of(apart)
    ends = np.append(np.flatnonzero(parts == 0), len(parts))
    begins = np.append(0, ends[:-1] + 1)
    alone = ends - begins == 1
    folded = parts[begins[alone]]
    kinds[points[alone]] = _kinds(folded)
    folds[points[alone]] = folded
    for place in np.flatnonzero(ends - begins > 1).tolist():
        kinds[points[place]] = SEVERAL
        folds[points[place]] = len(several)
        own = parts[begins[place] : ends[place]]
        several += [len(own), *np.stack([own, _kinds(own)], axis=1).ravel().tolist()]
    kinds[_sensitive(text)] |= SENSITIVE
    ascii = np.where(kinds[:256] > 0, folds[:256], 0).astype(np.uint8)
    ascii[128:] = 1
    return CodePoints(ascii, _pairs(kinds, folds), kinds, folds, np.array(several or [0], dtype=np.int32))


def _points() -> Iterator[int]:
    """All but surrogates, private use, and the planes where nothing but tags and variation selectors is: those part words."""
    return itertools.chain(range(1, 0xD800), range(0xF900, 0x40000))


def _code_points_of(text: str) -> NDArray[np.int32]:
    return np.frombuffer(text.encode("utf-32-le"), np.int32)


def _kinds(points: NDArray[np.int32]) -> NDArray[np.uint8]:
    """LETTER, DIGIT or 0 of each."""
    text = points.tobytes().decode("utf-32-le")
    letters, either = (np.fromiter(map(are, text), bool, len(text)) for are in (str.isalpha, str.isalnum))
    return np.where(letters, LETTER, np.where(either, DIGIT, 0)).astype(np.uint8)


def _sensitive(text: str) -> NDArray[np.int32]:
    """The characters that, taken apart, begin with one that joins or passes the one before it."""
    apart = unicodedata.normalize("NFKD", "\0".join(text))
    parts = _code_points_of(apart)
    firsts = np.append(0, np.flatnonzero(parts == 0) + 1)
    marks = np.fromiter((unicodedata.combining(character) > 0 for character in apart), bool, len(apart))
    return _code_points_of(text)[marks[firsts] | np.isin(parts[firsts], _joining(text))]


def _pairs(kinds: NDArray[np.uint8], folds: NDArray[np.int32]) -> NDArray[np.uint64]:
    pairs = np.zeros(0x800, dtype=np.uint64)
    for point in range(0x80, 0x800):
        if kinds[point] == LETTER and 0x80 <= folds[point] < 0x800:
            pairs[point] = int.from_bytes(chr(folds[point]).encode(), "big")
    return pairs


def _joining(text: str) -> list[int]:
    """Characters that NFC may join to the one before: second halves of canonical pairs, Hangul vowels and finals."""
    seconds = {*range(0x1161, 0x1176), *range(0x11A7, 0x11C3)}
    for said in set(map(unicodedata.decomposition, text)):
        parts = said.split()
        if len(parts) == 2 and not said.startswith("<"):
            seconds.add(int(parts[1], 16))
    return sorted(seconds)
