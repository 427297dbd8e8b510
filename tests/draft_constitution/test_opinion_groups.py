"""Planted groups are found again whatever the order of the rows; where there are none, none are invented."""

from __future__ import annotations

import csv
import importlib.util
import random
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from stages.draft_constitution.consensus import count, measure
from stages.draft_constitution.opinion_groups import Grouping, find_groups
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.representative import representative
from stages.draft_constitution.votes import matrix
from stages.ingest_deliberation import sources
from stages.params import load
from tests.draft_constitution.planted import PARAMS, Row, columns, crowd, with_params

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
SHARED = ROOT / ".." / "shared" / "data" / "polis"


def group(votes: list[Row], params: Parameters, moderated_out: frozenset[int] = frozenset()) -> Grouping:
    known = sorted({statement for _, statement, _ in votes})
    scored = np.array([statement not in moderated_out for statement in known], dtype=bool)
    return find_groups(matrix(*columns(votes), known=known), scored, params)


def similarity(grouping: Grouping, planted: Mapping[str, object]) -> float:
    """The adjusted Rand index: 1 the same groups, 0 as by chance."""
    people = [person for person in sorted(grouping.labels) if person in planted]
    return float(adjusted_rand_score([str(planted[p]) for p in people], [grouping.labels[p] for p in people]))


def by_chance(people: int = 60, statements: int = 20, seed: int = 2) -> list[Row]:
    generator = random.Random(seed)
    return [(f"p{n:03d}", s, generator.choice([1, 0, -1])) for n in range(people) for s in range(statements)]


def test_planted_groups_are_found_and_named_by_size() -> None:
    votes, planted = crowd((30, 45, 20))
    grouping = group(votes, PARAMS)
    assert similarity(grouping, planted) > 0.9
    assert list(grouping.sizes) == ["A", "B", "C"]
    assert list(grouping.sizes.values()) == sorted(grouping.sizes.values(), reverse=True)
    assert grouping.chosen == "the clearest division of those with a stability of at least 0.8"
    assert grouping.separation_p == 0.05  # the smallest that nineteen runs can give
    assert grouping.reliable
    assert grouping.verdict.startswith("reliable groups: 3, with a mean adjusted Rand index of ")


def test_no_row_order_and_no_choice_of_pseudonyms_changes_the_groups() -> None:
    votes, _ = crowd((30, 25))
    first = group(votes, PARAMS)
    shuffled = random.Random(5).sample(votes, len(votes))
    assert group(shuffled, PARAMS) == first
    renamed = [(p[::-1], s, v) for p, s, v in votes]
    other = group(renamed, PARAMS)
    assert {p[::-1]: label for p, label in other.labels.items()} == first.labels
    assert (other.stability, other.separation_p, other.verdict) == (first.stability, first.separation_p, first.verdict)


def test_a_large_crowd_is_resampled_in_part_and_still_independent_of_order() -> None:
    votes, planted = crowd((260, 200))
    few = with_params(resample_at_most=150, stability_runs=4)
    first = group(votes, few)
    assert group(random.Random(6).sample(votes, len(votes)), few) == first
    assert first.reliable
    assert similarity(first, planted) > 0.9


def test_a_fixed_number_of_groups_is_kept_and_its_neighbours_are_shown() -> None:
    votes, _ = crowd((30, 25, 20))
    grouping = group(votes, with_params(groups=3))
    assert (len(grouping.sizes), grouping.chosen) == (3, "fixed at 3 in params.yaml")
    assert sorted(grouping.stability) == [2, 3, 4]
    assert grouping.stability[3].silhouette > grouping.stability[2].silhouette
    assert grouping.reliable


def test_one_outlier_is_not_a_group() -> None:
    votes, planted = crowd((30, 25))
    votes += [("outlier", statement, -1 if statement < 4 else 1) for statement in range(20)]
    grouping = group(votes, with_params(groups=2))
    assert min(grouping.sizes.values()) >= 20
    assert "outlier" in grouping.labels
    assert similarity(grouping, planted) > 0.9


def test_people_of_one_mind_are_one_group() -> None:
    grouping = group([(f"p{n:02d}", s, 1) for n in range(20) for s in range(6)], PARAMS)
    assert (grouping.sizes, grouping.separation_p, grouping.stability) == ({"A": 20}, None, {})
    assert grouping.verdict == (
        "no reliable groups: no division with at least 4 people in every group (1 places on the map)"
    )


