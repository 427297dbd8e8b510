"""Turn a conversation into the pipeline's records: pseudonymous statements and votes, and what is said about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from stages.ingest_deliberation.conversation import Conversation, RawStatement
from stages.ingest_deliberation.parameters import Parameters
from stages.records import Statement

VoteRow = tuple[str, int, int]  # participant, statement id, vote: the fields of records.Vote


@dataclass(frozen=True)
class Deliberation:
    """What the node writes."""

    statements: tuple[Statement, ...]
    votes: tuple[VoteRow, ...]
    about: dict[str, Any]
    metrics: dict[str, float]


def pseudonymous(
    conversation: Conversation, pseudonym: Callable[[str], str], key: str, params: Parameters
) -> Deliberation:
    """The conversation without the platform's participant ids; `key` says in words what keyed the pseudonyms."""
    statements = tuple(_statement(raw, pseudonym, params.withhold_moderated) for raw in conversation.statements)
    votes = tuple(sorted((pseudonym(person), id_, vote) for (person, id_), vote in conversation.votes.items()))
    counts = count(statements, votes)
    return Deliberation(
        statements, votes, describe(conversation, key, counts, params), measure(conversation, counts, votes)
    )


def _statement(raw: RawStatement, pseudonym: Callable[[str], str], withhold_moderated: bool) -> Statement:
    """What moderators took out may name or insult people: its text ends here, its id and votes stay."""
    text = "" if withhold_moderated and raw.moderated == -1 else raw.text
    author = pseudonym(raw.author) if raw.author else ""
    return Statement(id=raw.id, text=text, language=raw.language, moderated=raw.moderated, author=author)


def count(statements: tuple[Statement, ...], votes: tuple[VoteRow, ...]) -> dict[str, int]:
    """How many of what."""
    by_vote = Counter(vote for _, _, vote in votes)
    by_moderation = Counter(statement.moderated for statement in statements)
    return {
        "statements": len(statements),
        "statements_moderated_in": by_moderation[1],
        "statements_not_moderated": by_moderation[0],
        "statements_moderated_out": by_moderation[-1],
        "participants": len({participant for participant, _, _ in votes}),
        "votes": len(votes),
        "agree": by_vote[1],
        "disagree": by_vote[-1],
        "pass": by_vote[0],
    }


def describe(conversation: Conversation, key: str, counts: dict[str, int], params: Parameters) -> dict[str, Any]:
    """The content of deliberation.json."""
    return {
        "title": params.title,
        "topic": conversation.topic,
        "description": conversation.description,
        "platform": conversation.platform,
        "url": params.url or conversation.url,
        "license": params.license,
        "simulated": params.simulated,
        "languages": sorted({statement.language for statement in conversation.statements}),
        "sign_convention": conversation.sign_convention,
        "key": key,
        "moderated_text": "withheld" if params.withhold_moderated else "kept",
        "counts": counts,
        "quirks": [{"name": name, "count": number} for name, number in conversation.quirks.items()],
    }


def measure(conversation: Conversation, counts: dict[str, int], votes: tuple[VoteRow, ...]) -> dict[str, float]:
    """The content of metrics.json: numbers by their name in words."""
    per_person = Counter(participant for participant, _, _ in votes)
    per_statement = Counter(id_ for _, id_, _ in votes)
    possible = counts["statements"] * counts["participants"]
    found = {name: number for name, number in conversation.quirks.items() if number}
    return found | {
        "participants": counts["participants"],
        "statements": counts["statements"],
        "statements moderated out": counts["statements_moderated_out"],
        "languages": len({statement.language for statement in conversation.statements}),
        "votes": counts["votes"],
        "share of votes that agree": round(counts["agree"] / counts["votes"], 6),
        "share of all possible votes that were cast": round(counts["votes"] / possible, 6),
        "votes per participant, median": median(per_person.values()),
        "votes per statement, median": median(per_statement[statement.id] for statement in conversation.statements),
    }
