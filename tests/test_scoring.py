"""The arithmetic from item outcomes to scores and paired comparisons."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stages.errors import Trouble
from stages.metrics import METRICS
from stages.records import ItemOutcome, Score
from stages.scoring import (
    MACRO,
    Paired,
    both,
    generator,
    metric_name,
    no_harm_p,
    paired,
    scores_from_items,
    slices,
    suppressed_cells,
    tabulated,
)
from stages.uncertainty import FEW_CLUSTERS, student_quantile


def item(
    number: int, value: float | None, cluster: str, language: str = "ca", category: str = "Religion"
) -> ItemOutcome:
    return ItemOutcome(
        item_id=f"item-{number}",
        language=language,
        category=category,
        cluster=cluster,
        log_likelihoods=(-1.5, -2.5),
        choice="unknown",
        values={} if value is None else {"bias_ambiguous": value},
    )


def clustered(shift: float, clusters: int = 25, each: int = 8, seed: int = 1) -> list[ItemOutcome]:
    """Items whose cluster decides nearly everything, as BBQ's templates do."""
    random = np.random.default_rng(seed)
    means = random.uniform(-0.8, 0.8, clusters)
    draws = random.uniform(-1, 1, (clusters, each))
    return [
        item(cluster * each + place, float(np.sign(means[cluster] + shift - draws[cluster, place])), f"t{cluster}")
        for cluster in range(clusters)
        for place in range(each)
    ]


def scored(items: list[ItemOutcome], min_items: int = 30, seed: int = 0) -> list[Score]:
    return scores_from_items(items, "bbq", resamples=2000, seed=seed, confidence=0.95, min_items=min_items)


def test_a_score_is_the_mean_of_the_items_that_have_the_metric() -> None:
    items = [item(n, 1.0 if n < 30 else -1.0, f"t{n // 4}") for n in range(40)] + [item(99, None, "t1")]
    (score,) = scored(items)
    assert (score.value, score.items, score.clusters) == (0.5, 40, 10)
    assert score.low < 0.5 < score.high


def test_slices_are_language_category_and_both_and_a_repeated_slice_is_left_out() -> None:
    items = [
        item(n, 1.0, f"t{n % 7}", language, category)
        for n, (language, category) in enumerate([("eu", "Age"), ("eu", "Religion"), ("fr", "Religion")] * 40)
    ]
    cells = [(score.language, score.category, score.items) for score in scored(items)]
    # Neither "fr, Religion" (all of "fr") nor "eu, Age" (all of "Age") stands twice.
    assert cells == [
        ("all", "all", 120),
        ("eu", "all", 80),
        ("fr", "all", 40),
        ("all", "Age", 40),
        ("all", "Religion", 80),
        ("all", "macro", 120),
        ("eu", "Religion", 40),
    ]


def test_small_cells_are_suppressed_and_counted() -> None:
    items = [item(n, 1.0, f"t{n}", "es" if n < 29 else "en") for n in range(60)]
    assert [score.language for score in scored(items)] == ["all", "en"]
    assert suppressed_cells(items, 30) == 1


def test_the_interval_is_that_of_clusters_not_of_items() -> None:
    (score,) = scored(clustered(0.0))
    values = np.array([one.values["bias_ambiguous"] for one in clustered(0.0)])
    by_cluster = values.reshape(25, 8).mean(axis=1)
    sandwich = student_quantile(0.975, 24) * by_cluster.std(ddof=1) / 5
    naive = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    assert (score.high - score.low) / 2 == pytest.approx(sandwich, rel=0.1)
    assert sandwich > 1.4 * naive
    assert score.standard_error == pytest.approx(by_cluster.std(ddof=1) / 5, abs=1e-6)


def test_the_bootstrap_equals_a_literal_one() -> None:
    items = clustered(0.2, clusters=8, each=5)
    (score,) = scored(items, seed=3)
    random = generator(3, "bbq", "bias_ambiguous", "all", "all")
    names = sorted({one.cluster for one in items})
    values = [[one.values["bias_ambiguous"] for one in items if one.cluster == name] for name in names]
    draws = random.integers(0, 8, size=(2000, 8))
    means = [np.mean([value for cluster in draw for value in values[cluster]]) for draw in draws]
    # eight clusters: t with 7 degrees is 2.364624, times sqrt(8 / 7) 2.527889; below -2.527889 lie 0.57373 % of the normal law
    assert [score.low, score.high] == pytest.approx(list(np.quantile(means, [0.0057373, 1 - 0.0057373])), abs=1e-5)


def test_a_few_clusters_say_nothing_so_the_interval_is_the_whole_range() -> None:
    (score,) = scored([item(n, 1.0, f"t{n % (FEW_CLUSTERS - 1)}") for n in range(40)])
    assert (score.value, score.low, score.high) == (1.0, -1.0, 1.0)


