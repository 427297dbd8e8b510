"""Turn requests into token sequences: what the model reads, and from where on its likelihood counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stages.errors import Trouble
from stages.evaluate_model.items import Request

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Window:
    """Tokens that the model reads at once; those from `start` (at least 1) on are scored."""

    tokens: tuple[int, ...]
    start: int


@dataclass(frozen=True)
class Encoded:
    """A request as windows (one, unless its continuation is longer than the model reads at once)."""

    windows: tuple[Window, ...]
    tokens: int  # of the continuation
    cut: bool  # whether the context lost its beginning


def encode(requests: Sequence[Request], tokenizer: PreTrainedTokenizerBase, max_length: int) -> list[Encoded]:
    """Encode each request by lm-eval's rule: context and continuation together, split at the context's own length.

    The chat template brings its own beginning-of-text token, so none is added to it; a plain text begins with one.
    """
    _refuse_control_tokens(requests, tokenizer)
    opening = _opening(tokenizer)
    contexts = {request: _context(request, tokenizer) for request in dict.fromkeys(requests)}
    texts = list(dict.fromkeys(contexts.values()))
    lengths = dict(zip(texts, map(len, _ids(texts, tokenizer)), strict=True))
    wholes = _ids([contexts[request] + _continuation(request) for request in requests], tokenizer)
    return [
        _windows(
            whole if _templated(request, tokenizer) else [opening, *whole],
            lengths[contexts[request]] + (0 if _templated(request, tokenizer) else 1),
            max_length,
            request,
        )
        for request, whole in zip(requests, wholes, strict=True)
    ]


def prompt_words(requests: Sequence[Request], tokenizer: PreTrainedTokenizerBase) -> str:
    """How the prompts are laid out, for the record."""
    if not any(request.chat for request in requests):
        return "plain text"
    return "the model's chat template" if tokenizer.chat_template else "plain text (the model has no chat template)"


def _templated(request: Request, tokenizer: PreTrainedTokenizerBase) -> bool:
    return request.chat and bool(tokenizer.chat_template)


def _context(request: Request, tokenizer: PreTrainedTokenizerBase) -> str:
    if _templated(request, tokenizer):
        turns = [{"role": "user", "content": request.context}]
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    return request.context.rstrip() + "\n" if request.chat else request.context.rstrip()


def _continuation(request: Request) -> str:
    """The continuation; blanks at the end of a plain context belong to it, as tokenizers join them to the next word."""
    blanks = "" if request.chat else request.context[len(request.context.rstrip()) :]
    return blanks + request.continuation


def _ids(texts: list[str], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    filled = [text for text in texts if text]  # an empty context has no tokens
    found: dict[str, list[int]] = {"": []}
    if filled:
        encoded: Any = tokenizer(filled, add_special_tokens=False, return_attention_mask=False)
        found |= dict(zip(filled, encoded["input_ids"], strict=True))
    return [found[text] for text in texts]


def _opening(tokenizer: PreTrainedTokenizerBase) -> int:
    opening = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    if opening is None:
        raise Trouble("The tokenizer has neither a beginning- nor an end-of-text token; set bos_token in its config.")
    return int(opening)


def _windows(tokens: list[int], start: int, max_length: int, request: Request) -> Encoded:
    """One window with as much of the context as fits; a longer continuation is read piece by piece, each once."""
    scored = len(tokens) - start
    if scored < 1:
        raise Trouble(
            f"An answer has no tokens of its own: {request.continuation[:60]!r}; wanted a text after the context."
        )
    if scored <= max_length:
        first = max(0, len(tokens) - (max_length + 1))  # + 1: the last token is scored, never read
        return Encoded((Window(tuple(tokens[first:]), start - first),), scored, cut=first > 0)
    pieces = range(start, len(tokens), max_length)
    windows = tuple(Window(tuple(tokens[piece - 1 : piece + max_length]), 1) for piece in pieces)
    return Encoded(windows, scored, cut=start > 1)


def _refuse_control_tokens(requests: Sequence[Request], tokenizer: PreTrainedTokenizerBase) -> None:
    """An item that holds a control token (`<|im_end|>`) would end its own turn: items are data, so it is refused."""
    controls = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
    for text in dict.fromkeys(part for request in requests for part in (request.context, request.continuation)):
        for control in controls:
            if control in text:
                raise Trouble(
                    f"An item holds the model's control token {control!r}: {text[:60]!r}; take it out of the text."
                )
