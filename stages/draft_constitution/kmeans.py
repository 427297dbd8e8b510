"""K-means of weighted points on the map: every start at once, and the same answer in whatever order people came."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

MOST_ROUNDS = 100  # of moving the centres; they settled after fewer than 40 in all conversations measured


def spread(points: Floats, weights: Floats, count: int, starts: int, seed: int) -> Floats:
    """First centres, shape (starts, count, 2), drawn one after another: the farther apart the likelier (k-means++)."""
    count = min(count, len(points))
    generator = np.random.default_rng(seed)
    placed = np.empty((starts, count, points.shape[1]))
    chances = np.tile(weights, (starts, 1))
    apart = np.full((starts, len(points)), np.inf)
    for number in range(count):
        heaped = np.cumsum(chances, axis=1)
        drawn = generator.random(starts) * heaped[:, -1]
        chosen = [int(np.searchsorted(row, value, side="right")) for row, value in zip(heaped, drawn, strict=True)]
        placed[:, number] = points[np.minimum(chosen, len(points) - 1)]
        np.minimum(apart, _squared_distances(points, placed[:, number : number + 1])[:, :, 0], out=apart)
        chances = apart * weights
        chances[chances.sum(axis=1) == 0] = weights  # all points are taken: any will do
    return placed


def settled(points: Floats, weights: Floats, placed: Floats, most_rounds: int = MOST_ROUNDS) -> Floats:
    """The centres of every start moved until each lies in the middle of the points nearest to it; each end once."""
    for _ in range(most_rounds):
        moved = _moved(points, weights, placed)
        if np.array_equal(moved, placed):
            break
        placed = moved
    return np.unique([start[np.lexsort(start.T[::-1])] for start in placed], axis=0)


def best(points: Floats, weights: Floats, placed: Floats, wanted: int) -> Floats:
    """Of several starts those whose centres have the smallest weighted squared distance to the points, the best first."""
    cost = (_squared_distances(points, placed).min(axis=2) * weights).sum(axis=1)
    return np.asarray(placed[np.argsort(np.round(cost, 6), kind="stable")[:wanted]])


def nearest(points: Floats, middles: Floats) -> Labels:
    """The number of the nearest centre, a block of points at a time."""
    block = max(1, (1 << 22) // max(len(middles), 1))
    parts = [
        _squared_distances(points[start : start + block], middles[None])[0].argmin(axis=1)
        for start in range(0, len(points), block)
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])


def _squared_distances(points: Floats, placed: Floats) -> Floats:
    """Shape (starts, points, centres)."""
    across = points[None, :, None, 0] - placed[:, None, :, 0]
    up = points[None, :, None, 1] - placed[:, None, :, 1]
    across *= across
    up *= up
    across += up
    return np.asarray(across)


def _moved(points: Floats, weights: Floats, placed: Floats) -> Floats:
    """Each centre in the middle of the points nearest to it; one that has none stays."""
    starts, count, _ = placed.shape
    size = starts * count
    middles = placed.reshape(size, 2)
    # |p - c|^2 without |p|^2, which is the same for all centres: one product of matrices instead of five passes.
    apart = points @ (-2 * middles.T)
    apart += (middles**2).sum(axis=1)
    cells = (apart.reshape(-1, starts, count).argmin(axis=2) + count * np.arange(starts)).ravel()
    mass = np.bincount(cells, weights=np.repeat(weights, starts), minlength=size)
    moved = middles.copy()
    for axis in range(2):
        total = np.bincount(cells, weights=np.repeat(weights * points[:, axis], starts), minlength=size)
        np.divide(total, mass, out=moved[:, axis], where=mass > 0)
    return moved.reshape(placed.shape)
