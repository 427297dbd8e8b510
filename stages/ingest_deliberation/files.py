"""Write the deliberation's tables: the same bytes for the same deliberation, and 100 million votes in blocks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from stages.artifact import write_csv, write_json, write_jsonl
from stages.ingest_deliberation.deliberation import Deliberation

VOTE_HEADER = ("participant", "statement_id", "vote")
BLOCK = 2**20  # votes written at once


def write(folder: Path, deliberation: Deliberation) -> None:
    """Everything that a draft is made from."""
    folder.mkdir(parents=True, exist_ok=True)
    write_jsonl(folder / "statements.jsonl", deliberation.statements)
    write_votes(folder / "votes.csv", deliberation)
    write_attendance(folder / "attendance.csv", deliberation)
    write_attributes(folder / "participants.csv", deliberation)
    write_census(folder / "census.csv", deliberation)
    write_json(folder / "deliberation.json", deliberation.about)


def write_votes(path: Path, deliberation: Deliberation) -> None:
    """votes.csv, without times: who voted on what within the same minute could be recognised."""
    import pyarrow as pa
    from pyarrow import csv

    people = pa.array(deliberation.participants, pa.string())
    plain = csv.WriteOptions(include_header=False, quoting_style="none")  # pseudonyms and numbers need no quotes
    with path.open("wb") as file:
        file.write((",".join(VOTE_HEADER) + "\n").encode())
        for at in range(0, len(deliberation.vote), BLOCK):
            part = slice(at, at + BLOCK)
            table = pa.table(
                {
                    "participant": people.take(pa.array(deliberation.participant[part])),
                    "statement_id": pa.array(deliberation.statement[part]),
                    "vote": pa.array(deliberation.vote[part]),
                }
            )
            csv.write_csv(table, file, plain)


def write_attendance(path: Path, deliberation: Deliberation) -> None:
    """attendance.csv: the minutes of everybody's first and last vote, counted from the first of all; never published."""
    rows: Iterable[tuple[str, int, int]] = ()
    if deliberation.minute is not None and len(deliberation.minute):
        begins = np.flatnonzero(np.diff(deliberation.participant, prepend=-1))  # the votes are by participant
        first = np.minimum.reduceat(deliberation.minute, begins).tolist()
        last = np.maximum.reduceat(deliberation.minute, begins).tolist()
        rows = zip(deliberation.participants, first, last, strict=True)
    write_csv(path, ["participant", "first_minute", "last_minute"], rows)


def write_attributes(path: Path, deliberation: Deliberation) -> None:
    """participants.csv: a line for everybody who declared something."""
    names = sorted({name for values in deliberation.attributes.values() for name in values})
    rows = ([person, *(values.get(name, "") for name in names)] for person, values in deliberation.attributes.items())
    write_csv(path, ["participant", *names], rows)


def write_census(path: Path, deliberation: Deliberation) -> None:
    """census.csv: the shares of the whole population."""
    write_csv(path, ["attribute", "value", "share"], _census_rows(deliberation))


def _census_rows(deliberation: Deliberation) -> Iterable[tuple[str, str, float]]:
    for attribute, shares in sorted(deliberation.census.items()):
        for value, share in sorted(shares.items()):
            yield attribute, value, round(share, 6)
