"""A charter's clauses become statements on which nobody voted, from Markdown, YAML and JSON alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stages.errors import Trouble
from stages.ingest_deliberation import sources
from stages.ingest_deliberation.conversation import Conversation

SWISS = Path(__file__).parents[2] / ".." / "shared" / "data" / "charter" / "swiss_ai_charter.json"

MARKDOWN = """---
layout: page
---
# Carta de la IA

Aprovada pel Ple. <!-- esborrany -->

## Article 1. Transparència

Preàmbul de l'article.

1. L'assistent **diu** les seves fonts,
   també quan són [dubtoses](https://example.org).
2. I no n'amaga cap.

   Ni tan sols la pròpia.

## Artikulua 2: Hizkuntza

- Euskaraz galdetuta, euskaraz erantzuten du.
* Eta itzultzen duenean, esan egiten du.

## Bakea {#peace authority=root}

Ez du inor iraintzen.
Inoiz ez.

## Hutsik
"""


def read(path: Path, content: str, language: str = "ca") -> Conversation:
    path.write_text(content, encoding="utf-8")
    return sources.read("charter", path, language)


def clauses(found: Conversation) -> list[tuple[str, str]]:
    return [(statement.label, statement.text) for statement in found.statements]


def test_markdown_headings_are_articles_and_list_items_clauses(tmp_path: Path) -> None:
    found = read(tmp_path / "carta.md", MARKDOWN)
    assert found.topic == "Carta de la IA"
    assert found.description == "Aprovada pel Ple."
    assert clauses(found) == [
        ("1.1 Transparència", "L'assistent diu les seves fonts, també quan són dubtoses."),
        ("1.2 Transparència", "I no n'amaga cap. Ni tan sols la pròpia."),
        ("2.1 Hizkuntza", "Euskaraz galdetuta, euskaraz erantzuten du."),
        ("2.2 Hizkuntza", "Eta itzultzen duenean, esan egiten du."),
        ("peace Bakea", "Ez du inor iraintzen. Inoiz ez."),
    ]
    assert [statement.id for statement in found.statements] == [1, 2, 3, 4, 5]
    assert found.quirks["introductions above sub-clauses, which are no clauses themselves"] == 1
    assert found.quirks["articles without text, left out"] == 1


def test_nobody_voted_and_the_charter_says_so(tmp_path: Path) -> None:
    found = read(tmp_path / "c.md", MARKDOWN)
    assert (found.kind, len(found.votes), found.statements[0].moderated) == ("text", 0, 1)
    assert found.lost[0].startswith("votes")
    assert found.lost[1].startswith("opinion groups")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- Uno\n- Dos\n", [("1", "Uno"), ("2", "Dos")]),
        ("1. Uno\n2. Dos\n\n1. Tres\n", [("1", "Uno"), ("2", "Dos"), ("1 (2)", "Tres")]),
        ("Uno\nmás.\n\nDos.\n", [("1", "Uno más."), ("2", "Dos.")]),
        ("# Solo\n- Uno\n", [("1.1 Solo", "Uno")]),
        (
            "# Título\nIntro.\n# 3. Paz\n(a) Uno\n(b) Dos\n",
            [("1 Título", "Intro."), ("3.a Paz", "Uno"), ("3.b Paz", "Dos")],
        ),
        ("## 2 Agua\n2.1. Una\n2.2. Dos\n", [("2.1 Agua", "Una"), ("2.2 Agua", "Dos")]),
        ("## IV. Fi\nText.\n", [("IV Fi", "Text.")]),
        ("## Civic duty\nText.\n", [("1 Civic duty", "Text.")]),
        ("- snake_case_name y 2 * 3 * 4\n", [("1", "snake_case_name y 2 * 3 * 4")]),
    ],
)
def test_markdown_in_other_shapes(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert clauses(read(tmp_path / "c.md", text, "es")) == expected


CONTENT: dict[str, Any] = {
    "title": "Gutuna",
    "articles": [
        {
            "id": "1",
            "title": "Hizkuntza",
            "text": "Sarrera.",
            "subclauses": [
                {"id": "1.1", "text": {"eu": "Euskaraz erantzun.", "es": "Responder en euskera."}},
                {"id": "1.2", "text": {"eu": "Argi hitz egin.", "ca": {"value": "Parlar clar.", "origin": "machine"}}},
            ],
        },
        {"id": "2", "title": "Bakea", "text": "Inor ez iraindu."},
    ],
}


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_json_and_yaml_say_the_same(tmp_path: Path, suffix: str) -> None:
    import yaml

    text = json.dumps(CONTENT) if suffix == "json" else yaml.safe_dump(CONTENT, allow_unicode=True)
    found = read(tmp_path / f"c.{suffix}", text, "eu")
    assert clauses(found) == [
        ("1.1 Hizkuntza", "Euskaraz erantzun."), ("1.2 Hizkuntza", "Argi hitz egin."), ("2 Bakea", "Inor ez iraindu."),
    ]  # fmt: skip
    assert found.statements[0].translations == {"es": ("Responder en euskera.", False)}
    assert found.statements[1].translations == {"ca": ("Parlar clar.", True)}
    assert found.quirks["translations"] == 2


def test_a_constitution_of_ours_is_read_again(tmp_path: Path) -> None:
    principle = {"id": "p001", "language": "eu", "texts": {"eu": {"value": "Argi hitz egin.", "origin": "source"}}}
    found = read(tmp_path / "constitution.json", json.dumps({"language": "eu", "principles": [principle]}))
    assert clauses(found) == [("p001", "Argi hitz egin.")]
    assert found.statements[0].language == "eu"


def test_a_list_of_texts_is_a_charter(tmp_path: Path) -> None:
    assert clauses(read(tmp_path / "c.yml", "- Uno\n- Dos\n")) == [("1", "Uno"), ("2", "Dos")]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("c.json", '{"articles": [', "line 1: Expecting value; wanted JSON"),
        ("c.json", "{}", "has no list 'articles'"),
        ("c.json", '"x"', "holds str; wanted articles"),
        ("c.json", '{"articles": [{"text": 3}]}', "article 1: the text is int"),
        (
            "c.json",
            '{"articles": [{"id": "1", "text": "a"}, {"id": 1, "text": "b"}]}',
            "article 2: id '1' is there a second",
        ),
        ("c.json", '{"articles": [{"text": "a", "text": "b"}]}', "'text' is there twice in one place"),
        ("c.yaml", "articles:\n- text: a\n  text: b\n", "'text' is there twice in one place"),
        ("c.yaml", "articles: [", "mend the file"),
        ("c.json", '{"articles": [{"subclauses": [{"id": "1"}]}]}', "sub-clause 1 has no text"),
        ("c.json", '{"articles": [{"text": {"eus": "a"}}]}', "'eus' is no ISO 639-1 code"),
        ("c.json", '{"articles": [{"text": {"eu": "a"}}]}', "has no text in ca (found: eu)"),
        ("c.json", '{"articles": [{"text": {"ca": {"value": "a", "origin": "machine"}}}]}', "is a machine's"),
        ("c.json", '{"articles": [{"text": {"ca": {"value": "a", "origin": "god"}}}]}', "origin is 'god'"),
        ("c.json", "[" * 100_000, "nested too deeply"),
        ("c.yaml", "[" * 5_000, "nested too deeply"),
        ("c.md", "", "holds no clause"),
        ("c.md", "# Just a title\n", "holds no clause"),
        ("c.docx", "x", "wanted Markdown, YAML or JSON"),
        ("c.json", json.dumps(["x" * 20_001]), "a text of 20,001 characters"),
    ],
)
def test_a_malformed_charter_is_one_line(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(Trouble) as trouble:
        read(tmp_path / name, text)
    assert words in str(trouble.value)
    assert name in str(trouble.value)
    assert "\n" not in str(trouble.value)


def test_a_folder_with_two_charters_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("- a\n", encoding="utf-8")
    assert clauses(sources.read("charter", tmp_path, "ca")) == [("1", "a")]
    (tmp_path / "b.md").write_text("- b\n", encoding="utf-8")
    with pytest.raises(Trouble, match=r"holds 2 charters \(a\.md, b\.md\)"):
        sources.read("charter", tmp_path, "ca")


@pytest.mark.skipif(not SWISS.exists(), reason="the shared data is not beside this checkout")
def test_a_real_charter() -> None:
    found = sources.read("charter", SWISS, "en")
    assert len(found.statements) == 68
    assert found.statements[0].label == "1.1 Response Quality"
    assert found.quirks["introductions above sub-clauses, which are no clauses themselves"] == 11
