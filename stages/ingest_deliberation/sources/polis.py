"""Read a folder exported from Polis: comments.csv, votes.csv or participants-votes.csv, and summary.csv."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.errors import Trouble
from stages.ingest_deliberation.clean_text import clean, has_invisible
from stages.ingest_deliberation.conversation import Conversation, RawStatement
from stages.ingest_deliberation.read_csv import Row, read_pairs, read_table
from stages.ingest_deliberation.vote_sign import Sign, detect, turned

# The columns that every generation of the export has; `datetime` (older), `is-meta` and `is-seed` (newer) may be there.
# `agrees` and `disagrees` are not read: they count votes that people changed later.
COMMENT_COLUMNS = ("comment-id", "author-id", "moderated", "comment-body")
VOTE_COLUMNS = ("timestamp", "comment-id", "voter-id", "vote")
MATRIX_COLUMNS = ("participant",)  # then one column per statement id; xid, group-id and counts are passed over
LANGUAGE_COLUMNS = ("comment-id", "language")

VOTE_VALUES = (-1, 0, 1)
Votes = dict[tuple[str, int], int]


@dataclass(frozen=True)
class VoteTable:
    """The votes that one file says count, with the agree sign settled, and what was found on the way."""

    votes: Votes
    sign: Sign
    quirks: dict[str, int]


def read(path: Path, language: str) -> Conversation:
    """Read the export in the folder `path`."""
    if not path.is_dir():
        raise Trouble(
            f"{path} is not a folder; wanted a Polis export with comments.csv: check ingest_deliberation.path."
        )
    languages = _languages(path / "statement-languages.csv")
    statements, quirks = _statements(path / "comments.csv", languages, language)
    authors = {statement.id: statement.author for statement in statements if statement.author}
    table = _votes(path, authors)
    known = {statement.id for statement in statements}
    votes = {key: vote for key, vote in table.votes.items() if key[1] in known}
    if not votes:
        raise Trouble(
            f"{path} holds no vote on any statement of comments.csv; wanted votes: export the conversation again."
        )
    summary = read_pairs(path / "summary.csv") if (path / "summary.csv").exists() else {}
    quirks |= table.quirks | {
        "votes on statements that comments.csv does not hold": len(table.votes) - len(votes),
        "languages given for statements that comments.csv does not hold": len(languages.keys() - known),
    }
    return Conversation(
        platform="polis",
        topic=clean(summary.get("topic", "")),
        description=_clean_lines(summary.get("conversation-description", "")),
        url=clean(summary.get("url", "")),
        statements=statements,
        votes=votes,
        sign_convention=table.sign.in_words(),
        quirks=quirks,
    )


def _clean_lines(text: str) -> str:
    """A text of several lines, each cleaned; one empty line between paragraphs."""
    lines = "\n".join(clean(line) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _languages(path: Path) -> dict[int, str]:
    """The optional sidecar that says in which language each statement was written."""
    if not path.exists():
        return {}
    languages: dict[int, str] = {}
    for row in read_table(path, LANGUAGE_COLUMNS)[1]:
        code = row.values["language"].strip()
        if not re.fullmatch("[a-z]{2}", code):
            raise row.trouble(f"language is {code[:20]!r}", "an ISO 639-1 code such as en or eu", "mend the line")
        languages[_new_id(row, languages)] = code
    return languages


def _new_id(row: Row, seen: Iterable[int]) -> int:
    statement = row.integer("comment-id")
    if statement in seen:
        raise row.trouble(f"comment-id {statement} is there a second time", "each once", "remove one of the two lines")
    return statement


def _statements(
    path: Path, languages: Mapping[int, str], language: str
) -> tuple[tuple[RawStatement, ...], dict[str, int]]:
    """The statements by id, and what was found in their rows."""
    statements: dict[int, RawStatement] = {}
    quirks = {
        "statements without text": 0,
        "statements from which invisible characters were removed": 0,
        "statements about the participants (is-meta)": 0,
    }
    for row in read_table(path, COMMENT_COLUMNS)[1]:
        id_ = _new_id(row, statements)
        body, text = row.values["comment-body"], clean(row.values["comment-body"])
        author = row.values["author-id"].strip()
        moderated = row.choice("moderated", VOTE_VALUES)
        statements[id_] = RawStatement(id_, text, languages.get(id_, language), moderated, author)
        quirks["statements without text"] += not text
        quirks["statements from which invisible characters were removed"] += has_invisible(body)
        quirks["statements about the participants (is-meta)"] += row.values.get("is-meta", "").strip() == "true"
    if not statements:
        raise Trouble(f"{path} holds no statement; wanted one per line: export the conversation again.")
    return tuple(statements[id_] for id_ in sorted(statements)), quirks


def _votes(path: Path, authors: Mapping[int, str]) -> VoteTable:
    """The votes that count: from the history where there is one, else from the matrix; both must tell the same."""
    history_file, matrix_file = path / "votes.csv", path / "participants-votes.csv"
    if not history_file.exists() and not matrix_file.exists():
        raise Trouble(
            f"{path} has neither votes.csv nor participants-votes.csv; wanted one of them: export the conversation again."
        )
    history = _signed(*_history(history_file), authors) if history_file.exists() else None
    matrix = _signed(_matrix(matrix_file), {}, authors) if matrix_file.exists() else None
    if history is None or matrix is None:
        return history or matrix  # type: ignore[return-value]  # one of the two is there
    return VoteTable(history.votes, history.sign, history.quirks | _compare(path, history, matrix))


def _signed(votes: Votes, quirks: dict[str, int], authors: Mapping[int, str]) -> VoteTable:
    sign = detect(votes, authors)
    return VoteTable(turned(votes, sign), sign, quirks)


def _history(path: Path) -> tuple[Votes, dict[str, int]]:
    """The latest vote, by time, of each participant on each statement in votes.csv."""
    latest: dict[tuple[str, int], tuple[int, set[int]]] = {}
    rows = 0
    for row in read_table(path, VOTE_COLUMNS)[1]:
        rows += 1
        key, time = (row.values["voter-id"].strip(), row.integer("comment-id")), row.integer("timestamp")
        vote = row.choice("vote", VOTE_VALUES)
        last, votes = latest.get(key, (time, set()))
        if time >= last:
            latest[key] = (time, votes | {vote} if time == last else {vote})
    torn = {key for key, (_, votes) in latest.items() if len(votes) > 1}
    quirks = {
        "votes that a later vote replaced": rows - len(latest),
        "different votes at the same moment, counted as pass": len(torn),
    }
    # A tie in time counts as pass: the order of the lines must not decide what a person thinks.
    return {key: 0 if key in torn else min(votes) for key, (_, votes) in latest.items()}, quirks


def _matrix(path: Path) -> Votes:
    """The votes in participants-votes.csv, where an empty cell means that the statement was not seen."""
    header, rows = read_table(path, MATRIX_COLUMNS)
    columns = [(name, int(name)) for name in header if re.fullmatch(r"\d+", name)]
    votes: Votes = {}
    seen: set[str] = set()
    for row in rows:
        participant = row.values["participant"].strip()
        if participant in seen:
            raise row.trouble(f"participant {participant[:20]!r} is there a second time", "each once", "export again")
        seen.add(participant)
        for name, statement in columns:
            if row.values[name].strip():
                votes[participant, statement] = row.choice(name, VOTE_VALUES)
    return votes


def _compare(path: Path, history: VoteTable, matrix: VoteTable) -> dict[str, int]:
    """How far the two files differ; refuses opposite signs that nothing can settle."""
    common = history.votes.keys() & matrix.votes.keys()
    same = sum(history.votes[key] == matrix.votes[key] for key in common)
    opposite = sum(history.votes[key] == -matrix.votes[key] != 0 for key in common)
    if opposite > len(common) / 2:
        raise Trouble(
            f"{path}: votes.csv and participants-votes.csv have opposite signs, and the authors' own votes do not tell"
            f" which one means agree ({history.sign.plus} of +1, {history.sign.minus} of -1);"
            " wanted one convention: leave only the file that you trust."
        )
    return {
        "votes that differ between votes.csv and participants-votes.csv (votes.csv counts)": len(common) - same,
        "votes in votes.csv only": len(history.votes) - len(common),
        "votes in participants-votes.csv only (not counted)": len(matrix.votes) - len(common),
        "files whose agree sign was turned": (history.sign.agree == -1) + (matrix.sign.agree == -1),
    }
