"""Approvals are corrected for who was shown what before a set is chosen that represents everybody."""

from __future__ import annotations

import numpy as np
import pytest

from stages.draft_constitution.consensus import measure
from stages.draft_constitution.rules import committee
from stages.draft_constitution.rules.approvals import Approvals, as_cast, corrected
from stages.draft_constitution.selection import select
from stages.draft_constitution.votes import VoteMatrix, matrix
from stages.records import Statement
from tests.draft_constitution.planted import with_params
from tests.draft_constitution.routed import conversation

ROUTED = ["scoop-hivemind.biodiversity", "american-assembly.bowling-green"]


def approvals_by_voter(ballots: Approvals, id_: int) -> dict[str, bool]:
    row = ballots.statements.index(id_)
    return dict(zip(ballots.voters, map(bool, ballots.approved[row]), strict=True))


def exposure(votes: VoteMatrix) -> np.ndarray:  # type: ignore[type-arg]
    return np.asarray(votes.seen.sum(axis=0)).ravel()


def exposure_correlation(ballots: Approvals, votes: VoteMatrix) -> float:
    return float(np.corrcoef(ballots.approved.sum(axis=1), exposure(votes))[0, 1])


@pytest.mark.parametrize("name", ROUTED)
def test_raw_approvals_follow_exposure_and_corrected_ones_do_not(name: str) -> None:
    """The lesson of routed votes: what was shown often is approved often, whatever it says."""
    votes, labels = conversation(name, only_moderated_in=True)
    raw, fair = (make(votes, labels, votes.statements) for make in (as_cast, corrected))
    assert exposure_correlation(raw, votes) > 0.8
    assert abs(exposure_correlation(fair, votes)) < 0.35
    # and a rule on raw approvals takes old, often shown statements, not approved ones
    shown, places = exposure(votes), 30
    by_raw, by_fair = (committee.equal_shares(ballots.approved, places) for ballots in (raw, fair))
    most_shown = set(np.argsort(-shown, kind="stable")[: 2 * places].tolist())
    assert len(most_shown & set(by_raw)) >= 0.8 * places
    assert np.median(shown[by_raw]) > 1.4 * np.median(shown[by_fair])
    agree = np.asarray(votes.cast(1).sum(axis=0)).ravel() / np.maximum(shown, 1)
    assert np.mean(agree[by_raw]) < np.mean(agree[by_fair])


def test_own_votes_stand_and_groups_keep_their_rate() -> None:
    # statement 1: of group A, 8 of 10 who saw it agree, 30 did not see it; of group B, 1 of 10 and 10
    rows = [(f"a{n:02d}", 1, 1 if n < 8 else -1) for n in range(10)] + [
        (f"b{n:02d}", 1, 1 if n < 1 else 0) for n in range(10)
    ]
    rows += [(f"a{n:02d}", 2, 1) for n in range(10, 40)] + [(f"b{n:02d}", 2, 1) for n in range(10, 20)]
    votes = matrix(*zip(*rows, strict=True), known=[1, 2])
    labels = {key: key[0].upper() for key in votes.participants}
    ballots = corrected(votes, labels, [1, 2])
    found = approvals_by_voter(ballots, 1)
    assert all(found[f"a{n:02d}"] == (n < 8) for n in range(10))
    assert all(found[f"b{n:02d}"] == (n < 1) for n in range(10))
    # (8 + 2 r) / 12 with r = 10 / 22, so .7424 of A; (1 + 2 r) / 12 = .159 of B; nobody leans either way:
    # all agreed to statement 2, which their groups do with (30 + 2 r) / 32 and (10 + 2 r) / 12 for r = 41 / 42
    assert sum(found[f"a{n:02d}"] for n in range(10, 40)) in (22, 23)
    assert sum(found[f"b{n:02d}"] for n in range(10, 20)) in (1, 2)
    assert ballots.filled_share == pytest.approx(1 - 49 / ballots.approved.sum())


def test_who_agrees_with_more_than_their_group_is_taken_to_agree_with_more() -> None:
    keen = [(f"k{n:02d}", s, 1) for n in range(20) for s in range(8)]
    cool = [(f"c{n:02d}", s, -1) for n in range(20) for s in range(8)]
    saw = [(f"s{n:02d}", s, 1 if (n + s) % 2 else -1) for n in range(20) for s in range(12)]
    votes = matrix(*zip(*keen, *cool, *saw, strict=True), known=range(12))
    ballots = corrected(votes, dict.fromkeys(votes.participants, "A"), range(12))
    filled = {key: sum(approvals_by_voter(ballots, s)[key] for s in range(8, 12)) for key in votes.participants}
    assert sum(filled[f"k{n:02d}"] for n in range(20)) > 3 * sum(filled[f"c{n:02d}"] for n in range(20))


