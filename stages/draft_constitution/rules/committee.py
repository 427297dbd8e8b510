"""Three rules that choose a set in which every part of the crowd finds itself in proportion to its size.

Approvals come as a table (statements x voters, yes or no); what comes back are rows of it in the order of choice. In all
three a statement costs voters / places, and every voter has 1 to spend. Ties go to the first row.

Two facts make a hundred thousand voters cheap, with the same sets as the definitions word by word (tests). What a
statement costs its supporters never falls while others are chosen, so an old cost is a lower bound (which rises by what
its supporters must at least have lost, however few they share with the chosen one), and a row is looked at again only
where its bound is the lowest. And a sum over supporters is the sum over all less that over the others, so
that of each row only the smaller side is added up.

Sources: Method of Equal Shares: Peters and Skowron 2020; sequential Phragmén: Phragmén 1894, Brill et al. 2017;
sequential proportional approval voting: Thiele 1895; all in Lackner and Skowron 2023, Multi-Winner Voting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

DIGITS = 9  # costs of the order of 1 that differ less are ties: sums of floats differ by their order alone


def equal_shares(approved: Flags, places: int, completion: str = "phragmen") -> list[int]:
    """Buy, each time, what its supporters can share most cheaply; then spend what is left as `completion` says."""
    crowd, budgets = _Crowd(approved), _Budgets(approved.shape[1])
    price = approved.shape[1] / places
    costs = _Costs(crowd, lambda row: budgets.share(crowd, row, price))
    chosen: list[int] = []
    while len(chosen) < places and (row := costs.cheapest()) is not None:
        budgets.pay(approved[row], budgets.share(crowd, row, price))
        costs.take(row)
        chosen.append(row)
    if completion == "phragmen":
        chosen += _phragmen(crowd, approved, places, -budgets.left, chosen)
    return chosen


def phragmen(approved: Flags, places: int) -> list[int]:
    """Money comes to all voters evenly; a statement is bought as soon as its supporters have its price together."""
    return _phragmen(_Crowd(approved), approved, places, np.zeros(approved.shape[1]), [])


def _phragmen(crowd: _Crowd, approved: Flags, places: int, since: Floats, chosen: Sequence[int]) -> list[int]:
    """What comes after `chosen`; `since` is the moment from which a voter's money counts (minus what they have left)."""
    price = approved.shape[1] / places
    total = float(since.sum())
    costs = _Costs(crowd, lambda row: (price + crowd.total(row, since, total)) / crowd.supporters[row])
    for row in chosen:
        costs.take(row)
    added: list[int] = []
    while len(added) + len(chosen) < places and (bought := costs.cheapest()) is not None:
        moment = (price + crowd.total(bought, since, total)) / crowd.supporters[bought]
        paid = moment - since[approved[bought]]
        since[approved[bought]] = moment
        total = float(since.sum())
        costs.take(bought)
        costs.rise(crowd.least_changes(paid) / crowd.at_least_one)
        added.append(bought)
    return added


def sequential_pav(approved: Flags, places: int) -> list[int]:
    """Take, each time, what adds most satisfaction, where a voter's next statement adds 1, 1/2, 1/3, ..."""
    crowd = _Crowd(approved)
    has = np.ones(approved.shape[1])
    worth, total = 1 / has, float(approved.shape[1])
    scale = places / approved.shape[1]  # brings gains to the order of 1
    costs = _Costs(crowd, lambda row: -scale * crowd.total(row, worth, total))
    chosen: list[int] = []
    while len(chosen) < places and (row := costs.cheapest()) is not None:
        has[approved[row]] += 1
        lost = worth[approved[row]] - 1 / has[approved[row]]
        worth = 1 / has
        total = float(worth.sum())
        costs.take(row)
        costs.rise(scale * crowd.least_changes(lost))
        chosen.append(row)
    return chosen