def test_votes_by_chance_make_no_groups() -> None:
    grouping = group(by_chance(), PARAMS)
    assert (grouping.reliable, grouping.sizes) == (False, {"A": 60})
    assert grouping.chosen.startswith("none has a stability of 0.8; ")
    assert grouping.verdict.startswith("no reliable groups: ")
    assert "unstable: their mean adjusted Rand index over resamples is 0." in grouping.verdict
    assert grouping.separation_p is not None
    assert grouping.separation_p > 0.05


def test_a_fixed_number_of_groups_stays_and_is_called_unstable() -> None:
    grouping = group(by_chance(), with_params(groups=3))
    assert (grouping.reliable, len(grouping.sizes)) == (False, 3)
    assert grouping.verdict.startswith("no reliable groups: 3 groups are unstable: ")


def test_stable_groups_that_chance_makes_as_often_are_not_relied_on() -> None:
    votes, _ = crowd((30, 25))
    grouping = group(votes, with_params(separation_runs=9))  # 0.1 is the least that nine runs can show
    assert (grouping.reliable, len(grouping.sizes)) == (False, 1)
    assert grouping.verdict == (
        "no reliable groups: votes dealt out by chance lie as far apart (p 0.10); wanted at most 0.05"
    )


def test_one_group_that_was_asked_for_is_said_to_be_no_finding() -> None:
    grouping = group(crowd((30, 25))[0], with_params(groups=1))
    assert (grouping.sizes, grouping.reliable) == ({"A": 55}, False)
    assert grouping.verdict == "no reliable groups: one group was asked for (draft_constitution.groups: 1)"


@pytest.mark.parametrize("groups", [None, 2])
@pytest.mark.parametrize(
    ("votes", "figure"),
    [
        ([], "0 of 0 participants cast at least 4 votes"),
        ([(p, s, v) for p, v in (("a", 1), ("b", -1), ("c", 1)) for s in range(8)], "3 of 3 participants"),
        ([(f"p{n:02d}", s, 1) for n in range(40) for s in (n % 20, (n + 7) % 20)], "0 of 40 participants cast"),
        ([(f"p{n:02d}", s, 1) for n in range(30) for s in range(8)], "(1 places on the map)"),
        ([(f"p{n:02d}", s, 0) for n in range(30) for s in range(8)], "(1 places on the map)"),
        ([("a", 0, 1)], "1 of 1 participants"),
    ],
    ids=["empty", "three people", "nobody with enough votes", "all identical", "only passes", "one vote"],
)
def test_a_degenerate_conversation_ends_in_a_verdict(votes: list[Row], figure: str, groups: int | None) -> None:
    grouping = group(votes, with_params(groups=groups))
    assert not grouping.reliable
    assert grouping.verdict.startswith("no reliable groups: ")
    assert figure in grouping.verdict
    if groups is None:
        assert set(grouping.sizes) <= {"A"}
    assert measure(matrix(*columns(votes), known=range(20)), grouping.labels, 0.95).keys() == set(range(20))


def test_one_statement_is_too_little_to_tell_more_than_who_agrees() -> None:
    votes = [(f"p{n:02d}", 0, 1 if n % 3 else -1) for n in range(40)]
    grouping = group(votes, PARAMS)
    # Those for and those against are as stable as can be, but any deal of the same votes makes the same two groups.
    assert not grouping.reliable
    assert (grouping.sizes, grouping.separation_p) == ({"A": 40}, 1)


Votes = st.dictionaries(st.tuples(st.integers(0, 30), st.integers(0, 9)), st.sampled_from([1, 0, -1]), max_size=150)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cells=Votes, groups=st.sampled_from([None, 1, 2, 5]), out=st.sets(st.integers(0, 9)), seed=st.integers(0, 9))
def test_no_conversation_crashes_and_no_order_changes_it(
    cells: dict[tuple[int, int], int], groups: int | None, out: set[int], seed: int
) -> None:
    params = with_params(groups=groups, stability_runs=2, separation_runs=2, resample_at_most=20, min_votes=2)
    rows = [(f"{p:02d}", s, v) for (p, s), v in cells.items()]
    generator = random.Random(seed)
    results = []
    for order in (rows, generator.sample(rows, len(rows))):
        votes = matrix(*columns(order), known=generator.sample(range(10), 10))
        scored = np.array([s not in out for s in range(10)])
        grouping = find_groups(votes, scored, params)
        found = (measure(votes, grouping.labels, 0.95), representative(count(votes, grouping.labels)))
        results.append((grouping, *found))
    assert results[0] == results[1]
    grouping = results[0][0]
    assert grouping.verdict.startswith("reliable groups: " if grouping.reliable else "no reliable groups: ")
    assert set(grouping.labels) == set(grouping.points) <= {p for p, _, _ in rows}
    assert list(grouping.sizes) == list("ABCDE")[: len(grouping.sizes)]


