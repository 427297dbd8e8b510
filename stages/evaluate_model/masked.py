"""Pseudo-log-likelihoods of masked language models: each scored token is hidden in turn and guessed from all the others.

Of two compared sentences the tokens that both share are scored (Nangia et al. 2020, section 4), so that a rare name
costs a sentence nothing; of a sentence alone, every token (Salazar et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from stages.evaluate_model.encoding import Unfit
from stages.evaluate_model.items import Likelihood, Request
from stages.evaluate_model.likelihood import LOGITS_AT_ONCE, only_positions

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Sentence:
    """The tokens of a text and those of them that are scored."""

    tokens: tuple[int, ...]
    scored: tuple[int, ...]


def pseudo_log_likelihoods(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    requests: Sequence[Request],
    max_length: int,
    batch_tokens: int,
    tell: Callable[[float], None] | None = None,
) -> list[Likelihood]:
    """The sum of the log-probabilities of each request's scored tokens, each guessed with only itself hidden."""
    import torch

    sentences = [_fitting(sentence(request, tokenizer), max_length, request) for request in requests]
    guesses = [(place, at) for place, each in enumerate(sentences) for at in each.scored]
    guesses.sort(key=lambda guess: -len(sentences[guess[0]].tokens))
    sums = [0.0] * len(requests)
    done = 0
    with torch.inference_mode():
        for batch in _batches(guesses, sentences, batch_tokens, LOGITS_AT_ONCE // int(model.config.vocab_size)):
            found = _guess(model, tokenizer, [(sentences[place].tokens, at) for place, at in batch])
            for (place, _), value in zip(batch, found, strict=True):
                sums[place] += value
            done += len(batch)
            if tell:
                tell(done / len(guesses))
    return [Likelihood(total, len(each.scored)) for total, each in zip(sums, sentences, strict=True)]


def sentence(request: Request, tokenizer: PreTrainedTokenizerBase) -> Sentence:
    """The request's tokens between the model's own marks, and which of them count."""
    joined = f"{request.context} {request.continuation}".strip() if request.context else request.continuation
    tokens = _tokens(joined, tokenizer)
    own = _own(tokens, tokenizer)
    if request.other is not None:
        other = _tokens(f"{request.context} {request.other}".strip() if request.context else request.other, tokenizer)
        scored = [at for at in shared(tokens, other) if at in own]
    elif request.context:
        before = len(_own(_tokens(request.context.strip(), tokenizer), tokenizer))
        scored = own[before:]
    else:
        scored = own
    if not scored:
        raise Unfit(f"a masked model finds no token to score in {joined[:60]!r}; take the item out.", request)
    return Sentence(tuple(tokens), tuple(scored))


def shared(tokens: Sequence[int], other: Sequence[int]) -> list[int]:
    """The places in `tokens` of what both texts share, in order; the same tokens whichever of the two is asked first."""
    if list(tokens) > list(other):  # the matcher is not symmetric: always from the smaller to the larger
        return [
            block.b + step
            for block in SequenceMatcher(None, other, tokens, autojunk=False).get_matching_blocks()
            for step in range(block.size)
        ]
    return [
        block.a + step
        for block in SequenceMatcher(None, tokens, other, autojunk=False).get_matching_blocks()
        for step in range(block.size)
    ]


def _tokens(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    return [int(token) for token in tokenizer(text, return_attention_mask=False)["input_ids"]]


def _own(tokens: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The places of the text itself, without the marks that the tokenizer puts around it."""
    marks = {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id}
    return [at for at, token in enumerate(tokens) if token not in marks]


def _fitting(each: Sentence, max_length: int, request: Request) -> Sentence:
    if len(each.tokens) > max_length:
        raise Unfit(
            f"has {len(each.tokens)} tokens, but the model reads {max_length} at once ({request.continuation[:60]!r} …);"
            " a masked model must read a text whole: take the item out.",
            request,
        )
    return each


def _batches(
    guesses: Sequence[tuple[int, int]], sentences: Sequence[Sentence], batch_tokens: int, most: int
) -> Iterator[list[tuple[int, int]]]:
    batch: list[tuple[int, int]] = []
    for guess in guesses:
        width = len(sentences[(batch or [guess])[0][0]].tokens)
        if batch and ((len(batch) + 1) * width > batch_tokens or len(batch) >= max(1, most)):
            yield batch
            batch = []
        batch.append(guess)
    if batch:
        yield batch


def _guess(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, batch: Sequence[tuple[Sequence[int], int]]
) -> list[float]:
    """The log-probability of each hidden token."""
    import torch

    width = max(len(tokens) for tokens, _ in batch)
    padding = tokenizer.pad_token_id or 0
    inputs: Any = torch.full((len(batch), width), padding, dtype=torch.long)
    seen = torch.zeros((len(batch), width), dtype=torch.long)
    for row, (tokens, at) in enumerate(batch):
        inputs[row, : len(tokens)] = torch.tensor(tokens)
        inputs[row, at] = tokenizer.mask_token_id
        seen[row, : len(tokens)] = 1
    columns = torch.tensor([at for _, at in batch], device=model.device)
    rows = torch.arange(len(batch), device=model.device)
    targets = torch.tensor([tokens[at] for tokens, at in batch], device=model.device)
    with only_positions(model, rows, columns):
        logits: torch.Tensor = model(input_ids=inputs.to(model.device), attention_mask=seen.to(model.device)).logits
    logits = logits[0].float()
    found = logits.gather(1, targets[:, None])[:, 0] - logits.logsumexp(dim=1)
    return [float(value) for value in found.double().cpu()]
