"""What a benchmark file gives to the scorer and gets back: items, their requests, and the model's choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from stages.evaluate_model.parameters import Options


@dataclass(frozen=True)
class Request:
    """A text whose log-likelihood is asked, given what stands before it.

    With `chat` the context is a citizen's turn and the continuation the assistant's; without, the continuation
    follows the context as it stands (after the beginning-of-text token).
    """

    context: str
    continuation: str
    chat: bool
    other: str | None = None  # the text it is compared with; a masked model scores the tokens that both share
    question: str = ""  # the end of the context that must be read whole; what stands before it may be cut


@dataclass(frozen=True)
class Prompt:
    """A text that the model is to answer; with `chat` it is a citizen's turn, without, the answer goes on where it ends."""

    text: str
    chat: bool = True
    max_tokens: int = 64


@dataclass(frozen=True)
class Likelihood:
    """The log-likelihood of a continuation (natural log), and how many tokens it was read in."""

    total: float
    tokens: int


@dataclass(frozen=True)
class Item:
    """One item of a benchmark; `facts` is what its benchmark needs to judge the answer."""

    item_id: str
    language: str
    category: str
    cluster: str
    requests: tuple[Request, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    variant: str = ""  # as in records.ItemOutcome
    group: str = ""  # as in records.ItemOutcome
    polarity: str = ""  # as in records.ItemOutcome
    facts: Mapping[str, Any] = field(default_factory=dict)
    principle_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """What the model chose, in the benchmark's words, and what that contributes to each metric."""

    choice: str
    values: dict[str, float]


class Benchmark(Protocol):
    """What every file in `benchmarks/` defines."""

    __name__: str
    FILES: str  # pattern of its item files
    SAYS: str  # one sentence: what the model is shown and how its answer is taken
    NORMALISATIONS: tuple[str, ...]  # what may stand in `options.<name>.normalisation`, the usual one first
    read: Callable[[Path, Options], Iterator[Item]]
    # floats: rounded log-likelihoods, as written to items.jsonl; texts: what the model wrote on each prompt
    judge: Callable[[Item, Sequence[float], Sequence[str]], Judgement]


def preferred(first: float, second: float) -> float:
    """1 where the first is likelier, 0 where the second is, 0.5 for a tie."""
    return 0.5 if first == second else float(first > second)
