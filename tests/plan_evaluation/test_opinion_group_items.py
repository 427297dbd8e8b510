"""Items from the city's own deliberation: what each opinion group thinks of each statement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.artifact import write_csv, write_jsonl
from stages.errors import Trouble
from stages.evaluate_model.benchmarks import opinion_groups as benchmark
from stages.evaluate_model.parameters import Options
from stages.plan_evaluation.opinion_groups import make
from stages.records import Statement, Wording

# statement, group: votes of its people in order (a: agree, d: disagree, p: pass, " ": not seen)
VOTES = {
    (0, "A"): "aaadp",
    (0, "B"): "dddda",
    (1, "A"): "aaaa ",  # four people: too few
    (1, "B"): "ppppp",
    (2, "A"): "aaaaa",  # taken out by the moderators
    (3, "B"): "aaadd",
}
MEANING = {"a": 1, "d": -1, "p": 0}


def statement(number: int, language: str, text: str, moderated: int = 1) -> Statement:
    return Statement(id=number, text=text, language=language, moderated=moderated, author="")


def deliberation(folder: Path) -> tuple[Path, Path]:
    translated = statement(0, "eu", "Laguntzaileak egia esan behar du.").model_copy(
        update={"translations": {"ca": Wording(value="L'assistent ha de dir la veritat.", origin="human")}}
    )
    statements = [translated, statement(1, "fr", "Soyez bref."), statement(2, "en", "Buy!", -1), statement(3, "es", "Diga la fuente.")]  # fmt: skip
    write_jsonl(folder / "deliberation" / "statements.jsonl", statements)
    people = {group: [f"{group}{number}" for number in range(5)] for group in "AB"}
    cast = [
        (person, number, MEANING[vote])
        for (number, group), votes in VOTES.items()
        for person, vote in zip(people[group], votes, strict=True)
        if vote != " "
    ]
    outsiders = [(f"nobody{number}", 0, 1) for number in range(9)]  # in no opinion group
    write_csv(folder / "deliberation" / "votes.csv", ["participant", "statement_id", "vote"], cast + outsiders)
    grouped = [(person, group) for group, names in people.items() for person in names]
    write_csv(folder / "draft" / "groups.csv", ["participant", "group"], grouped)
    return folder / "deliberation", folder / "draft"


def test_cells_of_five_voters_make_items_in_each_language(tmp_path: Path) -> None:
    out = tmp_path / "plan" / "items.jsonl"
    made = make(*deliberation(tmp_path), out)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(row["item_id"], row["agree"], row["disagree"]) for row in rows] == [
        ("0-A-ca", 3, 1),
        ("0-A-eu", 3, 1),
        ("0-B-ca", 1, 4),
        ("0-B-eu", 1, 4),
        ("3-B-es", 3, 2),
    ]
    assert rows[0]["text"] == "L'assistent ha de dir la veritat."
    assert made.items == 5
    assert made.left_out == {
        "cells in which everybody passed": 1,
        "cells of a statement and a group with fewer than 5 voters": 2,  # (1, A); (3, A), which nobody saw
        "statements taken out by moderators or without text": 1,
    }


def test_the_benchmark_reads_them_and_the_same_deliberation_gives_the_same_bytes(tmp_path: Path) -> None:
    folders = deliberation(tmp_path)
    make(*folders, tmp_path / "one.jsonl")
    make(*folders, tmp_path / "two.jsonl")
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    items = list(benchmark.read(tmp_path / "one.jsonl", Options()))
    assert [(item.category, item.facts["share"]) for item in items if item.language == "eu"] == [
        ("group A", 0.75),
        ("group B", 0.2),
    ]


def test_without_groups_or_votes_the_way_out_is_named(tmp_path: Path) -> None:
    votes, draft = deliberation(tmp_path)
    write_csv(votes / "votes.csv", ["participant", "statement_id", "vote"], [("A0", 0, 2)])
    with pytest.raises(Trouble, match="a vote '2' on statement '0'; wanted -1, 0 or 1"):
        make(votes, draft, tmp_path / "items.jsonl")
    write_csv(votes / "votes.csv", ["participant", "statement_id", "vote"], [("A0", 0, 1)])
    with pytest.raises(Trouble, match="no statement with 5 votes of an opinion group; leave opinion-groups out"):
        make(votes, draft, tmp_path / "items.jsonl")
    write_csv(draft / "groups.csv", ["participant", "group"], [])
    with pytest.raises(Trouble, match="has no opinion groups; leave opinion-groups out"):
        make(votes, draft, tmp_path / "items.jsonl")
    (draft / "groups.csv").unlink()
    with pytest.raises(Trouble, match=r"groups.csv is missing; run the node that writes it"):
        make(votes, draft, tmp_path / "items.jsonl")
