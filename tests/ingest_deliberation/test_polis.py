"""A Polis export is read by key, with its quirks counted and its corruptions named."""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path

import pytest

from stages.errors import Trouble
from stages.ingest_deliberation import sources
from stages.ingest_deliberation.conversation import Conversation

OLD = ["timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body"]
NEW = ["timestamp", "comment-id", "author-id", "agrees", "disagrees", "moderated", "is-meta", "is-seed",
       "group-informed-consensus", "comment-body"]  # fmt: skip
STATEMENTS = [
    [1000, "Mon", 1, "9", 0, 0, 1, "Ez dezala datu pertsonalik eskatu."],
    [1000, "Mon", 0, "8", 0, 0, -1, "Parlez-moi « en clair »,\ns'il vous plaît."],
]
VOTES = [
    [300, "Mon", 0, "8", 1],
    [200, "Mon", 0, "8", -1],  # earlier than the line before: it does not count
    [100, "Mon", 1, "9", 1],
    [100, "Mon", 1, "8", 0],
]
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data" / "polis"


def write(path: Path, *rows: list[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A tiny export of the older kind, with votes.csv."""
    write(tmp_path / "comments.csv", OLD, *STATEMENTS)
    write(tmp_path / "votes.csv", ["timestamp", "datetime", "comment-id", "voter-id", "vote"], *VOTES)
    return tmp_path


def read(path: Path) -> Conversation:
    return sources.read("polis", path, "en")


def test_statements_come_in_order_of_id_and_the_latest_vote_counts(export: Path) -> None:
    conversation = read(export)
    assert [(s.id, s.moderated, s.author) for s in conversation.statements] == [(0, -1, "8"), (1, 1, "9")]
    assert conversation.statements[0].text == "Parlez-moi « en clair », s'il vous plaît."
    assert conversation.votes == {("8", 0): 1, ("9", 1): 1, ("8", 1): 0}
    assert conversation.quirks["votes that a later vote replaced"] == 1


def test_the_newer_header_is_read_too(export: Path) -> None:
    write(export / "comments.csv", NEW, [1, 0, "8", 0, 0, 1, "true", "false", 0.5, "Soc d'aquí."],
          [1, 1, "9", 0, 0, 0, "false", "true", 0.5, "Que parli clar."])  # fmt: skip
    conversation = read(export)
    assert [s.text for s in conversation.statements] == ["Soc d'aquí.", "Que parli clar."]
    assert conversation.quirks["statements about the participants (is-meta)"] == 1


def test_no_line_order_changes_anything(export: Path) -> None:
    before = read(export)
    with (export / "votes.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        write(export / "votes.csv", header, *rows)
        write(export / "comments.csv", OLD, *random.Random(seed).sample(STATEMENTS, 2))
        assert read(export) == before


def test_different_votes_at_the_same_moment_count_as_pass(export: Path) -> None:
    write(export / "votes.csv", ["timestamp", "comment-id", "voter-id", "vote"], [5, 0, "8", 1], [5, 0, "8", -1])
    conversation = read(export)
    assert conversation.votes == {("8", 0): 0}
    assert conversation.quirks["different votes at the same moment, counted as pass"] == 1


def test_without_history_the_matrix_is_read_and_an_empty_cell_is_not_a_pass(export: Path) -> None:
    (export / "votes.csv").unlink()
    write(export / "participants-votes.csv", ["participant", "xid", "group-id", "n-votes", "0", "1"],
          ["9", "secret-account", "0.0", 1, "", 1], ["8", "", "", 2, 1, 0])  # fmt: skip
    conversation = read(export)
    assert conversation.votes == {("9", 1): 1, ("8", 0): 1, ("8", 1): 0}
    assert "secret-account" not in repr(conversation)


def test_files_that_disagree_are_counted_and_the_history_counts(export: Path) -> None:
    write(export / "participants-votes.csv", ["participant", "0", "1"], ["8", 0, 0], ["9", "", 1], ["7", 1, ""])
    conversation = read(export)
    assert conversation.votes[("8", 0)] == 1
    assert ("7", 0) not in conversation.votes
    assert conversation.quirks["votes that differ between votes.csv and participants-votes.csv (votes.csv counts)"] == 1
    assert conversation.quirks["votes in participants-votes.csv only (not counted)"] == 1


def authors_votes(path: Path, own: int, also_matrix: int | None = None) -> None:
    """Six statements, each voted on by its author with `own` and by two others with the opposite."""
    write(path / "comments.csv", OLD, *[[1, "", i, f"a{i}", 0, 0, 1, f"Statement {i}"] for i in range(6)])
    votes = [[1, i, f"a{i}", own] for i in range(6)] + [[1, i, f"b{k}", -own] for i in range(6) for k in range(2)]
    write(path / "votes.csv", ["timestamp", "comment-id", "voter-id", "vote"], *votes)
    if also_matrix is not None:
        rows = [[f"a{i}", *[also_matrix if j == i else "" for j in range(6)]] for i in range(6)]
        rows += [[f"b{k}", *[-also_matrix] * 6] for k in range(2)]
        write(path / "participants-votes.csv", ["participant", *map(str, range(6))], *rows)


def test_agree_is_what_authors_voted_on_their_own_statements(tmp_path: Path) -> None:
    authors_votes(tmp_path, own=1)
    assert read(tmp_path).sign_convention == "agree is +1 (authors voted +1 on 6 and -1 on 0 of their own statements)"
    authors_votes(tmp_path, own=-1)
    conversation = read(tmp_path)
    assert conversation.votes[("a0", 0)] == 1
    assert conversation.votes[("b0", 0)] == -1
    assert conversation.sign_convention.startswith("agree is -1 in the export and was turned to +1")


def test_two_files_with_opposite_signs_are_both_turned_right(tmp_path: Path) -> None:
    authors_votes(tmp_path, own=-1, also_matrix=1)
    conversation = read(tmp_path)
    assert conversation.votes[("a0", 0)] == 1
    assert conversation.quirks["votes that differ between votes.csv and participants-votes.csv (votes.csv counts)"] == 0
    assert conversation.quirks["files whose agree sign was turned"] == 1


def test_opposite_signs_that_nothing_settles_are_refused(export: Path) -> None:
    votes = [[1, 0, f"v{k}", 1] for k in range(4)]
    write(export / "votes.csv", ["timestamp", "comment-id", "voter-id", "vote"], *votes)
    write(export / "participants-votes.csv", ["participant", "0"], *[[f"v{k}", -1] for k in range(4)])
    with pytest.raises(Trouble, match=r"opposite signs.*leave only the file that you trust"):
        read(export)


def test_too_few_own_votes_are_said_to_be_an_assumption(export: Path) -> None:
    assert "assumed" in read(export).sign_convention


def test_languages_and_summary_are_read(export: Path) -> None:
    write(export / "statement-languages.csv", ["comment-id", "language"], [0, "fr"], [7, "ca"])
    write(export / "summary.csv", ["topic", "Què volem?"], ["url", "https://example.org/c"], ["views", 3],
          ["conversation-description", "First line.\n\n\nSecond\u200b line, with a comma."])  # fmt: skip
    conversation = read(export)
    assert [s.language for s in conversation.statements] == ["fr", "en"]
    assert conversation.quirks["languages given for statements that comments.csv does not hold"] == 1
    assert (conversation.topic, conversation.url) == ("Què volem?", "https://example.org/c")
    assert conversation.description == "First line.\n\nSecond line, with a comma."


def test_votes_on_unknown_statements_are_counted_and_left_out(export: Path) -> None:
    write(export / "votes.csv", ["timestamp", "comment-id", "voter-id", "vote"], [1, 0, "8", 1], [1, 99, "8", 1])
    conversation = read(export)
    assert conversation.votes == {("8", 0): 1}
    assert conversation.quirks["votes on statements that comments.csv does not hold"] == 1


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("comments.csv", "id,text\n1,Hello\n", r"comments.csv, line 1: the header lacks comment-id, author-id, moderated"),
        ("comments.csv", "", r"comments.csv, line 1: the header lacks .*found: nothing"),
        ("comments.csv", ",".join(OLD) + "\n1,Mon,0,8,0,0,1\n", r"line 2: found 7 columns; wanted 8"),
        ("comments.csv", ",".join(OLD) + "\n1,Mon,0,8,0,0,1,I agree, mostly\n", r"line 2: found 9 columns; wanted 8"),
        ("comments.csv", ",".join(OLD) + '\n1,Mon,0,8,0,0,1,"no end\n', r"line 2: unexpected end of data"),
        ("comments.csv", ",".join(OLD) + "\n1,Mon,0,8,0,0,2,Hi\n", r"line 2: moderated is 2; wanted one of -1, 0, 1"),
        ("comments.csv", ",".join(OLD) + '\n1,,0,8,0,0,1,"a\nb"\n1,,0,8,0,0,1,b\n', r"line 4: comment-id 0 is there a second"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n1,0,8,1\n1,0,7,yes\n", r"votes.csv, line 3: vote is 'yes'"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n1,0,8,1.5\n", r"line 2: vote is '1.5'; wanted a whole number"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n1,0,8,2\n", r"line 2: vote is 2; wanted one of -1, 0, 1"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n", r"holds no vote"),
        ("statement-languages.csv", "comment-id,language\n0,english\n", r"line 2: language is 'english'"),
        ("summary.csv", "topic,Energy, and more\n", r"summary.csv, line 1: found 3 columns"),
    ],
)  # fmt: skip
def test_a_corrupt_file_is_named_with_its_line(export: Path, file: str, text: str, message: str) -> None:
    (export / file).write_text(text, encoding="utf-8")
    with pytest.raises(Trouble, match=message) as caught:
        read(export)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_utf8_is_named(export: Path) -> None:
    (export / "comments.csv").write_bytes(",".join(OLD).encode() + b"\n1,Mon,0,8,0,0,1,Qu\xe9\n")
    with pytest.raises(Trouble, match=r"comments\.csv is not UTF-8"):
        read(export)


def test_a_folder_without_votes_is_refused(export: Path) -> None:
    (export / "votes.csv").unlink()
    with pytest.raises(Trouble, match=r"neither votes\.csv nor participants-votes\.csv"):
        read(export)


def test_an_unknown_source_names_the_known_ones_and_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"No source named 'polys' .*did you mean 'polis'\?.*known sources: .*polis"):
        sources.read("polys", tmp_path, "en")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the open Polis conversations are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "statements", "votes", "out"),
    [("scoop-hivemind.biodiversity", 316, 29_719, 162), ("bg2050-volunteers", 371, 14_283, 55),
     ("american-assembly.bowling-green", 896, None, 289), ("london.youth.policing", 39, 638, 3)],
)  # fmt: skip
def test_real_conversations_are_read_whole(name: str, statements: int, votes: int | None, out: int) -> None:
    conversation = read(SHARED / name)
    assert len(conversation.statements) == statements
    assert Counter(s.moderated for s in conversation.statements)[-1] == out
    assert conversation.sign_convention.startswith("agree is +1 (authors")
    if votes is not None:
        assert len(conversation.votes) == votes
        differing = [n for name, n in conversation.quirks.items() if "differ between" in name or "only" in name]
        assert differing == [0, 0, 0]  # the latest vote by time is what participants-votes.csv holds
