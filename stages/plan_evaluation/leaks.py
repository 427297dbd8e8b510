"""Prove that held-out pairs were never taught: no text of theirs stands in a lesson, and none shares eight words in a row.

Compared are the prompt and both answers of each held-out pair with the prompt and both answers of each lesson, as folded
words (`stages/overlap.py`). Equal answers of fewer than four words ("Yes, of course.") are everybody's phrase.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from stages.artifact import read_jsonl
from stages.errors import Trouble
from stages.overlap import LEAST_WORDS, RUN, RUN_WORDS, Item, Overlaps, words_of
from stages.records import PreferencePair

LESSONS = "pairs.jsonl"
SHOWN = 3  # leaks named in the message


class HeldOut(BaseModel):
    """What is looked at of a held-out pair."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    item_id: str
    prompt: str
    chosen: str
    rejected: str


class Leak(NamedTuple):
    """A held-out text that was taught."""

    item_id: str
    part: str  # prompt, chosen or rejected
    lesson: str  # the id of the first lesson that has it
    how: str
    text: str


def refuse_leaks(held_out: Path, preferences: Path) -> int:
    """How many held-out pairs were compared; raises Trouble with the first leaks where there are any."""
    pairs = list(read_jsonl(held_out, HeldOut))
    found = leaks(pairs, read_jsonl(preferences / LESSONS, PreferencePair))
    if found:
        items = len({leak.item_id for leak in found})
        first = "; ".join(f"{leak.item_id}, {leak.part}: {leak.text[:80]!r} ({leak.lesson})" for leak in found[:SHOWN])
        raise Trouble(
            f"{held_out}: {items} of {len(pairs):,} held-out pairs were taught ({len(found)} texts, found in {preferences}): "
            f"{first}{' …' if len(found) > SHOWN else ''}. Reword them or take them out, or the lesson out of the lessons."
        )
    return len(pairs)


def leaks(held_out: Iterable[HeldOut], lessons: Iterable[PreferencePair]) -> list[Leak]:
    """Every held-out text that equals a text of a lesson or shares a run of eight words with one, in order."""
    taught = [Item("lessons", lesson.id, text) for lesson in lessons for text in _texts(lesson)]
    whole = {words: lesson for _, lesson, text, _ in reversed(taught) if (words := tuple(words_of(text)))}
    overlaps = Overlaps(taught)
    return [leak for pair in held_out for leak in _leaks_of(pair, whole, overlaps)]


def _texts(pair: HeldOut | PreferencePair) -> tuple[str, str, str]:
    return pair.prompt, pair.chosen, pair.rejected


def _leaks_of(pair: HeldOut, whole: dict[tuple[str, ...], str], overlaps: Overlaps) -> Iterator[Leak]:
    for part, text in zip(("prompt", "chosen", "rejected"), _texts(pair), strict=True):
        words = tuple(words_of(text))
        runs = [hit for hit in overlaps.hits(text) if hit.how == RUN]
        if words in whole and (part == "prompt" or len(words) >= LEAST_WORDS):
            yield Leak(pair.item_id, part, whole[words], "the same text", text)
        elif runs:
            yield Leak(pair.item_id, part, runs[0].item, f"{RUN_WORDS} words in a row", text)
