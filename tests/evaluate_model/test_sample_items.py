"""The sample's item files: made from their banks, readable, and alike in all languages."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from stages.evaluate_model.items import Item
from stages.evaluate_model.parameters import Options
from stages.evaluate_model.reading import benchmark_named, item_files, read_items
from stages.metrics import METRICS

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
ITEMS = {  # per language
    "even-handedness": 18,
    "electoral-facts": 6,
    "stated-identity": 20,
    "harmless": 8,
    "language-drift": 8,
    "capability": 10,
    "adherence": 108,
    "civic-text": 20,
    "crows-pairs": 60,
}
MADE = ("even-handedness", "electoral-facts", "stated-identity", "harmless", "language-drift", "capability")


def items_of(name: str) -> list[Item]:
    benchmark = benchmark_named(name)
    return read_items(benchmark, item_files(SAMPLE / "benchmarks" / name, benchmark.FILES, ()), Options())


@pytest.mark.parametrize("name", ITEMS)
def test_every_language_has_the_same_items(name: str) -> None:
    items = items_of(name)
    assert Counter(item.language for item in items) == dict.fromkeys(("en", "fr", "es", "ca", "eu"), ITEMS[name])
    if name in MADE:
        clusters = {
            language: {item.cluster for item in items if item.language == language} for language in ("en", "eu")
        }
        assert clusters["en"] == clusters["eu"]  # translations share a cluster


def test_the_banks_make_these_files(tmp_path: Path) -> None:
    program, banks = SAMPLE / "making" / "principles.py", SAMPLE / "making" / "benchmarks"
    subprocess.run([sys.executable, str(program), str(banks), str(tmp_path)], check=True, capture_output=True)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.parts[0] for path in made} == set(MADE)
    for path, content in made.items():
        assert content == (SAMPLE / "benchmarks" / path).read_bytes(), path


def test_the_right_options_take_the_places_in_turn() -> None:
    places = Counter(item.facts["right"] for item in items_of("capability") if item.language == "fr")
    assert places == {0: 3, 1: 3, 2: 2, 3: 2}


@pytest.mark.parametrize("name", ITEMS)
def test_every_figure_has_words_and_stays_within_its_bounds(name: str) -> None:
    benchmark = benchmark_named(name)
    for item in items_of(name):
        for scores in ([-1.0] * len(item.requests), [-0.5 * place - 0.1 for place in range(len(item.requests))]):
            for answer in ("", "Ez dakit, baina hemen duzu nire erantzun luzea."):
                values = benchmark.judge(item, scores, [answer] * len(item.prompts)).values
                assert values and values.keys() <= METRICS.keys()
                for metric, value in values.items():
                    low, high = METRICS[metric].bounds or (-math.inf, math.inf)
                    assert low <= value <= high, metric
