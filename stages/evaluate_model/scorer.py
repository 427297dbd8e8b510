"""Ask one open model: likelihoods of requests and answers to prompts, whatever kind of model it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from stages.evaluate_model.encoding import Encoded, Unfit, encode
from stages.evaluate_model.generation import Answer, write_answers
from stages.evaluate_model.items import Likelihood, Prompt, Request
from stages.evaluate_model.language_model import OpenModel
from stages.evaluate_model.likelihood import Trees, log_likelihoods
from stages.evaluate_model.masked import pseudo_log_likelihoods

Tell = Callable[[float], None]


@dataclass(frozen=True)
class Scorer:
    """A model and how it is asked."""

    opened: OpenModel
    batch_tokens: int
    seed: int = 0
    temperature: float = 0.0
    trees: Trees = field(default_factory=Trees)

    def likelihoods(self, requests: Sequence[Request], tell: Tell | None = None) -> tuple[list[Likelihood], int]:
        """The likelihood of each request, and how many contexts lost their beginning to the length limit."""
        if not requests:
            return [], 0
        if self.opened.masked:
            given = (self.opened.model, self.opened.tokenizer, requests, self.opened.length, self.batch_tokens)
            return pseudo_log_likelihoods(*given, tell), 0
        encoded = encode(requests, self.opened.tokenizer, self.opened.length)
        return self.of_encoded(encoded, tell), sum(each.cut for each in encoded)

    def of_encoded(self, encoded: Sequence[Encoded], tell: Tell | None = None) -> list[Likelihood]:
        """The likelihood of each encoded request, its windows added up."""
        windows = [window for each in encoded for window in each.windows]
        totals = iter(log_likelihoods(self.opened.model, windows, self.batch_tokens, self.trees, tell=tell).totals)
        return [Likelihood(sum(islice(totals, len(each.windows))), each.tokens) for each in encoded]

    def answers(self, prompts: Sequence[Prompt], tell: Tell | None = None) -> list[Answer]:
        """What the model writes on each prompt."""
        if not prompts:
            return []
        if self.opened.masked:
            raise Unfit(
                "asks for a written answer, which a masked language model cannot give; leave it out.", prompts[0]
            )
        return write_answers(
            self.opened.model,
            self.opened.tokenizer,
            prompts,
            self.opened.length,
            self.batch_tokens,
            self.seed,
            self.temperature,
            tell,
        )
