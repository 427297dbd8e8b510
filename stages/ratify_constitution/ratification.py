"""Apply people's decisions to the draft: the constitution is what they accepted and reworded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.errors import Trouble
from stages.ratify_constitution import versions
from stages.ratify_constitution.amendments import amendments, removal_reasons
from stages.ratify_constitution.decisions import Decisions, Entry, check, one_line, read_decisions
from stages.records import (
    Constitution,
    Decision,
    Parent,
    Principle,
    StatementSource,
    Wording,
)
from stages.records import Ratification as Adoption


@dataclass(frozen=True)
class Ratification:
    """The constitution, and what was counted on the way."""

    constitution: Constitution
    counts: dict[str, int]  # decision -> how many drafted principles
    not_in_draft: tuple[str, ...]  # principles decided on that the draft does not hold
    outdated_translations: int  # of texts that people reworded: left out


def ratified(path: Path, draft: Constitution) -> Ratification:
    """The constitution that the decisions in `path` make of the draft; raises Trouble where they do not fit it."""
    return apply(path, read_decisions(path), draft)


def apply(path: Path, decisions: Decisions, draft: Constitution) -> Ratification:
    """The same for decisions that are not in a file yet; `path` names them in messages."""
    check(path, decisions, draft)
    result = ratify(draft, decisions)
    if not result.constitution.principles:
        raise Trouble(
            f"{path} accepts none of {len(draft.principles)} principles; wanted at least one: draft or decide again."
        )
    changes = [amendment.change for amendment in result.constitution.amendments]
    previous = decisions.previous.version if decisions.previous else None
    problem = versions.problem(decisions.version, previous, changes)
    if problem:
        raise Trouble(f"{path}: {problem}.")
    return result


def ratify(draft: Constitution, decisions: Decisions) -> Ratification:
    """The ratified constitution in the draft's order; decisions must have been checked against the draft."""
    entries = {entry.principle: entry for entry in decisions.decisions}
    taken_in = _taken_in(draft.principles, entries)
    principles = tuple(
        _adopted(principle, entries[principle.id], decisions.by, taken_in.get(principle.id, ()))
        for principle in draft.principles
        if entries[principle.id].decision in ("accept", "reword")
    )
    declined = tuple(
        _decision(entries[principle.id], decisions.by, principle.text)
        for principle in draft.principles
        if entries[principle.id].decision in ("merge", "reject")
    )
    constitution = Constitution(
        id=draft.id,
        version=decisions.version,
        title=one_line(decisions.title),
        status="ratified",
        question=one_line(decisions.question or draft.question),
        license=draft.license,
        languages=tuple(sorted({principle.language for principle in principles})),
        process=draft.process,
        method=draft.method,
        ratification=_adoption(decisions),
        principles=principles,
        declined=declined,
        rejected=draft.rejected,
    )
    drafted = {principle.id for principle in draft.principles}
    return Ratification(
        constitution=_amending(constitution, decisions, draft),
        counts=dict(Counter(entries[principle.id].decision for principle in draft.principles)),
        not_in_draft=tuple(sorted(entries.keys() - drafted)),
        outdated_translations=sum(
            len(principle.texts) - 1 for principle in draft.principles if entries[principle.id].decision == "reword"
        ),
    )


def _taken_in(draft: Sequence[Principle], entries: Mapping[str, Entry]) -> dict[str, tuple[StatementSource, ...]]:
    """The statements that each principle takes in from those merged into it."""
    sources: dict[str, tuple[StatementSource, ...]] = {}
    for principle in draft:
        entry = entries[principle.id]
        if entry.decision == "merge" and entry.into is not None:
            sources[entry.into] = sources.get(entry.into, ()) + principle.sources
    return sources


def _adopted(principle: Principle, entry: Entry, by: str, taken_in: Sequence[StatementSource]) -> Principle:
    """The principle as adopted; its votes stay those on its own statement, which are not added up over texts."""
    own, texts, amended_from = principle.sources, dict(principle.texts), None
    if entry.decision == "reword":
        own = tuple(source.model_copy(update={"relation": "reworded"}) for source in own)
        texts = {principle.language: Wording(value=one_line(entry.text or ""), origin="human")}
        amended_from = principle.text
    texts |= {language: translation.wording() for language, translation in entry.translations.items()}
    return principle.model_copy(
        update={
            "texts": {language: texts[language] for language in sorted(texts)},
            "sources": (*own, *_merged(taken_in, principle.statement_ids)),
            "decision": _decision(entry, by),
            "amended_from": amended_from,
        }
    )


def _merged(taken_in: Sequence[StatementSource], known: Sequence[int]) -> list[StatementSource]:
    new = {source.statement_id: source for source in taken_in if source.statement_id not in known}
    return [new[statement].model_copy(update={"relation": "merged"}) for statement in sorted(new)]


def _decision(entry: Entry, by: str, drafted: str | None = None) -> Decision:
    return Decision(
        principle=entry.principle,
        decision=entry.decision,
        reason=one_line(entry.reason),
        by=one_line(entry.by or by),
        text=one_line(entry.text) if entry.text is not None else None,
        into=entry.into,
        ballots=entry.ballots,
        drafted=drafted,
    )


def _adoption(decisions: Decisions) -> Adoption:
    """Who adopted it: the file's `by`, else the roles that the decisions name."""
    roles = sorted({one_line(entry.by) for entry in decisions.decisions if entry.by.strip()})
    return Adoption(
        by=one_line(decisions.by) or "; ".join(roles),
        quorum=decisions.quorum,
        ballots=decisions.ballots,
        date=decisions.date,
    )


def _amending(constitution: Constitution, decisions: Decisions, draft: Constitution) -> Constitution:
    """The constitution with its parent and what it changes, where the decisions name a version before."""
    previous = decisions.previous
    if previous is None:
        return constitution
    reasons = removal_reasons(previous.principles, constitution.declined, draft)
    drafted = {principle.id for principle in draft.principles}
    # what people decided on a principle that is no longer drafted says why it goes
    reasons |= {e.principle: one_line(e.reason) for e in decisions.decisions if e.principle not in drafted}
    texts = {name: one_line(text) for name, text in previous.principles.items()}
    return constitution.model_copy(
        update={
            "parent": Parent(version=previous.version, sha256=previous.sha256),
            "amendments": amendments(texts, constitution.principles, reasons),
        }
    )
