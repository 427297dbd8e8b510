"""The sparse map is the one of Polis: missing votes filled with the mean, sparse voters moved outwards."""

from __future__ import annotations

import numpy as np

from stages.draft_constitution.opinion_map import centred, components, projection, regular_voters
from stages.draft_constitution.votes import VoteMatrix, matrix
from tests.draft_constitution.planted import columns, crowd

VOTES, _ = crowd((20, 15))
MATRIX = matrix(*columns(VOTES), known=range(21))
ALL = np.ones(21, dtype=bool)


def dense_projection(votes: VoteMatrix) -> np.ndarray:
    """The textbook way: fill in the means, centre, decompose, project what was voted on."""
    seen, value = votes.seen.toarray() > 0, votes.value.toarray()
    filled = np.where(seen, value, np.nan)
    means = np.nanmean(filled, axis=0)
    filled = np.where(seen, filled, means) - means
    axes = np.linalg.svd(filled, full_matrices=False)[2][:2]
    scale = np.sqrt(value.shape[1] / seen.sum(axis=1))
    return (np.where(seen, value - means, 0) @ axes.T) * scale[:, None]


def test_the_map_equals_the_dense_one_up_to_the_sign() -> None:
    sparse_matrix = centred(MATRIX, ALL)
    found = projection(MATRIX, sparse_matrix, ALL, components(sparse_matrix))
    wanted = dense_projection(MATRIX)
    for axis in range(2):
        sign = np.sign(found[0, axis] * wanted[0, axis])
        np.testing.assert_allclose(found[:, axis], sign * wanted[:, axis], atol=1e-6)


def test_signs_are_fixed_so_that_the_map_never_flips() -> None:
    axes = components(centred(MATRIX, ALL))
    assert all(row[np.argmax(np.abs(row))] > 0 for row in axes)


def test_moderated_out_statements_do_not_shape_the_map_but_count_as_passed() -> None:
    scored = ALL.copy()
    scored[:5] = False
    sparse_matrix = centred(MATRIX, scored)
    assert not sparse_matrix.toarray()[:, :5].any()
    person = np.flatnonzero(MATRIX.seen.toarray().sum(axis=1) < 21)[0]
    voted = MATRIX.seen.toarray()[person, 5:].sum() + 5
    axes = components(sparse_matrix)
    wanted = (sparse_matrix.toarray()[person] @ axes.T) * np.sqrt(21 / voted)
    np.testing.assert_allclose(projection(MATRIX, sparse_matrix, scored, axes)[person], wanted, atol=1e-8)


def test_those_with_too_few_votes_get_no_group_unless_nearly_all_have() -> None:
    busy = [(f"busy{n:02d}", s, 1) for n in range(20) for s in range(6)]
    votes = matrix(*columns([*busy, ("rare", 0, 1)]), known=range(6))
    assert [votes.participants[row] for row in regular_voters(votes, 4)] == [f"busy{n:02d}" for n in range(20)]
    few = matrix(*columns([("a", 0, 1), ("b", 0, 1), ("b", 1, -1)]), known=range(6))
    assert len(regular_voters(few, 4)) == 2  # fewer than fifteen regular voters: the busiest are taken


def test_people_who_all_vote_the_same_lie_on_one_point() -> None:
    votes = matrix(*columns([(f"p{n}", s, 1) for n in range(10) for s in range(3)]), known=range(3))
    axes = components(centred(votes, np.ones(3, dtype=bool)))
    assert not axes.any()
