"""Civic texts: does the model still know the languages of public administration after it was taught?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from stages.evaluate_model.item_rows import Text, records
from stages.evaluate_model.items import Item, Judgement, Request
from stages.evaluate_model.parameters import Options

NAME = "civic-text"
FILES = "*.jsonl"
SAYS = "The log-likelihood of each text from its beginning, in bits, divided by its characters."
NORMALISATIONS = ("none",)  # bits per character are made of the sum


class CivicText(BaseModel):
    """A line of `<language>.jsonl`."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    item_id: Text
    language: str = Field(min_length=2)
    text: Text


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the texts of one file."""
    for row in records(NAME, path, CivicText):
        yield Item(
            item_id=row.item_id,
            language=row.language,
            category="text",
            cluster=row.item_id.removeprefix(f"{row.language}-"),  # one topic in five languages is no five topics
            requests=(Request("", row.text, chat=False),),
            facts={"characters": len(row.text)},
        )


def judge(item: Item, scores: Sequence[float], answers: Sequence[str] = ()) -> Judgement:
    """Bits per character."""
    bits = -scores[0] / math.log(2)
    return Judgement("read", {"bits_per_character": round(bits / item.facts["characters"], 6)})
