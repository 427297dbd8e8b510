"""On the embedded sample both nodes do with every document what was planted in it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages.annotate_documents.parameters import Parameters as Judging
from stages.annotate_documents.stage import annotate_all
from stages.curate_corpus.__main__ import curate
from stages.curate_corpus.parameters import Parameters as Mixing
from stages.params import load

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
# What planted.csv calls the fate of a document, and the rules that may bring it about.
RULES = {
    "keep": {""},
    "pii": {""},
    "license": {"license"},
    "opt_out": {"opt_out"},
    "duplicate": {"duplicate"},
    "near_duplicate": {"near_duplicate"},
    "short": {"short"},
    "language": {"language"},
    "repetition": {"gopher_max_top_2gram_share"},
}


@pytest.mark.filterwarnings("ignore")  # Great Expectations' own
def test_every_planted_document_meets_its_fate(tmp_path: Path) -> None:
    judging = load("annotate_documents", Judging, ROOT / "params.yaml")
    mixing = load("curate_corpus", Mixing, ROOT / "params.yaml")
    annotate_all([SAMPLE / "documents"], SAMPLE / "captures", SAMPLE / "benchmarks", tmp_path / "attributes", judging)
    curate(tmp_path / "attributes", tmp_path / "corpus", mixing)
    decided = {row["id"]: row["rule"] for row in pq.read_table(tmp_path / "corpus" / "decisions.parquet").to_pylist()}
    with (SAMPLE / "documents" / "planted.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    planted = {row["id"]: row["expected"] for row in rows}
    assert decided.keys() == planted.keys()
    for row in rows:  # of a text and its copy the better licensed or the longer one stays: perhaps the copy
        original = row["note"].removeprefix("copy of ")
        if original in planted and not decided[row["id"]]:
            planted[row["id"]], planted[original] = planted[original], planted[row["id"]]
    assert [(id, planted[id], decided[id]) for id in planted if decided[id] not in RULES[planted[id]]] == []
    assert Counter(planted.values())["opt_out"] == 4
    kept = pq.read_table(tmp_path / "corpus" / "corpus")
    assert sorted(kept["id"].to_pylist()) == sorted(id for id, rule in decided.items() if not rule)
    masked = [
        text for id, text in zip(kept["id"].to_pylist(), kept["text"].to_pylist(), strict=True) if planted[id] == "pii"
    ]
    assert len(masked) == 6
    assert all("[EMAIL]" in text or "[PHONE]" in text or "[IBAN]" in text for text in masked)
