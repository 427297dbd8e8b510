"""The section of the tests: literal, so that a change of the project's own parameters changes no test."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.annotate_documents.parameters import Parameters

SECTION = """
path: documents
files: "*"
captures: captures
benchmarks: benchmarks
languages: [en, es, fr, ca, eu]
language_identification:
  confusable: [de, gl, it, oc, pt]
license_order: [CC0-1.0, CC-BY-4.0, CC-BY-SA-4.0]
ai_agents: [GPTBot, CCBot]
near_duplicates: {words: 5, bands: 14, rows: 8, min_jaccard: 0.7, seed: 20250101}
on_error: skip
max_document_megabytes: 0.001
shard_megabytes: 0.001
engine: native
workers: 1
max_refused_share: 0.9
gate_rows: 1000000
"""

SENTENCES = {
    "ca": "El ple de l’ajuntament aprova l’ordenança de convivència número {n} i la publica al butlletí oficial.",
    "es": "El pleno del ayuntamiento aprueba la ordenanza de convivencia número {n} y la publica en el boletín oficial.",
    "eu": "Udalbatzak {n}. bizikidetza-ordenantza onartu du eta aldizkari ofizialean argitaratu du herritarrentzat.",
    "fr": "Le conseil municipal adopte l’ordonnance numéro {n} et la publie au bulletin officiel pour que chacun la lise.",
    "en": "The city council adopts by-law number {n} on living together and prints it in the official gazette for all.",
}


@pytest.fixture
def make() -> Callable[..., Parameters]:
    """Parameters with some changed."""
    return lambda **changes: Parameters.model_validate(copy.deepcopy(yaml.safe_load(SECTION)) | changes)


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """Forty documents in five languages, each different from the others, from two sources."""
    return [
        {
            "id": f"{language}-{n}",
            "text": f"{sentence.format(n=n)} {' '.join(f'{language}{n}x{k}' for k in range(6))}",
            "language": language,
            "source": "butlletí" if n % 2 else "gazette",
            "license": "CC-BY-4.0" if n % 2 else "see repo",
            "url": f"https://{language}.example/{n}",
        }
        for n in range(8)
        for language, sentence in SENTENCES.items()
    ]


@pytest.fixture
def given(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of captures where ca.example refuses GPTBot, and one of benchmarks with one item."""
    host = tmp_path / "captures" / "ca.example"
    host.mkdir(parents=True)
    (host / "capture.json").write_text('{"captured": "2025-11-03"}', encoding="utf-8")
    (host / "robots.txt").write_text("User-agent: GPTBot\nDisallow: /\n", encoding="utf-8")
    items = tmp_path / "benchmarks" / "quiz"
    items.mkdir(parents=True)
    item = '{"id": "q1", "question": "The city council adopts by-law number 3 on living together"}\n'
    (items / "items.jsonl").write_text(item, encoding="utf-8")
    return tmp_path / "captures", tmp_path / "benchmarks"
