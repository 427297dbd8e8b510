"""What tells a group apart, by the definitions of Polis."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stages.draft_constitution.consensus import GroupCounts
from stages.draft_constitution.representative import Representative, figures, representative


def counts(agree: list[list[int]], disagree: list[list[int]], passed: list[list[int]] | None = None) -> GroupCounts:
    groups = tuple("ABCDE"[: len(agree)])
    tables = [np.array(table, dtype=np.int64) for table in (agree, disagree, passed or np.zeros_like(agree).tolist())]
    return GroupCounts(groups, tuple(range(10, 10 + len(agree[0]))), *tables)


def slow(chosen: list[list[int]], cast: list[list[int]], group: int, statement: int) -> tuple[float, ...]:
    """The definitions, written out for one group and one statement."""
    a, n = chosen[group][statement], cast[group][statement]
    b = sum(row[statement] for other, row in enumerate(chosen) if other != group)
    m = sum(row[statement] for other, row in enumerate(cast) if other != group)
    share, others = (a + 1) / (n + 2), (b + 1) / (m + 2)
    share_z = 2 * math.sqrt(n + 1) * ((a + 1) / (n + 1) - 0.5)
    pooled = (a + 1 + b + 1) / (n + 1 + m + 1)
    if pooled == 1:
        return share, share_z, share / others, 0
    first, second = (a + 1) / (n + 1), (b + 1) / (m + 1)
    z = (first - second) / math.sqrt(pooled * (1 - pooled) * (1 / (n + 1) + 1 / (m + 1)))
    return share, share_z, share / others, z


def test_the_figures_are_those_of_the_definitions() -> None:
    generator = np.random.default_rng(4)
    cast = generator.integers(0, 40, (3, 50))
    cast[:, 0] = 0
    chosen = (cast * generator.random((3, 50))).astype(np.int64)
    chosen[:, 1] = cast[:, 1]  # everybody chose the same
    found = figures(chosen, cast)
    for group in range(3):
        for statement in range(50):
            wanted = slow(chosen.tolist(), cast.tolist(), group, statement)
            cell = (group, statement)
            own = (found.share[cell], found.share_z[cell], found.repness[cell], found.repness_z[cell])
            assert own == pytest.approx(wanted, abs=1e-12)
    assert found.repness_z[0, 1] == 0


def test_the_best_agreed_statement_comes_first_then_agreed_then_disagreed() -> None:
    # A agrees with 10 and 11 (11 more so) and rejects 12; B the other way round; on 13 all agree.
    found = representative(counts(agree=[[30, 38, 2, 39], [8, 4, 37, 39]], disagree=[[10, 2, 38, 1], [32, 36, 3, 1]]))
    assert [(r.statement_id, r.agrees) for r in found["A"]] == [(11, True), (10, True), (12, False)]
    assert [(r.statement_id, r.agrees) for r in found["B"]] == [(12, True), (11, False), (10, False)]
    assert all(r.significant and r.share_z > 1.2816 and r.repness_z > 1.2816 for rows in found.values() for r in rows)
    scores = [r.share * r.share_z * r.repness * r.repness_z for r in found["A"]]
    assert [r.score for r in found["A"]] == pytest.approx(scores, rel=1e-4)


def test_no_more_than_five_and_no_order_of_ties_by_chance() -> None:
    found = representative(counts(agree=[[20] * 9, [0] * 9], disagree=[[0] * 9, [20] * 9]))
    assert [r.statement_id for r in found["A"]] == [10, 11, 12, 13, 14]
    assert [r.agrees for r in found["B"]] == [False] * 5


def test_what_unites_everybody_represents_nobody_but_what_is_best_agreed_is_shown() -> None:
    found = representative(counts(agree=[[20], [20]], disagree=[[0], [0]]))
    assert [(r.statement_id, r.significant) for r in found["A"]] == [(10, False)]  # the best there is, and said so


def test_passes_are_votes_that_choose_neither() -> None:
    with_passes = representative(counts(agree=[[9], [0]], disagree=[[0], [9]], passed=[[30], [0]]))["A"]
    assert [r for r in with_passes if r.significant] == []


def test_statements_nobody_saw_and_groups_of_nobody_are_left_out() -> None:
    assert representative(counts(agree=[[0], [0]], disagree=[[0], [0]])) == {"A": (), "B": ()}
    nothing = np.zeros((0, 1), dtype=np.int64)
    assert representative(GroupCounts((), (10,), nothing, nothing, nothing)) == {}


def test_a_result_is_plain_values() -> None:
    row = representative(counts(agree=[[9], [0]], disagree=[[0], [9]]))["A"][0]
    assert isinstance(row, Representative)
    assert {type(value) for value in vars(row).values()} == {int, float, bool}
