"""The votes as a sparse matrix whose rows and columns are found by key, never by position in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from stages.errors import Trouble

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {"participant": "str", "statement_id": "int64", "vote": "int8"}
CODE = 2  # a vote is stored as vote + 2, so that a pass (0) is not taken for "not seen", which is not stored


@dataclass(frozen=True)
class VoteMatrix:
    """Who voted what: participants (rows) and statements (columns), both sorted by key."""

    participants: tuple[str, ...]
    statements: tuple[int, ...]
    coded: sparse.csr_array

    def cast(self, vote: int) -> sparse.csr_array:
        """1 where this vote was cast."""
        return self._with_values(self.coded.data == vote + CODE)

    @property
    def seen(self) -> sparse.csr_array:
        """1 where there is a vote of any kind."""
        return self._with_values(np.ones(self.coded.nnz))

    @property
    def value(self) -> sparse.csr_array:
        """1 agree, -1 disagree, 0 pass."""
        return self._with_values(self.coded.data - CODE)

    def rows(self, rows: NDArray[np.int64]) -> VoteMatrix:
        """Only these participants, in this order; one may come more than once."""
        return VoteMatrix(tuple(self.participants[row] for row in rows), self.statements, self.coded[rows])

    def _with_values(self, values: NDArray[Any]) -> sparse.csr_array:
        content = (values.astype(np.float64), self.coded.indices, self.coded.indptr)
        return sparse.csr_array(content, shape=self.coded.shape)


def matrix(participants: ArrayLike, statements: ArrayLike, votes: ArrayLike, known: ArrayLike) -> VoteMatrix:
    """The matrix of three columns of equal length, in whatever order their rows come; `known` are all statement ids."""
    people, rows = np.unique(np.asarray(participants, dtype=str), return_inverse=True)
    ids = np.unique(np.asarray(known, dtype=np.int64))
    columns = np.searchsorted(ids, np.asarray(statements, dtype=np.int64))
    coded = np.asarray(votes, dtype=np.float64) + CODE
    cells = sparse.coo_array((coded, (rows, columns)), shape=(len(people), len(ids)))
    return VoteMatrix(tuple(map(str, people)), tuple(map(int, ids)), sparse.csr_array(cells))


def read_votes(path: Path, known: Sequence[int]) -> VoteMatrix:
    """Read votes.csv; raises Trouble where a vote is not -1, 0 or 1, is there twice or is on an unknown statement."""
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype=COLUMNS, keep_default_na=False)[list(COLUMNS)]
    except FileNotFoundError:
        raise Trouble(f"{path} is missing; wanted the votes: run ingest_deliberation.") from None
    except (KeyError, ValueError) as error:  # pandas' parser errors are ValueErrors
        reason = " ".join(str(error).split())[:120]
        raise Trouble(
            f"{path} cannot be read ({reason}); wanted {', '.join(COLUMNS)}: run ingest_deliberation."
        ) from None
    _check(path, table, known)
    return matrix(table["participant"].to_numpy(), table["statement_id"].to_numpy(), table["vote"].to_numpy(), known)


def _check(path: Path, table: pd.DataFrame, known: Sequence[int]) -> None:
    found = [
        ("a vote other than -1, 0 or 1", ~table["vote"].isin([-1, 0, 1])),
        ("a vote on a statement that statements.jsonl does not hold", ~table["statement_id"].isin(known)),
        ("a second vote of a participant on a statement", table.duplicated(["participant", "statement_id"])),
    ]
    for problem, rows in found:
        if rows.any():
            line = int(np.flatnonzero(rows)[0]) + 2  # the header is line 1
            raise Trouble(f"{path}, line {line}: {problem}; wanted one vote each: run ingest_deliberation again.")
