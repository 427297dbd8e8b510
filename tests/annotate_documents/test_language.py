"""Languages are told apart as py3langid does, and small ones are not taken for their large neighbours."""

import functools
import random
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
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
READING = Reading(sample_characters=500, line_characters=30, line_bytes=48, line_probability=0.9)

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
    "Ohm \u2126, Kelvin \u212a, Ångström \u212b", "a\u2000b\u2001c", "\x86I", "👋🏽 kaixo",
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


def test_texts_read_side_by_side_are_read_as_if_alone() -> None:
    running = " ".join(TEXTS.values()) * 8
    texts = [running[start : start + size] for start in range(0, 900, 90) for size in (0, 1, 7, 60, 500, 4000, 6000)]
    assert len(running.encode()) > 6900
    assert identify(texts, model()) == [identify([text], model())[0] for text in texts]


def test_more_languages_than_fit_in_one_block_are_weighed_together() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    many = ("bg", "cs", "da", "el", "et", "fi", "hr", "hu", "lt", "lv", "nl", "pl", "ro", "sk", "sl", "sr", "sv", "zh")
    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    whole.set_languages(many)
    texts = [
        "Свако има право да учествује.",
        "Svako ima pravo da učestvuje.",
        "Každý má právo",
        "人人有权",
        *TEXTS.values(),
    ]
    for text, (found, probability) in zip(texts, identify(texts, load_model(many)), strict=True):
        expected, expected_probability = whole.classify(text)
        assert (found, probability) == (expected, pytest.approx(expected_probability, abs=2e-4))


def test_a_row_that_more_states_share_than_there_are_seats_is_kept_apart() -> None:
    count = 600  # each leads to the next by "a" if it is even, and to the start by all else
    row_of = np.arange(count) % 2
    moves = np.zeros((2, 256), np.uint32)
    moves[0, ord("a")] = 1
    moves[1] = np.arange(256) + 300
    feature_of = np.arange(count)
    walked = language._seated(moves, row_of, feature_of, np.ones(count, np.float32))
    state, expected = walked.start, 0
    for byte in b"aaaxaza" * 3:
        state, expected = walked.moves[(state & 0xFFFFFF00) + byte], moves[row_of[expected], byte]
        assert walked.feature_of[walked.first[state >> 8] + (state & 0xFF)] == feature_of[expected]


def test_accents_written_as_marks_change_nothing_for_their_neighbours() -> None:
    texts = [TEXTS["fr"], TEXTS["es"], "", TEXTS["pt"], "a\n" + TEXTS["oc"], TEXTS["en"]]
    marked = [unicodedata.normalize("NFD", text) if place % 2 else text for place, text in enumerate(texts)]
    assert marked != texts
    assert table(documents(*marked), model(), READING).equals(table(documents(*texts), model(), READING))


COMPILED = """
import unicodedata
from stages.annotate_documents import language_walk
from tests.annotate_documents.test_language import READING, TEXTS, documents, identify, model, table

table(documents(unicodedata.normalize("NFD", TEXTS["fr"]), TEXTS["ca"].upper(), "", *TEXTS.values()), model(), READING)
identify([], model())
loops = [loop for loop in vars(language_walk).values() if hasattr(loop, "signatures")]
assert len(loops) >= 10
print({loop.__name__: len(loop.signatures) for loop in loops if len(loop.signatures) > 1})
"""


def test_loops_are_compiled_once_whatever_is_read() -> None:
    """In a process of its own: other tests call the loops with arrays of their own kinds."""
    command = [sys.executable, "-c", COMPILED]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert ended.stdout == "{}\n"


@pytest.mark.parametrize("text", ["é" * 9 + TEXTS["fr"], "« 👋🏽 » " + TEXTS["pt"], "中文" * 20, "ñ", TEXTS["en"]])
def test_the_beginning_is_counted_in_characters(text: str) -> None:
    for characters in (1, 2, 9, 20, 41, 60, 500):
        [row] = table(documents(text), model(), READING._replace(sample_characters=characters)).to_pylist()
        [(found, probability)] = identify([text[:characters]], model())
        assert (row["identified"], row["probability"]) == (found, pytest.approx(probability, abs=1e-6))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.sampled_from("aéB \t\r\n\n👋Ç"), max_size=40), min_size=1, max_size=5), st.integers(1, 6))
def test_lines_are_found_without_the_blanks_around_them(texts: list[str], fewest: int) -> None:
    data, offsets = language._composed(pa.array(texts))
    found = [
        (owner, bytes(data[start:end]).decode(), size, capitals)
        for block in language._line_blocks(data, offsets, fewest)
        for owner, start, end, size, capitals in zip(*(column.tolist() for column in block), strict=True)
    ]
    lines = [(owner, line.strip(" \t\r")) for owner, text in enumerate(texts) for line in text.split("\n")]
    assert found == [(owner, line, len(line), "a" not in line) for owner, line in lines if len(line) >= fewest]


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
