"""Place participants on a map where people who vote alike lie close together, with the mathematics of Polis.

Principal components of the votes, missing votes filled with the statement's mean (Small et al. 2021,
"Polis: scaling deliberation by mapping high dimensional opinion spaces"). Filling with the mean and then centring
leaves zero in every cell without a vote, so the sparse matrix is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh

from stages.draft_constitution.votes import CODE, VoteMatrix, row_blocks

Floats = NDArray[np.float64]

DIMENSIONS = 2
DENSE_BELOW = 32  # rows or columns: under this the iterative solver is not worth it
FEWEST_IN_GROUPS = 15  # Polis: with fewer regular voters than this, the busiest fifteen are taken
DECIMALS = 6  # of a place on the map: the order in which numbers were summed must not show
EXACT = 1e-9  # relative residual of the eigenvectors
ROUGH = 1e-3  # for resamples, whose groups are compared and not shown
KRYLOV = 10  # vectors the solver keeps: from a good start 10 were as good as the default 20 at half the work
NO_DIFFERENCE = 1e-10  # of the largest eigenvalue: below this a direction is rounding error


def enough_votes(votes: VoteMatrix, min_votes: int) -> NDArray[np.bool_]:
    """Who voted often enough to be placed in a group (on any statement, moderated out or not)."""
    return np.asarray(votes.votes_cast >= min(min_votes, len(votes.statements)))


def regular_voters(votes: VoteMatrix, min_votes: int) -> NDArray[np.int64]:
    """The rows of those with enough votes; where they are fewer than fifteen, of the busiest fifteen."""
    enough = np.flatnonzero(enough_votes(votes, min_votes))
    if len(enough) >= FEWEST_IN_GROUPS:
        return enough
    busiest = np.argsort(-votes.votes_cast, kind="stable")[:FEWEST_IN_GROUPS]  # stable: ties go by participant key
    return np.sort(busiest)


def means(votes: VoteMatrix) -> Floats:
    """The mean vote on every statement; 0 where nobody voted."""
    count = len(votes.statements)
    voted, total = np.zeros(count), np.zeros(count)
    for _, part in row_blocks(votes.coded):
        columns = votes.coded.indices[part]
        voted += np.bincount(columns, minlength=count)
        total += np.bincount(columns, weights=votes.coded.data[part], minlength=count)
    return (total - CODE * voted) / np.maximum(voted, 1)


def centred(votes: VoteMatrix, scored: NDArray[np.bool_], middle: Floats | None = None) -> sparse.csr_array:
    """Votes minus the statement's mean where there is a vote; 0 in columns that are not `scored`.

    Single precision: a vote less a mean needs no more, and every sum over it is made in double precision.
    """
    middle = means(votes) if middle is None else middle
    data = np.empty(votes.coded.nnz, dtype=np.float32)
    for _, part in row_blocks(votes.coded):
        columns = votes.coded.indices[part]
        data[part] = (votes.coded.data[part] - (CODE + middle[columns])) * scored[columns]
    return sparse.csr_array((data, votes.coded.indices, votes.coded.indptr), shape=votes.coded.shape)


def components(matrix: sparse.csr_array) -> Floats:
    """The two directions in which the votes differ most (rows), signs fixed; zero rows where there is no difference."""
    # A fixed start, so that the solver walks the same way every time; the answer does not depend on it.
    start = np.random.default_rng(0).standard_normal(matrix.shape[1])
    return _components(matrix, lambda: _largest(_squared_in_blocks(matrix), start, EXACT, None))


def rough_components(matrix: sparse.csr_array | sparse.csc_array, start: Floats, tolerance: float = ROUGH) -> Floats:
    """As `components`, in the precision of the matrix, less exactly and from a good guess: for hundreds of resamples."""
    if not start.any():
        return components(sparse.csr_array(matrix))
    across = matrix.T
    guess = start.sum(axis=0).astype(matrix.dtype)
    solve = partial(_largest, lambda x: across @ (matrix @ x), guess, tolerance, KRYLOV)
    return _components(matrix, solve)


def _components(matrix: sparse.csr_array | sparse.csc_array, solve: Callable[[], tuple[Floats, Floats]]) -> Floats:
    found = np.zeros((DIMENSIONS, matrix.shape[1]))
    if matrix.nnz == 0 or not np.any(matrix.data):
        return found
    values, vectors = _small(matrix) if min(matrix.shape) < DENSE_BELOW else solve()
    order = np.argsort(-values, kind="stable")[:DIMENSIONS]
    vectors = vectors[order][values[order] > NO_DIFFERENCE * values.max()]
    largest = np.argmax(np.abs(np.round(vectors, 9)), axis=1)
    found[: len(vectors)] = vectors * np.sign(vectors[np.arange(len(vectors)), largest])[:, None]
    return found


def _small(matrix: sparse.csr_array | sparse.csc_array) -> tuple[Floats, Floats]:
    """All eigenvalues of matrixᵀ @ matrix, and its eigenvectors as rows, where people or statements are few."""
    if matrix.shape[1] < DENSE_BELOW:
        values, vectors = np.linalg.eigh(_squared_in_blocks(sparse.csr_array(matrix))(np.eye(matrix.shape[1])))
        return values, vectors.T
    _, singular, right = np.linalg.svd(matrix.astype(np.float64).toarray(), full_matrices=False)
    return singular**2, right


def _largest(
    product: Callable[[Floats], Floats], start: Floats, tolerance: float, kept: int | None
) -> tuple[Floats, Floats]:
    """The two largest eigenvalues and their eigenvectors as rows."""
    operator = LinearOperator((len(start), len(start)), matvec=product, dtype=start.dtype)
    values, vectors = eigsh(operator, k=DIMENSIONS, which="LA", v0=start, tol=tolerance, ncv=kept)
    return values, vectors.T


def _squared_in_blocks(matrix: sparse.csr_array) -> Callable[[Floats], Floats]:
    """Multiplies by matrixᵀ @ matrix; a block of rows at a time, so that only a block is ever in double precision."""

    def product(vector: Floats) -> Floats:
        total = np.zeros((matrix.shape[1], *vector.shape[1:]))
        for rows, part in row_blocks(matrix):
            block = _double(matrix, rows, part)
            total += block.T @ (block @ vector)
        return total

    return product


def _double(matrix: sparse.csr_array, rows: slice, part: slice) -> sparse.csr_array:
    indptr = matrix.indptr[rows.start : rows.stop + 1] - matrix.indptr[rows.start]
    content = (matrix.data[part].astype(np.float64), matrix.indices[part], indptr)
    return sparse.csr_array(content, shape=(rows.stop - rows.start, matrix.shape[1]))


def stretch(votes: VoteMatrix, scored: NDArray[np.bool_]) -> Floats:
    """How far participants are moved outwards for having seen little: sqrt(statements / their votes), as in Polis.

    Polis treats a statement that was moderated out as if everybody had passed on it, and so does this factor.
    """
    voted = votes.votes_cast
    if not scored.all():
        voted = np.asarray(_row_sums(votes, scored)) + np.count_nonzero(~scored)
    return np.asarray(np.sqrt(len(scored) / np.maximum(voted, 1)))


def _row_sums(votes: VoteMatrix, scored: NDArray[np.bool_]) -> NDArray[np.int64]:
    sums = np.zeros(len(votes.participants), dtype=np.int64)
    for rows, part in row_blocks(votes.coded):
        within = np.concatenate([[0], np.cumsum(scored[votes.coded.indices[part]])])
        ends = votes.coded.indptr[rows.start : rows.stop + 1] - part.start
        sums[rows] = np.diff(within[ends])
    return sums


def projection(votes: VoteMatrix, matrix: sparse.csr_array, scored: NDArray[np.bool_], axes: Floats) -> Floats:
    """Where each participant lies."""
    places = np.zeros((len(votes.participants), DIMENSIONS))
    for rows, part in row_blocks(matrix):
        places[rows] = _double(matrix, rows, part) @ axes.T
    return np.round(places * stretch(votes, scored)[:, None], DECIMALS) + 0.0  # no minus zero
