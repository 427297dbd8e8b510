"""How a question is put to a model: answers scored by likelihood, or listed under letters, in several orders and wordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from stages.errors import Trouble
from stages.evaluate_model.bbq_family.question import Question
from stages.evaluate_model.bbq_family.wordings import prompt_wordings
from stages.evaluate_model.items import Item, Request
from stages.evaluate_model.parameters import Options

LETTERS = "ABC"


def asked(question: Question, options: Options) -> Iterator[Item]:
    """The question once per order of its answers and wording of its prompt, each a variant of one item."""
    lettered = options.ask == "lettered"
    if options.rotations > 1 and not lettered:
        raise Trouble(
            f"rotations: {options.rotations} with ask: {options.ask}; answers that are not listed have no order: set"
            " rotations: 1, or ask: lettered."
        )
    for wording, (template, ask_for_letter) in enumerate(
        prompt_wordings(question.language, options.paraphrases, lettered), start=1
    ):
        prompt = template.format(context=question.context, question=question.question)
        for rotation in range(options.rotations):
            yield Item(
                item_id=question.item_id,
                language=question.language,
                category=question.category,
                cluster=question.cluster,
                requests=_lettered(prompt, ask_for_letter, question, rotation)
                if lettered
                else _plain(prompt, question),
                variant=_variant(lettered, options.paraphrases, rotation + 1, wording),
                group=question.group,
                polarity=question.polarity,
                facts=facts(question.condition, question.correct, question.unknown, question.biased),
            )


def _plain(prompt: str, question: Question) -> tuple[Request, ...]:
    read_whole = _from_the_question(prompt, question)
    return tuple(Request(prompt, answer, chat=True, question=read_whole) for answer in question.answers)


def _lettered(prompt: str, ask_for_letter: str, question: Question, rotation: int) -> tuple[Request, ...]:
    """One request per answer, in the file's order; the letter is the one under which the rotation lists it."""
    shown = [(rotation + at) % 3 for at in range(3)]
    listed = [f"{letter}. {question.answers[at]}" for letter, at in zip(LETTERS, shown, strict=True)]
    context = "\n".join([prompt, *listed, ask_for_letter])
    read_whole = _from_the_question(context, question)
    return tuple(Request(context, LETTERS[shown.index(at)], chat=True, question=read_whole) for at in range(3))


def _from_the_question(prompt: str, question: Question) -> str:
    """The end of the prompt that a model must read whole."""
    return prompt[prompt.rindex(question.question) :]


def _variant(lettered: bool, paraphrases: int, rotation: int, wording: int) -> str:
    parts = ([f"lettered {rotation}"] if lettered else []) + ([f"paraphrase {wording}"] if paraphrases > 1 else [])
    return ", ".join(parts)


@cache
def facts(condition: str, correct: int, unknown: int, biased: int | None) -> Mapping[str, Any]:
    """What judging needs; the few dozen combinations are shared by all items of a run."""
    return {"ambiguous": condition == "ambig", "correct": correct, "unknown": unknown, "biased": biased}
