"""A Polis export is read by key, with its quirks counted and its corruptions named."""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from stages.errors import Trouble
from stages.ingest_deliberation import sources
from stages.ingest_deliberation.conversation import Conversation
from tests.ingest_deliberation.exports import HISTORY, NEW, OLD, content, minutes_of, votes_of, write

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
    assert votes_of(conversation) == {("8", 0): 1, ("9", 1): 1, ("8", 1): 0}
    assert conversation.quirks["votes that a later vote replaced"] == 1


def test_the_newer_header_is_read_too(export: Path) -> None:
    write(export / "comments.csv", NEW, [1, 0, "8", 0, 0, 1, "true", "false", 0.5, "Soc d'aquí."],
          [1, 1, "9", 0, 0, 0, "false", "true", 0.5, "Que parli clar."])  # fmt: skip
    conversation = read(export)
    assert [s.text for s in conversation.statements] == ["Soc d'aquí.", "Que parli clar."]
    assert conversation.quirks["statements about the participants (is-meta)"] == 1


def test_no_line_order_changes_anything(export: Path) -> None:
    before = content(read(export))
    with (export / "votes.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        write(export / "votes.csv", header, *rows)
        write(export / "comments.csv", OLD, *random.Random(seed).sample(STATEMENTS, 2))
        assert content(read(export)) == before


def test_different_votes_at_the_same_moment_count_as_pass(export: Path) -> None:
    write(export / "votes.csv", ["timestamp", "comment-id", "voter-id", "vote"], [5, 0, "8", 1], [5, 0, "8", -1])
    conversation = read(export)
    assert votes_of(conversation) == {("8", 0): 0}
    assert conversation.quirks["different votes at the same moment, counted as pass"] == 1


def test_without_history_the_matrix_is_read_and_an_empty_cell_is_not_a_pass(export: Path) -> None:
    (export / "votes.csv").unlink()
    write(export / "participants-votes.csv", ["participant", "xid", "group-id", "n-votes", "0", "1"],
          ["9", "secret-account", "0.0", 1, "", 1], ["8", "", "", 2, 1, 0])  # fmt: skip
    conversation = read(export)
    assert votes_of(conversation) == {("9", 1): 1, ("8", 0): 1, ("8", 1): 0}
    assert "secret-account" not in repr(conversation)


def test_files_that_disagree_are_counted_and_the_history_counts(export: Path) -> None:
    write(export / "participants-votes.csv", ["participant", "0", "1"], ["8", 0, 0], ["9", "", 1], ["7", 1, ""])
    conversation = read(export)
    assert votes_of(conversation)[("8", 0)] == 1
    assert ("7", 0) not in votes_of(conversation)
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
    assert votes_of(conversation)[("a0", 0)] == 1
    assert votes_of(conversation)[("b0", 0)] == -1
    assert conversation.sign_convention.startswith("agree is -1 in the export and was turned to +1")


def test_two_files_with_opposite_signs_are_both_turned_right(tmp_path: Path) -> None:
    authors_votes(tmp_path, own=-1, also_matrix=1)
    conversation = read(tmp_path)
    assert votes_of(conversation)[("a0", 0)] == 1
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
    assert votes_of(conversation) == {("8", 0): 1}
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
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n1,0,8,1.5\n", r"line 2: vote is '1.5'; wanted one of -1, 0, 1"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n1,0,8,1\n2,0,8,2\n", r"line 3: vote is '2'; wanted one of -1, 0"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n1,0,8,0x1\n", r"line 2: vote is '0x1'"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n1,0,,1\n", r"line 2: voter-id is empty; wanted an id"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n1,-1,8,1\n", r"line 2: comment-id is '-1'; wanted a whole number"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n1,0,8,1\n1518501496471,0,7,1\n", r"line 3: timestamp is '1518"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n1,0,8,1\n1,0,7\n", r"line 3: found 3 columns; wanted 4"),
        ("votes.csv", 'timestamp,comment-id,voter-id,vote\n1,0,8,1\n1,0,"7,1\n', r"line 3: unexpected end of data"),
        ("votes.csv", 'timestamp,comment-id,voter-id,vote\n1,0,"8"8,1\n', r"line 2: .* mend the quotes"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\r1,0,8,1\r", r"line 1: a line ends with a carriage return alone"),
        ("votes.csv", "timestamp,comment-id,voter-id\n1,0,8\n", r"line 1: the header lacks vote"),
        ("participants-votes.csv", "participant,0,1\n8,1,\n8,,1\n", r"line 3: participant '8' is there a second time"),
        ("participants-votes.csv", "participant,0,1\n8,1,\n7,,3\n", r"line 3: 1 is 3; wanted one of -1, 0, 1"),
        ("participants-votes.csv", "participant,0,1\n8,1,\n7,,2\n", r"line 3: 1 is 2; wanted one of -1, 0, 1"),
        ("participants-votes.csv", "participant,0,00\n8,1,\n", r"line 1: statement 0 has two columns"),
        ("participants-votes.csv", "participant,0\n,1\n", r"line 2: participant is empty"),
        ("comments.csv", ",".join(OLD) + "\n1,Mon,-4,8,0,0,1,Hi\n", r"line 2: comment-id is -4"),
        ("comments.csv", ",".join(OLD) + "\n1,Mon,0,8,0,0,1," + "a" * 200_000 + "\n", r"line 2: a cell holds more than 131,072"),
        ("votes.csv", "timestamp,comment-id,voter-id,vote\n", r"holds no vote"),
        ("statement-languages.csv", "comment-id,language\n0,english\n", r"line 2: language is 'english'"),
        ("summary.csv", "topic,Energy, and more\n", r"summary.csv, line 1: found 3 columns"),
    ],
)  # fmt: skip
def test_a_corrupt_file_is_named_with_its_line(export: Path, file: str, text: str, message: str) -> None:
    (export / file).write_bytes(text.encode())
    with pytest.raises(Trouble, match=message) as caught:
        read(export)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_utf8_is_named(export: Path) -> None:
    (export / "comments.csv").write_bytes(",".join(OLD).encode() + b"\n1,Mon,0,8,0,0,1,Qu\xe9\n")
    with pytest.raises(Trouble, match=r"comments\.csv, line 2: byte 0xe9 is not UTF-8"):
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
    ("name", "people", "statements", "votes", "out"),
    [("15-per-hour-seattle", 339, 54, 2_872, 23), ("american-assembly.bowling-green", 2031, 896, 225_524, 289),
     ("austria-climate.5twd2jsnkf.2022-08-08", 1116, 522, 61_384, 245), ("bg2050-volunteers", 126, 371, 14_283, 55),
     ("brexit-consensus", 204, 50, 5_303, 0), ("football-concussions", 1487, 298, 14_328, 137),
     ("london.youth.policing", 26, 39, 638, 3), ("scoop-hivemind.biodiversity", 536, 316, 29_719, 162),
     ("scoop-hivemind.ubi", 234, 71, 7_153, 1), ("ssis.land-bank-farmland.2rumnecbeh.2021-08-01", 404, 297, 33_463, 105),
     ("vtaiwan.uberx", 1921, 197, 49_443, 78)],
)  # fmt: skip
def test_all_real_conversations_are_read_whole(name: str, people: int, statements: int, votes: int, out: int) -> None:
    conversation = read(SHARED / name)
    assert len(conversation.statements) == statements
    assert len(conversation.votes.participants) == people
    assert len(conversation.votes) == votes
    assert Counter(s.moderated for s in conversation.statements)[-1] == out
    assert conversation.sign_convention.startswith("agree is +1 (authors")
    if (SHARED / name / "votes.csv").exists():
        differing = [n for name, n in conversation.quirks.items() if "differ between" in name or "only" in name]
        assert differing == [0, 0, 0, 0]  # the latest vote by time is what participants-votes.csv holds


