"""Planted groups are found again whatever the order of the rows; unstable ones are called unstable."""

from __future__ import annotations

import csv
import importlib.util
import random
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from stages.draft_constitution.opinion_groups import Grouping, find_groups
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.votes import matrix
from stages.ingest_deliberation import sources
from stages.params import load
from tests.draft_constitution.planted import PARAMS, Row, columns, crowd, with_params

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
SHARED = ROOT / ".." / "shared" / "data" / "polis"


def group(votes: list[Row], params: Parameters, moderated_out: frozenset[int] = frozenset()) -> Grouping:
    known = sorted({statement for _, statement, _ in votes})
    scored = np.array([statement not in moderated_out for statement in known])
    return find_groups(matrix(*columns(votes), known=known), scored, params)


def similarity(grouping: Grouping, planted: dict[str, object]) -> float:
    """The adjusted Rand index: 1 the same groups, 0 as by chance."""
    people = [person for person in sorted(grouping.labels) if person in planted]
    return float(adjusted_rand_score([str(planted[p]) for p in people], [grouping.labels[p] for p in people]))


def test_planted_groups_are_found_and_named_by_size() -> None:
    votes, planted = crowd((30, 45, 20))
    grouping = group(votes, PARAMS)
    assert similarity(grouping, planted) > 0.9
    assert list(grouping.sizes) == ["A", "B", "C"]
    assert list(grouping.sizes.values()) == sorted(grouping.sizes.values(), reverse=True)
    assert grouping.chosen == "the most groups with a stability of at least 0.8 and near the best"
    assert grouping.separation_p == 0.1  # the smallest that nine runs can give


def test_no_row_order_and_no_choice_of_pseudonyms_changes_the_groups() -> None:
    votes, _ = crowd((30, 25))
    first = group(votes, PARAMS)
    shuffled = random.Random(5).sample(votes, len(votes))
    assert group(shuffled, PARAMS) == first
    renamed = [(p[::-1], s, v) for p, s, v in votes]
    other = group(renamed, PARAMS)
    assert {p[::-1]: label for p, label in other.labels.items()} == first.labels
    assert other.stability == first.stability


def test_a_fixed_number_of_groups_is_kept_and_its_neighbours_are_shown() -> None:
    votes, _ = crowd((30, 25, 20))
    grouping = group(votes, with_params(groups=3))
    assert (len(grouping.sizes), grouping.chosen) == (3, "fixed at 3 in params.yaml")
    assert sorted(grouping.stability) == [2, 3, 4]


def test_one_outlier_is_not_a_group() -> None:
    votes, planted = crowd((30, 25))
    votes += [("outlier", statement, -1 if statement < 4 else 1) for statement in range(20)]
    grouping = group(votes, with_params(groups=2))
    assert min(grouping.sizes.values()) >= 20
    assert "outlier" in grouping.labels
    assert similarity(grouping, planted) > 0.9


def test_people_of_one_mind_are_one_group() -> None:
    grouping = group([(f"p{n:02d}", s, 1) for n in range(20) for s in range(6)], PARAMS)
    assert (grouping.sizes, grouping.separation_p) == ({"A": 20}, None)


def test_votes_by_chance_are_called_unstable_and_inseparable() -> None:
    generator = random.Random(2)
    votes = [(f"p{n:03d}", s, generator.choice([1, 0, -1])) for n in range(60) for s in range(20)]
    grouping = group(votes, PARAMS)
    assert "read with caution" in grouping.chosen
    assert grouping.separation_p is not None
    assert grouping.separation_p > 0.1


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
    params = load("draft_constitution", Parameters, ROOT / "params.yaml")
    grouping = group(votes, params.model_copy(update={"separation_runs": 0, "stability_runs": 10}), out)
    assert len(grouping.sizes) == 3
    assert similarity(grouping, {str(p): g for p, g in tables["planted-groups.csv"][1:]}) > 0.8


@pytest.mark.skipif(not SHARED.is_dir(), reason="the open Polis conversations are not beside this checkout")
@pytest.mark.parametrize(
    "name", ["scoop-hivemind.biodiversity", "brexit-consensus", "15-per-hour-seattle", "vtaiwan.uberx",
             "austria-climate.5twd2jsnkf.2022-08-08", "ssis.land-bank-farmland.2rumnecbeh.2021-08-01"],
)  # fmt: skip
def test_two_groups_of_real_conversations_are_those_that_polis_recorded(name: str) -> None:
    conversation = sources.read("polis", SHARED / name, "en")
    with (SHARED / name / "participants-votes.csv").open(encoding="utf-8", newline="") as file:
        recorded = {row["participant"]: row["group-id"] for row in csv.DictReader(file) if row["group-id"]}
    votes = [(person, statement, vote) for (person, statement), vote in conversation.votes.items()]
    out = frozenset(s.id for s in conversation.statements if s.moderated == -1)
    params = with_params(groups=2, min_votes=7, stability_runs=1, separation_runs=0)
    assert similarity(group(votes, params, out), recorded) >= 0.8
