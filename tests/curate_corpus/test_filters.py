"""Each rule names what it found and what it wanted, in the languages we serve."""

from __future__ import annotations

import pytest

from stages.curate_corpus.filters import (
    Reason,
    duplicate_line_share,
    duplicate_trigram_share,
    language_reason,
    length_reason,
    license_reason,
    repetition_reason,
    words_of,
)
from stages.curate_corpus.language_id import identification_reason, load_identifier
from stages.curate_corpus.licenses import attribution, choose_license, escape_markdown
from stages.curate_corpus.parameters import LanguageIdentification, Repetition
from stages.errors import Trouble
from stages.records import Document

ALLOWED = ("CC0-1.0", "CC-BY-4.0")


def document(text: str = "Tothom té dret a ser escoltat.", **fields: str) -> Document:
    known = {"id": "a", "language": "ca", "source": "BOPA", "url": "", "license": "CC0-1.0"}
    return Document(**{**known, **fields}, text=text)


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("cc-by-4.0", "CC-BY-4.0"),  # SPDX names do not depend on case
        ("GPL-3.0-only OR CC-BY-4.0", "CC-BY-4.0"),
        ("(CC0-1.0 OR MIT)", "CC0-1.0"),
        ("CC-BY-NC-4.0", None),
        ("CC-BY-4.0 AND LicenseRef-other", None),
        ("", None),
    ],
)
def test_a_licence_must_be_offered_and_allowed(expression: str, chosen: str | None) -> None:
    assert choose_license(expression, ALLOWED) == chosen


def test_a_missing_licence_is_a_reason() -> None:
    reason = license_reason(document(license=""), ALLOWED)
    assert reason == Reason("license", "none stated", "one of CC0-1.0, CC-BY-4.0")


def test_an_undeclared_language_is_a_reason() -> None:
    assert language_reason(document(language="de"), ["ca", "eu"]) == Reason("language", "de", "one of ca, eu")
    assert language_reason(document(language="eu"), ["ca", "eu"]) is None


def test_length_counts_characters_without_margins() -> None:
    assert length_reason(document("  Bai.  "), 5, 10) == Reason("short", "4 characters", "at least 5")
    assert length_reason(document("x" * 11), 5, 10) == Reason("long", "11 characters", "at most 10")
    assert length_reason(document("Ongi."), 5, 10) is None


def test_repetition_by_lines_and_by_words() -> None:
    limits = Repetition(max_duplicate_line_share=0.3, max_duplicate_trigram_share=0.6)
    menu = "Inici\nTràmits\nContacte\n" * 4
    assert duplicate_line_share(menu) == 0.75
    assert repetition_reason(document(menu), limits) == Reason("repetition", "0.75 of its lines repeat", "at most 0.3")
    chant = "compra ara mateix " * 20
    reason = repetition_reason(document(chant), limits)
    assert reason is not None
    assert reason.rule == "repetition"
    assert "three-word runs" in reason.value
    law = (
        "Article 1. Tothom neix lliure.\nArticle 2. Tothom té els mateixos drets.\nArticle 3. Tothom té dret a la vida."
    )
    assert repetition_reason(document(law), limits) is None
    assert duplicate_trigram_share([]) == 0


def test_words_are_folded() -> None:
    assert words_of("L'Été, l’ÉTÉ: zer\u00a0moduz? ﬁ") == ["l", "été", "l", "été", "zer", "moduz", "fi"]


@pytest.fixture(scope="module")
def identify():  # type: ignore[no-untyped-def]
    return load_identifier(["en", "es", "fr", "ca", "eu"], ["gl", "oc", "pt", "it", "de"])


TEXTS = {
    "en": "Everyone has the right to take part in the government of his country.",
    "fr": "Toute personne a le droit de prendre part à la direction des affaires publiques de son pays.",
    "es": "Toda persona tiene derecho a participar en el gobierno de su país, directamente o por representantes.",
    "ca": "Tota persona té dret a participar en el govern del seu país, ja sigui directament o per representants.",
    "eu": "Gizaki guztiek dute beren herriko gobernuan parte hartzeko eskubidea, zuzenean edo ordezkarien bidez.",
    "gl": "Toda persoa ten dereito a participar no goberno do seu país, directamente ou por medio de representantes.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_texts_are_read_as_their_language(identify, language: str) -> None:  # type: ignore[no-untyped-def]
    limits = LanguageIdentification(confusable=("gl",), min_probability=0.7, sample_characters=1000)
    assert identification_reason(document(TEXTS[language], language=language), identify, limits) is None
    mislabelled = "es" if language != "es" else "ca"
    reason = identification_reason(document(TEXTS[language], language=mislabelled), identify, limits)
    assert reason is not None
    assert reason.rule == "language"
    assert reason.value.startswith(f"reads as {language} ")
    assert reason.wanted == f"{mislabelled}, as stated"


def test_a_language_the_model_does_not_know_is_trouble() -> None:
    with pytest.raises(Trouble, match="does not know xx"):
        load_identifier(["en", "xx"], [])


def test_attribution_names_sources_licences_and_duties() -> None:
    text = attribution(
        [
            document(source="DILA | LEGI", license="etalab-2.0", url="https://b.example"),
            document(source="DILA | LEGI", license="etalab-2.0", url="https://a.example"),
            document(source="<b>x</b>", license="LicenseRef-UN", url="javascript:x|y"),
        ]
    )
    assert (
        "| DILA \\| LEGI | etalab-2.0 | 2 | name the producer and the date of the last update | <https://a.example> |"
        in text
    )
    assert "&lt;b&gt;x&lt;/b&gt; | LicenseRef-UN | 1 | not a standard licence" in text
    assert "| javascript:x\\|y |" in text


def test_names_are_no_markup() -> None:
    assert escape_markdown("a*b_[c](d)\n<e>&") == "a\\*b\\_\\[c\\](d) &lt;e&gt;&amp;"