def test_times_in_seconds_and_in_milliseconds_say_the_same(export: Path) -> None:
    rows = [[1_518_501_496, 0, "8", 1], [1_518_501_496 + 3600, 1, "9", -1]]
    write(export / "votes.csv", HISTORY, *rows)
    in_seconds = read(export)
    write(export / "votes.csv", HISTORY, *[[row[0] * 1000, *row[1:]] for row in rows])
    in_milliseconds = read(export)
    assert minutes_of(in_seconds) == minutes_of(in_milliseconds) == {("8", 0): 0, ("9", 1): 60}
    assert in_seconds.quirks["votes.csv with times in seconds"] == 1
    assert in_milliseconds.quirks["votes.csv with times in seconds"] == 0


def test_a_row_that_repeats_another_is_counted_apart_from_votes_that_were_changed(export: Path) -> None:
    write(
        export / "votes.csv", HISTORY, [5, 0, "8", 1], [5, 0, "8", 1], [4, 0, "8", -1], [4, 0, "8", -1], [3, 1, "8", 1]
    )
    conversation = read(export)
    assert votes_of(conversation) == {("8", 0): 1, ("8", 1): 1}
    assert conversation.quirks["rows that repeat another row exactly (counted once)"] == 2
    assert conversation.quirks["votes that a later vote replaced"] == 1


