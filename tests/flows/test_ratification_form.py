"""The form on which people decide: typed, filled in with what is known, and safe to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flows.graph import Node, and_behind
from flows.ratification import Ratification
from flows.ratification_form import make_form, to_content
from stages.artifact import write_json
from stages.errors import Trouble
from stages.ratify_constitution.decisions import Decisions, parse
from stages.ratify_constitution.ratification import apply
from tests.ratify_constitution.drafted import ALL, DRAFT, decision, draft

ACCEPT = {"decision": "accept", "reason": "És just."}
GIVEN: dict[str, Any] = {"title": "Carta", "version": "1.0.0", "by": "assemblea"} | dict.fromkeys(ALL, ACCEPT)


def test_answers_become_decisions() -> None:
    given = GIVEN | {
        "quorum": 30, "present": 38, "yes": 33, "no": 4,
        "p002": {"decision": "reword", "reason": "Argiago.", "text": "Ez dezala eskatu.", "yes": 30, "no": 1},
        "p004": {"decision": "merge", "reason": "Lo mismo.", "into": "p003"},
    }  # fmt: skip
    content = to_content(make_form(DRAFT, None)(**given), DRAFT, None)
    constitution = apply(Path("d.yaml"), parse(Path("d.yaml"), content), DRAFT).constitution
    assert [p.id for p in constitution.principles] == ["p001", "p002", "p003", "p005"]
    second = constitution.principles[1].decision
    assert second and second.ballots and (second.text, second.ballots.yes) == ("Ez dezala eskatu.", 30)
    adoption = constitution.ratification
    assert (
        adoption
        and adoption.quorum
        and adoption.ballots
        and (adoption.quorum.present, adoption.ballots.yes) == (38, 33)
    )
    first = constitution.principles[0].decision
    assert first and first.ballots is None and constitution.declined[0].into == "p003"


@pytest.mark.parametrize(
    "wrong",
    [
        {"p001": {"decision": "maybe", "reason": "x"}},
        {"p001": {"decision": "accept", "reason": ""}},
        {"p001": {"decision": "merge", "reason": "x", "into": "p099"}},
        {"p001": {"decision": "accept", "reason": "x", "yes": -1}},
        {"by": ""},
        {"p099": ACCEPT},
    ],
)
def test_the_form_takes_only_what_fits_its_types(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_form(DRAFT, None)(**(GIVEN | wrong))


def test_every_drafted_principle_must_be_decided() -> None:
    with pytest.raises(ValidationError, match="p003"):
        make_form(DRAFT, None)(**{name: value for name, value in GIVEN.items() if name != "p003"})


def test_what_is_known_is_filled_in_and_what_the_form_does_not_ask_stays() -> None:
    known = Decisions.model_validate(
        {
            "title": "Carta vella", "version": "2.0.0", "by": "assemblea", "question": "Com?",
            "previous": {"version": "1.0.0", "sha256": "0" * 64, "principles": {"p001": "Abans."}},
            "decisions": [
                decision("p001", translations={"fr": {"value": "Égaux.", "origin": "human"}}),
                decision("p099", "reject"),
            ],
        }
    )  # fmt: skip
    others = {name: GIVEN[name] for name in ALL if name != "p001"}
    content = to_content(make_form(DRAFT, known)(**others), DRAFT, known)
    written = parse(Path("d.yaml"), content)
    assert (written.title, written.version, written.question) == ("Carta vella", "2.0.0", "Com?")
    assert written.previous == known.previous
    assert [entry.principle for entry in written.decisions] == [*ALL, "p099"]
    assert written.decisions[0] == known.decisions[0]


def test_citizens_text_is_escaped_in_the_form() -> None:
    shown = make_form(DRAFT, None).model_fields["p005"].description
    assert shown == "Buy &lt;b&gt;my&lt;/b&gt; bike. (en)"


def test_a_decision_without_a_reason_is_asked_for_again() -> None:
    known = Decisions.model_validate({"title": "T", "version": "1.0.0", "decisions": [decision("p001", reason=" ")]})
    assert make_form(DRAFT, known).model_fields["p001"].is_required()


def test_what_waits_for_people_and_what_does_not() -> None:
    after = {"draft": (), "aside": (), "ratify": ("draft",), "train": ("ratify", "aside"), "page": ("aside",)}
    nodes = [Node(name, name, "cpu", (), (), needed) for name, needed in after.items()]
    assert [node.name for node in and_behind(nodes, "ratify")] == ["ratify", "train"]


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ratification:
    monkeypatch.chdir(tmp_path)
    write_json(Path("draft/constitution.json"), draft())
    node = Node("ratify_constitution", "Ratify it", "cpu", ("draft", "decisions.yaml"), ("out",), ())
    return Ratification(node, Path("draft"), Path("decisions.yaml"))


def test_a_broken_file_is_not_written_over(people: Ratification) -> None:
    people.decisions.write_text("title: [", encoding="utf-8")
    with pytest.raises(Trouble, match="not valid YAML"):
        people.ask()
    assert people.decisions.read_text(encoding="utf-8") == "title: ["


def test_the_page_shows_the_draft_escaped_with_the_map(people: Ratification) -> None:
    assert "![Opinion groups]" not in people.page()
    plot = people.draft / "plots" / "opinion-groups.png"
    plot.parent.mkdir()
    plot.write_bytes(b"\x89PNG")
    page = people.page()
    assert "> Buy &lt;b&gt;my&lt;/b&gt; bike." in page and "<b>" not in page
    assert page.endswith("![Opinion groups](data:image/png;base64,iVBORw==)")


def test_decisions_that_fit_leave_nothing_to_ask(people: Ratification) -> None:
    assert "decisions.yaml is missing" in str(people.problem())
    content = to_content(make_form(draft(), None)(**GIVEN), draft(), None)
    write_json(people.decisions, content)  # JSON is YAML
    assert people.problem() is None
    people.ask()
