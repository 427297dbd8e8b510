"""Colours, shapes and words that every drawing of a draft shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """How one opinion group is drawn everywhere."""

    colour: str
    marker: str  # matplotlib's name of the shape
    shape: str  # the shape in words


# Okabe and Ito's colours, which colour-blind readers can tell apart; the shapes tell the same without colour.
MARKS = {
    "A": Mark("#0072B2", "o", "circle"),
    "B": Mark("#E69F00", "s", "square"),
    "C": Mark("#009E73", "^", "triangle"),
    "D": Mark("#CC79A7", "D", "diamond"),
    "E": Mark("#56B4E9", "v", "triangle pointing down"),
}
OTHER = Mark("#777777", "o", "circle")

# Why statements were not drafted, in words for the page and the numbers.
CODES = {
    "moderated": "taken out by moderators",
    "not_moderated": "not looked at by a moderator",
    "no_text": "without text",
    "personal_data": "with personal data",
    "out_of_scope": "not about the question",
    "low_exposure": "seen by too few people",
    "below_threshold": "without the support of every group",
    "duplicate_of": "the same as another statement",
    "contradicts": "against another principle",
    "place": "supported, but below the last place",
}
# What makes an account stand out, in words.
FLAGS = {
    "identical votes": "many accounts with identical votes",
    "one answer": "the same answer to everything",
    "burst": "many new accounts at once",
    "late": "first vote shortly before the end",
}
# These are set aside whatever the votes say.
SCREENED = frozenset({"moderated", "not_moderated", "no_text", "personal_data", "out_of_scope"})


def mark(group: str) -> Mark:
    """The mark of a group; a grey circle for any name that is not one of the five."""
    return MARKS.get(group, OTHER)


def code_in_words(code: str) -> str:
    """Why a statement was not drafted; an unknown code as it is written."""
    return CODES.get(code, code.replace("_", " "))


def flag_in_words(kind: str) -> str:
    """What makes an account stand out; an unknown kind as it is written."""
    return FLAGS.get(kind, kind)


def shortened(text: str, width: int) -> str:
    """The text on one line, cut at a word where there is one; works for scripts without spaces too."""
    line = " ".join(text.split())
    if len(line) <= width:
        return line
    cut = line[: width - 1]
    words = cut.rsplit(" ", 1)[0]
    return f"{words if len(words) > width // 2 else cut} …"


def listed(names: Sequence[str]) -> str:
    """The names in a sentence: "A", "A and B", "A, B and C"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
