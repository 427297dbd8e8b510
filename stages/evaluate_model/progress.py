"""Say every few seconds how far a measurement is and how long it will still take."""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Counts items of one benchmark; those of an earlier, interrupted run do not count for the speed."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total = name, total
        self._done = 0.0
        self._measured = 0.0
        self._start = self._last = time.monotonic()

    def skip(self, items: int) -> None:
        """These were done before."""
        self._done += items

    def within(self, items: int, share: float) -> None:
        """Of the next `items`, this share is done."""
        self._say(self._done + items * share, self._measured + items * share)

    def add(self, items: int) -> None:
        """These are done now."""
        self._done += items
        self._measured += items
        self._say(self._done, self._measured)

    def _say(self, done: float, measured: float) -> None:
        now = time.monotonic()
        if now - self._last < SECONDS_BETWEEN_LINES or done >= self._total or not measured:
            return
        left = (now - self._start) * (self._total - done) / measured
        # The first items pay for what is loaded on first use: before a hundredth is done, the rest cannot be told.
        told = f", about {words(left)} left" if measured * 100 >= self._total else ""
        log.info("evaluate_model: %s: %s of %s items%s", self._name, f"{done:,.0f}", f"{self._total:,}", told)
        self._last = now


def words(seconds: float) -> str:
    """A time in words: '40 s', '12 min', '3.5 h'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
