"""Read an export of Polis: comments.csv, votes.csv and/or participants-votes.csv, and summary.csv.

Known generations: the older one has a `datetime` column; the newer one lacks it and adds `is-meta`, `is-seed` and
`group-informed-consensus`. Times may be in seconds or milliseconds. What is not read, and why: `agrees` and `disagrees`
(they count votes that people changed later), `group-id` (the groups depend on the conversation's history), `xid` (who
somebody is on another platform), `n-votes` and its like (countable), stats-history.csv (its numbers are wrong).
A statement is a seed where `is-seed` says so: author 0 is the owner in some exports and a participant in others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from stages.errors import Trouble
from stages.ingest_deliberation.clean_text import clean, has_invisible
from stages.ingest_deliberation.columns import (
    Table,
    id_column,
    read_columns,
    statement_column,
    time_column,
    vote_column,
)
from stages.ingest_deliberation.conversation import Conversation, RawStatement, VoteTable
from stages.ingest_deliberation.inspection import inspect
from stages.ingest_deliberation.latest_votes import Cast, latest, places
from stages.ingest_deliberation.matrix_file import MatrixFile, read_matrix
from stages.ingest_deliberation.opening import find_root
from stages.ingest_deliberation.read_csv import read_pairs, read_table
from stages.ingest_deliberation.sidecars import same_id, sidecars
from stages.ingest_deliberation.vote_sign import Sign, detect, turned

COMMENTS, HISTORY, MATRIX, SUMMARY = "comments.csv", "votes.csv", "participants-votes.csv", "summary.csv"
COMMENT_COLUMNS = ("comment-id", "author-id", "moderated", "comment-body")
VOTE_COLUMNS = (time_column("timestamp"), statement_column("comment-id"), id_column("voter-id"), vote_column("vote"))
MODERATED = (-1, 0, 1)

# Polis pull request 1944 broke the groups in exports, 2018 mended it (released 2025-05-20); issue 1930, opened on
# 2025-02-18, tells of an earlier fault that gave a group to exactly 100 participants. Milliseconds since 1970, UTC.
WRONG_GROUPS_FROM, WRONG_GROUPS_UNTIL = 1_739_836_800_000, 1_747_785_600_000
SUSPICIOUSLY_GROUPED = 100


@dataclass(frozen=True)
class Comments:
    """comments.csv."""

    statements: tuple[RawStatement, ...]  # by id
    agrees: Mapping[int, tuple[str, str]]  # as the file counts them
    quirks: Mapping[str, int]


@dataclass(frozen=True)
class Votes:
    """The votes that one file says count, with the agree sign settled, and what was found on the way."""

    table: VoteTable
    sign: Sign
    quirks: Mapping[str, int] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)  # file -> sha256
    last: int | None = None  # milliseconds since 1970 of the last vote


def read(path: Path, language: str) -> Conversation:
    """Read the export in the folder `path`, or in the one folder that it holds."""
    if not path.is_dir():
        raise Trouble(f"{path} is not a folder or .zip; wanted a Polis export with comments.csv: check the path.")
    folder, copies = find_root(path, COMMENTS)
    _check_files(folder)
    comments = _comments(folder / COMMENTS, language)
    authors = {statement.id: statement.author for statement in comments.statements if statement.author}
    votes = _votes(folder, authors, comments)
    known, unknown = _on_known_statements(folder, votes.table, comments)
    beside = sidecars(folder, known.participants)
    statements = tuple(
        replace(statement, language=beside.languages.get(statement.id, language)) for statement in comments.statements
    )
    summary = read_pairs(folder / SUMMARY) if (folder / SUMMARY).exists() else {}
    inputs = {name: inspect(folder / name).sha256 for name in (COMMENTS, SUMMARY) if (folder / name).exists()}
    ids = {statement.id for statement in statements}
    more = {
        "votes on statements that comments.csv does not hold": unknown,
        "statements whose agrees or disagrees differ from the votes (the votes count)": _miscounted(comments, known),
        "participants without a vote that counts": _silent(known),
        "languages given for statements that comments.csv does not hold": len(beside.languages.keys() - ids),
        "copies of the export inside itself (not read)": copies,
    }
    return Conversation(
        platform="polis",
        topic=clean(summary.get("topic", "")),
        description=_clean_lines(summary.get("conversation-description", "")),
        url=_web_address(summary.get("url", "")),
        statements=statements,
        votes=known,
        sign_convention=votes.sign.in_words(),
        quirks={**comments.quirks, **votes.quirks, **more, **beside.quirks},
        attributes=beside.attributes,
        census=beside.census,
        inputs=dict(sorted({**inputs, **votes.inputs, **beside.inputs}.items())),
    )


def _check_files(folder: Path) -> None:
    if not (folder / COMMENTS).exists():
        there = " (it holds votes, but not what they were about)" if (folder / MATRIX).exists() else ""
        raise Trouble(
            f"{folder / COMMENTS} is missing{there}; wanted the statements: export the conversation again, with all files."
        )
    if not (folder / HISTORY).exists() and not (folder / MATRIX).exists():
        raise Trouble(
            f"{folder} has neither votes.csv nor participants-votes.csv; wanted one of them: export the conversation again."
        )


def _clean_lines(text: str) -> str:
    """A text of several lines, each cleaned; one empty line between paragraphs."""
    lines = "\n".join(clean(line) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _web_address(text: str) -> str:
    """The address where it is one: it becomes a link."""
    address = clean(text)
    return address if re.fullmatch(r"https?://[^\s\"'<>]+", address) else ""


# comments.csv


def _comments(path: Path, language: str) -> Comments:
    """The statements by id, and what was found in their rows."""
    header, rows = read_table(path, COMMENT_COLUMNS)
    statements: dict[int, RawStatement] = {}
    agrees: dict[int, tuple[str, str]] = {}
    found: Counter[str] = Counter()
    for row in rows:
        id_ = row.integer("comment-id")
        if id_ < 0:
            raise row.trouble(f"comment-id is {id_}", "a whole number from 0", "mend the line")
        if id_ in statements:
            raise row.trouble(f"comment-id {id_} is there a second time", "each once", "remove one of the two lines")
        body, text = row.values["comment-body"], clean(row.values["comment-body"])
        author, moderated = same_id(row.values["author-id"]), row.choice("moderated", MODERATED)
        statements[id_] = RawStatement(id_, text, language, moderated, author, seed=row.flag("is-seed"))
        if "agrees" in row.values and "disagrees" in row.values:
            agrees[id_] = (row.values["agrees"].strip(), row.values["disagrees"].strip())
        found["empty"] += not text
        found["invisible"] += has_invisible(body)
        found["lines"] += "\n" in body.strip()
        found["meta"] += row.flag("is-meta")
    if not statements:
        raise Trouble(f"{path} holds no statement; wanted one per line: export the conversation again.")
    texts = Counter(statement.text for statement in statements.values() if statement.text)
    quirks = {
        "statements without text": found["empty"],
        "statements from which invisible characters were removed": found["invisible"],
        "statements of several lines (joined)": found["lines"],
        "statements whose text another one has too": sum(count for count in texts.values() if count > 1),
        "statements about the participants (is-meta)": found["meta"],
        "statements that the export calls seeds (is-seed)": sum(one.seed for one in statements.values()),
        "statement ids that are left out between the first and the last": max(statements) - min(statements) + 1 - len(statements),
        "comments.csv without is-seed (seeds are not known)": "is-seed" not in header,
        "comments.csv without datetime (timestamp is read)": "datetime" not in header,
        "comments.csv with group-informed-consensus (not read)": "group-informed-consensus" in header,
    }  # fmt: skip
    return Comments(tuple(statements[id_] for id_ in sorted(statements)), agrees, _whole(quirks))


def _whole(quirks: Mapping[str, int | bool]) -> dict[str, int]:
    return {name: int(count) for name, count in quirks.items()}


def _miscounted(comments: Comments, votes: VoteTable) -> int:
    """Statements for which comments.csv counts other votes than were cast."""
    ids = np.array(sorted(comments.agrees), np.int64)
    if not len(ids):
        return 0
    place = places(ids, votes.statement)
    agree = np.bincount(place[votes.vote == 1], minlength=len(ids))
    disagree = np.bincount(place[votes.vote == -1], minlength=len(ids))
    counted = [comments.agrees[int(id_)] for id_ in ids]
    return sum((str(a), str(d)) != pair for a, d, pair in zip(agree.tolist(), disagree.tolist(), counted, strict=True))


# The votes


def _votes(folder: Path, authors: Mapping[int, str], comments: Comments) -> Votes:
    """The votes that count: from the history where there is one, else from the matrix; both must tell the same."""
    file = read_matrix(folder / MATRIX) if (folder / MATRIX).exists() else None
    history = _history(folder / HISTORY, authors) if (folder / HISTORY).exists() else None
    if file is None:
        assert history is not None  # _check_files wanted one of the two
        return history
    last = history.last if history else None
    matrix = _from_matrix(file, authors, comments, last)
    if history is None:
        return matrix
    together = _as_in(history.table, file.votes.participants)
    found = _compare(folder, replace(history, table=together), matrix)
    return Votes(
        together, history.sign, {**history.quirks, **matrix.quirks, **found}, {**history.inputs, **matrix.inputs}, last
    )


def _history(path: Path, authors: Mapping[int, str]) -> Votes:
    """The latest vote, by time, of each participant on each statement in votes.csv."""
    file = read_columns(path, VOTE_COLUMNS)
    times, sha256 = file.times["timestamp"], file.sha256
    last = int(times.milliseconds.max()) if len(times.milliseconds) else None
    found = _whole({"votes.csv with times in seconds": last is not None and times.unit == "seconds"})
    cast = [_cast(file)]
    del file, times
    table, quirks = latest(cast.pop())  # no other name holds on to its columns, so they are freed on the way
    sign = detect(table, authors)
    return Votes(turned(table, sign), sign, quirks | found, {path.name: sha256}, last)


def _cast(file: Table) -> Cast:
    people, statement, vote = (file.keys[name] for name in ("voter-id", "comment-id", "vote"))
    ids = np.array([int(name) for name in statement.names], np.int64)
    rising = np.argsort(ids)
    rank = np.empty(len(ids), np.int32)
    rank[rising] = np.arange(len(ids))
    value = np.array([int(name) for name in vote.names], np.int8)
    known = tuple(ids[rising].tolist())
    times = file.times["timestamp"].milliseconds
    return Cast(people.names, people.codes, known, rank[statement.codes], value[vote.codes], times)


def _from_matrix(file: MatrixFile, authors: Mapping[int, str], comments: Comments, last: int | None) -> Votes:
    sign = detect(file.votes, authors)
    wrong = WRONG_GROUPS_FROM <= (last or 0) < WRONG_GROUPS_UNTIL
    wrong = wrong or file.grouped == SUSPICIOUSLY_GROUPED < len(file.votes.participants)
    quirks = {
        "participants-votes.csv with xid (not read)": "xid" in file.header,
        "participants to whom Polis gave a group (not read)": file.grouped,
        "exports of the time when Polis wrote wrong groups (February to May 2025)": bool(file.grouped and wrong),
        "statements without a column in participants-votes.csv": len(
            {statement.id for statement in comments.statements} - set(file.statements)
        ),
    }
    return Votes(turned(file.votes, sign), sign, _whole(quirks), {MATRIX: file.sha256})


def _as_in(history: VoteTable, participants: tuple[str, ...]) -> VoteTable:
    """The history's votes with the participants in the matrix's order; those it lacks come after them."""
    place = {participant: number for number, participant in enumerate(participants)}
    for participant in history.participants:
        place.setdefault(participant, len(place))
    moved = np.array([place[participant] for participant in history.participants], np.int32)
    return replace(history, participants=tuple(place), participant=moved[history.participant])


def _compare(folder: Path, history: Votes, matrix: Votes) -> dict[str, int]:
    """How far the two files differ; refuses opposite signs that nothing can settle."""
    ours, theirs = _cells(history.table, matrix.table)
    place = np.minimum(np.searchsorted(ours[0], theirs[0]), max(len(ours[0]) - 1, 0))
    common = ours[0][place] == theirs[0] if len(ours[0]) else np.zeros(len(theirs[0]), bool)
    one, other = ours[1][place[common]], theirs[1][common]
    opposite = int(np.count_nonzero((one == -other) & (one != 0)))
    if opposite > len(one) / 2:
        raise Trouble(
            f"{folder}: votes.csv and participants-votes.csv have opposite signs, and the authors' own votes do not tell"
            f" which one means agree ({history.sign.plus} of +1, {history.sign.minus} of -1);"
            " wanted one convention: leave only the file that you trust."
        )
    return {
        "votes that differ between votes.csv and participants-votes.csv (votes.csv counts)": int(np.count_nonzero(one != other)),
        "votes in votes.csv only": len(ours[0]) - len(one),
        "votes in participants-votes.csv only (not counted)": len(theirs[0]) - len(one),
        "participants in votes.csv only": len(history.table.participants) - len(matrix.table.participants),
        "files whose agree sign was turned": (history.sign.agree == -1) + (matrix.sign.agree == -1),
    }  # fmt: skip


def _cells(*tables: VoteTable) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each table as sorted cell numbers, the same in both, and the votes in them."""
    ids = np.unique(np.concatenate([np.unique(table.statement) for table in tables]))
    cells = []
    for table in tables:
        key = table.participant.astype(np.int64) * len(ids) + np.searchsorted(ids, table.statement)
        order = np.argsort(key)
        cells.append((key[order], table.vote[order]))
    return cells


def _on_known_statements(folder: Path, votes: VoteTable, comments: Comments) -> tuple[VoteTable, int]:
    """The votes on statements of comments.csv, and how many others there were."""
    ids = np.array([statement.id for statement in comments.statements], np.int64)
    voted = np.unique(votes.statement)
    unknown = np.setdiff1d(voted, ids)
    if len(unknown) == len(voted):
        raise Trouble(
            f"{folder} holds no vote on any statement of comments.csv; wanted votes: export the conversation again."
        )
    if not len(unknown):
        return votes, 0
    known = np.isin(votes.statement, ids)
    minute = None if votes.minute is None else votes.minute[known]
    kept = VoteTable(votes.participants, votes.participant[known], votes.statement[known], votes.vote[known], minute)
    return kept, len(votes) - len(kept)


def _silent(votes: VoteTable) -> int:
    return len(votes.participants) - int(
        np.count_nonzero(np.bincount(votes.participant, minlength=len(votes.participants)))
    )
