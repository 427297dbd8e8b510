"""Votes of declared groups are published only where no single person can be read off them."""

from __future__ import annotations

import numpy as np

from stages.draft_constitution.consensus import lower_bound
from stages.draft_constitution.groupings import DeclaredVotes, by_declared, hidden_cells
from stages.draft_constitution.votes import matrix
from stages.records import VoteCount
from tests.draft_constitution.planted import with_params

PARAMS = with_params(min_shown=5)


def test_every_value_has_its_counts_and_bound() -> None:
    rows = [(f"n{n}", 1, 1 if n < 6 else -1) for n in range(8)] + [(f"s{n}", 1, 0) for n in range(5)]
    votes = matrix(*zip(*rows, strict=True), known=[1])
    attributes = {key: {"barrio": "norte" if key[0] == "n" else "Iparralde"} for key in votes.participants}
    found = by_declared(votes, attributes, PARAMS)
    assert found == (
        DeclaredVotes("barrio", "Iparralde", 1, 0, 0, 5, lower_bound(VoteCount(agree=0, disagree=0, passed=5), 0.95)),
        DeclaredVotes("barrio", "norte", 1, 6, 2, 0, lower_bound(VoteCount(agree=6, disagree=2, passed=0), 0.95)),
    )


def test_small_cells_are_hidden_and_cannot_be_subtracted() -> None:
    sizes = np.array([[40, 40, 9, 0, 3], [7, 3, 3, 6, 2], [2, 4, 0, 9, 0]])
    hidden = hidden_cells(sizes, 5)
    assert hidden.T.tolist() == [
        [False, True, True],  # 2 alone would follow from the total: 7 is hidden with it
        [False, True, True],  # 3 and 4 hide each other
        [True, True, False],  # an empty cell hides nothing
        [False, False, False],
        [True, True, False],
    ]
    shown_with_others = np.where(hidden, 0, sizes).sum(axis=0)
    assert ((sizes.sum(axis=0) - shown_with_others)[:4] >= [9, 7, 12, 0]).all()


def test_who_declared_nothing_is_a_group_of_its_own() -> None:
    rows = [(f"p{n:02d}", 1, 1) for n in range(12)]
    votes = matrix(*zip(*rows, strict=True), known=[1, 2])
    attributes = {f"p{n:02d}": {"age": "65+"} for n in range(6)}
    found = by_declared(votes, attributes, PARAMS)
    assert [(f.value, f.statement_id, f.agree) for f in found] == [("", 1, 6), ("", 2, 0), ("65+", 1, 6), ("65+", 2, 0)]
    assert by_declared(votes, {}, PARAMS) == ()


def test_hidden_cells_tell_nothing_at_all() -> None:
    rows = [(f"p{n:02d}", 1, 1) for n in range(10)]
    votes = matrix(*zip(*rows, strict=True), known=[1])
    attributes = {f"p{n:02d}": {"age": "16-29" if n < 3 else "30+"} for n in range(10)}
    assert by_declared(votes, attributes, PARAMS) == (
        DeclaredVotes("age", "16-29", 1, None, None, None, None),
        DeclaredVotes("age", "30+", 1, None, None, None, None),
    )
