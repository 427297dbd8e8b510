import hashlib
import itertools
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stages.annotate_documents.kernels import compiled
from stages.annotate_documents.kernels import words as kernel
from stages.overlap import WORD, words_of

SAYINGS = [
    "All human beings are born free and equal in dignity and rights.",
    "Todos los seres humanos nacen libres e iguales en dignidad y derechos: ¿sí o no?",
    "L’être humain naît libre ; il a droit à l'égalité, à 100 %.",
    "Tots els éssers humans neixen lliures i iguals en dignitat i en drets. Paral·lel!",
    "Gizon-emakume guztiak aske jaiotzen dira, duintasun eta eskubide berberak dituztela.",
    "Tódolos seres humanos nacen libres e iguais en dignidade e dereitos, e máis nada.",
    "Totes los èssers umans naisson liures e egals en dignitat e en dreches.",
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren. STRASSE, Straße, ẞ.",
]
ODD_TEXTS = [
    "",
    " ",
    "...",
    "ª½²³ ﬁn Ǆ ŉ İi ℃ ㏂ ﷺ Ⅳ ①⑴",
    "cafe\u0301 café CAFE\u0301 \u0301a a\u0327\u0301 a\u0301\u0327",  # decomposed, and marks out of order
    "각 \u1100\u1161\u11a8 가\u11a8 한국어",
    "カ\uff9e ガ が \u304b\u3099 漢字　１２３ 丽\U0002f800",
    "हिन्दी ไทย العربية עברית ελληνικά ΣΊΣΥΦΟΣ кириллица",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🇨🇭👍🏽 e\u200dé\u00ad-x \U000e0100a",
    "\ue000a\uf8ffb\U000f0000c\U0010ffffd\0e",
]


def split(texts: list[str]) -> list[list[str]]:
    words = kernel.fold(pa.array(texts, pa.large_string()))
    folded = [words.folded[a:b].tobytes().decode() for a, b in itertools.pairwise(words.folded_ends)]
    counts = np.diff(words.word_ends).tolist()
    assert counts == [len(text.split()) for text in folded]
    assert words.characters.tolist() == [len(word) for text in folded for word in text.split()]
    assert words.letters.tolist() == [any(map(str.isalpha, word)) for text in folded for word in text.split()]
    assert all(text == " ".join(text.split()) for text in folded)
    return [text.split(" ") if text else [] for text in folded]


def slow_hash(word: str) -> int:
    code = 0
    for byte in word.encode():
        code = (code * 0x9E3779B97F4A7C15 + byte) % 2**64
    return slow_mix(code)


def slow_mix(value: int) -> int:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = ((value ^ (value >> 33)) * factor) % 2**64
    return value ^ (value >> 33)


def slow_run(words: list[str]) -> int:
    code = len(words)
    for word in words:
        code = (code * 0x9E3779B97F4A7C15 + slow_hash(word)) % 2**64
    return slow_mix(code)


@pytest.mark.parametrize("text", SAYINGS + ODD_TEXTS)
def test_words_are_those_of_the_plain_rule(text: str) -> None:
    assert split([text]) == [words_of(text)]


def test_what_words_are() -> None:
    assert split(["L’ÉTÉ à Straße 1.2.3, cafe\u0301; paral·lel"]) == [
        ["l", "été", "à", "strasse", "1", "2", "3", "café", "paral", "lel"]
    ]


def test_a_word_is_what_python_calls_alphanumeric() -> None:
    text = "".join(chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)
    assert "".join(WORD.findall(text)) == "".join(filter(str.isalnum, text))


def test_every_character_folds_as_the_plain_rule_says() -> None:
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    for start in range(0, len(points), 50_000):
        texts = [f"a{chr(point)}b" for point in points[start : start + 50_000]]
        words = kernel.fold(pa.array(texts, pa.large_string()))
        raw, ends = words.folded.tobytes(), words.folded_ends.tolist()
        for text, (begin, end) in zip(texts, itertools.pairwise(ends), strict=True):
            assert raw[begin:end].decode().split() == words_of(text), ascii(text)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=6))
@example(["a", "", "\u0301", "b"])
@settings(max_examples=300, deadline=None)
def test_any_texts_split_as_the_plain_rule_says(texts: list[str]) -> None:
    assert split(texts) == [words_of(text) for text in texts]