def test_moderated_out_statements_do_not_make_groups() -> None:
    votes, planted = crowd((30, 25))
    dividing = [(p, 99 + s, 1 if hash_even(p) else -1) for p in planted for s in range(20)]
    divided = {p: hash_even(p) for p in planted}
    everything = frozenset(range(99, 119))
    assert similarity(group([*votes, *dividing], with_params(groups=2), everything), planted) > 0.9
    assert similarity(group([*votes, *dividing], with_params(groups=2)), divided) > 0.9


def hash_even(person: str) -> bool:
    """A property of people that has nothing to do with their planted group."""
    return int(person, 16) % 2 == 0


def simulation() -> ModuleType:
    """The program that made the sample."""
    spec = importlib.util.spec_from_file_location("sample_deliberation", SAMPLE / "making" / "deliberation.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [7, 8])
def test_planted_groups_of_the_sample_are_found_whatever_the_seed(seed: int) -> None:
    made_by = simulation()
    tables = made_by.simulate(made_by.read_statements(SAMPLE / "making" / "statements.yaml"), seed)
    latest = {
        (str(row[3]), int(row[2])): int(row[4]) for row in sorted(tables["votes.csv"][1:], key=lambda row: row[0])
    }
    votes = [(person, statement, vote) for (person, statement), vote in latest.items()]
    out = frozenset(int(row[2]) for row in tables["comments.csv"][1:] if row[6] == -1)
    grouping = group(votes, load("draft_constitution", Parameters, ROOT / "params.yaml"), out)
    assert (len(grouping.sizes), grouping.reliable) == (3, True)
    assert similarity(grouping, {str(p): g for p, g in tables["planted-groups.csv"][1:]}) > 0.8


needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the open Polis conversations are not beside this checkout"
)


def real(name: str, **changes: object) -> tuple[Grouping, dict[str, object]]:
    """The groups of a real conversation with the published parameters, and those that Polis recorded."""
    conversation = sources.read("polis", SHARED / name, "en")
    with (SHARED / name / "participants-votes.csv").open(encoding="utf-8", newline="") as file:
        recorded = {row["participant"]: row["group-id"] for row in csv.DictReader(file) if row["group-id"]}
    table = conversation.votes
    people = np.array(table.participants)[table.participant]
    moderated = {s.id: s.moderated for s in conversation.statements}
    params = load("draft_constitution", Parameters, ROOT / "params.yaml")
    params = params.model_copy(update={"groups": len(set(recorded.values())), "separation_runs": 19, **changes})
    scored = np.array([moderated[s] != -1 for s in sorted(moderated)])
    return find_groups(matrix(people, table.statement, table.vote, list(moderated)), scored, params), dict(recorded)


@needs_shared
@pytest.mark.parametrize(
    "name", ["scoop-hivemind.biodiversity", "vtaiwan.uberx", "austria-climate.5twd2jsnkf.2022-08-08",
             "ssis.land-bank-farmland.2rumnecbeh.2021-08-01"],
)  # fmt: skip
def test_as_many_groups_as_polis_recorded_are_the_same_groups_and_reliable(name: str) -> None:
    grouping, recorded = real(name)
    assert similarity(grouping, recorded) >= 0.8
    assert grouping.verdict.startswith("reliable groups: 2, ")


@needs_shared
@pytest.mark.parametrize("name", ["football-concussions", "london.youth.policing", "scoop-hivemind.ubi"])
def test_conversations_whose_groups_do_not_hold_are_reported_so(name: str) -> None:
    for groups in ({}, {"groups": None}):
        grouping, _ = real(name, **groups)
        assert not grouping.reliable
        assert grouping.verdict.startswith("no reliable groups: ")


@needs_shared
@pytest.mark.parametrize(("name", "reliable"), [("brexit-consensus", True), ("15-per-hour-seattle", False)])
def test_other_recorded_groups_are_found_too_though_resamples_say_where_they_waver(name: str, reliable: bool) -> None:
    grouping, recorded = real(name)
    assert similarity(grouping, recorded) >= 0.8
    assert grouping.reliable is reliable


@needs_shared
@pytest.mark.parametrize(
    "name", ["vtaiwan.uberx", "austria-climate.5twd2jsnkf.2022-08-08", "scoop-hivemind.biodiversity"]
)
def test_left_free_the_number_of_groups_is_the_recorded_one_where_it_is_stable(name: str) -> None:
    grouping, recorded = real(name, groups=None)
    assert len(grouping.sizes) == 2 and similarity(grouping, recorded) >= 0.8
