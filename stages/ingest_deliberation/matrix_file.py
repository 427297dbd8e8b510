"""Read participants-votes.csv: a row per participant, a column per statement, an empty cell where it was not seen."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.errors import Trouble
from stages.ingest_deliberation.columns import Stumbled, arrow_batches
from stages.ingest_deliberation.conversation import VoteTable
from stages.ingest_deliberation.inspection import Inspection, inspect
from stages.ingest_deliberation.read_csv import Row, read_table
from stages.ingest_deliberation.sidecars import same_id

PERSON, GROUP = "participant", "group-id"
UNSEEN = 2  # stands for an empty cell while a block is read
VOTES = (-1, 0, 1)


@dataclass(frozen=True)
class MatrixFile:
    """What the file holds."""

    votes: VoteTable  # participants in the order of the file
    header: tuple[str, ...]
    statements: tuple[int, ...]  # that have a column, rising
    grouped: int  # participants to whom the platform gave a group; which one is not read
    sha256: str


def read_matrix(path: Path) -> MatrixFile:
    """Read the file; raises Trouble that names the line of the first value that is not a vote."""
    inspection = inspect(path)
    header = tuple(read_table(path, (PERSON,))[0])
    columns = _statement_columns(path, header)
    try:
        people, grouped, cells = _fast(path, inspection, header, columns)
    except Stumbled:
        people, grouped, cells = _strict(path, columns)
    votes = VoteTable(tuple(people), *cells)
    return MatrixFile(votes, header, tuple(columns), grouped, inspection.sha256)


Cells = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int8]]


def _statement_columns(path: Path, header: tuple[str, ...]) -> dict[int, str]:
    """Statement id -> column, by rising id."""
    columns: dict[int, str] = {}
    for name in header:
        if re.fullmatch(r"[0-9]{1,18}", name):
            if int(name) in columns:
                raise Trouble(
                    f"{path}, line 1: statement {int(name)} has two columns; wanted one each: export the file again."
                )
            columns[int(name)] = name
    return dict(sorted(columns.items()))


def _fast(
    path: Path, inspection: Inspection, header: tuple[str, ...], columns: Mapping[int, str]
) -> tuple[list[str], int, Cells]:
    import pyarrow as pa

    first = next(read_table(path, header)[1], None) if inspection.plain and not inspection.hexadecimal else None
    if first is None or first.line != 2:
        raise Stumbled
    types: dict[str, Any] = {PERSON: pa.string(), **dict.fromkeys(columns.values(), pa.int8())}
    if GROUP in header:
        types[GROUP] = pa.string()
    ids = np.array(list(columns), np.int64)
    people: list[str] = []
    grouped = 0
    parts: list[Cells] = []
    for batch in arrow_batches(path, header, types, null=("",)):
        block = np.empty((batch.num_rows, len(ids)), np.int8)
        empty = 0
        for place, name in enumerate(columns.values()):
            block[:, place] = batch.column(name).fill_null(UNSEEN).to_numpy(zero_copy_only=False)
            empty += batch.column(name).null_count
        rows, places = np.nonzero(block != UNSEEN)
        votes = block[rows, places]
        if len(votes) + empty < block.size or votes.min(initial=0) < -1 or votes.max(initial=0) > 1:
            raise Stumbled
        parts.append(((rows + len(people)).astype(np.int32), ids[places], votes))
        people += [same_id(person or "") for person in batch.column(PERSON).to_pylist()]
        grouped += (
            sum(bool((group or "").strip()) for group in batch.column(GROUP).to_pylist()) if GROUP in types else 0
        )
    if "" in people or len(set(people)) < len(people):
        raise Stumbled
    return people, grouped, _joined(parts)


def _joined(parts: list[Cells]) -> Cells:
    people, statements, votes = zip(*parts, strict=True) if parts else ((), (), ())
    return (
        np.concatenate([np.empty(0, np.int32), *people]),
        np.concatenate([np.empty(0, np.int64), *statements]),
        np.concatenate([np.empty(0, np.int8), *votes]),
    )


def _strict(path: Path, columns: Mapping[int, str]) -> tuple[list[str], int, Cells]:
    people: dict[str, int] = {}
    grouped = 0
    rows, ids, votes = array("i"), array("q"), array("b")
    for row in read_table(path, (PERSON,))[1]:
        number = people.setdefault(_new_person(row, people), len(people))
        grouped += bool(row.values.get(GROUP, "").strip())
        for statement, name in columns.items():
            if row.values[name].strip():
                rows.append(number)
                ids.append(statement)
                votes.append(row.choice(name, VOTES))
    return list(people), grouped, (np.array(rows, np.int32), np.array(ids, np.int64), np.array(votes, np.int8))


def _new_person(row: Row, people: Mapping[str, int]) -> str:
    person = same_id(row.values[PERSON])
    if not person:
        raise row.trouble("participant is empty", "the platform's participant id", "export the file again")
    if person in people:
        raise row.trouble(f"participant {person[:20]!r} is there a second time", "each once", "export the file again")
    return person
