"""Languages are told apart as py3langid does, and small ones are not taken for their large neighbours."""

import functools
import random
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.annotate_documents import language
from stages.annotate_documents.language import Reading, identify, load_model, table
from stages.errors import Trouble

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "data" / "corpus" / "documents.parquet"
DECLARED, CONFUSABLE = ("en", "es", "fr", "ca", "eu"), ("gl", "oc", "de", "it", "pt")
READING = Reading(sample_characters=500, line_characters=30, line_bytes=64, line_probability=0.9)

TEXTS = {
    "en": "Everyone has the right to take part in the government of their country.",
    "es": "Toda persona tiene derecho a participar en el gobierno de su país, directamente.",
    "fr": "Toute personne a le droit de prendre part à la direction des affaires publiques de son pays.",
    "ca": "Tota persona té dret a participar en el govern del seu país, directament o per representants.",
    "eu": "Pertsona orok du bere herrialdeko gobernuan parte hartzeko eskubidea, zuzenean.",
    "gl": "Toda persoa ten dereito a participar no goberno do seu país, directamente ou por medio de representantes.",
    "oc": "Tota persona a lo drech de prene part a la direccion dels afars publics de son país, siá dirèctament.",
    "de": "Jeder hat das Recht, an der Gestaltung der öffentlichen Angelegenheiten seines Landes mitzuwirken.",
    "it": "Ogni individuo ha diritto di partecipare al governo del proprio paese, sia direttamente.",
    "pt": "Toda a pessoa tem o direito de tomar parte na direção dos negócios públicos do seu país.",
}


@functools.cache
def model() -> language.Model:
    return load_model(DECLARED, CONFUSABLE)


@functools.cache
def py3langid() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*DECLARED, *CONFUSABLE])
    return identifier


def as_py3langid(text: str) -> tuple[str, float]:
    return py3langid().classify(text)


def documents(*texts: str, declared: str = "en") -> pa.Table:
    return pa.table(
        {"id": [str(number) for number in range(len(texts))], "text": texts, "language": [declared] * len(texts)}
    )


@pytest.mark.parametrize("code", TEXTS)
def test_ten_languages_are_told_apart(code: str) -> None:
    [row] = table(documents(TEXTS[code], declared="ca"), model(), READING).to_pylist()
    assert (row["declared"], row["identified"], row["other_share"]) == ("ca", code, 0.0)
    assert row["probability"] > 0.6


@pytest.mark.parametrize("text", [
    *TEXTS.values(),
    *(text.upper() for text in TEXTS.values()),
    "L\u0327a cafe\u0301 n'e\u0301tait pas la\u0300",  # accents as marks of their own
    "CAFE\u0301 DE L'E\u0301TE\u0301", "Àéîõü ŒUVRE", "Ἀθήνα · 中文 · हिन्दी · 한국어", "été",
    "Ohm \u2126, Kelvin \u212a, Ångström \u212b", "a\u2000b\u2001c", "👋🏽 kaixo",
    " ".join(TEXTS.values()) * 3,
])  # fmt: skip
def test_answers_are_those_of_py3langid(text: str) -> None:
    [(found, probability)] = identify([text], model())
    expected, expected_probability = as_py3langid(text)
    assert found == expected
    assert probability == pytest.approx(expected_probability, abs=2e-4)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(st.text(max_size=60), st.sampled_from([*TEXTS.values(), "É", "DE LA ", "\u0301", "e"])), max_size=6
    )
)
def test_any_texts_together_get_py3langid_s_probabilities(texts: list[str]) -> None:
    for text, (found, probability) in zip(texts, identify(texts, model()), strict=True):
        shares = dict(py3langid().rank(text))
        if found:  # of two that are equally probable either may be named
            assert shares[found] == pytest.approx(max(shares.values()), abs=2e-4)
            assert probability == pytest.approx(max(shares.values()), abs=2e-4)
        else:  # py3langid names the first language of its list where it saw nothing; here it is none
            assert max(shares.values()) == pytest.approx(1 / len(shares), abs=1e-4)


def test_nothing_to_read_is_no_language() -> None:
    rows = table(documents("", "\n \n", "1"), model(), READING).to_pylist()
    assert [(row["identified"], row["probability"], row["other_share"]) for row in rows[:2]] == [("", 0.0, 0.0)] * 2