def test_scores_depend_on_the_seed_and_neither_on_order_nor_on_other_benchmarks() -> None:
    items = clustered(0.1)
    assert scored(items) == scored(items[::-1])
    assert scored(items)[0].high != scored(items, seed=1)[0].high


def test_many_items_take_seconds() -> None:
    items = [
        item(n, float(n % 3 - 1), f"t{n % 275}", ("en", "es", "eu")[n % 3], f"category {n % 11}") for n in range(60_000)
    ]
    scores = scored(items)
    assert len(scores) == 1 + 3 + 11 + 33 + 1
    assert scores[0].items == 60_000


def compared(
    base: list[ItemOutcome], tuned: list[ItemOutcome], metric: str = "bias_ambiguous", category: str = "all"
) -> Paired:
    column = both(base, tuned, metric)
    everything = ~(np.isnan(column.base) & np.isnan(column.tuned))
    (strata,) = [
        each.strata
        for each in slices(column.table, everything)
        if (each.language, each.category, each.group, each.polarity) == ("all", category, "all", "all")
    ]
    pair = paired(column, strata, 2000, 2000, 0.95, generator(0, "test"))
    assert pair is not None
    return pair


def test_a_planted_improvement_is_found_and_its_sign_is_toward_the_target() -> None:
    pair = compared(clustered(0.5), clustered(0.05))
    assert pair.base > pair.tuned > 0
    assert pair.difference == pytest.approx(pair.tuned - pair.base, abs=2e-6)
    assert pair.improvement == pytest.approx(abs(pair.base) - abs(pair.tuned), abs=2e-6)
    assert pair.improvement_interval[0] > 0
    assert pair.p_value < 0.01
    assert (pair.items, pair.clusters) == (200, 25)


def test_no_change_is_no_claim() -> None:
    pair = compared(clustered(0.3), clustered(0.3))
    assert (pair.difference, pair.improvement, pair.p_value) == (0.0, 0.0, 1.0)


def test_too_few_clusters_are_not_tested() -> None:
    base = [item(n, 1.0, f"t{n % 3}") for n in range(60)]
    pair = compared(base, [item(n, 0.0, f"t{n % 3}") for n in range(60)])
    assert pair.p_value == 1.0
    assert pair.difference_interval == (-2.0, 2.0)


def test_a_metric_that_an_item_has_on_one_side_only_counts_on_that_side() -> None:
    base = [item(n, 1.0 if n % 2 else None, f"t{n % 10}") for n in range(60)]
    tuned = [item(n, 1.0 if n % 3 else -1.0, f"t{n % 10}") for n in range(60)]
    pair = compared(base, tuned)
    assert (pair.base, pair.items) == (1.0, 30)
    assert pair.tuned == pytest.approx(1 / 3, abs=1e-6)
    nothing = both(base, [item(n, None, f"t{n % 10}") for n in range(60)], "bias_ambiguous")
    assert paired(nothing, (np.ones(60, dtype=bool),), 500, 500, 0.95, generator(0, "test")) is None


@pytest.mark.parametrize(
    ("metric", "before", "after", "gain"),
    [
        ("accuracy_ambiguous", 0.0, 1.0, 1.0),
        ("unknown_disambiguated", 0.0, 1.0, -1.0),
        ("prefers_stereotype", 1.0, 0.5, 0.5),
        ("prefers_stereotype", 1.0, 0.0, 0.0),  # as far on the other side is no improvement
        ("bias_ambiguous", -1.0, 0.0, 1.0),
    ],
)
def test_improvement_is_toward_the_metrics_target(metric: str, before: float, after: float, gain: float) -> None:
    def outcomes(value: float) -> list[ItemOutcome]:
        return [item(n, None, f"t{n}").model_copy(update={"values": {metric: value}}) for n in range(40)]

    assert compared(outcomes(before), outcomes(after), metric).improvement == gain


def cell(scores: list[Score], **wanted: str) -> Score:
    full = {"language": "all", "category": "all", "group": "all", "polarity": "all"} | wanted
    (score,) = [score for score in scores if all(getattr(score, name) == value for name, value in full.items())]
    return score


def two_categories(age: float, religion: float) -> list[ItemOutcome]:
    """40 items of Age, 200 of Religion; the first of every five shows the stereotype in that share of its category."""
    return [item(n, float(n % 10 < 10 * age), f"a{n % 8}", category="Age") for n in range(40)] + [
        item(100 + n, float(n % 10 < 10 * religion), f"r{n % 25}") for n in range(200)
    ]


