"""How declared groups (age, district, ...) voted on each statement: other ways to divide the crowd than by opinion.

Small cells are not published: counts of fewer than `min_shown` votes could tell how one person voted. What is left out
must not follow by subtraction from the counts of everybody either, so of each attribute and statement the left-out
votes together are at least `min_shown` in at least two cells (those who declared nothing are a cell of their own).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.draft_constitution.consensus import GroupCounts, count, lower_bounds
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.votes import VoteMatrix

NOT_DECLARED = ""  # the value of those who declared nothing for an attribute


@dataclass(frozen=True)
class DeclaredVotes:
    """How those who declared one value voted on one statement; None where too few did to be published."""

    attribute: str
    value: str  # empty: did not declare this attribute
    statement_id: int
    agree: int | None
    disagree: int | None
    passed: int | None
    lower_bound: float | None  # of the agree rate, with the confidence of the opinion groups' bounds


def by_declared(
    votes: VoteMatrix, attributes: Mapping[str, Mapping[str, str]], params: Parameters
) -> tuple[DeclaredVotes, ...]:
    """One row per attribute, value and statement, in this order; nothing where nobody declared anything."""
    names = sorted({name for participant in votes.participants for name in attributes.get(participant, {})})
    return tuple(row for name in names for row in _of_attribute(name, votes, attributes, params))


def _of_attribute(
    name: str, votes: VoteMatrix, attributes: Mapping[str, Mapping[str, str]], params: Parameters
) -> list[DeclaredVotes]:
    labels = {person: attributes.get(person, {}).get(name, NOT_DECLARED) for person in votes.participants}
    counts = count(votes, labels)
    hidden = hidden_cells(counts.cast, params.min_shown)
    bounds = lower_bounds(counts.agree, counts.cast, params.confidence)
    return [
        _row(name, value, row, column, counts, hidden, bounds)
        for row, value in enumerate(counts.groups)
        for column in range(len(counts.statements))
    ]


def _row(
    name: str,
    value: str,
    row: int,
    column: int,
    counts: GroupCounts,
    hidden: NDArray[np.bool_],
    bounds: NDArray[np.float64],
) -> DeclaredVotes:
    shown = not hidden[row, column]
    return DeclaredVotes(
        attribute=name,
        value=value,
        statement_id=counts.statements[column],
        agree=int(counts.agree[row, column]) if shown else None,
        disagree=int(counts.disagree[row, column]) if shown else None,
        passed=int(counts.passed[row, column]) if shown else None,
        lower_bound=float(bounds[row, column]) if shown else None,
    )


def hidden_cells(total: NDArray[np.int64], min_shown: int) -> NDArray[np.bool_]:
    """Which cells (values x statements) are not published: small ones, and next to them the smallest that hide these."""
    hidden = (total > 0) & (total < min_shown)  # that nobody voted tells nothing about anybody
    order = np.argsort(total, axis=0, kind="stable")
    for place in range(len(total)):
        left_out = np.where(hidden, total, 0).sum(axis=0)
        exposed = hidden.any(axis=0) & ((hidden.sum(axis=0) < 2) | (left_out < min_shown))
        candidate = order[place]
        columns = np.flatnonzero(exposed & (total[candidate, np.arange(total.shape[1])] > 0))
        hidden[candidate[columns], columns] = True
    return hidden
