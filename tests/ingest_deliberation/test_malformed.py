"""Thousands of damaged exports: each is read with its oddities counted, or refused in one line that names the file.

COMMONS_TEST_EXAMPLES=3000 pytest tests/ingest_deliberation/test_malformed.py
"""

from __future__ import annotations

import csv
import io
import os
import random
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.artifact import write_jsonl
from stages.errors import Trouble
from stages.ingest_deliberation import columns, files, matrix_file, sources
from stages.ingest_deliberation.conversation import Conversation
from stages.ingest_deliberation.deliberation import pseudonymous
from stages.ingest_deliberation.inspection import inspect
from stages.ingest_deliberation.latest_votes import Cast, in_order, latest
from stages.ingest_deliberation.parameters import Parameters
from stages.ingest_deliberation.pseudonyms import key_from, pseudonymiser
from stages.ingest_deliberation.read_csv import read_table
from tests.ingest_deliberation.exports import HISTORY, NEW, OLD

EXAMPLES = int(os.environ.get("COMMONS_TEST_EXAMPLES", "0"))
KEY = key_from("public-salt")
PARAMS = Parameters(
    source="polis", path="x", title="x", license="CC0-1.0", simulated=True, language="eu", salt="public-salt"
)

Files = dict[str, bytes]
Damage = Callable[[random.Random, Files], Files]


