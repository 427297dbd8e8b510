"""Turn Decidim proposals into a conversation, whichever way they came: by likes and comments, or by counts only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stages.errors import Trouble
from stages.ingest_deliberation.clean_text import has_invisible
from stages.ingest_deliberation.conversation import NO_VOTES, Conversation, Kind, RawStatement, VoteTable
from stages.ingest_deliberation.html_text import plain
from stages.ingest_deliberation.private_text import E_MAILS, MENTIONS, redacted
from stages.ingest_deliberation.sidecars import sidecars

MAX_BODY = 200_000  # characters of HTML without pasted pictures: beyond that it is no proposal

NO_GROUPS = "opinion groups: Decidim does not publish who supported what"
LOST: dict[Kind, tuple[str, ...]] = {
    "counts": (
        NO_GROUPS,
        "protection of minorities: a statement that one part of the people rejects looks like any other",
        "disagreement: supports only tell who was for it, never how many were against or saw it",
        "checks on participants (duplicate accounts, bursts) and on who is missing",
    ),
    "approval": (
        "disagreement: a like tells who is for it; only a comment marked as against tells who is not",
        "exposure: nobody knows who saw a proposal without liking it",
        "supports: the numbers are kept beside the votes, but who gave them is secret",
    ),
    "text": (
        "votes: the instance hides the supports, and nobody liked or commented for or against",
        NO_GROUPS,
        "uncertainty: there is nothing to count",
    ),
}
SAME_NAME = "persons: the export tells only names, so people of the same name count as one"
LIKES_ONLY = "a like means agree, a comment marked in favour agree and one marked against disagree; stated by Decidim"
NO_SIGN = "no votes per participant: supports are counts"

IN, OUT = {"accepted"}, {"rejected", "withdrawn"}
NOT_LOOKED_AT = {"", "evaluating", "not_answered", "published", "validating"}


@dataclass(frozen=True)
class Wordings:
    """What a field says per locale, as HTML; `""` is the locale of a column that names none."""

    human: Mapping[str, str]
    machine: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """A proposal as Decidim publishes it."""

    id: int
    place: str  # where it stands, for messages: a file and its line, or a page
    title: Wordings
    body: Wordings
    state: str
    withdrawn: bool
    supports: int | None  # None: hidden, or not published
    likes: tuple[str, ...]  # raw ids of who liked it
    author: str = ""
    official: bool = False


@dataclass(frozen=True)
class Alignment:
    """A comment on a proposal that says whether its author is for it (1), against it (-1) or neither (0)."""

    proposal: int
    author: str
    value: int
    order: tuple[str, int]  # time and comment id: the greatest is the latest


def conversation(
    proposals: Sequence[Proposal],
    alignments: Iterable[Alignment],
    language: str,
    *,
    by_name: bool,
    side_files: Path,
    topic: str = "",
    url: str = "",
    quirks: Mapping[str, int] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> Conversation:
    """The proposals as statements, by id, with the votes that likes and comments tell.

    by_name: people are told apart by their names only; side_files: where attributes, census and languages may lie.
    """
    counts: Counter[str] = Counter({E_MAILS: 0, MENTIONS: 0})
    ordered = sorted(proposals, key=lambda proposal: proposal.id)
    votes = _votes(ordered, alignments, counts)
    side = sidecars(side_files, votes.participants)
    known = {proposal.id for proposal in ordered}
    counts["languages given for proposals that are not read"] = len(side.languages.keys() - known)
    statements = tuple(_statement(one, side.languages.get(one.id, language), counts) for one in ordered)
    counts["proposals whose number of supports is hidden or missing"] = sum(p.supports is None for p in ordered)
    counts["supports (numbers only)"] = sum(p.supports or 0 for p in ordered)
    kind = _kind(votes, ordered)
    return Conversation(
        platform="decidim",
        topic=topic,
        description="",
        url=url,
        statements=statements,
        votes=votes,
        sign_convention=LIKES_ONLY if kind == "approval" else NO_SIGN,
        quirks=dict(sorted({**(quirks or {}), **counts, **side.quirks}.items())),
        kind=kind,
        lost=LOST[kind] + ((SAME_NAME,) if by_name and kind == "approval" else ()),
        attributes=side.attributes,
        census=side.census,
        inputs={**(inputs or {}), **side.inputs},
    )


def _kind(votes: VoteTable, proposals: Sequence[Proposal]) -> Kind:
    """What the data can carry: votes of people, else numbers of supports, else only the texts."""
    if len(votes):
        return "approval"
    return "counts" if any(proposal.supports is not None for proposal in proposals) else "text"


def _statement(proposal: Proposal, language: str, counts: Counter[str]) -> RawStatement:
    human = _texts(proposal, "human", language, counts)
    machine = _texts(proposal, "machine", language, counts)
    source = _source_language(human, language)
    if not source:
        counts[
            "proposals with a machine's text only, kept without a text" if machine else "proposals without text"
        ] += 1
    others = {code: (text, False) for code, text in human.items() if code != source}
    others |= {code: (text, True) for code, text in machine.items() if code not in human}
    counts["translations by people"] += sum(not by_machine for _, by_machine in others.values())
    counts["translations by a machine"] += sum(by_machine for _, by_machine in others.values())
    return RawStatement(
        id=proposal.id,
        text=human.get(source, ""),
        language=source or language,
        moderated=_moderated(proposal, counts),
        author=proposal.author,
        seed=proposal.official,
        supports=proposal.supports,
        translations=dict(sorted(others.items())),
    )


def _source_language(texts: Collection[str], language: str) -> str:
    """The source's language: that of the parameters where the proposal has it, else the first in the alphabet.

    Not the first column: the order of columns says nothing and changes from one export to the next.
    """
    return language if language in texts else min(texts, default="")


def _texts(proposal: Proposal, origin: str, language: str, counts: Counter[str]) -> dict[str, str]:
    """Language -> title and body as one plain text."""
    title: Mapping[str, str] = getattr(proposal.title, origin)
    body: Mapping[str, str] = getattr(proposal.body, origin)
    texts: dict[str, str] = {}
    # In the alphabet's order, so that `pt` comes before `pt-BR` and wins; a column without a locale comes last.
    for locale in sorted(title.keys() | body.keys(), key=lambda name: (not name, name)):
        code = _language(locale) if locale else language
        text = _joined(_plain(proposal, title.get(locale, "")), _plain(proposal, body.get(locale, "")))
        if not text:
            continue
        if not code:
            counts["texts left out because their locale is not in ISO 639-1"] += 1
        elif code not in texts:
            counts["texts from which invisible characters were removed"] += has_invisible(
                title.get(locale, "") + body.get(locale, "")
            )
            texts[code] = redacted(text, counts)
        elif texts[code] != text:
            counts["texts left out because another locale of the same language came first"] += 1
    return texts


def _language(locale: str) -> str:
    """ISO 639-1 of a locale such as ca, pt-BR or zh_TW; empty where it has none."""
    found = re.fullmatch(r"([a-z]{2})(?:[-_].*)?", locale.strip().lower())
    return found.group(1) if found else ""


def _plain(proposal: Proposal, html: str) -> str:
    if len(html) > MAX_BODY and len(re.sub(r"data:[^\"']*", "", html)) > MAX_BODY:
        raise Trouble(
            f"{proposal.place}: a text of {len(html):,} characters; wanted at most {MAX_BODY:,}: shorten it or remove the row."
        )
    return plain(html).replace("\n", " ")


def _joined(title: str, body: str) -> str:
    """Title and body as one text; a title that is only the body's beginning is not said twice."""
    start = title.removesuffix("…").removesuffix("...").strip()
    if not title or (body and body.startswith(start)):
        return body
    if not body:
        return title
    return f"{title} {body}" if title[-1] in ".!?…:;" else f"{title}. {body}"