def test_the_participants_keep_the_order_of_the_matrix_and_those_it_lacks_follow(export: Path) -> None:
    write(export / "participants-votes.csv", ["participant", "1", "0"], ["9", 1, ""], ["20", "", ""])
    conversation = read(export)
    assert conversation.votes.participants == ("9", "20", "8")
    assert conversation.quirks["participants in votes.csv only"] == 1
    assert conversation.quirks["participants without a vote that counts"] == 1


def test_a_seed_is_what_the_export_calls_one_not_what_author_0_wrote(export: Path) -> None:
    write(export / "comments.csv", NEW, [1, 0, "0", 0, 0, 1, "false", "false", 0.5, "Zer da hau?"],
          [1, 1, "9", 0, 0, 0, "false", "true", 0.5, "Zergatik?"])  # fmt: skip
    conversation = read(export)
    assert [one.seed for one in conversation.statements] == [False, True]
    assert conversation.quirks["statements that the export calls seeds (is-seed)"] == 1
    assert conversation.quirks["comments.csv without is-seed (seeds are not known)"] == 0


def test_quirks_of_the_statements_are_counted(export: Path) -> None:
    write(export / "comments.csv", OLD, [1, "", 0, "8", 7, 7, 1, "Bai.\nEta ez."], [1, "", 1, "9", 1, 0, 1, "Oui."],
          [1, "", 5, "9", 0, 0, 1, "Oui."], [1, "", 6, "9", 0, 0, 1, " "])  # fmt: skip
    quirks = read(export).quirks
    assert quirks["statements of several lines (joined)"] == 1
    assert quirks["statements whose text another one has too"] == 2
    assert quirks["statements without text"] == 1
    assert quirks["statement ids that are left out between the first and the last"] == 3
    assert quirks["statements whose agrees or disagrees differ from the votes (the votes count)"] == 1


@pytest.mark.parametrize(
    ("last", "grouped", "people", "flagged"),
    [(1_745_000_000_000, 1, 3, 1), (1_745_000_000_000, 0, 3, 0), (1_760_000_000_000, 1, 3, 0), (1_600_000_000_000, 100, 101, 1)],
)  # fmt: skip
def test_exports_of_the_time_of_wrong_groups_are_flagged(
    export: Path, last: int, grouped: int, people: int, flagged: int
) -> None:
    write(export / "votes.csv", HISTORY, [last, 0, "0", 1])
    rows = [[number, "0.0" if number < grouped else "", 1 if number == 0 else ""] for number in range(people)]
    write(export / "participants-votes.csv", ["participant", "group-id", "0"], *rows)
    quirks = read(export).quirks
    assert quirks["exports of the time when Polis wrote wrong groups (February to May 2025)"] == flagged
    assert quirks["participants to whom Polis gave a group (not read)"] == grouped


def test_only_votes_without_statements_is_refused(export: Path) -> None:
    (export / "comments.csv").unlink()
    write(export / "participants-votes.csv", ["participant", "0"], ["8", 1])
    with pytest.raises(Trouble, match=r"comments\.csv is missing \(it holds votes, but not what they were about\)"):
        read(export)


def test_an_export_that_holds_a_copy_of_itself_is_read_once(export: Path) -> None:
    before = votes_of(read(export))
    for name in ("comments.csv", "votes.csv"):
        write(export / "taxes" / name, ["damaged"])
        (export / "taxes" / name).write_bytes((export / name).read_bytes())
    conversation = read(export)
    assert votes_of(conversation) == before
    assert conversation.quirks["copies of the export inside itself (not read)"] == 1


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(export: Path) -> None:
    before = content(read(export))
    for name in ("comments.csv", "votes.csv"):
        text = (export / name).read_text(encoding="utf-8").replace("\n", "\r\n")
        (export / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert content(read(export)) == before


def test_every_file_that_was_read_is_fingerprinted(export: Path) -> None:
    write(export / "summary.csv", ["topic", "Ura"])
    write(export / "stats-history.csv", ["n-votes"], [1])
    assert list(read(export).inputs) == ["comments.csv", "summary.csv", "votes.csv"]


def test_an_address_that_is_none_becomes_no_link(export: Path) -> None:
    write(export / "summary.csv", ["url", "javascript:alert(1)"])
    assert read(export).url == ""


def test_a_hundred_thousand_votes_are_columns(export: Path) -> None:
    write(export / "votes.csv", HISTORY, *[[10 + n, n % 2, n // 2, (n // 3) % 3 - 1] for n in range(100_000)])
    votes = read(export).votes
    assert (len(votes), len(votes.participants)) == (100_000, 50_000)
    assert np.bincount(votes.statement).tolist() == [50_000, 50_000]