def often(usually: int) -> settings:
    """So many examples, the same each time; COMMONS_TEST_EXAMPLES asks for more, new ones each time."""
    return settings(
        max_examples=EXAMPLES or usually, deadline=None, derandomize=not EXAMPLES, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def table(rows: list[list[object]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode()


def parsed(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(errors="replace"), newline="")))


def export(draw: random.Random) -> Files:
    """A small export of either generation, of either platform's tables, in good order."""
    people = [str(number) for number in range(draw.choice([1, 3, 3, 8]))]
    ids = draw.sample(range(12), draw.choice([1, 2, 5]))
    new = draw.random() < 0.5
    same = draw.random() < 0.2  # all vote alike
    cast = [
        (1 if same else draw.choice([-1, 0, 1]), person, id_) for person in people for id_ in ids if draw.random() < 0.8
    ]
    found: Files = {}
    bodies = ["Zer egin?", "Où ça, « là » ?", 'Va dir: "sí"', "Bi\nlerro", "", "Zer egin?"]
    comments: list[list[object]] = [list(NEW if new else OLD)]
    for id_ in ids:
        values = {"timestamp": 5, "comment-id": id_, "author-id": draw.choice([*people, ""]), "agrees": 1, "disagrees": 0,
                  "moderated": draw.choice([-1, 0, 1]), "is-meta": "false", "is-seed": "true", "comment-body": draw.choice(bodies)}  # fmt: skip
        comments.append([values.get(name, "") for name in comments[0]])
    found["comments.csv"] = table(comments)
    if draw.random() < 0.8:
        start = draw.choice([1_500_000_000, 1_500_000_000_000])
        rows = [[start + draw.randrange(5), id_, person, vote] for vote, person, id_ in cast + cast[:3]]
        found["votes.csv"] = table([list(HISTORY), *rows])
    if draw.random() < 0.6 or "votes.csv" not in found:
        cells = {(person, id_): vote for vote, person, id_ in cast}
        matrix = [[person, "", "0.0", *[cells.get((person, id_), "") for id_ in ids]] for person in people]
        found["participants-votes.csv"] = table([["participant", "xid", "group-id", *ids], *matrix])
    if draw.random() < 0.5:
        found["summary.csv"] = table([["topic", "Ura"], ["conversation-description", "a\nb, c"]])
        found["participants.csv"] = table([["participant", "age"], *[[person, "65+"] for person in people]])
        found["census.csv"] = table([["attribute", "value", "share"], ["age", "65+", 0.25], ["age", "16-64", 0.75]])
        found["statement-languages.csv"] = table([["comment-id", "language"], [ids[0], "fr"]])
    return found


def tidy_export(draw: random.Random) -> Files:
    ids = draw.sample(["1", "2", "30", "a", "é", "s 1"], draw.choice([1, 3]))
    time = draw.choice(["1500000000", "2026-05-01T18:30:00Z", "2026-05-01"])
    votes = [[f"p{n}", id_, draw.choice(["agree", "pass", "-1", "1"]), time] for n in range(4) for id_ in ids]
    statements = [[id_, "Zer egin?", "eu", draw.choice(["", "1", "-1"])] for id_ in ids]
    return {
        "votes.csv": table([["participant", "statement", "vote", "time"], *votes]),
        "statements.csv": table([["statement", "text", "language", "moderated"], *statements]),
    }


# The ways in which an export is damaged: each takes the files of one and returns other ones.


def of_one_file(change: Callable[[random.Random, bytes], bytes]) -> Damage:
    def damage(draw: random.Random, found: Files) -> Files:
        name = draw.choice(sorted(found))
        return found | {name: change(draw, found[name])}

    return damage


def of_one_table(change: Callable[[random.Random, list[list[str]]], None]) -> Damage:
    def damage(draw: random.Random, content: bytes) -> bytes:
        try:
            rows = parsed(content)
        except csv.Error:  # damaged already
            return content
        if rows and all(rows):
            change(draw, rows)
        return table([list(row) for row in rows])

    return of_one_file(damage)


def drop_column(draw: random.Random, rows: list[list[str]]) -> None:
    place = draw.randrange(len(rows[0]))
    for row in rows:
        del row[place : place + 1]


def shuffle_columns(draw: random.Random, rows: list[list[str]]) -> None:
    order = draw.sample(range(len(rows[0])), len(rows[0]))
    rows[:] = [[row[place] for place in order if place < len(row)] for row in rows]


def change_cell(draw: random.Random, rows: list[list[str]]) -> None:
    row = draw.choice(rows)
    values = ["", " ", "2", "-2", "1.0", "yes", "0x1", "+1", "01", "NA", "null", "nan", "true", "99", "9" * 18, "9" * 19, "-1",
              "\u0661", "1e3", "a,b", 'a"b', '"', "\n", "a\r\nb", "\r", "\x00", "é" * 5, "\u202e", "x" * 200_000, "{0}", "%s",
              "1500000000", "1500000000000", "2026-05-01", "9" * 13]  # fmt: skip
    row[draw.randrange(len(row))] = draw.choice(values)


def repeat_row(draw: random.Random, rows: list[list[str]]) -> None:
    rows.insert(draw.randrange(len(rows) + 1), list(draw.choice(rows)))


def shorten_row(draw: random.Random, rows: list[list[str]]) -> None:
    draw.choice(rows)[-1:] = [] if draw.random() < 0.5 else ["1", "1"]


def drop_rows(draw: random.Random, rows: list[list[str]]) -> None:
    del rows[draw.randrange(len(rows)) :]


def insert_bytes(draw: random.Random, content: bytes) -> bytes:
    place = draw.randrange(len(content) + 1)
    junk = [
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\x00",
        b"\xff",
        b"\xe9",
        b"\xed\xa0\x80",
        b";",
        b"\xef\xbb\xbf",
        b'""',
        b'"\n',
        b"\t",
        b"-",
    ]
    return content[:place] + draw.choice(junk) + content[place:]


def cut(draw: random.Random, content: bytes) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def remove_file(draw: random.Random, found: Files) -> Files:
    name = draw.choice(sorted(found))
    return {other: content for other, content in found.items() if other != name}


DAMAGES: list[Damage] = [
    *map(of_one_table, (drop_column, shuffle_columns, change_cell, change_cell, repeat_row, shorten_row, drop_rows)),
    *map(of_one_file, (insert_bytes, insert_bytes, cut)),
    of_one_file(lambda draw, content: b""),
    of_one_file(lambda draw, content: content.replace(b",", b";")),
    of_one_file(lambda draw, content: content.replace(b"\n", draw.choice([b"\r\n", b"\r", b"\n\n"]))),
    of_one_file(lambda draw, content: content.decode(errors="replace").encode(draw.choice(["utf-16", "utf-8-sig"]))),
    of_one_file(lambda draw, content: b'"' + content.replace(b",", b'","').replace(b"\n", b'"\n"')[:-1]),
    of_one_file(lambda draw, content: draw.randbytes(draw.randrange(200))),
    remove_file,
]


def damaged(seed: int, make: Callable[[random.Random], Files]) -> Files:
    draw = random.Random(seed)
    found = make(draw)
    for _ in range(draw.choice([0, 1, 1, 1, 2, 4])):
        if found:
            found = draw.choice(DAMAGES)(draw, found)
    return found


def lay_out(folder: Path, found: Files) -> Path:
    for name, content in found.items():
        (folder / name).write_bytes(content)
    return folder


def outcome(source: str, path: Path) -> str | Conversation:
    """What reading ends in; anything but a conversation or one line that names the place is a failure."""
    try:
        conversation = sources.read(source, path, "eu")
    except Trouble as trouble:
        said = str(trouble)
        assert "\n" not in said and "\r" not in said, said
        assert str(path) in said, said
        assert len(said) < 1000, said
        return said
    check(conversation)
    return conversation


def check(conversation: Conversation) -> None:
    votes = conversation.votes
    assert len(votes) > 0
    assert len(votes.participant) == len(votes.statement) == len(votes.vote)
    assert set(votes.vote.tolist()) <= {-1, 0, 1}
    assert set(votes.statement.tolist()) <= {statement.id for statement in conversation.statements}
    assert votes.participant.min() >= 0 and votes.participant.max() < len(votes.participants)
    assert len(set(votes.participants)) == len(votes.participants)
    assert all(type(count) is int and count >= 0 for count in conversation.quirks.values()), conversation.quirks
    deliberation = pseudonymous(conversation, pseudonymiser(KEY), KEY.in_words, PARAMS)
    assert len(deliberation.vote) == len(votes)
    assert int(deliberation.vote.sum()) == int(votes.vote.sum())


@often(150)
@given(st.integers(0, 2**64))
def test_a_damaged_polis_export_is_read_or_refused_in_one_line(seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        outcome("polis", lay_out(Path(name), damaged(seed, export)))


@often(100)
@given(st.integers(0, 2**64))
def test_damaged_tidy_tables_are_read_or_refused_in_one_line(seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        outcome("tidy", lay_out(Path(name), damaged(seed, tidy_export)))


@often(60)
@given(st.integers(0, 2**64))
def test_a_damaged_zip_is_read_or_refused_in_one_line(seed: int) -> None:
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        archive = Path(name) / "export.zip"
        with zipfile.ZipFile(
            archive, "w", draw.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA])
        ) as file:
            for member, content in damaged(seed, export).items():
                file.writestr(draw.choice(["", "a/"]) + member, content)
        content = bytearray(archive.read_bytes())
        for _ in range(draw.choice([0, 1, 1, 5])):
            content[draw.randrange(len(content))] = draw.randrange(256)
        archive.write_bytes(content)
        outcome("polis", archive)


@often(60)
@given(st.integers(0, 2**64))
def test_an_export_in_good_order_is_read(seed: int) -> None:
    found = export(random.Random(seed))
    if not any(
        row[-1] for row in parsed(found.get("votes.csv", b"")) + parsed(found.get("participants-votes.csv", b""))[1:]
    ):
        return
    with tempfile.TemporaryDirectory() as name:
        result = outcome("polis", lay_out(Path(name), found))
        assert isinstance(result, Conversation) or "holds no vote" in result, result


@often(40)
@given(st.integers(0, 2**64))
def test_no_order_of_rows_or_columns_changes_a_byte(seed: int) -> None:
    draw = random.Random(seed)
    found = export(draw)
    shuffled = dict(found)
    for name in found.keys() - {"summary.csv"}:
        header, *rows = parsed(found[name])
        order = draw.sample(range(len(header)), len(header))
        draw.shuffle(rows)
        shuffled[name] = table([[row[place] for place in order] for row in [header, *rows]])
    assert written(found) == written(shuffled)


def written(found: Files) -> tuple[bytes, bytes] | str:
    with tempfile.TemporaryDirectory() as name:
        result = outcome("polis", lay_out(Path(name), found))
        if isinstance(result, str):
            return result.replace(name, "")
        deliberation = pseudonymous(result, pseudonymiser(KEY), KEY.in_words, PARAMS)
        files.write_votes(Path(name) / "out.csv", deliberation)
        write_jsonl(Path(name) / "out.jsonl", deliberation.statements)
        return (Path(name) / "out.csv").read_bytes(), (Path(name) / "out.jsonl").read_bytes()


CELLS = ["1", "0", "-1", "01", "+1", " 1 ", "7", "8", "a", " a", "é", "", '"1"', '"a"', '"a"b', 'a"b', '"a', '"a""b"', '"a,b"',
         "0x1", "1.0", "NA", "9" * 18, "9" * 19, "1500000000", "1500000000000", "2026-05-01", "2026-05-01T10:00:00Z",
         "2026-05-01T10:00:00.123456+02:00", "1969-01-01", '"1\n2"']  # fmt: skip


@often(300)
@given(st.integers(0, 2**64))
def test_what_the_fast_reader_reads_the_strict_one_reads_alike(seed: int) -> None:
    draw = random.Random(seed)
    few = draw.sample(CELLS, draw.choice([1, 2, 3]))
    lines = [",".join(draw.choice(few) for _ in range(3)) for _ in range(draw.randrange(6))]
    text = "\n".join(["time,id,other", *lines]) + draw.choice(["", "\n"])
    wanted = [columns.id_column("id"), columns.time_column("time", dates=draw.random() < 0.5)]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "votes.csv"
        path.write_text(text.replace("\n", draw.choice(["\n", "\r\n"])), encoding="utf-8", newline="")
        header = tuple(read_table(path, ["id"])[0])
        try:
            fast = columns._fast(path, inspect(path), header, wanted)
        except columns.Stumbled:
            return
        strict = columns._strict(path, inspect(path), header, wanted)
    assert fast.keys["id"].names == strict.keys["id"].names
    assert fast.keys["id"].codes.tolist() == strict.keys["id"].codes.tolist()
    assert fast.times["time"].unit == strict.times["time"].unit
    assert fast.times["time"].milliseconds.tolist() == strict.times["time"].milliseconds.tolist()


@often(200)
@given(st.integers(0, 2**64))
def test_what_the_fast_reader_reads_of_a_matrix_the_strict_one_reads_alike(seed: int) -> None:
    draw = random.Random(seed)
    few = [
        "",
        "1",
        "0",
        "-1",
        *draw.sample(["2", "-2", " ", " 1", "+1", '""', '"1"', "0x1", "1.0", "NA", "-128", "127", "é"], 1),
    ]
    header = draw.sample(["participant", "group-id", "7", "03", "xid", "40"], 6)
    people = draw.sample(["1", "2", "02", "a", "é", "", '"8"'], 4)
    lines = [
        ",".join(people[row] if name == "participant" else draw.choice(few) for name in header) for row in range(4)
    ]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "participants-votes.csv"
        path.write_text("\n".join([",".join(header), *lines]), encoding="utf-8")
        found = matrix_file._statement_columns(path, tuple(header))
        assert list(found) == [3, 7, 40]
        try:
            fast = matrix_file._fast(path, inspect(path), tuple(header), found)
        except columns.Stumbled:
            return
        strict = matrix_file._strict(path, found)
    assert fast[:2] == strict[:2]
    assert [column.tolist() for column in fast[2]] == [column.tolist() for column in strict[2]]


ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.sampled_from([-1, 0, 1])), max_size=30
)


