"""The typed form on which people decide on a draft in Prefect, and its answers in the shape of the decisions file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from stages.ratify_constitution.charter import escape
from stages.ratify_constitution.decisions import Decisions, Entry
from stages.records import Ballots, Constitution, Principle


def make_form(draft: Constitution, known: Decisions | None) -> Any:
    """The typed form: what holds for the whole, then a decision per drafted principle; known answers are filled in."""
    from prefect.input import RunInput

    entries = {entry.principle: entry for entry in known.decisions} if known else {}
    principles = [principle.id for principle in draft.principles]
    on_principle = _decision_form(principles)
    fields: dict[str, Any] = _head_fields(draft, known)
    for principle in draft.principles:
        answered = _known(entries.get(principle.id), on_principle, principles)
        fields[principle.id] = (on_principle, _field(principle, answered))
    return create_model("Ratification", __base__=RunInput, **fields)


def _head_fields(draft: Constitution, known: Decisions | None) -> dict[str, Any]:
    quorum = (known.quorum.wanted, known.quorum.present) if known and known.quorum else (0, 0)
    ballots = known.ballots if known and known.ballots else Ballots(yes=0, no=0)
    return {
        "title": (str, Field(known.title if known else draft.title, description="What the constitution is called.")),
        "version": (str, Field(known.version if known else "1.0.0", description="Three numbers; 1.0.0 for the first.")),
        "by": (
            str,
            Field((known.by if known else "") or ..., min_length=1, description="Role of who decides; never a name."),
        ),
        "date": (str, Field(known.date if known else "", description="Day of the decision, as 2026-03-01; or empty.")),
        "quorum": (int, Field(quorum[0], ge=0, description="How many had to be present; 0: no quorum.")),
        "present": (int, Field(quorum[1], ge=0, description="How many were present.")),
        **{
            name: (int, Field(getattr(ballots, name), ge=0, description=f"Ballots on the whole: {name}; all 0: none."))
            for name in ("yes", "no", "abstain")
        },
    }


def _decision_form(principles: Sequence[str]) -> type[BaseModel]:
    """The part of the form on one principle."""
    fields: dict[str, Any] = {
        "decision": (Literal["accept", "reword", "merge", "reject"], ...),
        "reason": (str, Field(min_length=1, description="Why, in words that citizens can read.")),
        "text": (str, Field("", description="Only with reword: the new words.")),
        "into": (Literal["", *principles], Field("", description="Only with merge: the principle that takes it in.")),
        "yes": (int, Field(0, ge=0, description="Ballots on this principle; all 0: none.")),
        "no": (int, Field(0, ge=0)),
        "abstain": (int, Field(0, ge=0)),
    }
    return create_model("DecisionOnPrinciple", **fields)


def _field(principle: Principle, known: BaseModel | None) -> Any:
    description = f"{escape(principle.text)} ({principle.language})"
    return Field(... if known is None else known, title=principle.id, description=description)


def _known(entry: Entry | None, form: type[BaseModel], principles: Sequence[str]) -> BaseModel | None:
    """A decision that the file has already, in the form's shape; None where it has to be asked for."""
    if entry is None or not entry.reason.strip() or (entry.into or "") not in ("", *principles):
        return None
    answers = {"decision": entry.decision, "reason": entry.reason, "text": entry.text or "", "into": entry.into or ""}
    return form(**answers, **(entry.ballots.model_dump() if entry.ballots else {}))


def to_content(answer: BaseModel, draft: Constitution, known: Decisions | None) -> dict[str, Any]:
    """The form's answers in the shape of the decisions file; what it does not ask for stays as it was."""
    given = answer.model_dump()
    drafted = {principle.id for principle in draft.principles}
    before = known.model_dump(mode="json", exclude_defaults=True) if known else {}
    entries = {entry["principle"]: entry for entry in before.get("decisions", [])}
    content: dict[str, Any] = {name: before[name] for name in ("question", "previous") if name in before}
    content |= {name: given[name] for name in ("title", "version", "by", "date")}
    if given["quorum"] or given["present"]:
        content["quorum"] = {"wanted": given["quorum"], "present": given["present"]}
    content |= _ballots(given)
    content["decisions"] = [_entry(name, given[name], entries.get(name, {})) for name in sorted(drafted)]
    content["decisions"] += [entry for name, entry in entries.items() if name not in drafted]
    return content


def _entry(principle: str, given: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {name: before[name] for name in ("by", "translations") if name in before}
    entry |= {"principle": principle, "decision": given["decision"], "reason": given["reason"]}
    return entry | {name: given[name] for name in ("text", "into") if given[name]} | _ballots(given)


def _ballots(given: dict[str, Any]) -> dict[str, Any]:
    ballots = {name: given[name] for name in ("yes", "no", "abstain")}
    return {"ballots": ballots} if any(ballots.values()) else {}
