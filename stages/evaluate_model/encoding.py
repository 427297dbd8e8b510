"""Turn requests and prompts into token sequences: what the model reads, and from where on its likelihood counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stages.errors import Trouble
from stages.evaluate_model.items import Prompt, Request

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LEAST_CONTEXT = 0.5  # of a context without a marked question, this share must fit; a smaller rest is another question


class Unfit(Trouble):
    """A request or prompt that cannot be asked; whoever knows its item says which."""

    def __init__(self, message: str, asked: Request | Prompt) -> None:
        super().__init__(message)
        self.asked = asked


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
    refuse_control_tokens(requests, tokenizer)
    opening = _opening(tokenizer)
    contexts = {request: _context(request, tokenizer) for request in dict.fromkeys(requests)}
    texts = list(dict.fromkeys(contexts.values()))
    lengths = dict(zip(texts, map(len, _ids(texts, tokenizer)), strict=True))
    wholes = _ids([contexts[request] + _continuation(request) for request in requests], tokenizer)
    return [
        _windows(
            whole if templated(request.chat, tokenizer) else [opening, *whole],
            lengths[contexts[request]] + (0 if templated(request.chat, tokenizer) else 1),
            max_length,
            request,
            tokenizer,
        )
        for request, whole in zip(requests, wholes, strict=True)
    ]


def encode_prompt(prompt: Prompt, tokenizer: PreTrainedTokenizerBase, max_length: int) -> tuple[list[int], bool]:
    """The tokens that the model goes on from, leaving room for its answer; and whether the beginning was cut."""
    room = max_length - prompt.max_tokens
    if room < 1:
        raise Unfit(
            f"the answer may have {prompt.max_tokens} tokens, but the model reads {max_length} at once; wanted room for"
            " the prompt: ask for a shorter answer.",
            prompt,
        )
    tokens = _prompt_tokens(prompt.text, prompt.chat, tokenizer)
    if len(tokens) <= room:
        return tokens, False
    if not templated(prompt.chat, tokenizer):
        _refuse_lost_question(room / len(tokens), LEAST_CONTEXT, prompt)
        return tokens[-room:], True
    text = _fitting(prompt.text, lambda part: len(_prompt_tokens(part, True, tokenizer)) <= room)
    _refuse_lost_question(len(text) / len(prompt.text), LEAST_CONTEXT, prompt)
    return _prompt_tokens(text, True, tokenizer), True


def prompt_words(chat: bool, tokenizer: PreTrainedTokenizerBase) -> str:
    """How the prompts are laid out, for the record."""
    if not chat:
        return "plain text"
    return "the model's chat template" if tokenizer.chat_template else "plain text (the model has no chat template)"


def templated(chat: bool, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a text is laid out by the model's chat template."""
    return chat and bool(tokenizer.chat_template)


def refuse_control_tokens(asked: Iterable[Request | Prompt], tokenizer: PreTrainedTokenizerBase) -> None:
    """An item that holds a control token (`<|im_end|>`) would end its own turn: items are data, so it is refused."""
    controls = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
    seen: set[str] = set()
    for each in asked:
        for text in (each.text,) if isinstance(each, Prompt) else (each.context, each.continuation):
            if text not in seen and (found := [control for control in controls if control in text]):
                raise Unfit(
                    f"holds the model's control token {found[0]!r}: {text[:60]!r}; take it out of the text.", each
                )
            seen.add(text)


def _prompt_tokens(text: str, chat: bool, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    if templated(chat, tokenizer):
        return _ids([_turn(text, tokenizer)], tokenizer)[0]
    return [_opening(tokenizer), *_ids([text.rstrip() + "\n" if chat else text.rstrip()], tokenizer)[0]]


def _turn(text: str, tokenizer: PreTrainedTokenizerBase) -> str:
    turns = [{"role": "user", "content": text}]
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))