@often(150)
@given(ROWS, st.booleans())
def test_the_latest_votes_are_those_of_a_plain_loop(rows: list[tuple[int, int, int, int]], timed: bool) -> None:
    people, statements, times, votes = zip(*rows, strict=True) if rows else ((), (), (), ())
    cast = Cast(
        ("a", "b", "c"), np.array(people, np.int32), (5, 6, 9), np.array(statements, np.int32), np.array(votes, np.int8),
        np.array(times, np.int64) * 60_000 if timed else None,
    )  # fmt: skip
    found, quirks = latest(cast)
    cells: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for person, statement, time, vote in rows:
        cells.setdefault((person, (5, 6, 9)[statement]), []).append((time if timed else 0, vote))
    expected = []
    replaced = repeated = torn = 0
    for (person, statement), all_cast in sorted(cells.items()):
        last = max(time for time, _ in all_cast)
        choices = {vote for time, vote in all_cast if time == last}
        torn += len(choices) > 1
        repeated += len(all_cast) - len(set(all_cast))
        replaced += len({cast for cast in all_cast if cast[0] < last})
        expected.append(
            (person, statement, 0 if len(choices) > 1 else min(choices), last - min(times) if timed else None)
        )
    minutes = found.minute.tolist() if found.minute is not None else [None] * len(found)
    columns_found = (found.participant.tolist(), found.statement.tolist(), found.vote.tolist(), minutes)
    assert list(zip(*columns_found, strict=True)) == expected
    assert list(quirks.values()) == [replaced, repeated, torn]


def test_cells_too_many_for_one_number_are_sorted_by_two_keys() -> None:
    person = np.array([2**31 - 1, 0, 2**31 - 1, 5], np.int32)
    statement = np.array([7, 1, 0, 1], np.int32)
    key, rows = in_order(person, statement, 2**31 - 1)
    assert rows.tolist() == [1, 3, 2, 0]
    assert (np.diff(key) > 0).all()


def test_a_cell_of_ten_megabytes_is_refused_by_its_line(tmp_path: Path) -> None:
    found = export(random.Random(5)) | {
        "comments.csv": ",".join(OLD).encode() + b"\n1,,0,8,0,0,1," + b"a" * 10**7 + b"\n"
    }
    with pytest.raises(Trouble, match=r"comments\.csv, line 2: a cell holds more than 131,072 characters"):
        sources.read("polis", lay_out(tmp_path, found), "eu")
    found["comments.csv"] = ",".join(OLD).encode() + b"\n1,,0,8,0,0,1," + b"a" * 2**24 + b"\n"
    with pytest.raises(Trouble, match=r"comments\.csv, line 2: the line is longer than 16 MiB"):
        sources.read("polis", lay_out(tmp_path, found), "eu")
