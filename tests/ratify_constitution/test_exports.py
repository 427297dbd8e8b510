"""A constitution in other projects' formats says the same, in each principle's language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stages.errors import Trouble
from stages.ratify_constitution import exports
from stages.ratify_constitution.charter import charter
from stages.ratify_constitution.ratification import ratified
from stages.records import Constitution
from tests.ratify_constitution.drafted import APPLIED, DRAFT, decision, draft, file, principle


@pytest.fixture
def constitution(tmp_path: Path) -> Constitution:
    return ratified(file(tmp_path / "d.yaml", list(APPLIED.values())), DRAFT).constitution


def exported(constitution: Constitution, name: str) -> Any:
    return json.loads(exports.adapter(name).export(constitution))


def test_the_formats_are_the_files_of_the_folder() -> None:
    assert exports.names() == ["articles", "critique", "jsonld", "list", "markdown"]
    with pytest.raises(Trouble, match="No format named 'pdf'; known formats: articles, critique"):
        exports.adapter("pdf")


def test_a_list_has_one_adopted_text_a_line(constitution: Constitution) -> None:
    assert exports.adapter("list").export(constitution).split("\n") == [
        "Tothom ha de ser tractat igual.",
        "Ez dezala behar ez den datu pertsonalik eskatu.",
        "Qu'il réponde « en clair ».",
    ]


def test_markdown_is_the_charter(constitution: Constitution) -> None:
    assert exports.adapter("markdown").export(constitution) == charter(constitution)


def test_articles_have_stable_ids(constitution: Constitution) -> None:
    assert exported(constitution, "articles")["articles"][1] == {
        "id": "p002", "title": "Article 2", "text": "Ez dezala behar ez den datu pertsonalik eskatu.", "subclauses": []
    }  # fmt: skip


def test_critique_and_revision_are_asked_in_the_principles_language(constitution: Constitution) -> None:
    pairs = exported(constitution, "critique")["constitutions"]
    assert [sorted(pair) for pair in pairs] == [["critic", "revision"]] * 3
    assert pairs[0]["critic"].startswith("Principi: «Tothom ha de ser tractat igual.» Torna a llegir la resposta: ")
    assert "«Ez dezala behar ez den datu pertsonalik eskatu.»" in pairs[1]["revision"]
    assert pairs[2]["critic"].startswith("Principe : « Qu'il réponde « en clair ». » Relis la réponse : ")


def test_a_principle_is_no_template_and_another_language_is_asked_about_in_english(tmp_path: Path) -> None:
    text = "Ordna {principle} och {0.__class__} %s."
    drafted = draft(principles=(principle("p001", text, "sv"),))
    found = ratified(file(tmp_path / "d.yaml", [decision("p001")]), drafted).constitution
    critic = exported(found, "critique")["constitutions"][0]["critic"]
    assert critic.startswith(f"Principle: “{text}” Read the answer again: where does it depart from this principle?")


def test_linked_data_leads_from_a_principle_to_statements_votes_and_decision(constitution: Constitution) -> None:
    graph = exported(constitution, "jsonld")["@graph"]
    by_id = {node["@id"]: node for node in graph}
    assert len(by_id) == len(graph), "every thing stands once"
    third = by_id["urn:democratic-commons:principle:p003"]
    assert [by_id[ref["@id"]]["commons:relation"] for ref in third["prov:wasDerivedFrom"]] == ["verbatim", "merged"]
    decided = by_id[third["prov:wasGeneratedBy"]["@id"]]
    assert (decided["commons:decision"], decided["commons:reason"]) == ("accept", "It is fair.")
    assert by_id[decided["prov:wasAssociatedWith"]["@id"]]["commons:role"] == "citizens' assembly"
    counts = {ref["@id"].rsplit(":", 1)[1]: by_id[ref["@id"]]["commons:agree"] for ref in decided["prov:used"]}
    assert counts == {"all": 13, "group-A": 9, "group-B": 4}
    merged = by_id["urn:democratic-commons:decision:p004"]
    assert merged["commons:into"] == {"@id": "urn:democratic-commons:principle:p003"}
    dangling = [ref for ref in _references(graph) if ref not in by_id and ":author:" not in ref and ":p004" not in ref]
    assert dangling == []


def _references(value: Any) -> list[str]:
    """What the graph points to."""
    if isinstance(value, list):
        return [ref for item in value for ref in _references(item)]
    if isinstance(value, dict):
        own = [value["@id"]] if set(value) == {"@id"} else []
        return own + [ref for item in value.values() for ref in _references(item)]
    return []
