"""Make what the model reads: questions with their revised answers, and passages of the corpus against forgetting."""

from __future__ import annotations

import heapq
import math
import random
from collections import defaultdict
from collections.abc import Iterable
from itertools import zip_longest
from typing import TYPE_CHECKING

from stages.finetune_sft.parameters import Parameters
from stages.records import Document, PreferencePair
from stages.training import Lessons, drawn, encode, make_lessons

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

UNTAUGHT = -100  # torch's mark for a token that is read but not learned
SHORTEST_PASSAGE = 16  # tokens; the rest of a document may be a word or two


def answers(pairs: Iterable[PreferencePair], tokenizer: PreTrainedTokenizerBase, params: Parameters) -> Lessons:
    """Questions with the answer that follows the constitution; only the answer is learned."""

    def row(pair: PreferencePair) -> tuple[dict[str, list[int]], int, int]:
        asked, said = encode(tokenizer, pair.prompt, pair.chosen)
        tokens = asked + said
        return {"input_ids": tokens, "labels": [UNTAUGHT] * len(asked) + said}, len(tokens), len(tokens)

    return make_lessons(pairs, row, params.max_length)


def add_passages(
    lessons: Lessons, documents: Iterable[Document], tokenizer: PreTrainedTokenizerBase, params: Parameters
) -> int:
    """Add passages until they are `replay_share` of all tokens, or the corpus ends; return how many.

    A passage is as long as a lesson drawn by lot: so a batch of like length mixes both, and no step learns only one.
    """
    wanted = sum(lessons.lengths) * params.replay_share / (1 - params.replay_share)
    lots = random.Random(params.seed)
    before = len(lessons.rows)
    most = math.ceil(before * params.replay_share / (1 - params.replay_share))
    rest = [list(tokenizer(document.text)["input_ids"]) for document in draw_documents(documents, most, params.seed)]
    while wanted > 0 and rest:
        for tokens in rest:
            length = min(lots.choice(lessons.lengths[:before]), len(tokens))
            passage = tokens[:length]
            del tokens[:length]
            if wanted > 0 and len(passage) >= SHORTEST_PASSAGE:
                lessons.add({"input_ids": passage, "labels": list(passage)}, len(passage))
                wanted -= len(passage)
        rest = [tokens for tokens in rest if tokens]
    return len(lessons.rows) - before


def draw_documents(documents: Iterable[Document], most: int, seed: int) -> list[Document]:
    """At most `most` documents by lot, one language after the other; of each language no more are held at a time."""
    by_language: dict[str, list[tuple[int, int, Document]]] = defaultdict(list)
    for number, document in enumerate(documents):
        held = by_language[document.language]
        entry = (-int(drawn(seed, document.id), 16), -number, document)  # a heap gives up its smallest: the last lot
        if len(held) < most:
            heapq.heappush(held, entry)
        elif most:
            heapq.heappushpop(held, entry)
    drawn_by_language = [
        [document for _, _, document in sorted(by_language[language], reverse=True)] for language in sorted(by_language)
    ]
    return [document for turn in zip_longest(*drawn_by_language) for document in turn if document][:most]
