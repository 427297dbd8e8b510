"""A brigade that wants to capture an opinion group of a real conversation is mostly flagged, and real people are not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from stages.draft_constitution.integrity import ALIKE, look
from stages.draft_constitution.parameters import Parameters
from stages.params import load
from tests.draft_constitution.routed import POLIS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def brigade(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """infra/brigade.py, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("brigade", ROOT / "infra" / "brigade.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "brigade", module)  # where its dataclasses look for themselves
    spec.loader.exec_module(module)
    return module


def test_captors_are_flagged_and_the_draft_comes_back_without_them(brigade: ModuleType) -> None:
    export = POLIS / "scoop-hivemind.biodiversity"
    if not export.exists():
        pytest.skip("needs scoop-hivemind.biodiversity of the Polis open data in ../shared/data/polis")
    params = load("draft_constitution", Parameters, ROOT / "params.yaml")
    statements, votes = brigade.read(export)
    before = brigade.draft(statements, votes, params)
    (plan,) = [plan for plan in brigade.plans(statements, votes, before) if plan.name == "capture"]
    attacked = brigade.attacked(votes, plan, 0.1)
    assert (attacked.coded != brigade.attacked(votes, plan, 0.1).coded).nnz == 0  # nothing is drawn anew
    flags = look(attacked, params).flags
    fakes = {person for person in attacked.participants if person.startswith(brigade.FAKE)}
    assert len(fakes) == 54
    assert len(fakes & set(flags[ALIKE])) >= 0.75 * len(fakes)
    assert len({p for accounts in flags.values() for p in accounts} - fakes) <= 0.03 * len(votes.participants)
    with_them = brigade.draft(statements, attacked, params)
    rest = [row for row, person in enumerate(attacked.participants) if not any(person in a for a in flags.values())]
    without = brigade.draft(statements, attacked.rows(brigade.np.array(rest)), params)

    def overlap(result: object) -> float:
        one, other = set(before.principles), set(result.principles)  # type: ignore[attr-defined]
        return len(one & other) / len(one | other)

    assert overlap(with_them) < 0.5 < 0.75 <= overlap(without)
