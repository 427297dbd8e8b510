"""Place participants on a map where people who vote alike lie close together, with the mathematics of Polis.

Principal components of the votes, missing votes filled with the statement's mean (Small et al. 2021,
"Polis: scaling deliberation by mapping high dimensional opinion spaces"). Filling with the mean and then centring
leaves zero in every cell without a vote, so the sparse matrix is enough.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from stages.draft_constitution.votes import VoteMatrix

Floats = NDArray[np.float64]

DIMENSIONS = 2
DENSE_BELOW = 8  # rows or columns: under this the sparse solver is not defined or not worth it
FEWEST_IN_GROUPS = 15  # Polis: with fewer regular voters than this, the busiest fifteen are taken


def regular_voters(votes: VoteMatrix, min_votes: int) -> NDArray[np.int64]:
    """The rows that voted often enough to be placed in a group (on any statement, moderated out or not)."""
    counts = np.asarray(votes.seen.sum(axis=1)).ravel()
    enough = np.flatnonzero(counts >= min(min_votes, len(votes.statements)))
    if len(enough) >= FEWEST_IN_GROUPS:
        return enough
    busiest = np.argsort(-counts, kind="stable")[:FEWEST_IN_GROUPS]  # stable: ties go by participant key
    return np.sort(busiest)


def centred(votes: VoteMatrix, scored: NDArray[np.bool_]) -> sparse.csr_array:
    """Votes minus the statement's mean where there is a vote; columns that are not `scored` are empty."""
    seen = votes.seen
    counts = np.asarray(seen.sum(axis=0)).ravel()
    means = np.asarray(votes.value.sum(axis=0)).ravel() / np.maximum(counts, 1)
    keep = sparse.diags_array(scored.astype(float))
    return sparse.csr_array((votes.value - seen @ sparse.diags_array(means)) @ keep)


def components(matrix: sparse.csr_array) -> Floats:
    """The two directions in which the votes differ most (rows), signs fixed; zero rows where there is no difference."""
    found = np.zeros((DIMENSIONS, matrix.shape[1]))
    if matrix.nnz == 0 or not np.any(matrix.data):
        return found
    right = _right_vectors(matrix)
    found[: len(right)] = right
    return found


def _right_vectors(matrix: sparse.csr_array) -> Floats:
    if min(matrix.shape) < DENSE_BELOW:
        _, singular, right = np.linalg.svd(matrix.toarray(), full_matrices=False)
    else:
        # A fixed start, so that the solver walks the same way every time; the answer does not depend on it.
        start = np.random.default_rng(0).standard_normal(min(matrix.shape))
        _, singular, right = svds(matrix, k=DIMENSIONS, v0=start)
    order = np.argsort(-singular, kind="stable")[:DIMENSIONS]
    vectors = right[order][singular[order] > 1e-9 * singular.max()]
    largest = np.argmax(np.abs(np.round(vectors, 9)), axis=1)
    return vectors * np.sign(vectors[np.arange(len(vectors)), largest])[:, None]


def projection(votes: VoteMatrix, matrix: sparse.csr_array, scored: NDArray[np.bool_], axes: Floats) -> Floats:
    """Where each participant lies; those who saw little are moved outwards by sqrt(statements / their votes), as in Polis.

    Polis treats a statement that was moderated out as if everybody had passed on it, and so does this factor.
    """
    voted = np.asarray(votes.seen @ scored.astype(float)).ravel() + np.count_nonzero(~scored)
    scale = np.sqrt(len(scored) / np.maximum(voted, 1))
    return np.round((matrix @ axes.T) * scale[:, None], 9)  # rounded: the order of summing must not show
