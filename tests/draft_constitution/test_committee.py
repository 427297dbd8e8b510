"""The committee rules choose what their definitions, followed word by word with fractions, choose."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.draft_constitution.rules.committee import equal_shares, phragmen, sequential_pav

Table = NDArray[np.bool_]


def table(*rows: str) -> Table:
    """Statements as lines, voters as columns: x approves."""
    return np.array([[mark == "x" for mark in row] for row in rows])


def slow_equal_shares(approved: Table, places: int, completion: str = "phragmen") -> list[int]:
    voters, price = range(approved.shape[1]), Fraction(approved.shape[1], places)
    left = {voter: Fraction(1) for voter in voters}
    chosen: list[int] = []
    while len(chosen) < places:
        best: tuple[Fraction, int] | None = None
        for row in range(len(approved)):
            supporters = sorted((v for v in voters if approved[row, v]), key=lambda v: left[v])
            if row in chosen or not supporters or sum(left[v] for v in supporters) < price:
                continue
            rest, share = price, Fraction(0)
            for place, voter in enumerate(supporters):
                share = rest / (len(supporters) - place)
                if left[voter] >= share:
                    break
                rest -= left[voter]
            best = min(best or (share, row), (share, row))
        if best is None:
            break
        for voter in voters:
            if approved[best[1], voter]:
                left[voter] = max(left[voter] - best[0], Fraction(0))
        chosen.append(best[1])
    if completion == "phragmen":
        chosen += slow_phragmen(approved, places, {v: -left[v] for v in voters}, chosen)
    return chosen


def slow_phragmen(
    approved: Table, places: int, load: dict[int, Fraction] | None = None, chosen: list[int] | None = None
) -> list[int]:
    voters, price = range(approved.shape[1]), Fraction(approved.shape[1], places)
    load = load or dict.fromkeys(voters, Fraction(0))
    taken, added = set(chosen or []), list[int]()
    while len(taken) < places:
        moments = {}
        for row in range(len(approved)):
            supporters = [v for v in voters if approved[row, v]]
            if row not in taken and supporters:
                moments[row] = (price + sum(load[v] for v in supporters)) / len(supporters)
        if not moments:
            break
        winner = min(moments, key=lambda row: (moments[row], row))
        load = {v: moments[winner] if approved[winner, v] else load[v] for v in voters}
        taken.add(winner)
        added.append(winner)
    return added


def slow_sequential_pav(approved: Table, places: int) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < places:
        gains = {}
        for row in range(len(approved)):
            if row not in chosen and approved[row].any():
                has = [sum(bool(approved[c, v]) for c in chosen) for v in np.flatnonzero(approved[row])]
                gains[row] = sum((Fraction(1, count + 1) for count in has), Fraction(0))
        if not gains:
            break
        chosen.append(min(gains, key=lambda row: (-gains[row], row)))
    return chosen


RULES = [(equal_shares, slow_equal_shares), (phragmen, slow_phragmen), (sequential_pav, slow_sequential_pav)]


@pytest.mark.parametrize(("fast", "slow"), RULES, ids=["equal_shares", "phragmen", "sequential_pav"])
def test_the_fast_rules_choose_what_the_definitions_choose(fast: object, slow: object) -> None:
    assert callable(fast) and callable(slow)
    generator = random.Random(7)
    for _ in range(60):
        statements, voters, places = generator.randint(3, 14), generator.randint(2, 24), generator.randint(1, 8)
        likely = generator.choice([0.15, 0.4, 0.8])
        approved = np.array([[generator.random() < likely for _ in range(voters)] for _ in range(statements)])
        assert fast(approved, places) == slow(approved, places), (approved.astype(int).tolist(), places)


def test_equal_shares_may_leave_places_empty() -> None:
    generator = random.Random(3)
    for _ in range(40):
        approved = np.array([[generator.random() < 0.3 for _ in range(11)] for _ in range(9)])
        assert equal_shares(approved, 5, "none") == slow_equal_shares(approved, 5, "none")
    apart = table("x....", ".x...", "..x..")
    assert equal_shares(apart, 2, "none") == []  # nobody can pay 2.5 alone
    assert equal_shares(apart, 2, "phragmen") == [0, 1]


def test_a_third_of_the_crowd_gets_a_third_of_the_places() -> None:
    majority, minority = "xxxxxx...", "......xxx"
    approved = table(*[majority] * 6, *[minority] * 3)
    for rule in (equal_shares, phragmen, sequential_pav):
        chosen = rule(approved, 3)
        assert sorted(row >= 6 for row in chosen) == [False, False, True]


def test_ties_go_to_the_first_statement() -> None:
    same = table("xxxx", "xxxx", "xxxx")
    for rule in (equal_shares, phragmen, sequential_pav):
        assert rule(same, 2) == [0, 1]


def test_nobody_approves_anything() -> None:
    for rule in (equal_shares, phragmen, sequential_pav):
        assert rule(np.zeros((3, 4), dtype=bool), 2) == []
        assert rule(table("xx", "..", "xx"), 3) == [0, 2]