def test_no_order_of_rows_changes_the_approvals() -> None:
    generator = np.random.default_rng(3)
    rows = [
        (f"p{n:03d}", s, int(generator.choice([1, 1, 0, -1])))
        for n in range(80)
        for s in range(20)
        if generator.random() < 0.4
    ]
    labels = {f"p{n:03d}": "AB"[n % 2] for n in range(80)}
    one = corrected(matrix(*zip(*rows, strict=True), known=range(20)), labels, range(20))
    other = corrected(
        matrix(*zip(*rows[::-1], strict=True), known=range(20)), dict(reversed(labels.items())), range(19, -1, -1)
    )
    assert one.voters == other.voters
    assert (one.approved == other.approved).all()


def two_camps() -> tuple[VoteMatrix, dict[str, str]]:
    """60 people of A and 20 of B; 10 statements that A likes more, 5 that B likes more; nobody is much against any."""
    generator = np.random.default_rng(11)
    rows = []
    for n in range(80):
        group = "A" if n < 60 else "B"
        for s in range(16):
            likes = {"A": s < 10, "B": s >= 10}[group] or s == 15
            if generator.random() < 0.7:
                rows.append((f"p{n:02d}", s, 1 if generator.random() < (0.97 if likes else 0.72) else -1))
    return matrix(*zip(*rows, strict=True), known=range(17)), {f"p{n:02d}": "A" if n < 60 else "B" for n in range(80)}


@pytest.mark.parametrize("method", ["equal_shares", "phragmen", "sequential_pav"])
def test_each_method_gives_a_certified_set(method: str) -> None:
    votes, labels = two_camps()
    statements = [Statement(id=n, text=f"Eskubidea {n}", language="eu", moderated=1, author="") for n in range(17)]
    params = with_params(
        rule="proportional", top_n=6, proportional={"method": method, "completion": "phragmen", "floor": 0.45}
    )
    about = {"kind": "votes", "platform": "polis", "license": "CC0-1.0"}
    found = select(statements, measure(votes, labels, 0.95), votes, labels, params, about)
    assert len(found.principles) == 6
    assert [p.selection.rank for p in found.principles] == [1, 2, 3, 4, 5, 6]
    assert found.principles[0].selection.threshold == 0.45
    assert " voters approve it, corrected for who was shown it (" in found.principles[0].selection.reason
    assert found.certificate is not None and found.certificate.jr and found.certificate.ejr_plus
    assert (found.certificate.rule, found.certificate.voters) == ("proportional", 80)
    assert {r.code for r in found.rejected} == {"place", "below_threshold", "low_exposure"}
    assert len(found.principles) + len(found.rejected) == 17
    late = next(r for r in found.rejected if r.code == "place")
    assert "gave the 6 places to others of" in late.reason


def test_the_floor_comes_first() -> None:
    """What one group is against is not in the set, however large the part of the crowd that wants it."""
    votes, labels = two_camps()
    statements = [Statement(id=n, text=f"Dret {n}", language="ca", moderated=1, author="") for n in range(17)]
    params = with_params(rule="proportional", proportional={"method": "phragmen", "completion": "none", "floor": 0.68})
    about = {"kind": "votes", "platform": "polis", "license": "CC0-1.0"}
    found = select(statements, measure(votes, labels, 0.95), votes, labels, params, about)
    assert found.principles[0].id == "p015"  # which both like
    assert not {p.id for p in found.principles} & {f"p{n:03d}" for n in range(10)}  # what three quarters like
    assert all(p.scores and p.scores.lower_bound > 0.68 for p in found.principles)


def test_other_rules_are_certified_too() -> None:
    votes, labels = two_camps()
    statements = [Statement(id=n, text=f"Derecho {n}", language="es", moderated=1, author="") for n in range(17)]
    about = {"kind": "votes", "platform": "polis", "license": "CC0-1.0"}
    params = with_params(rule="threshold", threshold=0.4, top_n=3)
    found = select(statements, measure(votes, labels, 0.95), votes, labels, params, about)
    assert found.certificate is not None
    assert (found.certificate.rule, found.certificate.principles) == ("threshold", 3)
    assert 0 < found.certificate.mean_approved_share <= 1
