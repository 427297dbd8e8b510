"""The scores are those of the formulas, group by group."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from stages.draft_constitution.consensus import lower_bound, measure
from stages.draft_constitution.votes import matrix
from stages.records import VoteCount
from tests.draft_constitution.planted import columns

VOTES = [
    ("a1", 0, 1), ("a2", 0, 1), ("a3", 0, 0), ("b1", 0, 1), ("b2", 0, -1), ("late", 0, 1),
    ("a1", 1, -1), ("b1", 1, 0),
]  # fmt: skip
LABELS = {"a1": "A", "a2": "A", "a3": "A", "b1": "B", "b2": "B"}  # "late" voted too little for a group


def test_votes_are_counted_by_group_and_people_without_group_only_in_exposure() -> None:
    found = measure(matrix(*columns(VOTES), known=[0, 1, 2]), LABELS, 0.95)
    assert found[0].votes == {
        "A": VoteCount(agree=2, disagree=0, passed=1),
        "B": VoteCount(agree=1, disagree=1, passed=0),
    }
    assert found[0].scores.exposure == 1
    assert found[1].scores.exposure == pytest.approx(2 / 6, abs=1e-6)
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
