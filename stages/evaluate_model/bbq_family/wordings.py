"""The prompts and phrases of each language, from `strings/bbq.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from stages.errors import Trouble

FILE = Path(__file__).parents[1] / "strings" / "bbq.yaml"
PLAIN = ("{context} {question}",)  # needs no words of any language


class Wordings(BaseModel):
    """What the family says in one language; what its file explains."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    asked: tuple[str, ...] = PLAIN
    lettered: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()
    negation: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    elision: bool = False


@cache
def _all() -> dict[str, Wordings]:
    content: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {language: Wordings.model_validate(block) for language, block in content.items()}


def known_languages() -> tuple[str, ...]:
    """The languages that have a block."""
    return tuple(_all())


def wordings(language: str) -> Wordings:
    """The language's wordings; without a block, the plain prompt and no phrases."""
    return _all().get(language) or Wordings()


def prompt_wordings(language: str, paraphrases: int, lettered: bool) -> list[tuple[str, str]]:
    """The prompt and the sentence that asks for a letter, `paraphrases` times; raises Trouble where there are too few."""
    found = wordings(language)
    asked = found.asked[:paraphrases]
    letters = found.lettered[:paraphrases] if lettered else ("",) * len(asked)
    if len(asked) < paraphrases or len(letters) < paraphrases:
        wanted = f"{paraphrases} with a sentence for letters" if lettered else str(paraphrases)
        raise Trouble(
            f"Language '{language}' has {min(len(asked), len(letters))} wordings of BBQ's prompt, wanted {wanted}: add"
            f" them to stages/evaluate_model/strings/{FILE.name}, or ask by likelihood with paraphrases: 1."
        )
    return list(zip(asked, letters, strict=True))
