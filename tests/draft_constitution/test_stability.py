"""Clear groups stay when other people come; the adjusted Rand index says by how much."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from stages.draft_constitution.stability import rand_index


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("noise", [0, 0.1, 0.5, 1])
def test_the_index_is_that_of_hubert_and_arabie(seed: int, noise: float) -> None:
    generator = np.random.default_rng(seed)
    one = generator.integers(0, 4, 200)
    other = np.where(generator.random(200) < noise, generator.integers(0, 3, 200), (one + 1) % 4)
    assert rand_index(one, other) == pytest.approx(adjusted_rand_score(one, other), abs=1e-12)


def test_names_of_groups_do_not_matter_and_chance_is_about_zero() -> None:
    one = np.array([0, 0, 1, 1, 2, 2])
    assert rand_index(one, (one + 1) % 3) == 1
    generator = np.random.default_rng(0)
    by_chance = [rand_index(generator.integers(0, 2, 500), generator.integers(0, 2, 500)) for _ in range(40)]
    assert abs(float(np.mean(by_chance))) < 0.01


def test_undivided_against_undivided_is_the_same_and_against_divided_is_chance() -> None:
    assert rand_index(np.zeros(9, dtype=np.int64), np.zeros(9, dtype=np.int64)) == 1
    assert rand_index(np.zeros(9, dtype=np.int64), np.arange(9) % 2) == 0
