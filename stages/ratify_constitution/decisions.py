"""Read the file in which people wrote what they decided on each drafted principle, and check that it can be applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from stages.artifact import read_text
from stages.errors import Trouble
from stages.ratify_constitution.versions import SEMANTIC_VERSION
from stages.records import Ballots, Constitution, Principle, Quorum, Record, Wording

NAMED_AT_MOST = 8  # principles in one message
TABLE = ".csv"
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


class Translation(Record):
    """A text beside the adopted one, which it never replaces."""

    value: Annotated[str, Field(min_length=1)]
    origin: Literal["human", "machine"]
    reviewer: str = ""  # role of who checked it

    def wording(self) -> Wording:
        """As it stands in the constitution."""
        return Wording(value=one_line(self.value), origin=self.origin, reviewer=one_line(self.reviewer))


class Entry(Record):
    """What people decided on one drafted principle, as the file says it."""

    principle: str
    decision: Literal["accept", "reword", "merge", "reject"]
    reason: str = ""
    by: str = ""  # role, never a name; empty: the file's
    text: str | None = None
    into: str | None = None
    ballots: Ballots | None = None
    translations: dict[Annotated[str, Field(pattern=LANGUAGE)], Translation] = Field(default_factory=dict)


class Previous(Record):
    """The version that is amended: enough to tell what changes, so that no other file is needed."""

    version: Annotated[str, Field(pattern=SEMANTIC_VERSION)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]  # of its constitution.json
    principles: dict[str, str]  # id -> adopted text


class Decisions(Record):
    """The whole file: what the constitution is called, who decided, and one decision per drafted principle."""

    title: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(pattern=SEMANTIC_VERSION)]
    question: str = ""  # empty: the draft's
    by: str = ""  # role, never a name; empty: those of the single decisions
    date: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    quorum: Quorum | None = None
    ballots: Ballots | None = None  # on the whole
    previous: Previous | None = None
    decisions: tuple[Entry, ...]


class _PlainLoader(yaml.SafeLoader):
    """YAML in which `yes`, `no` and a date are words: a ballot says `{yes: 30, no: 2}`, a translation `no:`."""


_PlainLoader.yaml_implicit_resolvers = {
    letter: [(tag, form) for tag, form in resolvers if not tag.endswith((":bool", ":timestamp"))]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_decisions(path: Path) -> Decisions:
    """The file's content, YAML or CSV; raises Trouble that names the place of the first thing that does not fit."""
    if not path.exists():
        raise Trouble(
            f"{path} is missing; wanted a decision on every drafted principle: answer `commons ratify`, or correct"
            " ratify_constitution.decisions."
        )
    if path.suffix.lower() == TABLE:
        from stages.ratify_constitution.table import read_table

        return parse(path, read_table(path))
    try:
        content = yaml.load(read_text(path), Loader=_PlainLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise Trouble(f"{path} is not valid YAML ({' '.join(str(error).split())}); mend that line.") from None
    return parse(path, content)


def parse(path: Path, content: Any) -> Decisions:
    """The decisions as a record; raises Trouble that names the place of the first thing that does not fit."""
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


def check(path: Path, decisions: Decisions, draft: Constitution) -> None:
    """Raise Trouble unless every drafted principle has one decision that can be applied."""
    _check_quorum(path, decisions.quorum)
    _check_whole_vote(path, decisions.ballots)
    _check_twice(path, decisions.decisions)
    by_principle = {entry.principle: entry for entry in decisions.decisions}
    drafted = {principle.id: principle for principle in draft.principles}
    missing = [principle for principle in drafted if principle not in by_principle]
    if missing:
        raise Trouble(
            f"{path} has no decision on {len(missing)} of {len(drafted)} drafted principles: {_named(missing)};"
            " wanted one each: add accept, reword, merge or reject with reason and by, or answer `commons ratify`."
        )
    for name, principle in drafted.items():
        problem = problem_of(by_principle[name], principle, by_principle, decisions.by)
        if problem:
            raise Trouble(f"{path}: decision on {name}: {problem}.")


def _named(principles: Sequence[str]) -> str:
    return ", ".join(principles[:NAMED_AT_MOST]) + (" …" if len(principles) > NAMED_AT_MOST else "")


def _check_quorum(path: Path, quorum: Quorum | None) -> None:
    if quorum and quorum.present < quorum.wanted:
        raise Trouble(
            f"{path}: {quorum.present} were present; wanted {quorum.wanted} (quorum): without it nothing is ratified,"
            " decide again with enough people."
        )


def _check_whole_vote(path: Path, ballots: Ballots | None) -> None:
    if ballots and ballots.no > ballots.yes:
        raise Trouble(
            f"{path}: found {ballots.no} no and {ballots.yes} yes on the whole; wanted at least as many yes: a"
            " constitution that was voted down is not ratified, mend the ballots or decide again."
        )


def _check_twice(path: Path, entries: Sequence[Entry]) -> None:
    names = [entry.principle for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise Trouble(f"{path} has {names.count(name)} decisions on {name}; wanted one: keep the one that counts.")


def problem_of(
    entry: Entry, principle: Principle, by_principle: Mapping[str, Entry | None], by: str = ""
) -> str | None:
    """Why a decision cannot be applied, with the way out, or None; `by_principle` holds None where none is taken yet."""
    if not entry.reason.strip():
        return "found no reason; wanted one that citizens can read: write it"
    if not (entry.by or by).strip():
        return "found nobody in `by`; wanted the role of those who decided, never a name: write it"
    return (
        _ballots_problem(entry)
        or _translations_problem(entry, principle)
        or _rewording_problem(entry)
        or _merging_problem(entry, by_principle)
    )


def _ballots_problem(entry: Entry) -> str | None:
    ballots = entry.ballots
    if ballots and entry.decision != "reject" and ballots.no > ballots.yes:
        return (
            f"found {entry.decision} with {ballots.no} no and {ballots.yes} yes; wanted at least as many yes:"
            " reject it, or mend the ballots"
        )
    return None


def _translations_problem(entry: Entry, principle: Principle) -> str | None:
    if not entry.translations:
        return None
    if entry.decision not in ("accept", "reword"):
        return f"found translations with {entry.decision}; wanted them only for what is adopted: remove them"
    if principle.language in entry.translations:
        return (
            f"found a translation into {principle.language}, the principle's own language; wanted other languages:"
            " the adopted text is changed with reword"
        )
    return None


def _rewording_problem(entry: Entry) -> str | None:
    if entry.decision == "reword" and not (entry.text or "").strip():
        return "found no text; wanted the new words in `text`: write them, or accept"
    if entry.decision != "reword" and entry.text is not None:
        return f"found a text with {entry.decision}; wanted a text only with reword: remove it or change the decision"
    return None


def _merging_problem(entry: Entry, by_principle: Mapping[str, Entry | None]) -> str | None:
    if entry.decision != "merge":
        if entry.into is None:
            return None
        return f"found `into` with {entry.decision}; wanted it only with merge: remove it or change the decision"
    if entry.into is None:
        return "found no `into`; wanted the principle that takes it in: name it"
    if entry.into not in by_principle or entry.into == entry.principle:
        known = [name for name in by_principle if name != entry.principle]
        return f"found into: {entry.into}; wanted another principle of the draft: {_named(known)}"
    target = by_principle[entry.into]
    if target is not None and target.decision not in ("accept", "reword"):
        return (
            f"found into: {entry.into}, which is itself decided {target.decision}; wanted one that stays:"
            " accept or reword it"
        )
    return None


def one_line(text: str) -> str:
    """YAML may fold a sentence over lines; a principle is one line."""
    return " ".join(text.split())
