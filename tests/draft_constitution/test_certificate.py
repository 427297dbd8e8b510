"""The certificate finds the people who deserve more of a set, exactly as a search through all groups of people does."""

from __future__ import annotations

import itertools
import random

import numpy as np

from stages.draft_constitution.rules.approvals import Approvals
from stages.draft_constitution.rules.certificate import certify
from stages.draft_constitution.rules.committee import equal_shares


def ballots(*rows: str, groups: str = "") -> Approvals:
    """Statements 10, 11, ... as lines; X approves and saw it, x was filled in, o saw and did not approve."""
    marks = np.array([list(row) for row in rows])
    names = tuple(sorted(set(groups or "A" * marks.shape[1])))
    return Approvals(
        statements=tuple(range(10, 10 + len(rows))),
        voters=tuple(f"v{n}" for n in range(marks.shape[1])),
        voters_drawn_from=marks.shape[1],
        groups=names,
        group_of=np.array([names.index(g) for g in groups or "A" * marks.shape[1]]),
        approved=(marks == "x") | (marks == "X"),
        seen=(marks == "X") | (marks == "o"),
    )


def test_people_left_without_anything_are_named() -> None:
    crowd = ballots("XXXXXX...", "XXXXXX...", "......XXX", groups="AAAAAABBB")
    unfair = certify(crowd, [10, 11], places=3, rule="top_n")
    assert (unfair.jr, unfair.ejr_plus) == (False, False)
    assert unfair.counterexample is not None
    assert (unfair.counterexample.statement_id, unfair.counterexample.deserved) == (12, 1)
    assert (unfair.counterexample.people, unfair.counterexample.wanted) == (3, 3)
    assert unfair.counterexample.by_group == {"A": 0, "B": 3}
    assert (unfair.unrepresented, unfair.unrepresented_by_group) == (3, {"A": 0, "B": 3})
    assert unfair.mean_approved_share_by_group == {"A": 1.0, "B": 0.0}
    assert unfair.verdict == (
        "JR and EJR+ fail: 3 people who all approve statement 12 each approve fewer than 1 of the set, and 3 would"
        " deserve that many; 3 of 9 voters (33.3 %) approve nothing of the set"
    )
    fair = certify(crowd, [10, 12], places=3, rule="top_n")
    assert (fair.jr, fair.ejr_plus, fair.counterexample, fair.unrepresented) == (True, False, fair.counterexample, 0)
    assert certify(crowd, [10, 11, 12], places=3, rule="top_n").ejr_plus


def test_one_thing_is_not_enough_for_two_thirds_of_the_crowd() -> None:
    crowd = ballots("XXXXXX...", "XXXXXX...", "......XXX", "......XXX")
    found = certify(crowd, [10, 12, 13], places=3, rule="top_n")
    assert (found.jr, found.ejr_plus) == (True, False)
    assert found.counterexample is not None
    assert (found.counterexample.statement_id, found.counterexample.deserved) == (11, 2)


def test_own_votes_and_filled_in_ones_are_told_apart() -> None:
    found = certify(ballots("Xo.x", "xx.."), [10], places=1, rule="proportional")
    assert found.filled_share == 0.75  # three of four approvals
    assert (found.disagreeing, found.unrepresented) == (1, 2)  # one saw it and disagreed; two do not approve it


def test_the_checks_agree_with_a_search_through_all_groups_of_people() -> None:
    generator = random.Random(5)
    verdicts = set()
    for _ in range(150):
        voters, statements, places = generator.randint(2, 7), generator.randint(2, 5), generator.randint(1, 4)
        rows = ["".join(generator.choice("X..") for _ in range(voters)) for _ in range(statements)]
        crowd = ballots(*rows)
        chosen = sorted(generator.sample(crowd.statements, min(places, generator.randint(1, statements))))
        found = certify(crowd, chosen, places, "top_n")
        assert found.jr == holds(crowd.approved, [c - 10 for c in chosen], places, most=1)
        assert found.ejr_plus == holds(crowd.approved, [c - 10 for c in chosen], places, most=places)
        verdicts.add((found.jr, found.ejr_plus))
    assert verdicts == {(True, True), (True, False), (False, False)}


def holds(approved: np.ndarray, chosen: list[int], places: int, most: int) -> bool:  # type: ignore[type-arg]
    """EJR+ up to level `most` by its definition: no group of people, of any size, has reason to complain."""
    voters = approved.shape[1]
    has = approved[chosen].sum(axis=0)
    for size in range(1, voters + 1):
        for people in itertools.combinations(range(voters), size):
            for row in set(range(len(approved))) - set(chosen):
                for level in range(1, most + 1):
                    if (
                        size * places >= level * voters
                        and approved[row, people].all()
                        and (has[list(people)] < level).all()
                    ):
                        return False
    return True


def test_equal_shares_always_passes() -> None:
    generator = np.random.default_rng(2)
    for _ in range(30):
        crowd = ballots(*["".join(generator.choice(list("X."), 12, p=[0.4, 0.6])) for _ in range(8)])
        rows = equal_shares(crowd.approved, 4)
        assert certify(crowd, [10 + row for row in rows], 4, "proportional").ejr_plus
