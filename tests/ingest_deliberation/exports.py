"""Small exports for the tests of this folder."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from stages.ingest_deliberation.conversation import Conversation

OLD = ("timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body")
NEW = ("timestamp", "comment-id", "author-id", "agrees", "disagrees", "moderated", "is-meta", "is-seed",
       "group-informed-consensus", "comment-body")  # fmt: skip
HISTORY = ("timestamp", "comment-id", "voter-id", "vote")


def write(path: Path, *rows: Sequence[object]) -> None:
    """A CSV file of these rows, the header first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def votes_of(conversation: Conversation) -> dict[tuple[str, int], int]:
    """The votes by participant and statement."""
    table = conversation.votes
    rows = zip(table.participant.tolist(), table.statement.tolist(), table.vote.tolist(), strict=True)
    return {(table.participants[person], statement): vote for person, statement, vote in rows}


def minutes_of(conversation: Conversation) -> dict[tuple[str, int], int] | None:
    """The minutes of the votes."""
    table = conversation.votes
    if table.minute is None:
        return None
    rows = zip(table.participant.tolist(), table.statement.tolist(), table.minute.tolist(), strict=True)
    return {(table.participants[person], statement): minute for person, statement, minute in rows}


def content(conversation: Conversation) -> object:
    """All that a conversation says, but for the order of participants and the fingerprints of the files."""
    return (conversation.statements, votes_of(conversation), minutes_of(conversation), dict(conversation.quirks),
            conversation.sign_convention, conversation.attributes, sorted(conversation.votes.participants))  # fmt: skip
