"""Real conversations in which people were shown different statements, for the tests that need one."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stages.draft_constitution.votes import VoteMatrix, matrix

POLIS = Path(__file__).parents[2] / ".." / "shared" / "data" / "polis"


def conversation(name: str, only_moderated_in: bool = False) -> tuple[VoteMatrix, dict[str, str]]:
    """The votes and the platform's own groups; skips the test where the data set is not there."""
    path = POLIS / name / "participants-votes.csv"
    if not path.exists():
        pytest.skip(f"needs {name} of the Polis open data in ../shared/data/polis")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ids = [int(key) for key in rows[0] if key.isdigit()]
    cells = [(row["participant"], id_, int(float(row[str(id_)]))) for row in rows for id_ in ids if row[str(id_)]]
    people, statements, votes = zip(*cells, strict=True)
    labels = {row["participant"]: "ABCDE"[int(float(row["group-id"]))] for row in rows if row["group-id"]}
    known = _moderated_in(path.parent / "comments.csv", ids) if only_moderated_in else ids
    kept = np.isin(statements, known)
    columns = (np.array(column)[kept] for column in (people, statements, votes))
    return matrix(*columns, known), labels


def _moderated_in(path: Path, ids: Sequence[int]) -> list[int]:
    with path.open(encoding="utf-8", newline="") as file:
        moderated = {int(row["comment-id"]): int(row["moderated"]) for row in csv.DictReader(file)}
    return [id_ for id_ in ids if moderated.get(id_, 0) >= 0]
