"""Tell whether an id was there before, and with which text, in 24 bytes of memory per document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

NEW, SAME_TEXT, OTHER_TEXT = 0, 1, 2

Hashes = NDArray[np.uint64]


class _Run(NamedTuple):
    """Ids sorted by the first half of their hash, with its second half and the hash of their text."""

    first: Hashes
    second: Hashes
    text: Hashes


class SeenIds:
    """The 128-bit hashes of all ids so far, as sorted runs that are merged when they are of one size."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def verdicts(self, ids: Iterable[Any], texts: Iterable[Any]) -> NDArray[np.int8]:
        """NEW, SAME_TEXT or OTHER_TEXT for each id, and remember the new ones; both are bytes-like."""
        import xxhash

        whole = np.frombuffer(b"".join(map(xxhash.xxh3_128_digest, ids)), np.uint64)
        first, second = whole[::2].copy(), whole[1::2].copy()
        text = np.frombuffer(b"".join(map(xxhash.xxh3_64_digest, texts)), np.uint64)
        order = np.lexsort((second, first))  # stable: the first of equal ids comes first
        batch = _Run(first[order], second[order], text[order])
        begins = np.ones(len(order), bool)
        begins[1:] = (batch.first[1:] != batch.first[:-1]) | (batch.second[1:] != batch.second[:-1])
        known, known_text = self._known(batch)
        earlier = np.flatnonzero(begins)[np.cumsum(begins) - 1]
        before = np.where(known, known_text, batch.text[earlier])
        verdict = np.where(before == batch.text, SAME_TEXT, OTHER_TEXT).astype(np.int8)
        new = begins & ~known
        verdict[new] = NEW
        self._remember(_Run(batch.first[new], batch.second[new], batch.text[new]))
        out = np.empty(len(order), np.int8)
        out[order] = verdict
        return out

    def _known(self, batch: _Run) -> tuple[NDArray[np.bool_], Hashes]:
        known, text = np.zeros(len(batch.first), bool), np.zeros(len(batch.first), np.uint64)
        for run in self._runs:
            place = np.searchsorted(run.first, batch.first)
            while True:  # more than one step only where two ids share half their hash
                inside = place < len(run.first)
                at = np.where(inside, place, 0)
                alike = inside & (run.first[at] == batch.first) if len(run.first) else np.zeros_like(known)
                hit = alike & (run.second[at] == batch.second)
                known |= hit
                text[hit] = run.text[at[hit]]
                if not (alike & ~hit).any():
                    break
                place = place + (alike & ~hit)
        return known, text

    def _remember(self, run: _Run) -> None:
        while self._runs and len(self._runs[-1].first) <= 2 * len(run.first):
            last = self._runs.pop()
            run = _sorted(_Run(*(np.concatenate(pair) for pair in zip(last, run, strict=True))))
        if len(run.first):
            self._runs.append(run)


def _sorted(run: _Run) -> _Run:
    order = np.lexsort((run.second, run.first))
    return _Run(*(column[order] for column in run))
