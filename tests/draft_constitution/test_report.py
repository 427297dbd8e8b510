"""draft.json and metrics.json say in words what was found, for every kind of deliberation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stages.draft_constitution import report
from tests.draft_constitution.looked_at import drafted_of, params, planted


def test_draft_json_tells_groups_reasons_and_gates_of_a_deliberation_with_votes() -> None:
    material, drafted = planted()
    told = report.describe(material.about, drafted, params())
    assert told["k"] == 2
    assert told["groups"] == {"A": 30, "B": 20}
    assert told["reliable"] is True
    assert told["verdict"].startswith("reliable groups: ")
    assert told["participants_without_group"] == 0
    assert told["rejected"]["taken out by moderators"] == 1
    assert sum(told["rejected"].values()) + told["principles"] == 22
    assert told["gates"]["single votes are known"] is True
    assert json.loads(json.dumps(told)) == told  # plain values, keys are strings


def test_metrics_are_numbers_by_names_in_words() -> None:
    material, drafted = planted()
    metrics = report.measure(material.about, drafted, params())
    assert metrics["principles drafted"] == 4
    assert metrics["not selected: taken out by moderators"] == 1
    assert metrics["opinion groups"] == 2
    assert metrics["people in the smallest group"] == 20
    assert metrics["lowest sure support of a principle in any group"] > 0.6
    assert metrics["stability of the groups (1 = always the same)"] > 0.9
    assert metrics["checks of quality passed"] + metrics["checks of quality not passed"] == len(drafted.gates)
    assert all(isinstance(value, int | float) for value in metrics.values())


@pytest.mark.parametrize(("kind", "rule"), [("text", "all"), ("counts", "all")])
def test_without_votes_there_are_no_groups_and_it_is_said(kind: str, rule: str) -> None:
    about, drafted = drafted_of(None, kind, rule=rule)
    told = report.describe(about, drafted, params(rule=rule))
    assert (told["k"], told["groups"], told["reliable"]) == (0, {}, False)
    assert "Nobody's single votes are known" in told["method"]
    assert told["lost"]
    metrics = report.measure(about, drafted, params(rule=rule))
    assert metrics["principles drafted"] == 5
    assert "opinion groups" not in metrics


def test_nothing_drafted_is_measured_without_inventing_figures() -> None:
    votes: list[tuple[str, int, int]] = [(f"p{n}", s, -1) for n in range(12) for s in range(5)]
    about, drafted = drafted_of(votes, "votes")
    metrics: dict[str, Any] = report.measure(about, drafted, params())
    assert metrics["principles drafted"] == 0
    assert "lowest sure support of a principle in any group" not in metrics
    assert metrics["opinion groups can be relied on (1 = yes)"] == 0
