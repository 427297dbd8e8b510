"""Let a model write: in batches, by default always the likeliest token, until its turn ends or its tokens are spent.

With a temperature, tokens are drawn from a generator of each prompt's own, seeded by the seed and the prompt, so that
an answer depends neither on the batch nor on the order of prompts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stages.evaluate_model.encoding import encode_prompt, refuse_control_tokens
from stages.evaluate_model.items import Prompt

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ROWS_AT_ONCE = 64  # texts written side by side at most
SOMETHING = "x"  # an answer, to see what the chat template puts after one


@dataclass(frozen=True)
class Answer:
    """What the model wrote."""

    text: str
    tokens: int
    cut: bool  # whether the prompt lost its beginning


@dataclass(frozen=True)
class Asked:
    """A prompt as tokens, and how its answer ends."""

    tokens: list[int]
    max_tokens: int
    stops: tuple[str, ...] = ()  # texts that end the answer and are taken off it
    temperature: float = 0.0  # 0: always the likeliest token


def write_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    max_length: int,
    batch_tokens: int,
    seed: int = 0,
    temperature: float = 0.0,
    tell: Callable[[float], None] | None = None,
) -> list[Answer]:
    """The model's answer to each prompt, in order, without the blanks around it."""
    refuse_control_tokens(prompts, tokenizer)
    encoded = [encode_prompt(prompt, tokenizer, max_length) for prompt in prompts]
    asked = [
        Asked(tokens, prompt.max_tokens, temperature=temperature)
        for (tokens, _), prompt in zip(encoded, prompts, strict=True)
    ]
    written = write(model, tokenizer, asked, batch_tokens, seed, tell)
    return [Answer(text.strip(), tokens, cut) for (text, tokens), (_, cut) in zip(written, encoded, strict=True)]


def write(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    asked: Sequence[Asked],
    batch_tokens: int,
    seed: int = 0,
    tell: Callable[[float], None] | None = None,
) -> list[tuple[str, int]]:
    """What the model writes on each prompt, in order, and in how many tokens."""
    import torch

    found: dict[int, tuple[str, int]] = {}
    before, model.generation_config = model.generation_config, _rules(model, tokenizer)
    try:
        with torch.inference_mode():
            for batch in _batches(asked, batch_tokens):
                texts = _write(model, tokenizer, [asked[place] for place in batch], seed)
                found |= dict(zip(batch, texts, strict=True))
                if tell:
                    tell(len(found) / len(asked))
    finally:
        model.generation_config = before
    return [found[place] for place in range(len(asked))]


def end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens that end an answer: end of text, what the model's settings name, and what its template puts after a turn."""
    named = getattr(model.generation_config, "eos_token_id", None)
    ends = {tokenizer.eos_token_id, *(named if isinstance(named, list) else [named]), _end_of_turn(tokenizer)}
    return sorted(end for end in ends if end is not None)


def _end_of_turn(tokenizer: PreTrainedTokenizerBase) -> int | None:
    if not tokenizer.chat_template:
        return None
    turns = [{"role": "user", "content": SOMETHING}, {"role": "assistant", "content": SOMETHING}]
    after = str(tokenizer.apply_chat_template(turns, tokenize=False)).rpartition(SOMETHING)[2]
    tokens: Any = tokenizer(after, add_special_tokens=False)["input_ids"] if after else []
    special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    return tokens[0] if tokens and tokens[0] in special else None


def _rules(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Any:
    """Greedy, and nothing of the folder's own settings: a penalty or a sampler there would change what is measured."""
    from transformers import GenerationConfig

    ends = end_tokens(model, tokenizer)
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else (ends or [0])[0]
    return GenerationConfig(do_sample=False, num_beams=1, eos_token_id=ends or None, pad_token_id=padding)


def _batches(asked: Sequence[Asked], batch_tokens: int) -> Iterator[list[int]]:
    """Yield places of prompts whose answers may have the same length, longest first, as many as fit the budget."""
    batch: list[int] = []
    for place in sorted(range(len(asked)), key=lambda at: (-asked[at].max_tokens, -len(asked[at].tokens), at)):
        if batch:
            first = asked[batch[0]]
            width = len(first.tokens) + first.max_tokens
            full = (len(batch) + 1) * width > batch_tokens or len(batch) == ROWS_AT_ONCE
            if full or first.max_tokens != asked[place].max_tokens:
                yield batch
                batch = []
        batch.append(place)
    if batch:
        yield batch


def _write(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, batch: Sequence[Asked], seed: int
) -> list[tuple[str, int]]:
    import torch

    width = max(len(each.tokens) for each in batch)
    inputs = torch.full((len(batch), width), int(model.generation_config.pad_token_id), dtype=torch.long)
    seen = torch.zeros((len(batch), width), dtype=torch.long)
    for row, each in enumerate(batch):  # on the left: the answer follows where the prompt ends
        inputs[row, width - len(each.tokens) :] = torch.tensor(each.tokens)
        seen[row, width - len(each.tokens) :] = 1
    written: Any = model.generate(
        input_ids=inputs.to(model.device),
        attention_mask=seen.to(model.device),
        max_new_tokens=batch[0].max_tokens,
        logits_processor=[_Noise(batch, seed)] if any(each.temperature for each in batch) else [],
        stopping_criteria=[_Stop(tokenizer, batch, width)] if any(each.stops for each in batch) else [],
    )
    ends = set(model.generation_config.eos_token_id or ())
    return [
        _read_back(tokenizer, row, ends, each.stops)
        for each, row in zip(batch, written[:, width:].tolist(), strict=True)
    ]


def _read_back(
    tokenizer: PreTrainedTokenizerBase, row: Sequence[int], ends: set[int], stops: Sequence[str]
) -> tuple[str, int]:
    last = next((at for at, token in enumerate(row) if token in ends), len(row))
    return before_stop(str(tokenizer.decode(row[:last], skip_special_tokens=True)), stops), last


def before_stop(text: str, stops: Sequence[str]) -> str:
    """The text up to the first of the stops."""
    return re.split("|".join(map(re.escape, stops)), text, maxsplit=1)[0] if stops else text


def _generator(seed: int, each: Asked) -> torch.Generator:
    import torch

    digest = hashlib.sha256(f"{seed} {each.max_tokens} {each.temperature} {each.tokens}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


class _Noise:
    """Add Gumbel noise, after which the likeliest token is a draw from the model's distribution at the temperature."""

    def __init__(self, batch: Sequence[Asked], seed: int) -> None:
        self._drawing = [(row, each.temperature, _generator(seed, each)) for row, each in enumerate(batch)]

    def __call__(self, _: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        import torch

        scores = scores.clone()
        for row, temperature, generator in self._drawing:
            if temperature:
                noise = torch.empty(scores.shape[1]).exponential_(generator=generator).log().to(scores)
                scores[row] = scores[row] / temperature - noise
        return scores


class _Stop:
    """Tell which rows hold one of their stops."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, batch: Sequence[Asked], width: int) -> None:
        self._tokenizer, self._batch, self._width = tokenizer, batch, width

    def __call__(self, tokens: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        import torch

        texts = self._tokenizer.batch_decode(tokens[:, self._width :], skip_special_tokens=True)
        done = [any(stop in text for stop in each.stops) for each, text in zip(self._batch, texts, strict=True)]
        return torch.tensor(done, dtype=torch.bool, device=tokens.device)
