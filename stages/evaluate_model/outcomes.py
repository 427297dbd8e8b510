"""From a benchmark's items and a model to item outcomes: ask, round, judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stages.evaluate_model.encoding import Encoded, encode
from stages.evaluate_model.items import Benchmark, Item, Likelihood
from stages.evaluate_model.likelihood import log_likelihoods
from stages.records import ItemOutcome

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DECIMALS = 4  # of log-likelihoods: coarser than float32's noise between machines, finer than any choice


def outcomes(
    items: Sequence[Item],
    benchmark: Benchmark,
    normalisation: str,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    batch_tokens: int,
) -> tuple[list[ItemOutcome], int]:
    """What the model did on each item, in order; and how many contexts lost their beginning to the length limit."""
    requests = [request for item in items for request in item.requests]
    encoded = encode(requests, tokenizer, max_length)
    found = iter(likelihoods(model, encoded, batch_tokens))
    judged = [_outcome(item, [next(found) for _ in item.requests], benchmark, normalisation) for item in items]
    return judged, sum(each.cut for each in encoded)


def likelihoods(model: PreTrainedModel, encoded: Sequence[Encoded], batch_tokens: int) -> Iterator[Likelihood]:
    """Yield each request's log-likelihood, its windows added up."""
    windows = [window for each in encoded for window in each.windows]
    totals = iter(log_likelihoods(model, windows, batch_tokens))
    for each in encoded:
        yield Likelihood(sum(next(totals) for _ in each.windows), each.tokens)


def _outcome(item: Item, found: Sequence[Likelihood], benchmark: Benchmark, normalisation: str) -> ItemOutcome:
    """The judgement rests on the rounded numbers that are written, so that anyone can repeat it."""
    scores = [round(each.total / (each.tokens if normalisation == "token" else 1), DECIMALS) for each in found]
    judgement = benchmark.judge(item, scores, ())
    return ItemOutcome(
        item_id=item.item_id,
        language=item.language,
        category=item.category,
        cluster=item.cluster,
        variant=item.variant,
        principle_ids=item.principle_ids,
        log_likelihoods=tuple(scores),
        choice=judgement.choice,
        values=judgement.values,
    )
