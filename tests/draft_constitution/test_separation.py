"""Groups that chance could have made are found out, and so are labels that were joined to the wrong people."""

from __future__ import annotations

import random

import numpy as np
import pytest

from stages.draft_constitution import separation
from stages.draft_constitution.opinion_groups import find_groups
from stages.draft_constitution.separation import _Deck
from stages.draft_constitution.votes import VoteMatrix, matrix
from tests.draft_constitution.planted import PARAMS, columns, crowd, with_params


def planted(sizes: tuple[int, ...] = (30, 25)) -> tuple[VoteMatrix, dict[str, str]]:
    rows, groups = crowd(sizes)
    votes = matrix(*columns(rows), known=sorted({s for _, s, _ in rows}))
    return votes, {person: str(group) for person, group in groups.items()}


def test_labels_of_the_right_people_differ_and_labels_joined_by_position_do_not() -> None:
    votes, labels = planted()
    assert separation.of_labels(votes, labels, runs=99, seed=1) == 0.01
    generator = random.Random(3)
    p_values = []
    for _ in range(10):
        shuffled = dict(zip(labels, generator.sample(list(labels.values()), len(labels)), strict=True))
        p_values.append(separation.of_labels(votes, shuffled, runs=39, seed=1) or 0)
    assert float(np.mean(p_values)) > 0.25  # uniform where the labels say nothing: one half on average


def test_one_label_or_no_runs_is_no_test() -> None:
    votes, labels = planted()
    assert separation.of_labels(votes, dict.fromkeys(labels, "A"), runs=9, seed=1) is None
    assert separation.of_labels(votes, labels, runs=0, seed=1) is None
    assert separation.of_labels(votes, {}, runs=9, seed=1) is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_deal_keeps_each_statements_voters_and_counts(seed: int) -> None:
    votes, _ = planted()
    scored = np.ones(len(votes.statements), dtype=bool)
    scored[3] = False
    deck = _Deck.of(votes, scored)
    cast, dealt = deck.as_cast(), deck.dealt(np.random.default_rng(seed))
    assert np.array_equal(cast.indices, dealt.indices)
    assert np.array_equal(cast.indptr, dealt.indptr)
    assert not np.array_equal(cast.data, dealt.data)
    for column in range(cast.shape[1]):
        part = slice(cast.indptr[column], cast.indptr[column + 1])
        assert sorted(cast.data[part].tolist()) == sorted(dealt.data[part].tolist())
        assert abs(float(cast.data[part].sum())) < 1e-3  # centred
    assert not cast.data[cast.indptr[3] : cast.indptr[4]].any()


def test_people_who_vote_at_random_are_not_separated_more_than_chance() -> None:
    generator = random.Random(2)
    p_values = []
    for _ in range(8):
        rows = [(f"p{n:03d}", s, generator.choice([1, 0, -1])) for n in range(40) for s in range(12)]
        grouping = find_groups(
            matrix(*columns(rows), known=range(12)), np.ones(12, dtype=bool), with_params(groups=2, stability_runs=1)
        )
        p_values.append(grouping.separation_p or 0)
    assert min(p_values) > 0.05
    assert 0.25 < float(np.mean(p_values)) < 0.85  # uniform where nothing is there: one half on average


def test_planted_groups_are_separated_as_far_as_the_runs_can_tell() -> None:
    votes, _ = planted()
    grouping = find_groups(votes, np.ones(len(votes.statements), dtype=bool), with_params(groups=2))
    assert grouping.separation_p == 1 / (1 + PARAMS.separation_runs)
