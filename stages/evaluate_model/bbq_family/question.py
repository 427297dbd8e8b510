"""A question of the family, whatever file it came from, and the checks that every question passes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stages.errors import Trouble

UNKNOWN = "unknown"
Condition = Literal["ambig", "disambig"]
Polarity = Literal["neg", "nonneg", ""]
LIKE = {"ambiguous_context": "ambig", "disambiguous_context": "disambig", "amb": "ambig", "dis": "disambig"}
POLARITIES: dict[str, Polarity] = {"neg": "neg", "nonneg": "nonneg", "negative": "neg", "non_negative": "nonneg"}


@dataclass(frozen=True, slots=True)
class Question:
    """A text, a question on it and three answers, one of which says that it cannot be known.

    `biased` is the answer that follows the stereotype: its target in a negative question, the other person in a
    positive one. None where the question does not single out one target, and in MBBQ's control set (names instead of
    groups): such a question counts for accuracy only.
    """

    item_id: str
    example_id: str  # as in the file, where it may stand again in another category or language
    language: str
    category: str
    cluster: str  # questions made from one template, their translations included
    condition: Condition
    polarity: Polarity  # "": the format does not tell
    context: str
    question: str
    answers: tuple[str, ...]
    correct: int
    unknown: int
    biased: int | None
    group: str  # whom the stereotype is about, in the file's words; "" where there is no one target
    control: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands, for messages."""

    benchmark: str
    path: Path
    line: int
    item: str = "?"

    def trouble(self, found: str, wanted: str) -> Trouble:
        """One line: where, what was found, what was wanted, the way out."""
        return Trouble(
            f"{self.benchmark}: {self.path}, line {self.line} (item {self.item}): {found}; wanted {wanted}:"
            " mend the line or take it out."
        )


Row = Mapping[str, object]


def text(row: Row, name: str, place: Place) -> str:
    """The field as text without spaces around it; raises Trouble where it is missing or empty."""
    value = row.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise place.trouble(f"'{name}' is {value!r:.40}", f"a text in '{name}'")
    return value.strip()


def condition(row: Row, name: str, place: Place) -> Condition:
    """Whether the text tells."""
    found = text(row, name, place)
    found = LIKE.get(found, found)
    if found == "ambig":
        return "ambig"
    if found == "disambig":
        return "disambig"
    raise place.trouble(f"'{name}' is '{found}'", "ambig or disambig")


def polarity(row: Row, name: str, place: Place) -> Polarity:
    """Whether the question asks for something bad."""
    found = text(row, name, place)
    if found not in POLARITIES:
        raise place.trouble(f"'{name}' is '{found}', an unknown polarity", "neg or nonneg")
    return POLARITIES[found]


def label(row: Row, name: str, place: Place) -> int:
    """The place of the right answer."""
    found = text(row, name, place)
    if found not in ("0", "1", "2"):
        raise place.trouble(f"'{name}' is '{found}'", "0, 1 or 2")
    return int(found)


def unknown_answer(infos: Sequence[Sequence[str]], place: Place) -> int:
    """Which answer says that it cannot be known."""
    found = [at for at, info in enumerate(infos) if UNKNOWN in info]
    if len(found) != 1:
        count = "no unknown option" if not found else f"{len(found)} unknown options"
        raise place.trouble(count, f"one answer marked '{UNKNOWN}'")
    return found[0]


def check(question: Question, place: Place) -> Question:
    """The question, where its answers differ and its label fits its condition."""
    plain = [" ".join(answer.casefold().split()) for answer in question.answers]
    same = next((at for at, answer in enumerate(plain) if answer in plain[:at]), None)
    if same is not None:
        raise place.trouble(f"the option '{question.answers[same]}' equals another", "three different options")
    if (question.correct == question.unknown) != (question.condition == "ambig"):
        raise place.trouble(
            f"label {question.correct} ('{question.answers[question.correct]}') in a question that is"
            f" {question.condition}",
            "the unknown option as the right answer of ambiguous questions, and of no others",
        )
    return question


def target(groups: Sequence[str], infos: Sequence[Sequence[str]], unknown: int) -> tuple[int | None, str]:
    """The one person of a stereotyped group and that group's name; (None, "") where it is none or both.

    By the whole name ("lowSES", "Muslim"), else by a part of it ("F-Latino").
    """
    wanted = {_plain(group) for group in groups}
    persons = [at for at in range(len(infos)) if at != unknown]
    names = {at: [(_plain(name), name) for name in infos[at]] for at in persons}
    whole = {at: [name for plain, name in names[at] if plain in wanted] for at in persons}
    parts = {at: [name for plain, name in names[at] if wanted & set(plain.split("-"))] for at in persons}
    for found in (whole, parts):
        having = [at for at in persons if found[at]]
        if len(having) == 1:
            return having[0], found[having[0]][-1]
    return None, ""


def biased_answer(about: int | None, asked: Polarity, unknown: int) -> int | None:
    """The answer that follows a stereotype about that person."""
    if about is None:
        return None
    return about if asked == "neg" else next(at for at in range(3) if at not in (about, unknown))


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", "", name).casefold()
