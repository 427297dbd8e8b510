"""What must hold for the deliberation before anything is built on it.

The votes may be a hundred million: they are checked as columns here, and the gate looks at what was counted and at a
sample of rows, evenly spaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stages.ingest_deliberation.deliberation import Deliberation, votes_on

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation

SAMPLE = 1000  # rows shown to the gate as they are written
KINDS_WITHOUT_VOTES = ("counts", "text")


def tables(deliberation: Deliberation) -> dict[str, pd.DataFrame]:
    """The output as small tables."""
    import pandas as pd

    fields = ("id", "text", "language", "moderated", "author")
    ids = np.array([statement.id for statement in deliberation.statements], np.int64)
    statements = pd.DataFrame(
        [[getattr(one, name) for name in fields] for one in deliberation.statements], columns=fields
    )
    statements["votes"] = _votes_on_known(deliberation, ids)
    shown = np.unique(np.linspace(0, max(len(deliberation.vote) - 1, 0), SAMPLE).astype(np.int64))[
        : len(deliberation.vote)
    ]
    sample = pd.DataFrame(
        {
            "participant": [deliberation.participants[number] for number in deliberation.participant[shown]],
            "statement_id": deliberation.statement[shown],
            "vote": deliberation.vote[shown],
        }
    )
    return {"statements": statements, "votes": pd.DataFrame([check(deliberation, ids)]), "sample of votes": sample}


def check(deliberation: Deliberation, ids: np.ndarray) -> dict[str, int]:
    """How many votes there are, and how many of them are wrong in which way."""
    person, statement = deliberation.participant, deliberation.statement
    falling = (person[1:] < person[:-1]) | ((person[1:] == person[:-1]) & (statement[1:] < statement[:-1]))
    second = (person[1:] == person[:-1]) & (statement[1:] == statement[:-1])
    used = np.unique(statement)
    return {
        "votes": len(deliberation.vote),
        "participants": len(deliberation.participants),
        "other than -1, 0 or 1": int(np.count_nonzero(np.abs(deliberation.vote) > 1)),
        "on unknown statements": int(np.count_nonzero(~np.isin(used, ids))),
        "a second vote": int(np.count_nonzero(second)),
        "out of order": int(np.count_nonzero(falling)),
        "of unknown participants": int(np.count_nonzero((person < 0) | (person >= len(deliberation.participants)))),
        "before the first": 0 if deliberation.minute is None else int(np.count_nonzero(deliberation.minute < 0)),
        "participants not pseudonymous": sum(not _is_pseudonym(name) for name in deliberation.participants),
        "participants twice": len(deliberation.participants) - len(set(deliberation.participants)),
    }


def _votes_on_known(deliberation: Deliberation, ids: np.ndarray) -> np.ndarray:
    """The votes on each statement; 0 everywhere where some are on unknown ones, which the gate will say."""
    known = bool(np.isin(np.unique(deliberation.statement), ids).all())
    return votes_on(ids, deliberation.statement) if known else np.zeros(len(ids), np.int64)


def _is_pseudonym(name: str) -> bool:
    return len(name) == 16 and not set(name) - set("0123456789abcdef")


def expected(deliberation: Deliberation) -> dict[str, list[Expectation]]:
    """Ids are unique, participants are pseudonyms, votes are -1, 0 or 1 on known statements and each is there once."""
    import great_expectations.expectations as gxe

    without = deliberation.about["kind"] in KINDS_WITHOUT_VOTES
    wrong = ("other than -1, 0 or 1", "on unknown statements", "a second vote", "out of order",
             "of unknown participants", "before the first", "participants not pseudonymous", "participants twice")  # fmt: skip
    return {
        "statements": [
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValuesToBeIncreasing(column="id"),
            gxe.ExpectColumnValuesToNotBeNull(column="text"),
            gxe.ExpectColumnValuesToMatchRegex(column="language", regex="^[a-z]{2}$"),
            gxe.ExpectColumnValuesToBeInSet(column="moderated", value_set=[-1, 0, 1]),
            gxe.ExpectColumnValuesToMatchRegex(column="author", regex="^(?:[0-9a-f]{16})?$"),
        ],
        "votes": [
            gxe.ExpectColumnValuesToBeBetween(column="votes", min_value=0 if without else 1),
            *(gxe.ExpectColumnValuesToBeBetween(column=name, min_value=0, max_value=0) for name in wrong),
        ],
        "sample of votes": [
            gxe.ExpectColumnValuesToMatchRegex(column="participant", regex="^[0-9a-f]{16}$"),
            gxe.ExpectColumnValuesToBeInSet(column="vote", value_set=[-1, 0, 1]),
        ],
    }
