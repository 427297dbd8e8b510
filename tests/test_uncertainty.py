"""The arithmetic of uncertainty against worked examples, every way tried out, and simulated truth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from stages.uncertainty import (
    MANY_CLUSTERS,
    Floats,
    Spread,
    benjamini_hochberg,
    detectable_change,
    drawn,
    effective_clusters,
    equivalence_p,
    holm,
    interval,
    resampled,
    spread,
    student_cdf,
    student_quantile,
    swap_p_value,
)

# Three clusters of 2, 1 and 3 items: sums 2, 0, 1; mean 0.5; residual sums (2 - 1, 0 - 0.5, 1 - 1.5) / 6.
THREE = np.array([[2.0, 2.0], [0.0, 1.0], [1.0, 3.0]])


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- closed forms ---


@pytest.mark.parametrize(
    ("share", "degrees", "value"),  # from printed tables of Student's t
    [(0.975, 1, 12.7062), (0.975, 4, 2.77645), (0.975, 24, 2.06390), (0.95, 10, 1.81246), (0.8, 24, 0.85686)],
)
def test_students_t_is_that_of_the_tables(share: float, degrees: float, value: float) -> None:
    assert student_quantile(share, degrees) == pytest.approx(value, abs=6e-5)
    assert student_quantile(1 - share, degrees) == pytest.approx(-value, abs=6e-5)
    assert student_cdf(value, degrees) == pytest.approx(share, abs=1e-5)


def test_with_one_and_two_degrees_students_t_has_a_formula() -> None:
    for value in (-5.0, -0.3, 0.0, 1.7, 40.0):
        assert student_cdf(value, 1) == pytest.approx(0.5 + math.atan(value) / math.pi, abs=1e-12)
        assert student_cdf(value, 2) == pytest.approx(0.5 + value / (2 * math.sqrt(2 + value**2)), abs=1e-12)
    assert student_quantile(0.975, 1e7) == pytest.approx(1.959964, abs=1e-5)


def test_the_standard_error_by_hand() -> None:
    # sum of squares (1 + 0.25 + 0.25) / 36, times 3 / 2
    found = spread([THREE])
    assert found.standard_error == pytest.approx(math.sqrt(1.5 / 36 * 3 / 2))
    assert effective_clusters(THREE[:, 1]) == pytest.approx(36 / 14)
    assert found.degrees == pytest.approx(36 / 14 - 1)


def test_the_standard_error_of_equal_clusters_is_the_textbooks() -> None:
    means = np.array([0.1, 0.4, 0.2, 0.9, 0.5, 0.3])
    table = np.stack([means * 7, np.full(6, 7.0)], axis=1)
    assert spread([table]).standard_error == pytest.approx(means.std(ddof=1) / math.sqrt(6))
    assert spread([table]).degrees == pytest.approx(5)


def test_the_standard_error_is_that_of_clustered_items_one_by_one() -> None:
    """The sandwich of a regression on a constant, written out over pairs of items of one cluster."""
    draw = random(3)
    clusters = draw.integers(0, 8, 60)
    values = draw.normal(size=60)
    rest = values - values.mean()
    meat = sum(rest[i] * rest[j] for i in range(60) for j in range(60) if clusters[i] == clusters[j])
    table = np.stack([np.bincount(clusters, values), np.bincount(clusters)], axis=1).astype(np.float64)
    assert spread([table]).standard_error == pytest.approx(math.sqrt(meat * 8 / 7) / 60)


def test_the_paired_standard_error_is_that_of_the_differences() -> None:
    base, tuned = np.array([1.0, 0, 2, 4]), np.array([2.0, 2, 1, 5])
    table = np.stack([base, np.full(4, 4.0), tuned, np.full(4, 4.0)], axis=1)
    assert spread([table]).standard_error == pytest.approx(((tuned - base) / 4).std(ddof=1) / 2)


def test_the_mean_of_the_categories_pools_their_errors() -> None:
    other = np.array([[3.0, 4.0], [1.0, 4.0], [0.0, 4.0], [2.0, 4.0], [4.0, 4.0]])
    one, two = spread([THREE]), spread([other])
    both = spread([THREE, other])
    assert both.standard_error == pytest.approx(math.hypot(one.standard_error, two.standard_error) / 2)
    draws = drawn([THREE, other], 4000, random())
    assert draws.shape == (4000, 1)
    assert draws.mean() == pytest.approx((0.5 + 0.5) / 2, abs=0.02)
    alike = spread([other, other])
    assert alike.degrees == pytest.approx(2 * two.degrees)  # Satterthwaite: twice the same knowledge


def test_equivalence_by_hand() -> None:
    about = Spread(0.02, 2, 1.0)
    # (0.05 - 0.01) / 0.02 = 2; with 2 degrees P(t > 2) = 1/2 - 2 / (2 sqrt(6))
    assert equivalence_p(-0.01, about, 0.05) == pytest.approx(0.5 - 1 / math.sqrt(6))
    assert equivalence_p(0.06, about, 0.05) > 0.5
    assert equivalence_p(0.0, Spread(0.0, 24, 1.0), 0.05) == 0.0
    assert equivalence_p(0.05, Spread(0.0, 24, 1.0), 0.05) == 1.0


def test_the_detectable_change_is_2_8_errors_of_many_clusters_and_more_of_few() -> None:
    assert detectable_change(Spread(0.01, 1e7, 1.0), 0.95) == pytest.approx(0.02802, abs=1e-5)
    assert detectable_change(Spread(0.01, 24, 1.0), 0.95) == pytest.approx(0.0206390 + 0.0085686, abs=1e-6)


# --- adjustments ---


def test_holm_against_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_benjamini_hochberg_against_a_worked_example() -> None:
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    # The example of Benjamini and Hochberg (1995), table 1: at 5 % four of the fifteen are found, by Bonferroni three.
    paper = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
             0.7590, 1.0]  # fmt: skip
    assert sum(q <= 0.05 for q in benjamini_hochberg(paper)) == 4
    assert sum(q <= 0.05 for q in holm(paper)) == 3
    assert benjamini_hochberg([]) == []


# --- resampling ---


def test_few_clusters_are_drawn_in_every_way_with_their_chance() -> None:
    ways = [
        sum(THREE[i, 0] for i in way) / sum(THREE[i, 1] for i in way) for way in itertools.product(range(3), repeat=3)
    ]
    draws = drawn([THREE], 40_000, random())[:, 0]
    assert set(np.round(draws, 9)) == set(np.round(ways, 9))
    for value in set(ways):
        assert np.isclose(draws, value).mean() == pytest.approx(np.isclose(ways, value).mean(), abs=0.01)


def test_many_equal_clusters_are_drawn_by_their_kind_with_the_same_law() -> None:
    table = np.array([[0.0, 1.0]] * 300 + [[1.0, 1.0]] * 100)
    totals = resampled(table, 20_000, random())
    assert (totals[:, 1] == 400).all()
    assert totals[:, 0].mean() == pytest.approx(100, abs=0.3)
    assert totals[:, 0].var() == pytest.approx(400 * 0.25 * 0.75, rel=0.05)  # binomial


def test_of_very_many_clusters_the_means_follow_their_normal_law() -> None:
    draw = random(1)
    values = draw.normal(size=(MANY_CLUSTERS + 1100, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
    table = np.stack([values[:, 0], np.ones(len(values)), values[:, 1], np.ones(len(values))], axis=1)
    fast = drawn([table], 4000, random())
    slow = np.concatenate([drawn([table[:, :2]], 1, random(seed)) for seed in range(3)])
    assert slow.shape == (3, 1)
    exact = np.cov(values.T, bias=True) / len(values)
    assert np.cov(fast.T) == pytest.approx(exact, rel=0.08)
    assert fast.mean(axis=0) == pytest.approx(values.mean(axis=0), abs=3e-3)


# --- swaps ---


def test_every_swap_of_a_few_clusters_is_tried() -> None:
    table = np.array([[0.0, 2.0, 2.0, 2.0], [1.0, 3.0, 2.0, 3.0], [1.0, 1.0, 0.0, 1.0], [0.0, 4.0, 3.0, 4.0]])
    differences = (table[:, 2] - table[:, 0]) / 10
    observed = abs(differences.sum())
    ways = [abs(np.dot(signs, differences)) for signs in itertools.product((1, -1), repeat=4)]
    expected = np.mean([way >= observed - 1e-12 for way in ways])
    assert swap_p_value([table], 100, random()) == expected
    # In two strata each difference weighs by its stratum's size; still all sixteen ways.
    halves = [table[:2], table[2:]]
    parts = np.concatenate([(half[:, 2] - half[:, 0]) / half[:, 1].sum() / 2 for half in halves])
    ways = [abs(np.dot(signs, parts)) for signs in itertools.product((1, -1), repeat=4)]
    assert swap_p_value(halves, 100, random()) == np.mean([way >= abs(parts.sum()) - 1e-12 for way in ways])


def test_swaps_of_equal_clusters_by_kind_are_the_sign_test() -> None:
    # 30 items better, 10 worse, 160 the same: P(|heads - tails| >= 20 of 40) = 0.00222
    kinds = ([[0.0, 1.0, 1.0, 1.0]] * 30) + ([[1.0, 1.0, 0.0, 1.0]] * 10) + ([[1.0, 1.0, 1.0, 1.0]] * 160)
    exact = 2 * sum(math.comb(40, heads) for heads in range(30, 41)) / 2**40
    assert swap_p_value([np.array(kinds)], 200_000, random()) == pytest.approx(exact, abs=0.0006)


def test_of_very_many_clusters_the_swaps_follow_their_normal_law() -> None:
    draw = random(9)
    count = MANY_CLUSTERS + 800
    sizes = draw.integers(3, 9, count).astype(np.float64)
    base, tuned = draw.normal(0, 1, count) * sizes, draw.normal(0.06, 1, count) * sizes
    table = np.stack([base, sizes, tuned, sizes], axis=1)
    signs = draw.choice([-1.0, 1.0], size=(20_000, count))
    reached = np.abs(signs @ (tuned - base)) >= abs((tuned - base).sum())
    assert swap_p_value([table], 10_000, draw) == pytest.approx(reached.mean(), abs=0.01)
    table[:, 2] += 5 * sizes
    assert swap_p_value([table], 10_000, draw) == 1 / 10_001  # no smaller than so many swaps could show


# --- simulated truth ---

CLUSTERS = 25
LARGEST = 40


def unequal_sizes(draw: np.random.Generator, simulations: int) -> Floats:
    """From 4 to 40 items a cluster."""
    return draw.integers(4, LARGEST + 1, size=(simulations, CLUSTERS)).astype(np.float64)


def signed_items(draw: np.random.Generator, sizes: Floats, shift: float = 0.0) -> Floats:
    """Sums of +1 (stereotype), -1 (opposite) and 0 (unknown) per cluster; the cluster decides most of it."""
    bias = np.clip(draw.normal(0.15 + shift, 0.25, sizes.shape), -0.75, 0.75)
    known = draw.binomial(sizes.astype(int), 0.8)
    return np.asarray(2 * draw.binomial(known, (1 + bias) / 2) - known, dtype=np.float64)


def covered(truth: float, tables: Floats, confidence: float = 0.95) -> float:
    draw = random(11)
    hits = 0
    for table in tables:
        low, high = interval(drawn([table], 1000, draw)[:, 0], spread([table]), confidence)
        hits += low <= truth <= high
    return hits / len(tables)


def test_95_percent_intervals_cover_93_to_97_percent_over_1000_simulations() -> None:
    draw = random(5)
    sizes = unequal_sizes(draw, 1000)
    tables = np.stack([signed_items(draw, sizes), sizes], axis=2)
    truth = 0.15 * 0.8
    assert 0.93 <= covered(truth, tables) <= 0.97
    # What the percentiles alone would do, so that the widening is seen to be needed:
    plain = [np.quantile(drawn([table], 1000, draw)[:, 0], [0.025, 0.975]) for table in tables]
    assert np.mean([low <= truth <= high for low, high in plain]) < 0.94


def paired_tables(draw: np.random.Generator, simulations: int, change: float, wobble: float) -> Floats:
    """Base and tuned over the same items: what a cluster is like stays, and it changes by `change` give or take."""
    sizes = unequal_sizes(draw, simulations)
    like = draw.normal(0.1, 0.3, sizes.shape)
    base = sizes * like
    tuned = sizes * (like + draw.normal(change, wobble, sizes.shape))
    return np.stack([base, sizes, tuned, sizes], axis=2)


def found(tables: Floats) -> float:
    """Share of simulations in which the test finds a change and the interval leaves out 0."""
    draw = random(2)
    claims = []
    for table in tables:
        draws = drawn([table], 1000, draw)
        low, high = interval(draws[:, 1] - draws[:, 0], spread([table]), 0.95)
        claims.append(swap_p_value([table], 1000, draw) < 0.05 and not low <= 0 <= high)
    return float(np.mean(claims))


def stated_change(tables: Floats) -> float:
    """The mean minimum detectable change."""
    return float(np.mean([detectable_change(spread([table]), 0.95) for table in tables]))


def test_no_planted_change_is_claimed_at_the_level_and_ten_points_are_found_with_the_stated_power() -> None:
    draw = random(8)
    assert 0.025 <= found(paired_tables(draw, 500, 0.0, 0.15)) <= 0.075
    # The wobble at which ten points are the minimum detectable change: they must be found four times in five.
    wobble = 0.15 * 0.10 / stated_change(paired_tables(draw, 500, 0.10, 0.15))
    planted = paired_tables(draw, 500, 0.10, wobble)
    assert stated_change(planted) == pytest.approx(0.10, rel=0.05)
    assert 0.75 <= found(planted) <= 0.86


def test_equivalence_is_claimed_wrongly_at_most_at_the_level() -> None:
    tables = paired_tables(random(4), 1000, 0.15, 0.15)  # a true harm exactly as large as the margin
    wrongly = rightly = 0
    for table in tables:
        totals = table.sum(axis=0)
        difference = totals[2] / totals[3] - totals[0] / totals[1]
        wrongly += equivalence_p(difference, spread([table]), 0.15) < 0.05
        rightly += equivalence_p(difference - 0.15, spread([table]), 0.15) < 0.05
    assert 0.03 <= wrongly / 1000 <= 0.07
    assert rightly / 1000 > 0.95
