"""Capability: can the model still calculate and read? A small multiple-choice set, to notice damage.

It is no measure of knowledge: for that, name a task of lm-evaluation-harness (`lm_eval:<task>` in params.yaml).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stages.evaluate_model.item_rows import Text, differ, records
from stages.evaluate_model.items import Item, Judgement, Request
from stages.evaluate_model.parameters import Options

NAME = "capability"
FILES = "*.jsonl"
SAYS = "The question is the citizen's turn; the likeliest answer per token is the model's choice; a tie is not right."
NORMALISATIONS = ("token", "none")


class MultipleChoice(BaseModel):
    """A line of the item file; `right` is the place of the right option, from 0."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    item_id: Text  # <language>-<topic>
    language: str = Field(min_length=2)
    subject: Text
    prompt: Text
    options: tuple[Text, ...] = Field(min_length=2)
    right: int = Field(ge=0)

    @model_validator(mode="after")
    def _one_is_right(self) -> MultipleChoice:
        differ(*self.options)
        if self.right >= len(self.options):
            raise ValueError(f"right is {self.right}, wanted the place of one of {len(self.options)} options")
        return self


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the questions of one file."""
    for row in records(NAME, path, MultipleChoice):
        yield Item(
            item_id=row.item_id,
            language=row.language,
            category=row.subject,
            cluster=row.item_id.removeprefix(f"{row.language}-"),
            requests=tuple(Request(row.prompt, option, chat=True) for option in row.options),
            facts={"right": row.right},
        )


def judge(item: Item, scores: Sequence[float], answers: Sequence[str] = ()) -> Judgement:
    """1 where the right option alone has the highest score."""
    best = [place for place, score in enumerate(scores) if score == max(scores)]
    right = best == [item.facts["right"]]
    return Judgement("tie" if len(best) > 1 else "right" if right else "wrong", {"task_accuracy": float(right)})
