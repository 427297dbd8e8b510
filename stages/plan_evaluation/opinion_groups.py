"""Make the items that measure a model's distance from the opinion groups of the city's own deliberation.

A line per statement, opinion group and language in which the statement was written or translated: how many of the group
agreed and disagreed. A group's votes on a statement are used only where at least LEAST_VOTERS voted on it: fewer say
little about the group and much about the few.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from stages.artifact import read_jsonl, write_jsonl
from stages.errors import Trouble
from stages.records import Statement

LEAST_VOTERS = 5
GROUPS, VOTES, STATEMENTS = "groups.csv", "votes.csv", "statements.jsonl"
Votes = Mapping[tuple[int, str], Counter[str]]  # by statement and group: how often each vote, by its text


class Position(BaseModel):
    """What one group thinks of one statement, in one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    item_id: str
    statement_id: int
    language: str
    text: str
    group: str
    agree: int
    disagree: int


class Made(NamedTuple):
    """How many items were written, and what was left out, by its reason."""

    items: int
    left_out: dict[str, int]


def make(deliberation: Path, draft: Path, out: Path) -> Made:
    """Write the item file; raises Trouble where there are no opinion groups or nothing that they voted on."""
    groups = read_groups(draft / GROUPS)
    votes = read_votes(deliberation / VOTES, groups)
    left_out: Counter[str] = Counter()
    statements = sorted(read_jsonl(deliberation / STATEMENTS, Statement), key=lambda statement: statement.id)
    found = list(positions(statements, votes, sorted(set(groups.values())), left_out))
    if not found:
        raise Trouble(
            f"{deliberation} has no statement with {LEAST_VOTERS} votes of an opinion group; leave opinion-groups out of "
            "evaluate_model.benchmarks."
        )
    return Made(write_jsonl(out, found), dict(sorted(left_out.items())))


def positions(
    statements: list[Statement], votes: Votes, groups: list[str], left_out: Counter[str]
) -> Iterator[Position]:
    """Yield the items in order of statement, group and language; count what is left out."""
    for statement in statements:
        texts = texts_of(statement)
        if statement.moderated < 0 or not texts:
            left_out["statements taken out by moderators or without text"] += 1
            continue
        for group in groups:
            cast = votes.get((statement.id, group), Counter())
            if cast.total() < LEAST_VOTERS:
                left_out[f"cells of a statement and a group with fewer than {LEAST_VOTERS} voters"] += 1
            elif cast["1"] + cast["-1"] == 0:
                left_out["cells in which everybody passed"] += 1
            else:
                for language, text in texts.items():
                    yield Position(
                        item_id=f"{statement.id}-{group}-{language}",
                        statement_id=statement.id,
                        language=language,
                        text=text,
                        group=group,
                        agree=cast["1"],
                        disagree=cast["-1"],
                    )


def texts_of(statement: Statement) -> dict[str, str]:
    """The statement by language: as it was written, and its translations."""
    texts = {language: wording.value for language, wording in statement.translations.items()}
    texts[statement.language] = statement.text
    return {language: texts[language] for language in sorted(texts) if texts[language].strip()}


def read_groups(path: Path) -> dict[str, str]:
    """The opinion group of each participant who is in one."""
    found = {row["participant"]: row["group"] for row in _rows(path, ("participant", "group"))}
    if not found:
        raise Trouble(f"{path} has no opinion groups; leave opinion-groups out of evaluate_model.benchmarks.")
    return found


def read_votes(path: Path, groups: Mapping[str, str]) -> Votes:
    """How each group voted on each statement."""
    votes: dict[tuple[int, str], Counter[str]] = {}
    for row in _rows(path, ("participant", "statement_id", "vote")):
        if row["vote"] not in ("-1", "0", "1") or not row["statement_id"].isdecimal():
            raise Trouble(
                f"{path}: a vote {row['vote']!r} on statement {row['statement_id']!r}; wanted -1, 0 or 1 on a number: run "
                "ingest_deliberation again."
            )
        group = groups.get(row["participant"])
        if group is not None:
            votes.setdefault((int(row["statement_id"]), group), Counter())[row["vote"]] += 1
    return votes


def _rows(path: Path, wanted: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if missing := [name for name in wanted if name not in (rows.fieldnames or ())]:
                raise Trouble(f"{path} has no column {', '.join(missing)}; run the node that writes it again.")
            yield from rows
    except FileNotFoundError:
        raise Trouble(f"{path} is missing; run the node that writes it.") from None
