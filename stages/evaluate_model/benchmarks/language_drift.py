"""Language drift: does the model answer in the language of the question?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from stages.evaluate_model.item_rows import Text, records
from stages.evaluate_model.items import Item, Judgement, Prompt
from stages.evaluate_model.parameters import Options
from stages.evaluate_model.written_language import LEAST_LETTERS, written_language

NAME = "language-drift"
FILES = "*.jsonl"
SAYS = (
    "The model answers in its own words; py3langid tells the language. Of answers with fewer than "
    f"{LEAST_LETTERS} letters the language is not told: they are counted apart."
)
NORMALISATIONS = ("none",)  # nothing is weighed by likelihood
MAX_TOKENS = 48


class Question(BaseModel):
    """A line of the item file."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    item_id: Text  # <language>-<topic>
    language: str = Field(min_length=2)
    prompt: Text


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the questions of one file."""
    for row in records(NAME, path, Question):
        yield Item(
            item_id=row.item_id,
            language=row.language,
            category="question",
            cluster=row.item_id.removeprefix(f"{row.language}-"),
            prompts=(Prompt(row.prompt, max_tokens=MAX_TOKENS),),
        )


def judge(item: Item, scores: Sequence[float], answers: Sequence[str] = ()) -> Judgement:
    """Whether the answer's language is the question's, where it can be told."""
    found = written_language(answers[0])
    if found is None:
        return Judgement("too short to tell", {"too_short_to_tell": 1.0})
    return Judgement(found, {"answers_in_language": float(found == item.language), "too_short_to_tell": 0.0})
