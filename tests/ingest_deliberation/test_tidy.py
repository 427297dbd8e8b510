"""The general tidy tables hold any platform's deliberation."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.errors import Trouble
from stages.ingest_deliberation import sources
from stages.ingest_deliberation.conversation import Conversation
from tests.ingest_deliberation.exports import content, minutes_of, votes_of, write

STATEMENTS = [["s-b", "Egin dezagun.", "eu"], ["s-a", "Fem-ho.", "ca"]]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    write(tmp_path / "statements.csv", ["statement", "text", "language"], *STATEMENTS)
    write(tmp_path / "votes.csv", ["participant", "statement", "vote"], ["ane", "s-b", "agree"], ["jon", "s-a", "disagree"],
          ["jon", "s-b", "pass"])  # fmt: skip
    return tmp_path


def read(path: Path) -> Conversation:
    return sources.read("tidy", path, "en")


def test_ids_of_any_kind_become_numbers_in_sorted_order(tables: Path) -> None:
    conversation = read(tables)
    assert [(one.id, one.text, one.language) for one in conversation.statements] == [
        (0, "Fem-ho.", "ca"),
        (1, "Egin dezagun.", "eu"),
    ]
    assert votes_of(conversation) == {("ane", 1): 1, ("jon", 0): -1, ("jon", 1): 0}
    assert minutes_of(conversation) is None
    write(tables / "statements.csv", ["statement", "text", "language"], *reversed(STATEMENTS))
    assert content(read(tables)) == content(conversation)


def test_whole_numbers_stay_what_they_are(tables: Path) -> None:
    write(tables / "statements.csv", ["language", "statement", "text"], ["eu", "40", "Bai"], ["", "7", "Yes"])
    write(tables / "votes.csv", ["vote", "statement", "participant"], [1, "07", "ane"], [-1, 40, "ane"])
    conversation = read(tables)
    assert [(one.id, one.language) for one in conversation.statements] == [(7, "en"), (40, "eu")]
    assert votes_of(conversation) == {("ane", 7): 1, ("ane", 40): -1}


@pytest.mark.parametrize(
    "times",
    [("2026-05-01T20:30:00+02:00", "2026-05-01T18:29:00Z"), ("2026-05-01 18:30", "2026-05-01 18:29:00.5"),
     ("1777660200", "1777660140"), ("1777660200000", "1777660140500")],
)  # fmt: skip
def test_the_latest_vote_counts_however_times_are_written(tables: Path, times: tuple[str, str]) -> None:
    write(tables / "votes.csv", ["participant", "statement", "vote", "time"], ["ane", "s-a", 1, times[0]],
          ["ane", "s-a", -1, times[1]], ["jon", "s-a", 0, times[1]])  # fmt: skip
    conversation = read(tables)
    assert votes_of(conversation) == {("ane", 0): 1, ("jon", 0): 0}
    minutes = minutes_of(conversation)
    assert minutes is not None
    assert minutes[("jon", 0)] == 0


def test_without_times_different_votes_are_a_pass(tables: Path) -> None:
    write(
        tables / "votes.csv",
        ["participant", "statement", "vote"],
        ["ane", "s-a", 1],
        ["ane", "s-a", -1],
        ["jon", "s-a", 1],
    )
    conversation = read(tables)
    assert votes_of(conversation) == {("ane", 0): 0, ("jon", 0): 1}
    assert conversation.quirks["different votes at the same moment, counted as pass"] == 1
    assert conversation.quirks["votes.csv without times"] == 1


def test_what_is_known_of_statements_is_kept(tables: Path) -> None:
    write(tables / "statements.csv", ["statement", "text", "language", "moderated", "author", "seed", "note"],
          ["s-a", "Fem-ho.", "ca", 1, "ane", "true", "x"], ["s-b", "Egin dezagun.", "eu", "", "", "", ""])  # fmt: skip
    one, other = read(tables).statements
    assert (one.moderated, one.author, one.seed) == (1, "ane", True)
    assert (other.moderated, other.author, other.seed) == (0, "", False)


def test_votes_on_unknown_statements_are_counted(tables: Path) -> None:
    write(tables / "votes.csv", ["participant", "statement", "vote"], ["ane", "s-a", 1], ["jon", "s-z", 1])
    conversation = read(tables)
    assert votes_of(conversation) == {("ane", 0): 1}
    assert conversation.quirks["votes on statements that statements.csv does not hold"] == 1
    assert conversation.quirks["participants without a vote that counts"] == 1


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("votes.csv", "participant,statement,vote\nane,s-a,yes\n", r"line 2: vote is 'yes'; wanted one of -1, 0, 1, agree, dis"),
        ("votes.csv", "participant,statement,vote,time\nane,s-a,1,2026-05-01\njon,s-a,1,\n", r"line 3: time is ''; wanted sec"),
        ("votes.csv", "participant,statement,vote,time\nane,s-a,1,2026-05-01\njon,s-a,1,5\n", r"line 3: time is '5'"),
        ("votes.csv", "participant,statement,vote,time\nane,s-a,1,1921-05-01\n", r"line 2: time is '1921-05-01'"),
        ("votes.csv", "participant,statement,vote\n", r"holds no vote on any statement"),
        ("votes.csv", "participant;statement;vote\n", r"line 1: the header lacks participant, statement, vote"),
        ("statements.csv", "statement,text,language\na,x,en\na,y,en\n", r"line 3: statement 'a' is there a second time"),
        ("statements.csv", "statement,text,language\na,x,english\n", r"line 2: language is 'english'"),
        ("statements.csv", "statement,text,language\n", r"holds no statement"),
        ("statements.csv", "statement,text,language,seed\na,x,en,perhaps\n", r"line 2: seed is 'perhaps'; wanted true or false"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tables: Path, file: str, text: str, message: str) -> None:
    (tables / file).write_text(text, encoding="utf-8")
    with pytest.raises(Trouble, match=message):
        read(tables)
