"""The node writes statements and votes without anybody's name, or nothing."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from stages import gate
from stages.errors import Trouble
from stages.ingest_deliberation import __main__ as node
from stages.ingest_deliberation import expectations, plots
from stages.ingest_deliberation.conversation import NO_VOTES, Conversation, RawStatement
from stages.ingest_deliberation.deliberation import load, pseudonymous
from stages.ingest_deliberation.parameters import Parameters
from stages.ingest_deliberation.pseudonyms import key_from, pseudonymiser

PARAMS = {
    "source": "polis", "path": "export", "title": "Nola jokatu behar du?", "url": "", "license": "CC0-1.0",
    "simulated": True, "language": "eu", "salt": "public-salt", "withhold_moderated": True,
}  # fmt: skip
COMMENTS = """timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body
1,Mon,0,person-1,0,0,1,Herritar bakoitzari bere hizkuntzan erantzun.
1,Mon,1,person-2,0,0,-1,Call Untel on 699 000 000!
"""
VOTES = ["1,0,person-1,1", "1,0,person-2,-1", "2,1,person-2,1", "3,1,person-3,0"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "comments.csv").write_text(COMMENTS, encoding="utf-8")
    write_votes(tmp_path, VOTES)
    write_params(tmp_path, PARAMS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMMONS_SALT", raising=False)
    monkeypatch.setattr("sys.argv", ["ingest_deliberation", "--source", "export", "--out", "out"])
    return tmp_path


def write_votes(project: Path, rows: list[str]) -> None:
    lines = ["timestamp,comment-id,voter-id,vote", *rows]
    (project / "export" / "votes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_params(project: Path, values: dict[str, object]) -> None:
    (project / "params.yaml").write_text(yaml.safe_dump({"ingest_deliberation": values}), encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_output_names_nobody_and_no_line_order_changes_a_byte(project: Path) -> None:
    assert "read 4 votes of 3 participants on 2 statements (1 moderated out)" in node.main()
    first = contents(project / "out")
    assert sorted(first) == [
        "attendance.csv", "census.csv", "deliberation.json", "gate.json", "metrics.json", "participants.csv", "plots/votes-per-statement.png",
        "statements.jsonl", "votes.csv",
    ]  # fmt: skip
    assert not any(b"person-" in content or b"699" in content for content in first.values())
    about = json.loads(first["deliberation.json"])
    assert (about["key"], about["counts"]["participants"]) == ("public sample key", 3)
    write_votes(project, random.Random(3).sample(VOTES, len(VOTES)))
    node.main()
    second = contents(project / "out")
    assert without_inputs(second.pop("deliberation.json")) == without_inputs(first.pop("deliberation.json"))
    assert second == first


def without_inputs(content: bytes) -> object:
    """deliberation.json but for the fingerprints of the files, which tell one order of lines from another."""
    about = json.loads(content)
    assert set(about.pop("inputs")) == {"comments.csv", "votes.csv"}
    return about


def test_what_people_declared_is_written_by_pseudonym(project: Path) -> None:
    (project / "export" / "participants.csv").write_text(
        "participant,age\nperson-2,65+\nperson-9,16-29\n", encoding="utf-8"
    )
    (project / "export" / "census.csv").write_text(
        "attribute,value,share\nage,65+,0.25\nage,16-64,0.75\n", encoding="utf-8"
    )
    node.main()
    declared = (project / "out" / "participants.csv").read_text(encoding="utf-8").splitlines()
    assert declared == ["participant,age", pseudonymiser(key_from("public-salt"))("person-2") + ",65+"]
    census = (project / "out" / "census.csv").read_text(encoding="utf-8")
    assert census == "attribute,value,share\nage,16-64,0.75\nage,65+,0.25\n"


def test_times_are_kept_apart_from_votes(project: Path) -> None:
    write_votes(project, ["1000,0,person-1,1", "1119,0,person-2,1", "1120,1,person-1,1"])
    node.main()
    votes = (project / "out" / "votes.csv").read_text(encoding="utf-8").splitlines()
    assert votes[0] == "participant,statement_id,vote"
    first, *rows = (project / "out" / "attendance.csv").read_text(encoding="utf-8").splitlines()
    assert first == "participant,first_minute,last_minute"
    assert sorted(row.split(",")[1:] for row in rows) == [["0", "2"], ["1", "1"]]


def test_counts_without_votes_are_drawn_as_supports(tmp_path: Path) -> None:
    raw = RawStatement(0, "Zaindu ura.", "eu", 1, "", supports=12, translations={"es": ("Cuida el agua.", True)})
    conversation = Conversation("decidim", "", "", "", (raw,), NO_VOTES, "no votes", {}, kind="counts")
    deliberation = pseudonymous(
        conversation, pseudonymiser(key_from("public-salt")), "", Parameters.model_validate(PARAMS)
    )
    assert deliberation.metrics["supports"] == 12
    assert deliberation.statements[0].translations["es"].origin == "machine"
    assert plots._title(deliberation).startswith("12 supports for 1 statements (simulated)")
    plots.votes_per_statement(tmp_path / "plot.png", deliberation)
    assert (tmp_path / "plot.png").stat().st_size > 0


def test_a_text_without_votes_passes_the_gate(tmp_path: Path) -> None:
    raw = RawStatement(0, "Zaindu ura.", "eu", 1, "")
    conversation = Conversation(
        "charter", "", "", "", (raw,), NO_VOTES, "nobody voted", {}, kind="text", lost=("votes",)
    )
    key = key_from("public-salt")
    deliberation = pseudonymous(conversation, pseudonymiser(key), key.in_words, Parameters.model_validate(PARAMS))
    assert (deliberation.about["kind"], deliberation.about["lost"]) == ("text", ["votes"])
    assert gate.enforce(tmp_path, expectations.tables(deliberation), expectations.expected(deliberation)) > 0


def test_votes_that_are_wrong_do_not_pass_the_gate(project: Path) -> None:
    deliberation = load("polis", project / "export", Parameters.model_validate(PARAMS))
    for wrong, name in (
        (replace(deliberation, vote=deliberation.vote + np.int8(2)), "other than -1, 0 or 1"),
        (replace(deliberation, statement=deliberation.statement + 7), "on unknown statements"),
        (replace(deliberation, participants=("Ane", "Jon", "Mikel")), "participants not pseudonymous"),
        (
            replace(deliberation, statement=deliberation.statement * 0, participant=deliberation.participant * 0),
            "a second vote",
        ),
        (replace(deliberation, participant=deliberation.participant[::-1]), "out of order"),
    ):
        ids = np.array([statement.id for statement in wrong.statements])
        assert expectations.check(wrong, ids)[name] > 0, name
    with pytest.raises(Trouble, match=r"Gate: votes: .*column='on unknown statements'"):
        wrong = replace(deliberation, statement=deliberation.statement + 7)
        gate.enforce(project, expectations.tables(wrong), expectations.expected(wrong))


def test_each_row_of_the_exports_participant_table_can_be_joined(project: Path) -> None:
    (project / "export" / "participants-votes.csv").write_text(
        "participant,0\nperson-3,\nperson-1,1\nperson-5,\n", encoding="utf-8"
    )
    deliberation = load("polis", project / "export", Parameters.model_validate(PARAMS))
    pseudonym = pseudonymiser(key_from("public-salt"))
    assert deliberation.rows == tuple(map(pseudonym, ("person-3", "person-1", "person-5", "person-2")))
    assert deliberation.participants == tuple(sorted(map(pseudonym, ("person-1", "person-2", "person-3"))))


def test_moderated_text_is_kept_where_the_process_says_so(project: Path) -> None:
    write_params(project, PARAMS | {"withhold_moderated": False})
    node.main()
    assert "699 000 000" in (project / "out" / "statements.jsonl").read_text(encoding="utf-8")


def test_trouble_leaves_nothing_behind(project: Path) -> None:
    write_votes(project, ["1,0,person-1,maybe"])
    with pytest.raises(Trouble, match=r"votes\.csv, line 2: vote is 'maybe'"):
        node.main()
    assert not (project / "out").exists()


def test_a_misspelt_parameter_is_named(project: Path) -> None:
    write_params(project, PARAMS | {"langauge": "eu"})
    with pytest.raises(Trouble, match=r"did you mean 'language'\?"):
        node.main()
