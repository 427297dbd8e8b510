"""The arithmetic from item outcomes to scores and paired comparisons."""

from __future__ import annotations

import numpy as np
import pytest

from stages.records import ItemOutcome, Score
from stages.scoring import (
    FEW_CLUSTERS,
    METRICS,
    generator,
    holm,
    metric_name,
    paired,
    scores_from_items,
    suppressed_cells,
    swap_p_value,
)


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
    sandwich = 1.96 * by_cluster.std(ddof=1) / 5
    naive = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    assert (score.high - score.low) / 2 == pytest.approx(sandwich, rel=0.1)
    assert sandwich > 1.4 * naive


def test_the_bootstrap_equals_a_literal_one() -> None:
    items = clustered(0.2, clusters=8, each=5)
    (score,) = scored(items, seed=3)
    random = generator(3, "bbq", "bias_ambiguous", "all", "all")
    names = sorted({one.cluster for one in items})
    values = [[one.values["bias_ambiguous"] for one in items if one.cluster == name] for name in names]
    draws = random.integers(0, 8, size=(2000, 8))
    means = [np.mean([value for cluster in draw for value in values[cluster]]) for draw in draws]
    assert [score.low, score.high] == pytest.approx(list(np.quantile(means, [0.025, 0.975])), abs=1e-6)


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
    assert len(scores) == 1 + 3 + 11 + 33
    assert scores[0].items == 60_000


def compared(base: list[ItemOutcome], tuned: list[ItemOutcome], metric: str = "bias_ambiguous"):  # type: ignore[no-untyped-def]
    return paired(base, tuned, metric, 2000, 2000, 0.95, generator(0, "test"))


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


def test_no_change_is_claimed_by_chance_no_more_often_than_the_level() -> None:
    random = np.random.default_rng(5)
    below = 0
    for _ in range(300):
        differences = random.normal(size=(15, 1)) + 0.2 * random.normal(size=(15, 4))  # clusters of 4 near copies
        table = np.stack([np.zeros(15), np.full(15, 4.0), differences.sum(axis=1), np.full(15, 4.0)], axis=1)
        below += swap_p_value(table, 400, random) < 0.05
    assert 3 <= below <= 27  # 15 expected; a test that took items for independent would claim about 100


def test_few_clusters_are_swapped_in_every_way() -> None:
    # Five clusters that all improve by the same: 2 of the 32 swaps are as far apart.
    table = np.array([[0.0, 4.0, 4.0, 4.0]] * 5)
    assert swap_p_value(table, 1000, generator(0, "test")) == 2 / 32


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
    assert compared(base, [item(n, None, f"t{n % 10}") for n in range(60)]) is None


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


def test_holm_against_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == [0.03, 0.06, 0.06, 0.02]
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_names_are_for_people_and_fit_mlflow() -> None:
    name = metric_name("bbq", "bias_ambiguous", "es")
    assert name == "bbq: bias in ambiguous questions - Spanish - 0 is unbiased"
    for metric in METRICS:
        allowed = metric_name("crows-pairs", metric, "eu", "race-color").replace(" ", "")
        assert all(letter.isalnum() or letter in "_-.:/" for letter in allowed), allowed
