"""The benchmark's own arithmetic: tiles that are no near-duplicates of each other, tables, ratios, digests."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra import benchmark_curation as benchmark
from infra.benchmark_curation import Row, Tiles, Used

TEXTS = [
    "L'Ajuntament aprova les ordenances de l'any 2024 (article 3.1.2) i les publica.",
    "Udalak 2024ko ordenantzak onartu ditu, eta argitaratu egin ditu.\n\nHitza eta erabakia.",
    "  La città di Torino,\tl’assemblea e il bilancio: 1.500 €.",
    "",
]


@settings(deadline=None)  # the first call imports and allocates
@example(TEXTS)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_texts_survive_being_cut_and_laid_together(texts: list[str]) -> None:
    vocabulary, codes, starts = benchmark.pieces_of(texts)
    assert benchmark.texts_of(vocabulary, codes, starts).to_pylist() == texts


def test_pieces_are_letters_or_what_is_between() -> None:
    vocabulary, codes, starts = benchmark.pieces_of(["l'any 3.1, l'any", "any"])
    assert vocabulary.to_pylist() == ["l", "'", "any", " 3.1, "]
    assert codes.tolist() == [0, 1, 2, 3, 0, 1, 2, 2]
    assert starts.tolist() == [0, 7, 8]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 1_000), min_size=70, max_size=300), st.integers(1, 200))
def test_words_trade_places_and_nothing_else_does(counts: list[int], tile: int) -> None:
    pieces = [f"{'' if place % 7 else '3.'}w{'a' * place}" for place in range(len(counts))]
    vocabulary, many = pa.array(pieces, pa.large_string()), np.array(counts, np.int64)
    order, share = benchmark.traded(vocabulary, many, (tile, 0))
    again, _ = benchmark.traded(vocabulary, many, (tile, 0))
    assert order.tolist() == again.tolist()
    assert sorted(order.tolist()) == list(range(len(pieces)))
    other = [place for place, piece in enumerate(pieces) if not piece[0].isalpha()]
    assert order[other].tolist() == other
    words = [place for place, piece in enumerate(pieces) if piece[0].isalpha()]
    moved = sum(counts[place] for place in words if order[place] != place)
    assert share == pytest.approx(moved / sum(counts[place] for place in words))
    assert 0.4 <= share <= 1.0


def test_another_tile_trades_other_words() -> None:
    vocabulary = pa.array(["w" + "a" * place for place in range(200)], pa.large_string())
    counts = np.ones(200, np.int64)
    first, second = (benchmark.traded(vocabulary, counts, (tile, 0))[0] for tile in (1, 2))
    assert (first != second).sum() > 100


def test_tile_0_is_the_corpus_and_the_others_are_not_like_it(tmp_path: Path) -> None:
    words = [f"{a}{b}{c}" for a in "bdfgl" for b in "aeiou" for c in "mnrst"]  # 125
    texts = [" ".join(words[(start + 7 * step) % 125] for step in range(60)) for start in range(40)]
    documents = pa.table(
        {"id": [f"d{n}" for n in range(40)], "language": ["oc"] * 40, "text": pa.array(texts, pa.large_string())}
    )
    tiles = Tiles(documents)
    assert tiles.write(0, tmp_path) == pytest.approx(benchmark.text_megabytes(documents))
    tiles.write(1, tmp_path)
    tiles.write(2, tmp_path)
    kept, first, second = (pq.read_table(tmp_path / f"tile-00{tile}.parquet") for tile in range(3))
    assert kept["text"].to_pylist() == texts
    assert first["id"][:2].to_pylist() == ["001-d0", "001-d1"]
    for a, b in ((kept, first), (first, second)):
        assert max(map(_jaccard, a["text"].to_pylist(), b["text"].to_pylist())) < 0.5
    assert 0.4 <= tiles.least <= tiles.most < 1


def _jaccard(first: str, second: str) -> float:
    a, b = ({tuple(words[at : at + 5]) for at in range(len(words) - 4)} for words in (first.split(), second.split()))
    return len(a & b) / len(a | b)


def test_texts_of_several_languages_keep_their_words_apart(tmp_path: Path) -> None:
    texts = ["bat bi hiru lau bost sei zazpi " * 3, "un dos tres quatre cinc sis set " * 3]
    documents = pa.table({"id": ["a", "b"], "language": ["eu", "ca"], "text": pa.array(texts, pa.large_string())})
    tiles = Tiles(documents)
    tiles.write(5, tmp_path)
    written = pq.read_table(tmp_path / "tile-005.parquet")
    found = dict(zip(written["language"].to_pylist(), written["text"].to_pylist(), strict=True))
    assert set(found["eu"].split()) == set(texts[0].split())
    assert found["eu"] != texts[0]
    assert set(found["ca"].split()) == set(texts[1].split())


def _used(seconds: float, cpu: float, ended: str = "") -> Used:
    return Used(seconds, cpu, 512.0, 400.0, 1.5, ended)


def test_ratios_are_of_rates_so_that_sizes_may_differ() -> None:
    peers = [
        Row("datatrove, four steps", 9.0, _used(90.0, 180.0)),
        Row("dolma, four steps", 9.0, _used(1, 1, "failed")),
    ]
    ours = [Row("ours, four steps", 72.0, _used(6.0, 9.0))]
    assert benchmark.ratio_table(peers, ours).splitlines()[2:] == [
        "| ours / datatrove | 72 MB against its 9 MB | 120 | 160 |"
    ]


def test_a_run_that_ended_badly_says_so_in_its_row() -> None:
    rows = benchmark.speed_table([Row("dolma", 10.0, _used(5.0, 4.0, "stopped after 5 s"))]).splitlines()
    assert rows[2] == "| dolma (stopped after 5 s) | 10.0 | 5.0 | 2.00 | 4.0 | 2.50 | 512 | 400 | 1.5 |"


def test_parts_of_a_table_are_told_together_and_a_missing_one_is_a_difference() -> None:
    first = {"a/part-0": "1", "a/part-1": "2", "a/metrics.json": "3"}
    lines = benchmark.digest_table(first, {**first, "a/part-1": "9"}).splitlines()[2:]
    assert [line.split(" | ")[1] for line in lines] == ["1 of 1", "1 of 2"]
    assert "DIFFERENT" in lines[1] and "same" in lines[0]
    missing = benchmark.digest_table(first, {"a/part-0": "1", "a/part-1": "2"})
    assert "DIFFERENT" in missing


def test_what_a_process_and_its_children_use_is_seen() -> None:
    child = "x = bytearray(80_000_000); import time; time.sleep(0.6)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    used = benchmark.measured([sys.executable, "-c", parent], 60)
    assert not used.ended
    assert used.peak > used.anonymous > 80
    assert used.seconds > 0.6


def test_a_run_is_stopped_at_its_limit_and_a_failure_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    late = benchmark.measured([sys.executable, "-c", "import time; time.sleep(30)"], 0.3)
    assert late.ended == "stopped after 0 s"
    assert late.seconds < 10
    failed = benchmark.measured([sys.executable, "-c", "raise SystemExit('no model')"], 30)
    assert failed.ended == "failed (1)"
    assert "no model" in capfd.readouterr().err