def _moderated(proposal: Proposal, counts: Counter[str]) -> int:
    """-1 where it was withdrawn or rejected, 1 where it was accepted."""
    state = proposal.state.strip().lower()
    if proposal.withdrawn or state == "withdrawn":
        counts["proposals that their authors withdrew"] += 1
        return -1
    if state in OUT:
        counts["proposals that were rejected"] += 1
        return -1
    if state not in IN | NOT_LOOKED_AT:
        counts["proposals in a state of the instance's own, taken as not looked at"] += 1
    return int(state in IN)


def _votes(proposals: Sequence[Proposal], alignments: Iterable[Alignment], counts: Counter[str]) -> VoteTable:
    """Likes and the latest comment for or against; who did both in opposite ways passes."""
    known = {proposal.id for proposal in proposals}
    votes = {(person, proposal.id): 1 for proposal in proposals for person in proposal.likes}
    counts["likes"] = len(votes)
    for key, value in _latest(alignments, known, counts).items():
        if votes.get(key) == 1 and value == -1:
            counts["people who liked and commented against, counted as pass"] += 1
        votes[key] = 0 if votes.get(key, value) != value else value
    return _table(votes)


def _latest(alignments: Iterable[Alignment], known: set[int], counts: Counter[str]) -> dict[tuple[str, int], int]:
    latest: dict[tuple[str, int], Alignment] = {}
    for one in alignments:
        if one.proposal not in known:
            counts["comments on proposals that are not read"] += 1
        elif not one.value:
            counts["comments neither for nor against"] += 1
        elif not one.author:
            counts["comments for or against without an author"] += 1
        else:
            counts["comments for or against"] += 1
            before = latest.setdefault((one.author, one.proposal), one)
            counts["comments for or against that a later one replaced"] += before is not one
            latest[one.author, one.proposal] = max(before, one, key=lambda comment: comment.order)
    return {key: one.value for key, one in latest.items()}


def _table(votes: Mapping[tuple[str, int], int]) -> VoteTable:
    if not votes:
        return NO_VOTES
    people = sorted({person for person, _ in votes})
    index = {person: number for number, person in enumerate(people)}
    keys = sorted(votes)
    return VoteTable(
        participants=tuple(people),
        participant=np.array([index[person] for person, _ in keys], np.int32),
        statement=np.array([id_ for _, id_ in keys], np.int64),
        vote=np.array([votes[key] for key in keys], np.int8),
    )
