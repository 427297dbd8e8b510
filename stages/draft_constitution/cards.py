"""What the report tells about single statements and groups: the drafted principles, the distinctive, the divided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from stages.draft_constitution import charts
from stages.draft_constitution.standing import seen, share
from stages.records import Constitution, Principle, VoteCount

if TYPE_CHECKING:
    from stages.draft_constitution.drafting import VoteFindings
    from stages.draft_constitution.representative import Representative

MOST_CHARACTERS = 600  # of one statement; the whole is in constitution.json
MOST_CHARACTERS_IN_LISTS = 280


@dataclass(frozen=True)
class Text:
    """A citizen's words with their language, cut where they are very long."""

    value: str
    language: str
    left_out: int = 0  # characters


@dataclass(frozen=True)
class GroupVotes:
    """How one group voted on a statement, as bar and words."""

    group: str
    key: Markup
    bar: Markup
    told: str
    surely: str  # the lower bound in words; empty where nothing is sure


@dataclass(frozen=True)
class Card:
    """One drafted principle with all that it stands on."""

    principle: Principle
    text: Text
    votes: tuple[GroupVotes, ...]
    scores: tuple[tuple[str, str], ...]  # name in words, value
    translations: tuple[tuple[Text, str], ...]  # other wordings and where they come from


@dataclass(frozen=True)
class Said:
    """A statement in a list, with what is to be told about it."""

    statement_id: int
    text: Text
    told: str
    votes: tuple[GroupVotes, ...] = ()


ORIGINS = {"machine": "translated by a machine", "human": "translated by people", "source": "as the citizens wrote it"}


def text(value: str, language: str, at_most: int = MOST_CHARACTERS) -> Text:
    """The words, cut after `at_most` characters; what is left out is counted."""
    if len(value) <= at_most:
        return Text(value or "(its text is not published)", language if value else "en")
    return Text(value[:at_most] + " …", language, len(value) - at_most)


def texts(constitution: Constitution) -> dict[int, Text]:
    """Every statement's words by its id, for lists."""
    most = MOST_CHARACTERS_IN_LISTS
    drafted = {p.statement_ids[0]: text(p.text, p.language, most) for p in constitution.principles}
    return drafted | {r.statement_id: text(r.text, r.language, most) for r in constitution.rejected}


def card(principle: Principle, bounds: Mapping[str, float], confidence: float) -> Card:
    """The principle's card; `bounds` are the groups' lower bounds."""
    others = [
        (text(wording.value, language), ORIGINS[wording.origin])
        for language, wording in sorted(principle.texts.items())
        if language != principle.language
    ]
    return Card(
        principle=principle,
        text=text(principle.text, principle.language),
        votes=group_votes(principle.votes, bounds),
        scores=_scores(principle, confidence),
        translations=tuple(others),
    )


def group_votes(votes: Mapping[str, VoteCount], bounds: Mapping[str, float] | None = None) -> tuple[GroupVotes, ...]:
    """One row for each group, with counts."""
    only = len(votes) == 1
    return tuple(_row(group, count, (bounds or {}).get(group), only) for group, count in sorted(votes.items()))


def _row(group: str, count: VoteCount, bound: float | None, only: bool) -> GroupVotes:
    told = f"{percent(share(count))} agree: {count.agree:,} agree, {count.passed:,} pass, {count.disagree:,} disagree"
    if not seen(count):
        told = "nobody of this group voted on it"
    surely = "" if bound is None or not seen(count) else f"surely more than {percent(bound, floor=True)}"
    name, key = ("everybody placed:", Markup("")) if only else (group, charts.key(group))
    return GroupVotes(name, key, charts.vote_bar(count), told, surely)


def _scores(principle: Principle, confidence: float) -> tuple[tuple[str, str], ...]:
    scores = principle.scores
    if scores is None:
        return ()
    rows = [
        ("agree, surely, in every group", f"more than {percent(scores.lower_bound, floor=True)}"),
        ("group-informed consensus (GAC)", f"{scores.gac:.3f}, per group {scores.gac_geometric_mean:.3f}"),
        ("seen by", f"{percent(scores.exposure)} of participants"),
        ("fewest votes of a group", f"{scores.smallest_cell:,}"),
    ]
    if scores.weighted_agree is not None:
        rows.append(("agree, weighted to the census", percent(scores.weighted_agree)))
    return tuple(rows)


def percent(value: float, floor: bool = False) -> str:
    """A share in whole per cent; a lower bound is never rounded up."""
    return f"{int(100 * value + 1e-9) if floor else round(100 * value)} %"


def distinctive(found: VoteFindings, words: Mapping[int, Text]) -> dict[str, tuple[Said, ...]]:
    """By group, what it says that sets it apart from all others (Polis' representative statements)."""
    said: dict[str, tuple[Said, ...]] = {}
    for group, statements in sorted(found.representative.items()):
        said[group] = tuple(_said(group, one, found, words) for one in statements if one.statement_id in words)
    return said


def _said(group: str, one: Representative, found: VoteFindings, words: Mapping[int, Text]) -> Said:
    votes = found.consensus[one.statement_id].votes
    stance = "agrees with" if one.agrees else "disagrees with"
    others = [count for name, count in votes.items() if name != group]
    inside, outside = _rate([votes[group]], one.agrees), _rate(others, one.agrees)
    verb = "agree" if one.agrees else "disagree"
    told = f"group {group} {stance} it: {percent(inside)} {verb}"
    if others:
        told += f", against {percent(outside)} of the others"
    if not one.significant:
        told += " (not a clear difference)"
    return Said(one.statement_id, words[one.statement_id], told)


def _rate(counts: Sequence[VoteCount], agrees: bool) -> float:
    whole = sum(seen(count) for count in counts)
    return sum(count.agree if agrees else count.disagree for count in counts) / whole if whole else 0.0
