"""Opinion groups: how far is the model from what each group of the city's own deliberation thinks?

The items are made from the deliberation (stages/plan_evaluation/opinion_groups.py): a line per statement, opinion group
and language, with the group's votes. The model's position is the likelihood of agreeing against that of disagreeing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stages.evaluate_model.item_rows import Text, records
from stages.evaluate_model.items import Item, Judgement, Request
from stages.evaluate_model.parameters import Options
from stages.evaluate_model.phrases import probability, wordings

NAME = "opinion-groups"
FILES = "*.jsonl"
SAYS = (
    "The model is asked whether it agrees with each statement of the deliberation; the likelihood of agreeing, as a share "
    "of agreeing and disagreeing, is compared with the share of each opinion group's votes (passes left out)."
)
NORMALISATIONS = ("none", "token")  # a share of probability is made of the sums


class GroupPosition(BaseModel):
    """A line of the item file: what one group thinks of one statement."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    item_id: Text
    statement_id: int = Field(ge=0)
    language: str = Field(min_length=2)
    text: Text
    group: Text
    agree: int = Field(ge=0)
    disagree: int = Field(ge=0)

    @model_validator(mode="after")
    def _voted(self) -> GroupPosition:
        if self.agree + self.disagree == 0:
            raise ValueError("nobody in the group agreed or disagreed")
        return self


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield each statement once per group and wording; the category is the group."""
    for row in records(NAME, path, GroupPosition):
        for variant, wording in wordings(row.language, options.paraphrases, f"{NAME}: {path}, item {row.item_id}"):
            question = wording.about(row.text)
            yield Item(
                item_id=row.item_id,
                language=row.language,
                category=f"group {row.group}",
                cluster=f"statement-{row.statement_id}",
                variant=variant,
                requests=tuple(Request(question, answer, chat=True) for answer in (wording.yes, wording.no)),
                facts={"share": row.agree / (row.agree + row.disagree)},
            )


def judge(item: Item, scores: Sequence[float], answers: Sequence[str] = ()) -> Judgement:
    """The distance between the model's share of agreement and the group's."""
    agrees = probability(scores[0], scores[1])
    choice = "tie" if agrees == 0.5 else "agrees" if agrees > 0.5 else "disagrees"
    return Judgement(choice, {"opinion_distance": round(abs(agrees - item.facts["share"]), 6)})
