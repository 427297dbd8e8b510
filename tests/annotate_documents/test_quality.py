from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stages.annotate_documents import quality
from stages.annotate_documents.kernels import compiled
from stages.overlap import words_of


def measured(texts: list[str], language: str = "en") -> list[dict[str, object]]:
    ids = [str(number) for number in range(len(texts))]
    table = pa.table({"id": ids, "text": pa.array(texts, pa.large_string()), "language": [language] * len(texts)})
    result = quality.measure(table)
    assert result.schema == quality.QUALITY
    assert result["id"].to_pylist() == ids
    return result.to_pylist()


def slow_lines(text: str) -> list[str]:
    blanks = " \t\n\r\f\v"
    return [line.strip(blanks) for line in text.split("\n") if line.strip(blanks)]


def slow(text: str, language: str) -> dict[str, object]:
    """Every count by the plainest means."""
    words, lines = words_of(text), slow_lines(text)
    total = sum(map(len, words))
    seen: set[str] = set()
    repeated = [line in seen or bool(seen.add(line)) for line in lines]
    count, number = max(len(lines), 1), max(len(words), 1)
    ellipses = text.count("…") + sum(
        text[at : at + 3] == "..." and text[max(at - 1, 0) : at] != "." for at in range(len(text))
    )
    stops = set(quality.STOP_WORDS.get(language, "").split())
    return {
        "characters": len(text),
        "words": len(words),
        "mean_word_length": total / number,
        "symbol_word_ratio": max(text.count("#"), ellipses) / number,
        "alpha_word_share": sum(any(map(str.isalpha, word)) for word in words) / number,
        "bullet_line_share": sum(line[0] in quality.BULLETS for line in lines) / count,
        "ellipsis_line_share": sum(line.endswith(("...", "…")) for line in lines) / count,
        "short_line_share": sum(len(line) <= 30 for line in lines) / count,
        "terminal_line_share": sum(line[-1] in quality.TERMINALS for line in lines) / count,
        "duplicate_line_share": sum(repeated) / count,
        "duplicate_line_character_share": sum(len(line) for line, again in zip(lines, repeated, strict=True) if again)
        / max(sum(map(len, lines)), 1),
        **{f"top_{n}gram_share": slow_top(words, n) / max(total, 1) for n in (2, 3, 4)},
        **{f"duplicate_{n}gram_share": slow_covered(words, n) / max(total, 1) for n in range(5, 11)},
        "stop_words": len(stops & set(words)) if stops else -1,
        "curly_brackets": text.count("{"),
        "lorem_ipsum": " lorem ipsum " in f" {' '.join(words)} ",
    }


def slow_top(words: list[str], size: int) -> int:
    runs = Counter(tuple(words[start : start + size]) for start in range(len(words) - size + 1))
    most = max(runs.values(), default=0)
    if most < 2:
        return 0
    longest = max(sum(map(len, run)) for run, count in runs.items() if count == most)
    return min(most * longest, sum(map(len, words)))


def slow_covered(words: list[str], size: int) -> int:
    seen, covered = set(), set()
    for start in range(len(words) - size + 1):
        run = tuple(words[start : start + size])
        if run in seen:
            covered.update(range(start, start + size))
        seen.add(run)
    return sum(len(words[place]) for place in covered)


def assert_same(text: str, language: str, found: dict[str, object]) -> None:
    for name, value in slow(text, language).items():
        assert found[name] == (np.float32(value) if isinstance(value, float) else value), (name, text)


TEXTS = [
    "",
    "\n \n",
    "The law.\n• one\n- two...\n  The law.  \r\n* trois…\n#tag {x} and that, with 12 of 34.",
    "Lorem ipsum dolor sit amet\n" * 3,
    "a a a a a a a a a a a a",
    "el consell i els veïns de la vila, amb el consell i els veïns de la vila, amb el consell\n¿És així?\nÉs així”",
    "x.... y… … ...... z..",
    "Herriko batzarra eta herriko batzarra.\nHerriko batzarra eta herriko batzarra.\n",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("language", ["en", "ca", "eu", "xx"])
def test_counts_are_those_of_the_plainest_means(text: str, language: str) -> None:
    before, found, after = measured(["before", text, "after after after"], language)
    assert_same(text, language, found)
    assert_same("before", language, before)
    assert_same("after after after", language, after)


@example(["..", "...", "", "...a", ".", "", "...."])  # dots go on from one text to the next
@example(["x\n", "\n", "", "x", "x\nx\n x "])  # and so do lines
@given(st.lists(st.text(st.sampled_from('aab  \n.#{é…"•-\t1'), max_size=80), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_counts_of_any_texts_are_those_of_the_plainest_means(texts: list[str]) -> None:
    for text, found in zip(texts, measured(texts, "es"), strict=True):
        assert_same(text, "es", found)


def test_repetition_is_told_as_a_reader_would() -> None:
    menu, prose = measured(["Home News About\n" * 20, "The council met and spoke of the park. Then it went home."])
    assert menu["duplicate_line_share"] == pytest.approx(19 / 20)
    assert menu["top_3gram_share"] == 1.0
    assert menu["duplicate_5gram_share"] == pytest.approx(0.95, abs=0.01)
    assert prose["duplicate_5gram_share"] == prose["top_2gram_share"] == 0
    assert prose["stop_words"] == 3  # the, and, of


def test_a_longer_text_is_counted_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "STRETCH", 12)
    text = "one two three four five six " * 4
    (found,) = measured([text])
    assert found["duplicate_5gram_share"] == pytest.approx(0.5)  # the second half of each stretch, not what lies across
    assert found["words"] == 24


@pytest.mark.parametrize("before", range(-4, 3))
def test_lines_and_signs_go_on_from_one_block_of_a_text_to_the_next(before: int) -> None:
    text = "x" * (compiled.BLOCK + before) + "...\n# é…\n" + "y {\n" * compiled.BLOCK + "..."
    (found,) = measured([text])
    assert_same(text, "en", found)


def test_stop_words_whose_hashes_end_alike_are_told_apart() -> None:
    stops = np.array([[7, 7 + 256, 9], [7, 0, 0]], np.uint64)
    slots = quality._slots(stops)
    assert slots.shape == (2, 512)
    assert [int(slots[0, int(stop) % 512]) for stop in stops[0]] == [0, 1, 2]


CORPUS = Path(__file__).parents[2] / ".." / "shared" / "data" / "corpus" / "civic_small.parquet"


@pytest.mark.skipif(not CORPUS.is_file(), reason="needs the shared corpus of civic texts")
def test_counts_of_real_texts_are_those_of_the_plainest_means() -> None:
    rows = pq.read_table(CORPUS, columns=["text", "lang"]).to_pandas().groupby("lang").head(12)
    for language, texts in rows.groupby("lang")["text"]:
        for text, found in zip(texts, measured(list(texts), language), strict=True):
            assert_same(text, language, found)


def test_threads_give_the_same_counts() -> None:
    texts = [" ".join(TEXTS[place:] + TEXTS[:place]) for place in range(len(TEXTS))] * 20
    with ThreadPoolExecutor(4) as pool:
        several = list(pool.map(measured, [texts] * 8))
    assert all(found == measured(texts) for found in several)
