"""The scores are those of the formulas, group by group."""

from __future__ import annotations

import random
from math import prod

import numpy as np
import pytest
from scipy.stats import beta, binom

from stages.draft_constitution import votes as votes_module
from stages.draft_constitution.consensus import count, lower_bound, measure, total
from stages.draft_constitution.votes import matrix
from stages.records import VoteCount
from tests.draft_constitution.planted import columns

VOTES = [
    ("a1", 0, 1), ("a2", 0, 1), ("a3", 0, 0), ("b1", 0, 1), ("b2", 0, -1), ("late", 0, 1),
    ("a1", 1, -1), ("b1", 1, 0),
]  # fmt: skip
LABELS = {"a1": "A", "a2": "A", "a3": "A", "b1": "B", "b2": "B"}  # "late" voted too little for a group


def test_votes_are_counted_by_group_and_people_without_group_only_in_total_and_exposure() -> None:
    found = measure(matrix(*columns(VOTES), known=[0, 1, 2]), LABELS, 0.95)
    assert found[0].votes == {
        "A": VoteCount(agree=2, disagree=0, passed=1),
        "B": VoteCount(agree=1, disagree=1, passed=0),
    }
    assert found[0].total == VoteCount(agree=4, disagree=1, passed=1)
    assert [found[s].scores.exposure for s in range(3)] == pytest.approx([1, 2 / 6, 0], abs=1e-6)
    assert [found[s].scores.smallest_cell for s in range(3)] == [2, 1, 0]
    assert found[2].votes["A"] == VoteCount(agree=0, disagree=0, passed=0)


def test_group_informed_consensus_is_the_product_of_smoothed_rates() -> None:
    scores = measure(matrix(*columns(VOTES), known=[0, 1]), LABELS, 0.95)[0].scores
    assert scores.gac == pytest.approx((3 / 5) * (2 / 4), abs=1e-6)
    assert scores.gac_geometric_mean == pytest.approx(((3 / 5) * (2 / 4)) ** 0.5, abs=1e-6)


def test_the_weakest_group_decides() -> None:
    found = measure(matrix(*columns(VOTES), known=[0, 1]), LABELS, 0.95)[0]
    assert found.weakest_group == "B"
    assert found.scores.lower_bound == found.lower_bounds["B"] < found.lower_bounds["A"]


def test_the_lower_bound_is_the_beta_quantile() -> None:
    bound = lower_bound(VoteCount(agree=9, disagree=1, passed=0), 0.95)
    # A Beta quantile by another road: P(Beta(10, 2) <= x) = P(Binomial(11, x) >= 10).
    assert binom.sf(9, 11, bound) == pytest.approx(0.05, abs=1e-5)


def test_more_votes_at_the_same_rate_are_surer_and_passes_are_not_agreement() -> None:
    few, many = VoteCount(agree=8, disagree=2, passed=0), VoteCount(agree=80, disagree=20, passed=0)
    assert lower_bound(few, 0.95) < lower_bound(many, 0.95) < 0.8
    assert lower_bound(VoteCount(agree=8, disagree=0, passed=2), 0.95) == lower_bound(few, 0.95)
    assert lower_bound(VoteCount(agree=0, disagree=0, passed=0), 0.95) == pytest.approx(0.05)


@pytest.mark.parametrize("block", [5, 1 << 20])
def test_all_figures_are_those_of_the_obvious_loops(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(votes_module, "BLOCK_VOTES", block)
    generator = random.Random(block)
    people = [f"{n:03d}" for n in range(60)]
    labels = {p: generator.choice("ABC") for p in people[:50]}
    weights = {p: generator.uniform(0.2, 3) for p in people[:55]}
    rows = [(p, s, generator.choice([1, 1, 0, -1])) for p in people for s in range(8) if generator.random() < 0.5]
    found = measure(matrix(*columns(rows), known=range(8)), labels, 0.9, weights)
    for statement in range(8):
        here = [(p, v) for p, s, v in rows if s == statement]
        agree = {g: sum(v == 1 for p, v in here if labels.get(p) == g) for g in "ABC"}
        cast = {g: sum(labels.get(p) == g for p, _ in here) for g in "ABC"}
        bounds = {g: beta.ppf(0.1, agree[g] + 1, cast[g] - agree[g] + 1) for g in "ABC"}
        weighted = sum(weights.get(p, 0) for p, v in here if v == 1) / sum(weights.get(p, 0) for p, _ in here)
        scores = found[statement].scores
        assert found[statement].lower_bounds == pytest.approx(bounds, abs=1e-6)
        assert scores.lower_bound == pytest.approx(min(bounds.values()), abs=1e-6)
        assert scores.gac == pytest.approx(prod((agree[g] + 1) / (cast[g] + 2) for g in "ABC"), abs=1e-6)
        assert scores.gac_geometric_mean == pytest.approx(scores.gac ** (1 / 3), abs=1e-5)
        assert scores.exposure == pytest.approx(len(here) / 60, abs=1e-6)
        assert scores.smallest_cell == min(cast.values())
        assert scores.weighted_agree == pytest.approx(weighted, abs=1e-6)
        assert found[statement].total.agree == sum(v == 1 for _, v in here)


def test_without_weights_or_without_weighted_voters_there_is_no_weighted_rate() -> None:
    votes = matrix(*columns(VOTES), known=[0, 1])
    assert measure(votes, LABELS, 0.95)[0].scores.weighted_agree is None
    weighted = measure(votes, LABELS, 0.95, {"late": 2.0, "b2": 1.0})
    assert weighted[0].scores.weighted_agree == pytest.approx(2 / 3, abs=1e-6)
    assert weighted[1].scores.weighted_agree is None


def test_no_order_of_rows_changes_a_figure() -> None:
    shuffled = random.Random(1).sample(VOTES, len(VOTES))
    weights = {p: 1 + n / 7 for n, p in enumerate(sorted({p for p, _, _ in VOTES}))}
    one, other = (measure(matrix(*columns(v), known=[1, 0]), LABELS, 0.95, weights) for v in (VOTES, shuffled))
    assert one == other


def test_counts_are_tables_of_groups_and_statements() -> None:
    votes = matrix(*columns(VOTES), known=[0, 1])
    counts, everybody = count(votes, LABELS), total(votes)
    assert (counts.groups, counts.statements) == (("A", "B"), (0, 1))
    assert counts.agree.tolist() == [[2, 0], [1, 0]]
    assert counts.disagree.tolist() == [[0, 1], [1, 0]]
    assert counts.passed.tolist() == [[1, 0], [0, 1]]
    assert (everybody.groups, everybody.cast.tolist()) == (("all",), [[6, 2]])
    assert counts.only(np.array([False, True])).disagree.tolist() == [[1], [0]]


def test_where_nobody_has_a_group_nothing_is_agreed_on() -> None:
    found = measure(matrix(["a"], [0], [1], known=[0]), {}, 0.95)[0]
    assert (found.votes, found.lower_bounds) == ({}, {})
    assert (found.scores.gac, found.scores.lower_bound, found.scores.smallest_cell) == (0, 0, 0)
    empty = measure(matrix([], [], [], known=[0]), {}, 0.95)[0]
    assert empty.scores.exposure == 0