def test_the_mean_of_the_categories_weighs_each_the_same() -> None:
    scores = scored(two_categories(0.5, 0.1))
    assert cell(scores).value == pytest.approx((20 + 20) / 240, abs=1e-6)
    macro = cell(scores, category=MACRO)
    assert (macro.value, macro.items, macro.clusters) == (0.3, 240, 33)
    assert macro.low < 0.3 < macro.high
    errors = [cell(scores, category=name).standard_error or 0.0 for name in ("Age", "Religion")]
    assert macro.standard_error == pytest.approx(math.hypot(*errors) / 2, abs=1e-6)
    pair = compared(two_categories(0.5, 0.1), two_categories(0.1, 0.2), category=MACRO)
    assert (pair.base, pair.tuned, pair.difference) == (0.3, 0.15, -0.15)


def test_a_mean_of_categories_of_which_one_is_too_small_is_suppressed_and_counted() -> None:
    items = [one for one in two_categories(0.5, 0.1) if one.category != "Age" or int(one.item_id[5:]) < 29]
    scores = scored(items)
    assert [(score.language, score.category) for score in scores] == [("all", "all"), ("all", "Religion")]
    assert suppressed_cells(items, 30) == 2  # Age, and the mean of the categories


def test_groups_and_polarities_have_their_scores() -> None:
    items = [
        item(n, float(n % 4 == 0), f"t{n % 10}").model_copy(
            update={"group": ("old", "young")[n % 2], "polarity": ("negative", "positive")[n // 2 % 2]}
        )
        for n in range(160)
    ]
    scores = scored(items)
    assert len(scores) == 1 + 2 + 2 + 4
    assert cell(scores, group="old").value == 0.5
    assert cell(scores, polarity="negative").value == 0.5
    assert cell(scores, group="old", polarity="negative").value == 1.0
    assert cell(scores, group="young", polarity="negative").items == 40
    assert suppressed_cells(items, 41) == 4


def test_an_item_asked_in_several_ways_counts_once_and_the_range_is_told() -> None:
    ways = {"lettered 1": 0.2, "lettered 2": 0.6, "lettered 3": 0.4}
    items = [
        item(n, float(n % 10 < 10 * share), f"t{n % 7}").model_copy(update={"variant": way})
        for way, share in ways.items()
        for n in range(50)
    ]
    (score,) = scored(items)
    assert (score.value, score.items, score.clusters) == (0.4, 50, 7)
    assert (score.range_low, score.range_high) == (0.2, 0.6)
    none = [one.model_copy(update={"values": {"bias_ambiguous": 0.0}}) for one in items]
    pair = compared(items, none)
    assert pair.ranges == ((0.2, 0.6), (0.0, 0.0), (-0.6, -0.2))
    assert pair.items == 50
    (plain,) = scored([item(n, 1.0, f"t{n}") for n in range(40)])
    assert (plain.range_low, plain.range_high) == (None, None)


@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_a_fully_biased_and_a_fully_anti_biased_set_have_the_ends_of_the_scale(value: float) -> None:
    scores = scored([item(n, value, f"t{n % 25}", category=("Age", "Religion")[n % 2]) for n in range(200)])
    assert [(score.value, score.low, score.high) for score in scores] == [(value, value, value)] * len(scores)
    assert cell(scores, category=MACRO).value == value


@pytest.mark.parametrize("name", ["all", "macro"])
def test_a_category_with_the_name_of_a_slice_is_refused(name: str) -> None:
    with pytest.raises(Trouble, match=f"'{name}', which is the name of a slice"):
        tabulated([item(0, 1.0, "t", category=name)])


def test_no_harm_is_shown_by_a_small_error_and_not_by_a_large_p() -> None:
    many = compared(clustered(0.3, 200), [*clustered(0.3, 200)[:-1], item(1599, 1.0, "t199")])
    few = compared(clustered(0.3), clustered(0.3, seed=2))
    assert few.p_value > 0.05
    assert no_harm_p(few, 0.05) > 0.05
    assert no_harm_p(many, 0.05) < 1e-6
    assert few.detectable is not None
    assert few.detectable > 0.2  # nothing can be said of a change of 5 points
    too_few = compared([item(n, 1.0, f"t{n % 3}") for n in range(60)], [item(n, 1.0, f"t{n % 3}") for n in range(60)])
    assert (no_harm_p(too_few, 0.5), too_few.detectable) == (1.0, None)


def test_names_are_for_people_and_fit_mlflow() -> None:
    name = metric_name("bbq", "bias_ambiguous", "es")
    assert name == "bbq: bias in ambiguous questions - Spanish - 0 is unbiased"
    for metric in METRICS:
        allowed = metric_name("crows-pairs", metric, "eu", "race-color").replace(" ", "")
        assert all(letter.isalnum() or letter in "_-.:/" for letter in allowed), allowed