def test_the_verdict_rests_on_the_beginning() -> None:
    text = TEXTS["eu"] + " " + " ".join([TEXTS["fr"]] * 50)
    short = READING._replace(sample_characters=len(TEXTS["eu"]))
    assert table(documents(text), model(), short)["identified"].to_pylist() == ["eu"]
    assert table(documents(text), model(), READING._replace(sample_characters=4000))["identified"].to_pylist() == ["fr"]


def test_the_share_in_another_language_counts_characters_of_lines() -> None:
    own, other = TEXTS["ca"], TEXTS["de"]
    text = "\n".join(
        [own, "  " + other + " \r", own, "kurz, und nicht gezählt", "|---|---|---|---|---|---|---|---|---|"]
    )
    [row] = table(documents(text), model(), READING).to_pylist()
    judged = 2 * len(own) + len(other) + len("|---|---|---|---|---|---|---|---|---|")
    assert row["identified"] == "ca"
    assert row["other_share"] == pytest.approx(len(other) / judged, rel=1e-6)


def test_lines_in_capitals_are_read_too() -> None:
    text = "\n".join([TEXTS["fr"], TEXTS["fr"], TEXTS["eu"].upper()])
    [row] = table(documents(text), model(), READING).to_pylist()
    assert row["other_share"] == pytest.approx(len(TEXTS["eu"]) / (2 * len(TEXTS["fr"]) + len(TEXTS["eu"])), rel=1e-6)


def test_blocks_and_slices_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{TEXTS[a]}\n{TEXTS[b]}\n{TEXTS[a]}" for a in TEXTS for b in TEXTS]
    whole = table(documents(*texts), model(), READING)
    monkeypatch.setattr(language, "BLOCK_LINES", 7)
    monkeypatch.setattr(language, "BLOCK_DOCUMENTS", 9)
    assert table(documents(*texts), model(), READING).equals(whole)
    assert table(documents("", *texts).slice(1), model(), READING)["other_share"].equals(whole["other_share"])
    assert max(whole["other_share"].to_pylist()) > 0.3


def test_only_declared_and_confusable_languages_are_named() -> None:
    narrow = load_model(("es", "pt"))
    assert {found for found, _ in identify(list(TEXTS.values()), narrow)} == {"es", "pt"}


def test_an_unknown_language_is_trouble() -> None:
    with pytest.raises(Trouble, match=r"does not know qq; it knows .*ca.*: take it out"):
        load_model(("en", "qq"))


def is_prose(line: str) -> bool:
    return 30 <= len(line) <= 300 and sum(map(str.islower, line)) >= 0.6 * len(line)


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus to try on is not beside this repository")
def test_reach_on_lines_of_the_corpus() -> None:
    """Prose lines of 30 to 300 characters, at most 1,000 a language; labels are the sources', a few are wrong.

    Of Occitan's, half of the declaration of human rights is Franco-Provençal. Software documentation (English in folders
    of other languages) and interface strings (half sentences, markup) are left out.
    """
    found: dict[str, set[str]] = {code: set() for code in TEXTS}
    for row in pq.read_table(CORPUS, columns=["text", "lang", "kind"]).to_pylist():
        if row["kind"] not in ("docs", "ui") and row["lang"] in TEXTS and len(found[row["lang"]]) < 20_000:
            parts = re.split(r"\n" if row["kind"] == "law" else r"\n|(?<=[.!?…])\s+", row["text"])
            found[row["lang"]].update(line for line in map(str.strip, parts) if is_prose(line))
    chance = random.Random(1)
    lines = {code: chance.sample(sorted(texts), min(1000, len(texts))) for code, texts in found.items()}
    right = {code: sum(found == code for found, _ in identify(texts, model())) for code, texts in lines.items()}
    reach = {code: right[code] / len(texts) for code, texts in lines.items()}
    assert sum(map(len, lines.values())) > 8000, {code: len(texts) for code, texts in lines.items()}
    assert sum(right.values()) / sum(map(len, lines.values())) >= 0.98
    assert reach["gl"] >= 0.95
    assert reach["oc"] >= 0.88
