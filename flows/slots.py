"""A machine's places for nodes: a limited number at once, the longest remaining path first."""

from __future__ import annotations

import contextlib
import heapq
import threading
from collections.abc import Iterator, Sequence

from flows.graph import Node


class Slots:
    """`count` places; of those who wait, the one with the highest urgency is let in first."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[int, int]] = []
        self._turn = 0
        self._change = threading.Condition()

    @contextlib.contextmanager
    def taken(self, urgency: int) -> Iterator[None]:
        """Hold a place while the block runs."""
        with self._change:
            self._turn += 1
            ticket = (-urgency, self._turn)
            heapq.heappush(self._waiting, ticket)
            self._change.wait_for(lambda: self._free > 0 and self._waiting[0] == ticket)
            heapq.heappop(self._waiting)
            self._free -= 1
            self._change.notify_all()
        try:
            yield
        finally:
            with self._change:
                self._free += 1
                self._change.notify_all()


def urgency(nodes: Sequence[Node]) -> dict[str, int]:
    """For each node, how many nodes the longest path behind it has: training waits for nobody's side measurement."""
    length = {node.name: 0 for node in nodes}
    for node in reversed(nodes):
        for needed in node.after:
            if needed in length:
                length[needed] = max(length[needed], length[node.name] + 1)
    return length
