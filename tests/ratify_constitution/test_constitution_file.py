"""A constitution's file is checked against the committed schema, and against itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stages.artifact import read_json, write_json
from stages.constitution import SCHEMA_FILE, fingerprint, read_constitution, schema, validate
from stages.errors import Trouble
from stages.ratify_constitution import soundness
from stages.ratify_constitution.ratification import ratified
from stages.records import Ballots, Constitution, Parent
from tests.ratify_constitution.drafted import APPLIED, DRAFT, file


@pytest.fixture
def constitution(tmp_path: Path) -> Constitution:
    return ratified(file(tmp_path / "d.yaml", list(APPLIED.values())), DRAFT).constitution


def test_the_committed_schema_is_what_the_records_say() -> None:
    assert read_json(SCHEMA_FILE) == json.loads(json.dumps(schema())), "write it again: python -m stages.constitution"


def test_drafts_and_ratified_constitutions_fit_the_schema(constitution: Constitution, tmp_path: Path) -> None:
    for found in (DRAFT, constitution):
        path = tmp_path / "constitution.json"
        write_json(path, found)
        validate(read_json(path), path)
        assert read_constitution(path) == found
        assert len(fingerprint(path)) == 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "adopted"}, r"\$\.status: 'adopted' is not one of \['draft', 'ratified', 'superseded'\]; wanted"),
        ({"principles": [{"id": "p001"}]}, r"\$\.principles\[0\]: 'language' is a required property"),
        ({"owner": "me"}, r"\$: Additional properties are not allowed \('owner' was unexpected\)"),
        ({"title": ["x" * 900]}, r"\$\.title: .{200} …; wanted"),
    ],
)
def test_what_does_not_fit_the_schema_is_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Trouble, match=message) as caught:
        validate(DRAFT.model_dump(mode="json") | change, Path("c.json"))
    assert "\n" not in str(caught.value)


def changed(constitution: Constitution, number: int, **update: Any) -> Constitution:
    """With one principle changed."""
    principles = list(constitution.principles)
    principles[number] = principles[number].model_copy(update=update)
    return constitution.model_copy(update={"principles": tuple(principles)})


def test_a_sound_constitution_has_no_problems(constitution: Constitution) -> None:
    assert soundness.problems(constitution) == []
    assert soundness.problems(DRAFT) == []


def test_every_contradiction_is_named(constitution: Constitution) -> None:
    first, second = constitution.principles[:2]
    against = first.decision.model_copy(update={"ballots": Ballots(yes=1, no=2)}) if first.decision else None
    cases = [
        (constitution.model_copy(update={"version": "1.0"}), "version 1.0: wanted three numbers, as in 1.0.0"),
        (constitution.model_copy(update={"version": "3.0.0"}), "found version 3.0.0 without `previous`"),
        (
            constitution.model_copy(update={"parent": Parent(version="1.0.0", sha256="0" * 64)}),
            "found version 1.0.0 after 1.0.0, which is not greater; wanted 1.0.1",
        ),
        (constitution.model_copy(update={"principles": ()}), "no principle; wanted at least one"),
        (changed(constitution, 1, id="p001"), "2 principles with the id p001"),
        (changed(constitution, 1, sources=first.sources), "statement 1 stands behind 2 principles"),
        (changed(constitution, 0, sources=()), "p001: no source"),
        (changed(constitution, 0, language="fr"), "p001: no text in fr, its own language"),
        (changed(constitution, 0, decision=None), "p001: no decision"),
        (changed(constitution, 0, decision=second.decision), "p001: the decision reword on p002"),
        (changed(constitution, 0, amended_from="Abans."), "p001: accept does not fit the text from before"),
        (changed(constitution, 0, decision=against), "p001: adopted with 2 no and 1 yes"),
        (changed(constitution, 2, id="p033"), "p004 was merged into p003, which is not adopted"),
        (
            changed(constitution, 2, sources=constitution.principles[2].sources[:1]),
            "1 principles were merged, but no statement of theirs is named as a source",
        ),
    ]
    for found, words in cases:
        assert any(words in problem for problem in soundness.problems(found)), (words, soundness.problems(found))
