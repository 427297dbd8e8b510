"""Put typed placeholders where the annotations found personal data, and look once more at what is left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,}")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
# What every IBAN begins with, and little else; \d holds digits of all scripts, so anything but ASCII counts as one here.
LIKE_IBAN = r"[A-Z]{2}[0-9\x{80}-\x{10FFFF}]{2} ?[A-Z0-9]{4}"
IBAN_LENGTHS = range(15, 32)  # shortest NO, longest MT (SWIFT IBAN registry)


class Span(NamedTuple):
    """Where a text holds personal data of a kind, in characters."""

    start: int
    end: int
    kind: str


def mask(text: str, spans: Iterable[Span]) -> tuple[str, Counter[str]]:
    """The text with [EMAIL], [PHONE], … in place of the spans, and how many there were of each kind.

    Of spans that overlap, the one that begins first counts (the longer, where both do), and hides all of both.
    """
    parts: list[str] = []
    counts: Counter[str] = Counter()
    end = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end, span.kind)):
        if counts and span.start < end:
            end = max(end, span.end)
            continue
        parts += [text[end : span.start], placeholder(span.kind)]
        counts[span.kind] += 1
        end = span.end
    parts.append(text[end:])
    return "".join(parts), counts


def placeholder(kind: str) -> str:
    """The words of a kind in capitals: "e-mail" is [EMAIL], "national id" is [NATIONAL_ID]."""
    return f"[{kind.replace('-', '').replace(' ', '_').upper()}]"


def residuals(texts: pa.Array) -> NDArray[np.int64]:
    """`residual` of each text; only those that hold an @ or what an IBAN begins with are searched."""
    suspects = pc.or_(pc.match_substring(texts, "@"), pc.match_substring_regex(texts, LIKE_IBAN))
    left = np.zeros(len(texts), np.int64)
    left[suspects.to_numpy(zero_copy_only=False)] = [residual(text) for text in texts.filter(suspects).to_pylist()]
    return left


def residual(text: str) -> int:
    """How many e-mail addresses and bank accounts a text still holds, by another search than the one that was masked by."""
    emails = sum(1 for _ in EMAIL.finditer(text)) if "@" in text else 0
    return emails + sum(_is_iban(match.group().replace(" ", "")) for match in IBAN.finditer(text))


def _is_iban(compact: str) -> bool:
    """ISO 7064 mod 97-10: the country and check digits moved behind, letters as 10 to 35."""
    if len(compact) not in IBAN_LENGTHS:
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1
