"""What a teacher works from: the constitution, the prompts and what was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ValidationError

from stages.artifact import read_json, read_jsonl
from stages.errors import Trouble
from stages.records import Constitution, Record, RejectedStatement, Revision


class Prompt(Record):
    """Something a citizen may ask: a probe tests the principle of a statement, a benign one asks for plain help."""

    id: str
    language: str
    statement_id: int | None
    kind: Literal["probe", "benign"]
    form: str  # the way of asking; prompts of one form are near copies
    prompt: str
    twin_of: str | None = None  # benign: the probe whose words it shares


class Recording(Record):
    """What a teacher answered earlier: a first answer, its critique and the revised answer."""

    prompt_id: str
    initial: str
    critique: str
    revision: str
    teacher: str
    version: str


class DroppedLesson(Record):
    """A lesson that was left out: the rule, the value that was found and what the rule wanted."""

    id: str
    language: str
    principle_ids: tuple[str, ...]
    rule: str
    value: str
    wanted: str


class Taught(NamedTuple):
    """What a teacher returns: revisions, and the prompts it had none for."""

    revisions: list[Revision]
    dropped: list[DroppedLesson]


class Places(NamedTuple):
    """The folders that a teacher may read."""

    constitution: Path
    prompts: Path
    recordings: Path


def read_constitution(folder: Path) -> Constitution:
    """The ratified constitution; raises Trouble where it is another thing."""
    path = folder / "constitution.json"
    try:
        constitution = Constitution.model_validate(read_json(path))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise Trouble(
            f"{path}: {place}: {problem['msg']}; wanted a ratified constitution: run ratify_constitution."
        ) from None
    if constitution.status != "ratified":
        raise Trouble(
            f"{path} has the status '{constitution.status}'; wanted a ratified constitution, for a model is taught only"
            " what people decided: run ratify_constitution."
        )
    return constitution


def read_prompts(folder: Path) -> list[Prompt]:
    """The prompts, sorted by id; raises Trouble where an id comes twice."""
    path = folder / "prompts.jsonl"
    prompts = sorted(read_jsonl(path, Prompt), key=lambda prompt: prompt.id)
    _check_unique(path, [prompt.id for prompt in prompts])
    return prompts


def read_recordings(folder: Path) -> dict[str, Recording]:
    """The recordings by prompt; raises Trouble where a prompt has two."""
    path = folder / "recordings.jsonl"
    recordings = list(read_jsonl(path, Recording))
    _check_unique(path, sorted(recording.prompt_id for recording in recordings))
    return {recording.prompt_id: recording for recording in recordings}


def rejected_statements(constitution: Constitution) -> list[RejectedStatement]:
    """The statements that did not become a principle, by their number."""
    return sorted(constitution.rejected, key=lambda statement: statement.statement_id)


def _check_unique(path: Path, ids: Sequence[str]) -> None:
    for one, other in pairwise(ids):
        if one == other:
            raise Trouble(f"{path} has the id {one!r} twice; wanted each once: remove or rename one.")


def principles_by_statement(constitution: Constitution) -> Mapping[int, tuple[str, ...]]:
    """Statement -> the adopted principles that stand on it (a merged statement is in the principle that took it in)."""
    found: dict[int, tuple[str, ...]] = {}
    for principle in sorted(constitution.principles, key=lambda principle: principle.id):
        for statement in principle.statement_ids:
            found[statement] = (*found.get(statement, ()), principle.id)
    return found


def adopted_prompts(prompts: Sequence[Prompt], constitution: Constitution) -> tuple[list[Prompt], list[DroppedLesson]]:
    """The prompts that the constitution has a say on, and the benign ones; a prompt asked twice is taken once."""
    by_statement = principles_by_statement(constitution)
    taken: list[Prompt] = []
    dropped: list[DroppedLesson] = []
    first: dict[tuple[str, str], str] = {}
    for prompt in prompts:
        key = (prompt.language, " ".join(prompt.prompt.casefold().split()))
        if prompt.kind == "probe" and (prompt.statement_id is None or prompt.statement_id not in by_statement):
            value = "no statement" if prompt.statement_id is None else f"statement {prompt.statement_id}"
            dropped.append(
                drop(prompt, (), "principle not adopted", value, "a statement that an adopted principle stands on")
            )
        elif first.setdefault(key, prompt.id) != prompt.id:
            ids = principle_ids(prompt, by_statement)
            dropped.append(
                drop(prompt, ids, "duplicate prompt", f"the words of {first[key]}", "a prompt not asked before")
            )
        else:
            taken.append(prompt)
    return taken, dropped


def principle_ids(prompt: Prompt, by_statement: Mapping[int, tuple[str, ...]]) -> tuple[str, ...]:
    """The principles a prompt teaches; none for a benign one."""
    if prompt.kind == "benign" or prompt.statement_id is None:
        return ()
    return by_statement[prompt.statement_id]


def drop(prompt: Prompt, ids: tuple[str, ...], rule: str, value: str, wanted: str) -> DroppedLesson:
    """The record of a prompt that got no lesson."""
    return DroppedLesson(
        id=prompt.id, language=prompt.language, principle_ids=ids, rule=rule, value=value, wanted=wanted
    )