MARKS = "aeoAE ß\u0301\u0327\u0308\u030a\u0323\u1100\u1161\u11a8각가\u3099かカ\uff76\uff9eﬁ½İΐ\u0345α\u0bc6\u0bbe"


@given(st.text(st.sampled_from(MARKS), max_size=20))
@settings(max_examples=400, deadline=None)
def test_characters_that_join_their_neighbours_split_as_the_plain_rule_says(text: str) -> None:
    assert split([text, "x"]) == [words_of(text), ["x"]]


def test_one_character_may_fold_to_many_without_running_over() -> None:
    texts = ["ﷺ" * 3000, "abc", "ﷺ"]
    assert unicodedata.normalize("NFKC", "ﷺ").count(" ") == 3
    assert split(texts) == [words_of(text) for text in texts]


def test_broken_utf8_parts_words_and_stays_inside_the_text() -> None:
    raw = [b"ab\xc3", b"cd\xf0\x9f", b"\xa9ef\xff", b"gh"]
    texts = pa.LargeStringArray.from_buffers(
        len(raw), pa.py_buffer(np.cumsum([0, *map(len, raw)]).astype(np.int64)), pa.py_buffer(b"".join(raw))
    )
    words = kernel.fold(texts)
    assert words.folded.tobytes() == b"abcdefgh"
    assert words.word_ends.tolist() == [0, 1, 2, 3, 4]


def test_slices_chunks_and_nulls_are_the_texts_they_show() -> None:
    texts = pa.chunked_array([pa.array(["skip", "one two", None], pa.string()).slice(1), pa.array(["three"])])
    words = kernel.fold(texts)
    assert words.folded.tobytes() == b"one twothree"
    assert words.word_ends.tolist() == [0, 2, 2, 3]
    assert len(kernel.fold(pa.chunked_array([], pa.large_string()))) == 0


def test_hashes_are_those_of_the_slow_rule() -> None:
    text = " ".join(SAYINGS)
    words = kernel.fold(pa.array([text]))
    expected = words_of(text)
    assert words.hashes.tolist() == [slow_hash(word) for word in expected]
    runs = [slow_run(expected[start : start + 5]) for start in range(len(expected) - 4)]
    assert kernel.run_hashes(words.hashes, 5).tolist() == runs
    assert kernel.run_hashes(words.hashes[:3], 5).tolist() == []


def test_where_no_folder_can_be_written_kernels_are_compiled_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = compiled.numba.njit

    def without_cache(**options: bool) -> object:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return plain(**options)

    monkeypatch.setattr(compiled.numba, "njit", without_cache)
    assert compiled.compiled(lambda number: number + 1)(1) == 2


def test_text_hash_can_be_checked_with_any_sha256() -> None:
    texts = ["Straße, 1!", "strasse 1", "strasse 2"]
    first, same, other = kernel.text_hashes(kernel.fold(pa.array(texts)))
    assert first == same == hashlib.sha256(b"strasse 1").digest()[:16] != other


def test_pieces_hold_every_document_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "PIECE_BYTES", 10)
    texts = pa.chunked_array([["aaaa bbbb", "c", "d", "", "eeee ffff gggg hhhh", "i"], [], ["j", "k l"]], pa.string())
    found = [(piece.start, piece.stop, len(piece.words.hashes)) for piece in kernel.pieces(texts)]
    assert found == [(0, 2, 3), (2, 4, 1), (4, 5, 4), (5, 6, 1), (6, 8, 3)]
    for piece in kernel.pieces(texts):
        own = [piece.data[begin:end].tobytes().decode() for begin, end in itertools.pairwise(piece.offsets)]
        assert own == texts.to_pylist()[piece.start : piece.stop]


def test_pieces_that_are_kept_are_not_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "PIECE_BYTES", 10)
    texts = [f"word{number} cafe\u0301 x{number}" for number in range(12)]
    column = pa.array(texts, pa.large_string())
    kept = list(kernel.pieces(column))
    hashes = [piece.words.hashes for piece in kernel.pieces(column)]
    for number, piece in enumerate(kept):
        assert piece.words.folded.tobytes().decode() == f"word{number} café x{number}"
        assert hashes[number].tolist() == [slow_hash(word) for word in words_of(texts[number])]
