"""Read the general tidy tables, into which any platform's deliberation can be brought.

votes.csv        participant,statement,vote,time
    participant  any id; whole numbers are compared as numbers (007 is 7)
    statement    the id of a statement in statements.csv
    vote         1, 0 or -1, or agree, pass or disagree
    time         optional column, then on every line: ISO 8601 (2026-05-01T18:30:00Z; without a zone it is UTC), or
                 seconds or milliseconds since 1970. Of several votes of a participant on a statement the latest counts;
                 different ones at the same moment, or without times, count as pass.
statements.csv   statement,text,language and, where known, moderated,author,seed
    statement    any id: where all ids of statements.csv are whole numbers from 0, these are the ids from here on;
                 else each one's place in the sorted order of the ids (by code point), from 0
    language     ISO 639-1; empty: the language in params.yaml
    moderated    -1 taken out, 0 (or empty) not looked at, 1 accepted
    author       the participant who wrote it, or empty
    seed         true where the organisers wrote it

Beside them may lie participants.csv and census.csv (see sidecars.py). All files are UTF-8 with commas and a header; rows
and columns may come in any order, further columns are not read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.errors import Trouble
from stages.ingest_deliberation.clean_text import clean, has_invisible
from stages.ingest_deliberation.columns import Table, id_column, read_columns, time_column, vote_column
from stages.ingest_deliberation.conversation import Conversation, RawStatement, VoteTable
from stages.ingest_deliberation.inspection import inspect
from stages.ingest_deliberation.latest_votes import Cast, latest
from stages.ingest_deliberation.opening import find_root
from stages.ingest_deliberation.read_csv import Row, read_table
from stages.ingest_deliberation.sidecars import same_id, sidecars

VOTES, STATEMENTS = "votes.csv", "statements.csv"
WORDS = {"agree": 1, "disagree": -1, "pass": 0}
VALUES = {"-1": -1, "0": 0, "1": 1, **WORDS}
MODERATED = (-1, 0, 1)


@dataclass(frozen=True)
class Listed:
    """statements.csv."""

    statements: tuple[RawStatement, ...]  # by id
    ids: Mapping[str, int]  # the platform's own id -> id
    quirks: Mapping[str, int]


def read(path: Path, language: str) -> Conversation:
    """Read the tables in the folder `path`, or in the one folder that it holds."""
    if not path.is_dir():
        raise Trouble(f"{path} is not a folder or .zip; wanted one with votes.csv and statements.csv: check the path.")
    folder, copies = find_root(path, STATEMENTS)
    listed = _statements(folder / STATEMENTS, language)
    table = read_columns(
        folder / VOTES,
        (id_column("participant"), id_column("statement"), vote_column("vote", WORDS)),
        (time_column("time", dates=True),),
    )
    sha256, timed = table.sha256, bool(table.times)
    cast, unknown = _cast(table, listed.ids)
    if not len(cast.vote):
        raise Trouble(
            f"{folder / VOTES} holds no vote on any statement of statements.csv; wanted votes: check the ids."
        )
    given = [cast]
    del table, cast
    votes, quirks = latest(given.pop())  # no other name holds on to its columns, so they are freed on the way
    beside = sidecars(folder, votes.participants)
    more = {
        "votes on statements that statements.csv does not hold": unknown,
        "votes.csv without times": int(not timed),
        "participants without a vote that counts": _silent(votes),
        "languages in statement-languages.csv (not read: statements.csv has a column for them)": len(beside.languages),
        "copies of the tables inside themselves (not read)": copies,
    }
    return Conversation(
        platform="tidy",
        topic="",
        description="",
        url="",
        statements=listed.statements,
        votes=votes,
        sign_convention="agree is +1 (as the tidy tables define it)",
        quirks={**listed.quirks, **quirks, **more, **beside.quirks},
        attributes=beside.attributes,
        census=beside.census,
        inputs=dict(sorted({STATEMENTS: inspect(folder / STATEMENTS).sha256, VOTES: sha256, **beside.inputs}.items())),
    )


def _statements(path: Path, language: str) -> Listed:
    found: Counter[str] = Counter()
    rows: dict[str, Row] = {}
    for row in read_table(path, ("statement", "text", "language"))[1]:
        name = same_id(row.values["statement"])
        if not name:
            raise row.trouble("statement is empty", "an id", "mend the line")
        if name in rows:
            raise row.trouble(f"statement {name[:40]!r} is there a second time", "each once", "remove one of the two")
        rows[name] = row
    if not rows:
        raise Trouble(f"{path} holds no statement; wanted one per line: export the deliberation again.")
    ids = numbers(rows)
    statements = [_statement(ids[name], row, language, found) for name, row in rows.items()]
    texts = Counter(statement.text for statement in statements if statement.text)
    quirks = {
        "statements without text": found["empty"],
        "statements from which invisible characters were removed": found["invisible"],
        "statements whose text another one has too": sum(count for count in texts.values() if count > 1),
        "statements without a language (that of params.yaml is taken)": found["language"],
    }
    return Listed(tuple(sorted(statements, key=lambda statement: statement.id)), ids, quirks)


def numbers(names: Mapping[str, object]) -> dict[str, int]:
    """A whole number for each id: itself where all are whole numbers from 0, else its place in sorted order."""
    if all(re.fullmatch("[0-9]{1,18}", name) for name in names):
        return {name: int(name) for name in names}
    return {name: place for place, name in enumerate(sorted(names))}


def _statement(id_: int, row: Row, language: str, found: Counter[str]) -> RawStatement:
    body, code = row.values["text"], row.values["language"].strip()
    if code and not re.fullmatch("[a-z]{2}", code):
        raise row.trouble(f"language is {code[:20]!r}", "an ISO 639-1 code such as en or eu", "mend the line")
    text = clean(body)
    found["empty"] += not text
    found["invisible"] += has_invisible(body)
    found["language"] += not code
    moderated = row.choice("moderated", MODERATED) if row.values.get("moderated", "").strip() else 0
    author = same_id(row.values.get("author", ""))
    return RawStatement(id_, text, code or language, moderated, author, seed=row.flag("seed"))


def _cast(table: Table, ids: Mapping[str, int]) -> tuple[Cast, int]:
    """The votes on known statements, and how many others there were."""
    people, names, votes = table.keys["participant"], table.keys["statement"], table.keys["vote"]
    known = tuple(sorted(ids.values()))
    place = {id_: number for number, id_ in enumerate(known)}
    rank = np.array([place[ids[name]] if name in ids else -1 for name in names.names], np.int32)
    value = np.array([VALUES[name] for name in votes.names], np.int8)
    statement = rank[names.codes]
    milliseconds = table.times["time"].milliseconds if "time" in table.times else None
    cast = Cast(people.names, people.codes, known, statement, value[votes.codes], milliseconds)
    if rank.min(initial=0) >= 0:
        return cast, 0
    return _only(cast, statement >= 0), int(np.count_nonzero(statement < 0))


def _only(cast: Cast, kept: NDArray[np.bool_]) -> Cast:
    milliseconds = None if cast.milliseconds is None else cast.milliseconds[kept]
    return Cast(
        cast.participants, cast.participant[kept], cast.statements, cast.statement[kept], cast.vote[kept], milliseconds
    )


def _silent(votes: VoteTable) -> int:
    """Participants all of whose votes were on unknown statements."""
    return len(votes.participants) - len(np.unique(votes.participant))
