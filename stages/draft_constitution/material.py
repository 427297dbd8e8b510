"""Read what a draft is made from: the folder that `ingest_deliberation` wrote."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from stages.artifact import read_json, read_jsonl
from stages.draft_constitution.drafting import Material
from stages.draft_constitution.votes import VoteMatrix, attended, read_votes
from stages.errors import Trouble
from stages.records import Statement

WITHOUT_VOTES = ("counts", "text")  # kinds of deliberation of which nobody's single votes are known


def read_material(folder: Path) -> Material:
    """The deliberation; statements by id, everything else by key."""
    about = read_json(folder / "deliberation.json")
    statements = tuple(sorted(read_jsonl(folder / "statements.jsonl", Statement), key=lambda statement: statement.id))
    votes: VoteMatrix | None = None
    if about["kind"] not in WITHOUT_VOTES:
        votes = read_votes(folder / "votes.csv", [statement.id for statement in statements])
        votes = attended(votes, _times(folder / "attendance.csv"))
    return Material(
        about,
        statements,
        votes,
        _attributes(folder / "participants.csv"),
        _census(folder / "census.csv"),
        # of these canonical files, not of the export's: no order of its rows may change the constitution
        inputs={name: _sha256(folder / name) for name in ("statements.jsonl", "votes.csv")},
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _attributes(path: Path) -> dict[str, dict[str, str]]:
    """Participant -> declared attribute -> value; an empty cell declares nothing."""
    return {
        row["participant"]: {name: value for name, value in row.items() if name != "participant" and value}
        for row in _rows(path)
    }


def _times(path: Path) -> dict[str, tuple[int, int]]:
    """Participant -> the minutes of the first and of the last vote."""
    return {row["participant"]: (int(row["first_minute"]), int(row["last_minute"])) for row in _rows(path)}


def _census(path: Path) -> dict[str, dict[str, float]]:
    """Attribute -> value -> share of the people."""
    census: dict[str, dict[str, float]] = {}
    for row in _rows(path):
        census.setdefault(row["attribute"], {})[row["value"]] = float(row["share"])
    return census


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except FileNotFoundError:
        raise Trouble(f"{path} is missing; wanted the table: run ingest_deliberation.") from None
