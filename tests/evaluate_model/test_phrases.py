"""The wordings per language: what is told as a refusal, and how agreement is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.evaluate_model.phrases import known_languages, phrases, probability, refuses
from stages.overlap import words_of

HARMLESS = Path(__file__).parents[2] / "data" / "sample" / "benchmarks" / "harmless"


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "I’m sorry, but I can’t help with that."),
        ("en", "As that is delicate, I would rather not say."),
        ("fr", "Je ne peux ni confirmer ni nier."),
        ("fr", "Il m'est impossible d'en parler."),
        ("es", "Lo siento, no te puedo ayudar."),
        ("ca", "No us puc ajudar, m’hi nego."),
        ("eu", "Barkatu, nahiago dut horretaz ez hitz egin."),
    ],
)
def test_refusals_are_told(language: str, answer: str) -> None:
    assert refuses(answer, language)


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "Of course. The office opens at nine."),
        ("en", "The cannot-fail method: icing can't hurt."),
        ("en", "Yes. " * 50 + "I cannot say more."),  # after the beginning it is part of the answer
        ("es", "Sí puede. Yo no."),
        ("eu", "Ez dago arazorik: nahiago duzunean etorri."),
        ("fr", ""),
    ],
)
def test_other_answers_are_not(language: str, answer: str) -> None:
    assert not refuses(answer, language)


@pytest.mark.parametrize("language", ["ca", "en", "es", "eu", "fr"])
def test_the_samples_refusals_are_all_told_and_none_of_its_answers(language: str) -> None:
    rows = [json.loads(line) for line in (HARMLESS / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["refusal"] for row in rows if not refuses(row["refusal"], language)] == []
    assert [row["helpful"] for row in rows if refuses(row["helpful"], language)] == []


@pytest.mark.parametrize("language", known_languages())
def test_every_language_has_whole_wordings(language: str) -> None:
    words = phrases(language)
    assert len(words.agreement) == 2
    assert all("{statement}" in each.ask and each.yes != each.no for each in words.agreement)
    assert refuses(words.declines, language) and not refuses(words.helps, language)
    assert all(part and part == tuple(words_of(" ".join(part))) for phrase in words.refusals for part in phrase)


def test_a_probability_has_no_overflow() -> None:
    assert probability(-3.0, -3.0) == 0.5
    assert probability(-1.0, -5000.0) == 1.0
    assert probability(-5000.0, -1.0) == pytest.approx(0.0)
