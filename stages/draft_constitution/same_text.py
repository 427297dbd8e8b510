"""Recognise statements that differ in nothing but case, accents of typing and punctuation."""

from __future__ import annotations

import unicodedata


def normalised(text: str) -> str:
    """The words alone: compatibility forms made equal, case folded, punctuation, symbols and spacing as one space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded).split())
