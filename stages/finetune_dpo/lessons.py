"""Make what the model compares: a question with the better and the worse answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stages.finetune_dpo.parameters import Parameters
from stages.records import PreferencePair
from stages.training import LeftOut, Lessons, encode, make_lessons

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def comparisons(pairs: Iterable[PreferencePair], tokenizer: PreTrainedTokenizerBase, params: Parameters) -> Lessons:
    """Rows of tokens: the question once, both answers."""

    def row(pair: PreferencePair) -> tuple[dict[str, list[int]], int, int]:
        if pair.chosen.strip() == pair.rejected.strip():
            raise LeftOut("two equal answers")
        asked, better = encode(tokenizer, pair.prompt, pair.chosen)
        _, worse = encode(tokenizer, pair.prompt, pair.rejected)
        tokens = {"prompt_ids": asked, "chosen_ids": better, "rejected_ids": worse}
        longest = len(asked) + max(len(better), len(worse))
        return tokens, 2 * len(asked) + len(better) + len(worse), longest

    return make_lessons(pairs, row, params.max_length)
