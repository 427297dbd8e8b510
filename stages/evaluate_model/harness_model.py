"""Our scorer as a model of lm-evaluation-harness, whose base classes are imported with this file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_eval.api.model import TemplateLM
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

from stages.evaluate_model.encoding import Window
from stages.evaluate_model.generation import Asked, write
from stages.evaluate_model.likelihood import log_likelihoods
from stages.evaluate_model.scorer import Scorer

USUAL_ANSWER = 256  # tokens, where a task does not say (as the harness has it)

TokenPair = tuple[tuple[str, str], list[int], list[int]]


class HarnessModel(TemplateLM):
    """Encodes as the harness does for Hugging Face models, and reads as ours: common beginnings once."""

    def __init__(self, scorer: Scorer) -> None:
        super().__init__()
        self._scorer = scorer
        self.tokenizer = scorer.opened.tokenizer
        self.cut = 0  # contexts that lost their beginning

    @property
    def eot_token_id(self) -> int:
        """The token that ends a text."""
        return int(self.tokenizer.eos_token_id)

    @property
    def prefix_token_id(self) -> int:
        """The token that stands for an empty context."""
        opening = self.tokenizer.bos_token_id
        return int(opening if opening is not None else self.tokenizer.eos_token_id)

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
        """The tokens of a text, with the marks that the tokenizer itself puts around it unless told otherwise."""
        if add_special_tokens is None and self.tokenizer.bos_token and string.startswith(self.tokenizer.bos_token):
            add_special_tokens = False
        given = {} if add_special_tokens is None else {"add_special_tokens": add_special_tokens}
        return [int(token) for token in self.tokenizer.encode(string, **given)]

    def _loglikelihood_tokens(self, requests: Sequence[TokenPair], **_: Any) -> list[tuple[float, bool]]:
        length = self._scorer.opened.length
        windows = []
        for _texts, context, continuation in requests:
            tokens = [*context, *continuation][-(length + 1) :]
            self.cut += len(context) + len(continuation) > length + 1
            windows.append(Window(tuple(tokens), max(1, len(tokens) - len(continuation))))
        if not windows:
            return []
        opened, trees = self._scorer.opened, self._scorer.trees
        found = log_likelihoods(opened.model, windows, self._scorer.batch_tokens, trees, greedy=True)
        return list(zip(found.totals, found.greedy, strict=True))

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[float]:
        """The log-likelihood of whole texts, longer ones in pieces."""
        pieces: list[TokenPair] = []
        counts = []
        for request in requests:
            (text,) = request.args
            windows = get_rolling_token_windows(
                token_list=self.tok_encode(text),
                prefix_token=self.prefix_token_id,
                max_seq_len=self._scorer.opened.length,
                context_len=1,
            )
            own = [(("", ""), *make_disjoint_window(window)) for window in windows]
            pieces += own
            counts.append(len(own))
        left = iter(self._loglikelihood_tokens(pieces))
        return [sum(next(left)[0] for _ in range(count)) for count in counts]

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        """What the model writes after each context, up to the task's own stops."""
        asked = [self._asked(*request.args) for request in requests]
        opened = self._scorer.opened
        written = write(opened.model, opened.tokenizer, asked, self._scorer.batch_tokens, self._scorer.seed)
        return [text for text, _ in written]

    def _asked(self, context: str, rules: dict[str, Any]) -> Asked:
        until = rules.get("until") or []
        longest = int(rules.get("max_gen_toks", rules.get("max_new_tokens", USUAL_ANSWER)))
        tokens = self.tok_encode(context)
        room = max(1, self._scorer.opened.length - longest)
        self.cut += len(tokens) > room
        drawing = bool(rules.get("do_sample")) or float(rules.get("temperature") or 0) > 0
        return Asked(
            tokens=tokens[-room:],
            max_tokens=longest,
            stops=tuple(stop for stop in ([until] if isinstance(until, str) else until) if stop),
            temperature=float(rules.get("temperature") or 1.0) if drawing else 0.0,
        )
