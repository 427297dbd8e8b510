"""The sparse map is the one of Polis: missing votes filled with the mean, sparse voters moved outwards."""

from __future__ import annotations

import numpy as np
import pytest

from stages.draft_constitution import votes as votes_module
from stages.draft_constitution.opinion_map import (
    centred,
    components,
    means,
    projection,
    regular_voters,
    rough_components,
)
from stages.draft_constitution.votes import VoteMatrix, matrix
from tests.draft_constitution.planted import columns, crowd

VOTES, _ = crowd((50, 35))
MATRIX = matrix(*columns(VOTES), known=range(21))
WIDE, _ = crowd((50, 35), divisive=20)  # more statements than are decomposed at once
WIDE_MATRIX = matrix(*columns(WIDE), known=range(45))
ALL = np.ones(21, dtype=bool)


def dense_projection(votes: VoteMatrix) -> np.ndarray:
    """The textbook way: fill in the means, centre, decompose, project what was voted on."""
    seen, value = votes.seen.toarray() > 0, votes.value.toarray()
    filled = np.where(seen, value, np.nan)
    averages = np.nanmean(filled, axis=0)
    filled = np.where(seen, filled, averages) - averages
    axes = np.linalg.svd(filled, full_matrices=False)[2][:2]
    scale = np.sqrt(value.shape[1] / seen.sum(axis=1))
    return (np.where(seen, value - averages, 0) @ axes.T) * scale[:, None]


@pytest.mark.parametrize("votes", [MATRIX, WIDE_MATRIX, WIDE_MATRIX.rows(np.arange(20))], ids=["few", "many", "people"])
@pytest.mark.parametrize("block", [7, 1 << 20])
def test_the_map_equals_the_dense_one_up_to_the_sign(
    votes: VoteMatrix, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(votes_module, "BLOCK_VOTES", block)
    everything = np.ones(len(votes.statements), dtype=bool)
    sparse_matrix = centred(votes, everything)
    found = projection(votes, sparse_matrix, everything, components(sparse_matrix))
    wanted = dense_projection(votes)
    for axis in range(2):
        sign = np.sign(found[0, axis] * wanted[0, axis])
        np.testing.assert_allclose(found[:, axis], sign * wanted[:, axis], atol=3e-6)


@pytest.mark.parametrize("guess", [1, 0])
def test_rough_components_span_nearly_the_same_map(guess: int) -> None:
    matrix_ = centred(WIDE_MATRIX, np.ones(45, dtype=bool))
    exact = components(matrix_)
    in_common = np.linalg.svd(rough_components(matrix_, guess * exact) @ exact.T, compute_uv=False)
    assert in_common.min() > 0.99  # cosine of the angle between the two planes


def test_signs_are_fixed_so_that_the_map_never_flips() -> None:
    for votes, everything in ((MATRIX, ALL), (WIDE_MATRIX, np.ones(45, dtype=bool))):
        axes = components(centred(votes, everything))
        assert all(row[np.argmax(np.abs(row))] > 0 for row in axes)


def test_a_statement_without_votes_has_the_mean_0() -> None:
    votes = matrix(["a", "b", "a"], [0, 0, 1], [1, 0, -1], known=[0, 1, 2])
    assert means(votes).tolist() == [0.5, -1, 0]


def test_moderated_out_statements_do_not_shape_the_map_but_count_as_passed() -> None:
    scored = ALL.copy()
    scored[:5] = False
    sparse_matrix = centred(MATRIX, scored)
    assert not sparse_matrix.toarray()[:, :5].any()
    person = np.flatnonzero(MATRIX.seen.toarray().sum(axis=1) < 21)[0]
    voted = MATRIX.seen.toarray()[person, 5:].sum() + 5
    axes = components(sparse_matrix)
    wanted = (sparse_matrix.toarray()[person] @ axes.T) * np.sqrt(21 / voted)
    np.testing.assert_allclose(projection(MATRIX, sparse_matrix, scored, axes)[person], wanted, atol=1e-6)


def test_those_with_too_few_votes_get_no_group_unless_nearly_all_have() -> None:
    busy = [(f"busy{n:02d}", s, 1) for n in range(20) for s in range(6)]
    votes = matrix(*columns([*busy, ("rare", 0, 1)]), known=range(6))
    assert [votes.participants[row] for row in regular_voters(votes, 4)] == [f"busy{n:02d}" for n in range(20)]
    few = matrix(*columns([("a", 0, 1), ("b", 0, 1), ("b", 1, -1)]), known=range(6))
    assert len(regular_voters(few, 4)) == 2  # fewer than fifteen regular voters: the busiest are taken


def test_where_there_are_fewer_statements_than_wanted_votes_all_of_them_are_enough() -> None:
    votes = matrix([f"p{n:02d}" for n in range(20)] * 2, [0] * 20 + [1] * 20, [1] * 40, known=[0, 1])
    assert len(regular_voters(votes, 7)) == 20


def test_people_who_all_vote_the_same_lie_on_one_point() -> None:
    votes = matrix(*columns([(f"p{n}", s, 1) for n in range(10) for s in range(3)]), known=range(3))
    axes = components(centred(votes, np.ones(3, dtype=bool)))
    assert not axes.any()


def test_nobody_and_nothing_have_an_empty_map() -> None:
    nobody = matrix([], [], [], known=[1, 2])
    assert projection(nobody, centred(nobody, ALL[:2]), ALL[:2], components(centred(nobody, ALL[:2]))).shape == (0, 2)
