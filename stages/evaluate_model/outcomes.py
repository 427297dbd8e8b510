"""From a benchmark's items and a model to item outcomes: ask, round, judge."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import islice

from stages.errors import Trouble
from stages.evaluate_model.encoding import Unfit
from stages.evaluate_model.generation import Answer
from stages.evaluate_model.items import Benchmark, Item, Likelihood, Prompt, Request
from stages.evaluate_model.scorer import Scorer
from stages.records import ItemOutcome

DECIMALS = 4  # of log-likelihoods: coarser than float32's noise between machines, finer than any choice


def outcomes(
    name: str,
    items: Sequence[Item],
    benchmark: Benchmark,
    normalisation: str,
    scorer: Scorer,
    tell: Callable[[float], None] | None = None,
) -> tuple[list[ItemOutcome], int]:
    """What the model did on each item, in order; and how many contexts lost their beginning to the length limit."""
    try:
        found, cut = scorer.likelihoods([request for item in items for request in item.requests], tell)
        written = scorer.answers([prompt for item in items for prompt in item.prompts], tell)
    except Unfit as trouble:
        raise Trouble(f"{name}, item {_asks(items, trouble.asked)}: {trouble}") from None
    likelihoods, answers = iter(found), iter(written)
    judged = []
    for item in items:
        own = list(islice(likelihoods, len(item.requests)))
        _refuse_no_number(name, item, own, scorer)
        judged.append(outcome(item, own, list(islice(answers, len(item.prompts))), benchmark, normalisation))
    return judged, cut + sum(answer.cut for answer in written)


def outcome(
    item: Item, found: Sequence[Likelihood], answers: Sequence[Answer], benchmark: Benchmark, normalisation: str
) -> ItemOutcome:
    """The judgement rests on the rounded numbers that are written, so that anyone can repeat it."""
    scores = [round(each.total / (each.tokens if normalisation == "token" else 1), DECIMALS) for each in found]
    texts = [answer.text for answer in answers]
    judgement = benchmark.judge(item, scores, texts)
    return ItemOutcome(
        item_id=item.item_id,
        language=item.language,
        category=item.category,
        cluster=item.cluster,
        variant=item.variant,
        group=item.group,
        polarity=item.polarity,
        principle_ids=item.principle_ids,
        log_likelihoods=tuple(scores),
        answers=tuple(texts),
        choice=judgement.choice,
        values=judgement.values,
    )


def _refuse_no_number(name: str, item: Item, found: Sequence[Likelihood], scorer: Scorer) -> None:
    wrong = [each.total for each in found if not math.isfinite(each.total)]
    if wrong:
        precision = str(scorer.opened.model.dtype).removeprefix("torch.")
        raise Trouble(
            f"{name}, item {item.item_id}: the model's log-likelihood is {wrong[0]}; wanted a finite number: its weights"
            f" are broken (train it anew), or they overflow in {precision} (set evaluate_model.precision: float32)."
        )


def _asks(items: Sequence[Item], asked: Request | Prompt) -> str:
    """The first item that asks this."""
    return next(item.item_id for item in items if asked in item.requests or asked in item.prompts)
