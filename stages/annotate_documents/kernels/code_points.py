"""How every Unicode character folds, as arrays that compiled code reads: the fold rule of `stages/overlap.py`, per character.

NFKC looks at neighbours only where a character can join or pass the one before it (combining marks, Hangul vowels). Such a
character is SENSITIVE: a text that has one goes through `unicodedata` as a whole first. Every other one folds by itself.
"""

from __future__ import annotations

import functools
import sys
import unicodedata
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    """The table of Python's own Unicode version, built once per process (0.4 s)."""
    kinds = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    folds = np.zeros(sys.maxunicode + 1, dtype=np.int32)
    several: list[int] = []
    joining = _joining()
    for point, plain, folded in _folded():
        if plain and (unicodedata.combining(plain[0]) or plain[0] in joining):
            kinds[point] |= SENSITIVE
        if len(folded) == 1:
            kinds[point] |= _kind(folded)
            folds[point] = ord(folded)
        elif folded:
            kinds[point] |= SEVERAL
            folds[point] = len(several)
            several += [len(folded), *(number for part in folded for number in (ord(part), _kind(part)))]
    ascii = np.where(kinds[:256] > 0, folds[:256], 0).astype(np.uint8)
    ascii[128:] = 1
    return CodePoints(ascii, _pairs(kinds, folds), kinds, folds, np.array(several or [0], dtype=np.int32))


def _pairs(kinds: NDArray[np.uint8], folds: NDArray[np.int32]) -> NDArray[np.uint64]:
    pairs = np.zeros(0x800, dtype=np.uint64)
    for point in range(0x80, 0x800):
        if kinds[point] == LETTER and 0x80 <= folds[point] < 0x800:
            pairs[point] = int.from_bytes(chr(folds[point]).encode(), "big")
    return pairs


def _kind(character: str) -> int:
    if character.isalpha():
        return LETTER
    return DIGIT if character.isalnum() else 0


def _folded() -> list[tuple[int, str, str]]:
    """(code point, decomposed, folded) of every assigned character; one call each, with NUL between, is quick."""
    points = [p for p in range(1, sys.maxunicode + 1) if not 0xD800 <= p < 0xE000 and not _beyond(p)]
    joined = "\0".join(map(chr, points))
    plain = unicodedata.normalize("NFKD", joined).split("\0")
    folded = unicodedata.normalize("NFKC", joined).casefold().split("\0")
    return list(zip(points, plain, folded, strict=True))


def _beyond(point: int) -> bool:
    """Private use, and the planes where nothing but tags and variation selectors is assigned: they part words."""
    return 0xE000 <= point < 0xF900 or point >= 0x40000


def _joining() -> frozenset[str]:
    """Characters that NFC may join to the one before: second halves of canonical pairs, Hangul vowels and finals."""
    seconds = {chr(point) for point in (*range(0x1161, 0x1176), *range(0x11A7, 0x11C3))}
    for point in range(0xC0, 0x40000):
        parts = unicodedata.decomposition(chr(point)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            seconds.add(chr(int(parts[1], 16)))
    return frozenset(seconds)