def _context(request: Request, tokenizer: PreTrainedTokenizerBase) -> str:
    if templated(request.chat, tokenizer):
        return _turn(request.context, tokenizer)
    return request.context.rstrip() + "\n" if request.chat else request.context.rstrip()


def _continuation(request: Request) -> str:
    """The continuation; blanks at the end of a plain context belong to it, as tokenizers join them to the next word."""
    blanks = "" if request.chat else request.context[len(request.context.rstrip()) :]
    return blanks + request.continuation


def _ids(texts: list[str], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    distinct = list(dict.fromkeys(text for text in texts if text))  # an empty context has no tokens
    found: dict[str, list[int]] = {"": []}
    if distinct:
        encoded: Any = tokenizer(distinct, add_special_tokens=False, return_attention_mask=False)
        found |= dict(zip(distinct, encoded["input_ids"], strict=True))
    return [found[text] for text in texts]


def _opening(tokenizer: PreTrainedTokenizerBase) -> int:
    opening = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    if opening is None:
        raise Trouble("The tokenizer has neither a beginning- nor an end-of-text token; set bos_token in its config.")
    return int(opening)


def _windows(
    tokens: list[int], start: int, max_length: int, request: Request, tokenizer: PreTrainedTokenizerBase
) -> Encoded:
    """One window with as much of the context as fits; a longer continuation is read piece by piece, each once."""
    scored = len(tokens) - start
    if scored < 1:
        raise Unfit(
            f"an answer has no tokens of its own: {request.continuation[:60]!r}; wanted a text after the context.",
            request,
        )
    if len(tokens) <= max_length + 1:  # + 1: the last token is scored, never read
        return Encoded((Window(tuple(tokens), start),), scored, cut=False)
    if scored <= max_length and start > 1:
        return _cut(tokens, start, max_length, request, tokenizer)
    pieces = range(start, len(tokens), max_length)
    windows = tuple(Window(tuple(tokens[piece - 1 : piece + max_length]), 1) for piece in pieces)
    if start > 1:
        _refuse_lost_question(0.0, LEAST_CONTEXT, request)
    return Encoded(windows, scored, cut=False)


def _cut(
    tokens: list[int], start: int, max_length: int, request: Request, tokenizer: PreTrainedTokenizerBase
) -> Encoded:
    """Take the beginning off the context: of a chat the citizen's first words, never the template around them."""
    if templated(request.chat, tokenizer):
        room = max_length + 1 - (len(tokens) - start)
        text = _fitting(request.context, lambda part: len(_ids([_turn(part, tokenizer)], tokenizer)[0]) <= room)
        needed = len(request.question) if request.question else LEAST_CONTEXT * len(request.context)
        _refuse_lost_question(len(text), needed, request)
        turn = _turn(text, tokenizer)
        whole, context = _ids([turn + request.continuation, turn], tokenizer)
        return Encoded((Window(tuple(whole), len(context)),), len(whole) - len(context), cut=True)
    first = len(tokens) - (max_length + 1)
    needed = len(_ids([request.question], tokenizer)[0]) if request.question else LEAST_CONTEXT * start
    _refuse_lost_question(start - first, needed, request)
    return Encoded((Window(tuple(tokens[first:]), start - first),), len(tokens) - start, cut=True)


def _fitting(text: str, fits: Any) -> str:
    """The text without as many of its first words as must go; '' where not even the last word fits."""
    words = text.split(" ")
    low, high = 1, len(words)  # how many go
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(" ".join(words[middle:])) else (middle + 1, high)
    return " ".join(words[low:])


def _refuse_lost_question(kept: float, wanted: float, asked: Request | Prompt) -> None:
    if kept < wanted or kept <= 0:
        text = asked.text if isinstance(asked, Prompt) else asked.context
        raise Unfit(
            f"its text is longer than the model reads at once, and cutting it would lose the question ({text[:60]!r} …);"
            " raise evaluate_model.max_length where the model reads more, or take the item out.",
            asked,
        )
