"""Look at one document alone: may it stay, and if not, by which rule, at which value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import NamedTuple

from stages.curate_corpus.licenses import choose_license
from stages.curate_corpus.parameters import Repetition
from stages.records import Document

WORD = re.compile(r"\w+")


class Reason(NamedTuple):
    """Why a document was dropped: the rule, what was found and what was wanted."""

    rule: str
    value: str
    wanted: str


def license_reason(document: Document, allowed: Sequence[str]) -> Reason | None:
    """A reason to drop a document without an allowed licence."""
    if choose_license(document.license, allowed):
        return None
    return Reason("license", document.license or "none stated", f"one of {', '.join(allowed)}")


def language_reason(document: Document, languages: Collection[str]) -> Reason | None:
    """A reason to drop a document whose stated language is not one of the project's."""
    if document.language in languages:
        return None
    return Reason("language", document.language or "none stated", f"one of {', '.join(languages)}")


def length_reason(document: Document, least: int, most: int) -> Reason | None:
    """A reason to drop a text that is too short to judge or too long to train on, in characters without the margins."""
    length = len(document.text.strip())
    if length < least:
        return Reason("short", f"{length} characters", f"at least {least}")
    if length > most:
        return Reason("long", f"{length} characters", f"at most {most}")
    return None


def repetition_reason(document: Document, limits: Repetition) -> Reason | None:
    """A reason to drop a text that mostly says the same again (after Rae et al. 2021, Gopher, table A1)."""
    lines = duplicate_line_share(document.text)
    if lines > limits.max_duplicate_line_share:
        return Reason("repetition", f"{lines:.2f} of its lines repeat", f"at most {limits.max_duplicate_line_share}")
    trigrams = duplicate_trigram_share(words_of(document.text))
    if trigrams > limits.max_duplicate_trigram_share:
        wanted = f"at most {limits.max_duplicate_trigram_share}"
        return Reason("repetition", f"{trigrams:.2f} of its three-word runs repeat", wanted)
    return None


def duplicate_line_share(text: str) -> float:
    """The share of non-empty lines that were there before."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _repeated_share(lines)


def duplicate_trigram_share(words: Sequence[str]) -> float:
    """The share of three-word runs that were there before."""
    return _repeated_share(list(zip(words, words[1:], words[2:], strict=False)))


def _repeated_share(items: Sequence[object]) -> float:
    return 1 - len(set(items)) / len(items) if items else 0.0


def words_of(text: str) -> list[str]:
    """The words of a text, so folded that case, accents' encoding and punctuation do not tell texts apart."""
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())
