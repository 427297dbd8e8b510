"""Find documents that say the same: exactly, or nearly, by MinHash bands whose candidates are then compared in full."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stages.curate_corpus.filters import Reason, words_of
from stages.curate_corpus.parameters import NearDuplicates
from stages.records import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]


def exact_duplicate_reasons(documents: Sequence[Document]) -> dict[str, Reason]:
    """By id, why a document is dropped: its words are those of one with a smaller id."""
    first: dict[str, str] = {}
    reasons = {}
    for document in sorted(documents, key=lambda document: document.id):
        digest = hashlib.sha256(" ".join(words_of(document.text)).encode()).hexdigest()
        kept = first.setdefault(digest, document.id)
        if kept != document.id:
            reasons[document.id] = Reason("duplicate", f"same words as {kept}", "a text not seen before")
    return reasons


def near_duplicate_reasons(documents: Sequence[Document], limits: NearDuplicates) -> dict[str, Reason]:
    """By id, why a document is dropped: it is nearly the text of a kept one with a smaller id.

    Every dropped document is near a *kept* one: chains (a like b, b like c) never drop a text unlike all that stay.
    """
    shingler = Shingler(limits.shingle_words)
    multipliers, offsets = _permutations(limits)
    kept: dict[str, Hashes] = {}
    buckets: dict[tuple[int, bytes], list[str]] = {}
    reasons = {}
    for document in sorted(documents, key=lambda document: document.id):
        shingles = shingler.hashes(words_of(document.text))
        bands = list(enumerate(_bands(shingles, multipliers, offsets, limits)))
        candidates = sorted({other for band in bands for other in buckets.get(band, ())})
        near = _first_near(shingles, [(other, kept[other]) for other in candidates], limits.min_jaccard)
        if near:
            other, similarity = near
            wanted = f"below {limits.min_jaccard} to every kept text"
            reasons[document.id] = Reason("near_duplicate", f"Jaccard {similarity:.2f} to {other}", wanted)
            continue
        kept[document.id] = shingles
        for band in bands:
            buckets.setdefault(band, []).append(document.id)
    return reasons


def _first_near(shingles: Hashes, others: Sequence[tuple[str, Hashes]], least: float) -> tuple[str, float] | None:
    """The first of the others that is at least so similar, and how much."""
    for name, theirs in others:
        similarity = jaccard(shingles, theirs)
        if similarity >= least:
            return name, similarity
    return None


class Shingler:
    """Hash every run of so many words; remembers the words' hashes, which recur all the time."""

    def __init__(self, words: int) -> None:
        self._words = words
        self._known: dict[str, int] = {}

    def hashes(self, words: Sequence[str]) -> Hashes:
        """The sorted, distinct 64-bit hashes of the runs; a shorter text is one run."""
        import numpy as np

        codes = np.array([self._hash(word) for word in words] or [0], dtype=np.uint64)
        width = min(self._words, len(codes))
        runs = len(codes) - width + 1
        combined = np.zeros(runs, dtype=np.uint64)
        for place in range(width):
            # a polynomial in an odd constant (2^64 / golden ratio), modulo 2^64 by overflow
            combined = combined * np.uint64(0x9E3779B97F4A7C15) + codes[place : place + runs]
        return np.unique(_mixed(combined))

    def _hash(self, word: str) -> int:
        if word not in self._known:
            self._known[word] = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
        return self._known[word]


def _mixed(hashes: Hashes) -> Hashes:
    """Spread the bits (the finaliser of MurmurHash3), so that linear permutations act like random ones."""
    import numpy as np

    for multiplier in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(multiplier)
    return hashes ^ (hashes >> np.uint64(33))


def _permutations(limits: NearDuplicates) -> tuple[Hashes, Hashes]:
    """Odd multipliers and offsets, one column for each value of a signature."""
    import numpy as np

    random = np.random.Generator(np.random.PCG64(limits.seed))
    size = (limits.bands * limits.rows, 1)
    multipliers = random.integers(0, 2**63, size=size, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    return multipliers, random.integers(0, 2**63, size=size, dtype=np.uint64)


def _bands(shingles: Hashes, multipliers: Hashes, offsets: Hashes, limits: NearDuplicates) -> list[bytes]:
    """The signature's bands: documents that share one are candidates."""
    signature = (multipliers * shingles + offsets).min(axis=1)
    return [band.tobytes() for band in signature.reshape(limits.bands, limits.rows)]


def jaccard(first: Hashes, second: Hashes) -> float:
    """The share of the two sets' members that both have."""
    import numpy as np

    common = len(np.intersect1d(first, second, assume_unique=True))
    return common / (len(first) + len(second) - common)
