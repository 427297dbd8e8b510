"""Recognise statements that differ in nothing but case, accents of typing and punctuation."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def normalised(text: str) -> str:
    """The words alone: compatibility forms made equal, case folded, punctuation, symbols and spacing as one space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded).split())


def twins(texts: Iterable[tuple[int, str]]) -> dict[int, int]:
    """Of (id, text) pairs, those that repeat an earlier text: id -> the id of the first with these words."""
    first: dict[str, int] = {}
    repeated = {}
    for id_, text in texts:
        words = normalised(text) or text  # a text of symbols alone has no words to compare: it repeats only itself
        if words in first:
            repeated[id_] = first[words]
        first.setdefault(words, id_)
    return repeated
