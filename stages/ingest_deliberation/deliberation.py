"""Turn a conversation into the pipeline's records: pseudonymous statements and votes, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.ingest_deliberation import sources
from stages.ingest_deliberation.conversation import Conversation, RawStatement, VoteTable
from stages.ingest_deliberation.latest_votes import BLOCK, in_blocks, in_order, places
from stages.ingest_deliberation.parameters import Parameters
from stages.ingest_deliberation.pseudonyms import key_from, pseudonymiser
from stages.records import Statement, Wording


@dataclass(frozen=True)
class Deliberation:
    """A deliberation without the platform's own participant ids.

    The votes are four columns of equal length, by participant and statement; `participants` are the pseudonyms of
    those who cast a vote that counts, sorted, and `participant` is an index into them. `rows` tells the pseudonym of
    each row of the export's participant table, in its order; it joins results to the export and is never published.
    """

    statements: tuple[Statement, ...]  # by id
    participants: tuple[str, ...]
    participant: NDArray[np.int32]
    statement: NDArray[np.int64]  # ids
    vote: NDArray[np.int8]
    minute: NDArray[np.int32] | None
    attributes: Mapping[str, Mapping[str, str]]  # pseudonym -> declared attribute -> value
    census: Mapping[str, Mapping[str, float]]
    about: dict[str, Any]
    metrics: dict[str, float]
    rows: tuple[str, ...]


def load(source: str, path: Path, params: Parameters) -> Deliberation:
    """Read the export at `path` with the named source and make it pseudonymous, outside the pipeline too."""
    key = key_from(params.salt)
    return pseudonymous(sources.read(source, path, params.language), pseudonymiser(key), key.in_words, params)


def pseudonymous(
    conversation: Conversation, pseudonym: Callable[[str], str], key: str, params: Parameters
) -> Deliberation:
    """The conversation without the platform's participant ids; `key` says in words what keyed the pseudonyms."""
    statements = tuple(_statement(raw, pseudonym, params.withhold_moderated) for raw in conversation.statements)
    rows = tuple(map(pseudonym, conversation.votes.participants))
    votes = _by_pseudonym(conversation.votes, rows)
    attributes = {pseudonym(person): dict(values) for person, values in conversation.attributes.items() if values}
    counts = count(statements, votes)
    return Deliberation(
        statements=statements,
        participants=votes.participants,
        participant=votes.participant,
        statement=votes.statement,
        vote=votes.vote,
        minute=votes.minute,
        attributes=dict(sorted(attributes.items())),
        census=conversation.census,
        about=describe(conversation, key, counts, params),
        metrics=measure(conversation, counts, votes),
        rows=rows,
    )


def _statement(raw: RawStatement, pseudonym: Callable[[str], str], withhold_moderated: bool) -> Statement:
    """What moderators took out may name or insult people: its text ends here, its id and votes stay."""
    withheld = withhold_moderated and raw.moderated == -1
    translations = {} if withheld else raw.translations
    return Statement(
        id=raw.id,
        text="" if withheld else raw.text,
        language=raw.language,
        moderated=raw.moderated,
        author=pseudonym(raw.author) if raw.author else "",
        seed=raw.seed,
        supports=raw.supports,
        label=raw.label,
        translations={
            language: Wording(value=text, origin="machine" if by_machine else "human")
            for language, (text, by_machine) in sorted(translations.items())
        },
    )


def _by_pseudonym(votes: VoteTable, rows: tuple[str, ...]) -> VoteTable:
    """The votes by pseudonym and statement, whatever the order of the export; participants without a vote left out."""
    voted = np.bincount(votes.participant, minlength=len(rows)) > 0
    people = sorted({rows[number] for number in np.flatnonzero(voted)})
    place = {person: number for number, person in enumerate(people)}
    rank = np.array([place.get(person, 0) for person in rows], np.int32)
    ids = np.unique(votes.statement)
    codes = places(ids, votes.statement)
    cells, order = in_order(rank[votes.participant], codes, len(ids))
    del codes
    participant = in_blocks(cells, lambda part: part // max(len(ids), 1), np.dtype(np.int32))
    statement = in_blocks(cells, lambda part: ids[part % len(ids)], np.dtype(np.int64))
    del cells
    minute = None if votes.minute is None else votes.minute[order]
    return VoteTable(tuple(people), participant, statement, votes.vote[order], minute)


def count(statements: tuple[Statement, ...], votes: VoteTable) -> dict[str, int]:
    """How many of what."""
    moderated = [statement.moderated for statement in statements]
    return {
        "statements": len(statements),
        "statements_moderated_in": moderated.count(1),
        "statements_not_moderated": moderated.count(0),
        "statements_moderated_out": moderated.count(-1),
        "participants": len(votes.participants),
        "votes": len(votes),
        "agree": int(np.count_nonzero(votes.vote == 1)),
        "disagree": int(np.count_nonzero(votes.vote == -1)),
        "pass": int(np.count_nonzero(votes.vote == 0)),
        "supports": sum(statement.supports or 0 for statement in statements),
    }


def describe(conversation: Conversation, key: str, counts: dict[str, int], params: Parameters) -> dict[str, Any]:
    """The content of deliberation.json."""
    return {
        "title": params.title,
        "topic": conversation.topic,
        "description": conversation.description,
        "platform": conversation.platform,
        "kind": conversation.kind,
        "lost": list(conversation.lost),
        "url": params.url or conversation.url,
        "license": params.license,
        "simulated": params.simulated,
        "languages": sorted({statement.language for statement in conversation.statements}),
        "sign_convention": conversation.sign_convention,
        "key": key,
        "moderated_text": "withheld" if params.withhold_moderated else "kept",
        "counts": counts,
        "quirks": [{"name": name, "count": number} for name, number in conversation.quirks.items()],
        "inputs": dict(sorted(conversation.inputs.items())),
    }


def measure(conversation: Conversation, counts: dict[str, int], votes: VoteTable) -> dict[str, float]:
    """The content of metrics.json: numbers by their name in words."""
    found = {name: number for name, number in conversation.quirks.items() if number}
    always = {
        "participants": counts["participants"],
        "statements": counts["statements"],
        "statements moderated out": counts["statements_moderated_out"],
        "languages": len({statement.language for statement in conversation.statements}),
        "votes": counts["votes"],
        "participants who declared something of themselves": sum(map(bool, conversation.attributes.values())),
    }
    if conversation.kind == "counts":
        always["supports"] = counts["supports"]
    return found | always | (_shares(conversation, counts, votes) if counts["votes"] else {})


def _shares(conversation: Conversation, counts: dict[str, int], votes: VoteTable) -> dict[str, float]:
    ids = np.array([statement.id for statement in conversation.statements], np.int64)
    return {
        "share of votes that agree": round(counts["agree"] / counts["votes"], 6),
        "share of all possible votes that were cast": round(
            counts["votes"] / (counts["statements"] * counts["participants"]), 6
        ),
        "votes per participant, median": float(np.median(np.bincount(votes.participant))),
        "votes per statement, median": float(np.median(votes_on(ids, votes.statement))),
    }


def votes_on(ids: NDArray[np.int64], statement: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of votes on each of the (rising) ids."""
    counts = np.zeros(len(ids), np.int64)
    for at in range(0, len(statement), BLOCK):
        counts += np.bincount(places(ids, statement[at : at + BLOCK]), minlength=len(ids))
    return counts
