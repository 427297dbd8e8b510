"""Tell in which language a model wrote an answer, offline, by the model that py3langid carries."""

from __future__ import annotations

import functools
from typing import Any

from stages import languages

LEAST_LETTERS = 25  # of shorter answers the language cannot be told reliably


@functools.cache
def _identifier() -> Any:
    """Restricted to the languages that `stages/languages.py` names: rarer ones would only be mistaken for them."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in sorted(languages.NAMES) if code in identifier.labels])
    return identifier


def written_language(text: str) -> str | None:
    """The ISO 639-1 code of the likeliest language; None where there are too few letters to tell."""
    if sum(character.isalpha() for character in text) < LEAST_LETTERS:
        return None
    return str(_identifier().classify(" ".join(text.split()))[0])