class _Crowd:
    """The supporters of each row, by whichever side is smaller: those who approve it or those who do not."""

    def __init__(self, approved: Flags) -> None:
        self._voters = approved.shape[1]
        self.supporters = np.count_nonzero(approved, axis=1)
        self.at_least_one = np.maximum(self.supporters, 1)
        self.others = self.supporters * 2 > approved.shape[1]  # whether `side` lists those who do not approve
        self.side = [
            np.flatnonzero(~row if others else row)  # as intp: numpy gathers by it twice as fast as by int32
            for row, others in zip(approved, self.others, strict=True)
        ]

    def total(self, row: int, values: Floats, of_all: float) -> float:
        """The sum of the supporters' values."""
        part = float(values.take(self.side[row]).sum())
        return of_all - part if self.others[row] else part

    def least_changes(self, changes: Floats) -> Floats:
        """What each row's supporters have at least of these changes: all, but the largest as many as do not approve it."""
        largest = np.concatenate([[0.0], np.cumsum(np.sort(changes)[::-1])])
        elsewhere = np.minimum(self._voters - self.supporters, len(changes))
        return np.maximum(largest[-1] - largest[elsewhere], 0.0)


class _Budgets:
    """What each voter has left, and in order of it the running totals that say what all could pay together."""

    def __init__(self, voters: int) -> None:
        self.left = np.ones(voters)
        self._sort()

    def _sort(self) -> None:
        self._ordered = np.sort(self.left)
        self._sums = np.concatenate([[0.0], np.cumsum(self._ordered)])

    def pay(self, supporters: Flags, share: float) -> None:
        """Every supporter pays the share, or all they have."""
        self.left[supporters] = np.maximum(self.left[supporters] - share, 0.0)
        self._sort()

    def share(self, crowd: _Crowd, row: int, price: float) -> float:
        """The most that a supporter pays when they share the price as evenly as their budgets allow; inf: they cannot.

        Who has less than an even share gives all, and the others share the rest: again, until nobody else has less.
        """
        side, inverted, supporters = (
            self.left.take(crowd.side[row]),
            bool(crowd.others[row]),
            int(crowd.supporters[row]),
        )
        money = self._sums[-1] - side.sum() if inverted else side.sum()
        if money < price * (1 - 10.0**-DIGITS):
            return np.inf
        share, poor = price / supporters, 0
        while True:
            people, theirs = self._below(share, side, inverted)
            if people <= poor or people >= supporters:
                return share
            share, poor = (price - theirs) / (supporters - people), people

    def _below(self, limit: float, side: Floats, inverted: bool) -> tuple[int, float]:
        """How many supporters have less than the limit, and how much they have together."""
        poor = int(np.count_nonzero(side < limit))
        theirs = float(np.minimum(side, limit).sum()) - limit * (len(side) - poor)  # faster than to pick them out
        if not inverted:
            return poor, theirs
        people = int(np.searchsorted(self._ordered, limit, side="left"))
        return people - poor, float(self._sums[people]) - theirs


class _Costs:
    """The last known cost of every row that can still be chosen; a cost may rise and never falls."""

    def __init__(self, crowd: _Crowd, cost: Callable[[int], float]) -> None:
        self._cost = cost
        self._known = np.where(crowd.supporters > 0, -np.inf, np.inf)  # inf: nobody wants it, too dear, or taken

    def cheapest(self) -> int | None:
        """The row that costs least now, the first of equal ones; None where nothing can be paid."""
        best: tuple[float, int] = (np.inf, -1)
        for row in np.argsort(self._known, kind="stable"):
            if (self._known[row], row) >= best:
                break
            self._known[row] = round(self._cost(int(row)), DIGITS)
            best = min(best, (float(self._known[row]), int(row)))
        return best[1] if best[0] < np.inf else None

    def rise(self, least: Floats) -> None:
        """Every cost has risen by so much at least; a little less is noted, against the last digits of the sums."""
        self._known += np.maximum(least - 10.0**-DIGITS * 4, 0.0)

    def take(self, row: int) -> None:
        """The row is chosen, so it cannot be chosen again."""
        self._known[row] = np.inf
