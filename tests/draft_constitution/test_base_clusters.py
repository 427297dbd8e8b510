"""Large crowds are summed up in small clusters, and divided as their people would be."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from stages.draft_constitution import kmeans
from stages.draft_constitution.base_clusters import Base, base_clusters, divide, quick_base_clusters, silhouette
from stages.draft_constitution.stability import rand_index
from tests.draft_constitution.planted import PARAMS, with_params


def heaps(sizes: tuple[int, ...], seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    middles = np.array([(0, 0), (6, 0), (0, 6), (6, 6)])
    parts = [middle + generator.standard_normal((size, 2)) for middle, size in zip(middles, sizes, strict=False)]
    return np.round(np.concatenate(parts), 6)


def own_cluster_each(points: np.ndarray) -> Base:
    people = np.ones(len(points))
    return Base(points, people, points, people, np.arange(len(points)))


def test_few_places_are_their_own_clusters_however_many_people_are_there() -> None:
    points = np.array([(1.0, 2.0)] * 30 + [(0.0, 5.0)] * 20)
    base = base_clusters(points, PARAMS)
    assert base.centres.tolist() == [[0, 5], [1, 2]]
    assert base.people.tolist() == [20, 30]


@pytest.mark.parametrize("make", [base_clusters, quick_base_clusters])
def test_many_places_become_no_more_than_the_wanted_clusters_and_nobody_is_lost(make: object) -> None:
    points = heaps((3000, 2000, 1000))
    base = make(points, PARAMS)  # type: ignore[operator]
    assert 50 < len(base.centres) <= PARAMS.base_clusters
    assert base.people.sum() == base.people_there.sum() == 6000
    np.testing.assert_allclose((base.people[:, None] * base.centres).sum(axis=0), points.sum(axis=0), rtol=0.05)
    np.testing.assert_allclose((base.people_there[:, None] * base.places).sum(axis=0), points.sum(axis=0), rtol=1e-9)


@pytest.mark.parametrize("make", [base_clusters, quick_base_clusters])
def test_no_order_of_people_changes_the_clusters(make: object) -> None:
    points = heaps((900, 800, 900))
    shuffled = np.random.default_rng(3).permutation(points)
    one, other = make(points, PARAMS), make(shuffled, PARAMS)  # type: ignore[operator]
    assert np.array_equal(one.centres, other.centres)
    assert np.array_equal(divide(one, 3, PARAMS), divide(other, 3, PARAMS))


@pytest.mark.parametrize("sizes", [(300, 200), (4000, 1500, 900), (700, 700, 700, 700)])
def test_the_division_is_as_good_as_that_of_everybody(sizes: tuple[int, ...]) -> None:
    points, count = heaps(sizes), len(sizes)
    for make in (base_clusters, quick_base_clusters):
        labels = kmeans.nearest(points, divide(make(points, PARAMS), count, PARAMS))
        reference = KMeans(count, n_init=10, random_state=0).fit_predict(points)
        assert rand_index(labels, reference.astype(np.int64)) > 0.98


def test_a_handful_of_outliers_is_not_a_group() -> None:
    points = np.concatenate([heaps((60, 50)), [(90.0, 90.0)] * 3])
    sizes = np.bincount(kmeans.nearest(points, divide(base_clusters(points, PARAMS), 2, PARAMS)))
    assert min(sizes) >= 50
    kept = with_params(min_group_size=3)  # three are a group where three are enough
    assert min(np.bincount(kmeans.nearest(points, divide(base_clusters(points, kept), 2, kept)))) == 3


def test_more_groups_than_places_are_as_many_as_places() -> None:
    base = base_clusters(np.array([(0.0, 0.0)] * 9 + [(1.0, 1.0)] * 9), PARAMS)
    assert len(divide(base, 5, PARAMS)) == 2


def test_the_silhouette_is_the_usual_one_over_base_clusters() -> None:
    points = heaps((20, 20, 15))
    labels = kmeans.nearest(points, divide(own_cluster_each(points), 3, PARAMS))
    assert silhouette(own_cluster_each(points), labels) == pytest.approx(silhouette_score(points, labels))
    alone = np.array([0] * 54 + [1])
    assert silhouette(own_cluster_each(points), alone) == pytest.approx(silhouette_score(points, alone))
    assert silhouette(own_cluster_each(points), np.zeros(55, dtype=np.int64)) == 0


def test_nearest_is_the_same_in_blocks_as_at_once() -> None:
    points, middles = heaps((50, 50)), heaps((5, 5), seed=9)
    wanted = ((points[:, None] - middles[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert kmeans.nearest(points, middles).tolist() == wanted.tolist()
    assert kmeans.nearest(points[:0], middles).tolist() == []
