"""Read the file in which people wrote what they decided on each drafted principle, and check that it can be applied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from stages.artifact import read_text
from stages.errors import Trouble
from stages.records import Decision, Record

SEMANTIC_VERSION = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$"
NAMED_AT_MOST = 8  # principles in one message


class Quorum(Record):
    """How many had to be present for the decisions to count, and how many were."""

    wanted: Annotated[int, Field(ge=1)]
    present: Annotated[int, Field(ge=0)]


class Decisions(Record):
    """The whole file: what the constitution is called, and one decision per drafted principle."""

    title: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(pattern=SEMANTIC_VERSION)]
    question: str = ""  # empty: the draft's
    quorum: Quorum | None = None
    decisions: tuple[Decision, ...]


def read_decisions(path: Path) -> Decisions:
    """The file's content; raises Trouble that names the place of the first thing that does not fit."""
    try:
        content = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise Trouble(f"{path} is not valid YAML ({' '.join(str(error).split())}); mend that line.") from None
    try:
        return Decisions.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        raise Trouble(f"{path}: {_place(problem['loc'], content)}: {problem['msg']}; mend it there.") from None


def _place(location: Sequence[int | str], content: Any) -> str:
    """Where in the file, by principle rather than by position where that is possible."""
    match location:
        case ("decisions", int(number), *rest):
            entry = content["decisions"][number]
            name = entry.get("principle") if isinstance(entry, dict) else None
            inner = ".".join(map(str, rest))
            return f"decision {number + 1}" + (f" (on {name})" if name else "") + (f", {inner}" if inner else "")
        case ():
            return "the file"
    return ".".join(map(str, location))


def check(path: Path, decisions: Decisions, drafted: Sequence[str]) -> None:
    """Raise Trouble unless every drafted principle has one decision that can be applied."""
    _check_quorum(path, decisions.quorum)
    _check_twice(path, decisions.decisions)
    by_principle = {decision.principle: decision for decision in decisions.decisions}
    missing = [principle for principle in drafted if principle not in by_principle]
    if missing:
        named = ", ".join(missing[:NAMED_AT_MOST]) + (" …" if len(missing) > NAMED_AT_MOST else "")
        raise Trouble(
            f"{path} has no decision on {len(missing)} of {len(drafted)} drafted principles: {named};"
            " wanted one each: add accept, reword, merge or reject with reason and by."
        )
    for principle in drafted:
        problem = _problem(by_principle[principle], by_principle, drafted)
        if problem:
            raise Trouble(f"{path}: decision on {principle}: {problem}.")


def _check_quorum(path: Path, quorum: Quorum | None) -> None:
    if quorum and quorum.present < quorum.wanted:
        raise Trouble(
            f"{path}: {quorum.present} were present; wanted {quorum.wanted} (quorum): without it nothing is ratified,"
            " decide again with enough people."
        )


def _check_twice(path: Path, decisions: Sequence[Decision]) -> None:
    names = [decision.principle for decision in decisions]
    for name in names:
        if names.count(name) > 1:
            raise Trouble(f"{path} has {names.count(name)} decisions on {name}; wanted one: keep the one that counts.")


def _problem(decision: Decision, by_principle: dict[str, Decision], drafted: Sequence[str]) -> str | None:
    """Why a decision cannot be applied, with the way out, or None."""
    if not decision.reason.strip():
        return "found no reason; wanted one that citizens can read: write it"
    if not decision.by.strip():
        return "found nobody in `by`; wanted the role of those who decided, never a name: write it"
    if decision.decision == "reword":
        return _rewording_problem(decision)
    if decision.text is not None:
        return (
            f"found a text with {decision.decision}; wanted a text only with reword: remove it or change the decision"
        )
    if decision.decision == "merge":
        return _merging_problem(decision, by_principle, drafted)
    if decision.into is not None:
        return f"found `into` with {decision.decision}; wanted it only with merge: remove it or change the decision"
    return None


def _rewording_problem(decision: Decision) -> str | None:
    if decision.into is not None:
        return "found `into` with reword; wanted it only with merge: remove it or change the decision"
    if not (decision.text or "").strip():
        return "found no text; wanted the new words in `text`: write them, or accept"
    return None


def _merging_problem(decision: Decision, by_principle: dict[str, Decision], drafted: Sequence[str]) -> str | None:
    if decision.into is None:
        return "found no `into`; wanted the principle that takes it in: name it"
    if decision.into not in drafted or decision.into == decision.principle:
        return f"found into: {decision.into}; wanted another principle of the draft: {', '.join(drafted[:NAMED_AT_MOST])} …"
    target = by_principle[decision.into].decision
    if target not in ("accept", "reword"):
        return (
            f"found into: {decision.into}, which is itself decided {target}; wanted one that stays: accept or reword it"
        )
    return None
