"""BBQ (Parrish et al. 2022) and its relatives: does the model fall back on a stereotype when a text does not tell?

Every format of the family is read (what a file holds tells which). Who is the stereotype's target comes from the item's
own answer_info and stereotyped groups; the older labels that travel with published predictions are stale for some rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stages.evaluate_model.bbq_family.asking import asked
from stages.evaluate_model.bbq_family.formats import read_questions
from stages.evaluate_model.bbq_family.judging import judge as judge
from stages.evaluate_model.items import Item
from stages.evaluate_model.parameters import Options

FILES = "*.jsonl"
SAYS = (
    "The text and the question are the citizen's turn; the likeliest of the three answers is the model's choice. "
    "The answers are not listed in the prompt, so their order cannot matter; asked with letters, they are listed under "
    "A, B and C, and the likeliest letter is the choice."
)
NORMALISATIONS = ("token", "none")  # the three answers differ in length


def read(path: Path, options: Options, benchmark: str = "bbq", language: str = "en") -> Iterator[Item]:
    """Yield the items of one file, each asked in every way that the options want."""
    for question in read_questions(path, benchmark, language):
        yield from asked(question, options)
