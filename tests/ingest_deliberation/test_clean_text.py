"""Citizens' text keeps its letters and loses what nobody can see."""

from __future__ import annotations

import unicodedata

import pytest

from stages.ingest_deliberation.clean_text import clean, has_invisible


@pytest.mark.parametrize(
    "text",
    [
        "Use plain words: I should not need a law degree.",
        "S'il ne sait pas, qu'il dise « je ne sais pas » plutôt que d'inventer.",
        "¿Y si alguien no tiene móvil? Nada de estereotipos.",
        "Ha de col·laborar amb les entitats del barri, sense fer-se passar per ningú.",
        "Herritar bakoitzari bere hizkuntzan erantzun behar dio, eta ez dezala asma.",
        "我覺得載客的司機都應該保意外險。",
    ],
)
def test_real_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text
    assert not has_invisible(text)


@pytest.mark.parametrize(
    ("dirty", "wanted"),
    [
        ("one\n\n two\t three \r\n", "one two three"),
        ("safe\u202etxt\u202c name", "safetxt name"),  # bidi override
        ("zero\u200bwidth\u2060 \ufeffspace", "zerowidth space"),
        ("bell\x07 and escape\x1b[31m", "bell and escape[31m"),
        ("hidden\U000e0041\U000e0042 tags", "hidden tags"),  # tag characters can carry orders to a model
        ("blank\u3164\u2800", "blank"),
    ],
)
def test_what_cannot_be_seen_goes(dirty: str, wanted: str) -> None:
    assert clean(dirty) == wanted


def test_white_space_alone_is_not_called_invisible() -> None:
    assert not has_invisible("two\nlines\u00a0and\tmore")
    assert has_invisible("a\u200bb")


def test_accents_are_composed() -> None:
    assert clean(unicodedata.normalize("NFD", "garantía")) == "garantía"
