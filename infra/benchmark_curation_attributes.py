"""Measure language identification and the look for personal data on a corpus, and print the tables for docs/benchmarks.md.

    python infra/benchmark_curation_attributes.py ../shared/data/corpus/documents.parquet

The file has columns id, text, lang and kind (law, sentences, …). Time is CPU time of this one process.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stages.annotate_documents import language, personal_data
from stages.languages import name

DECLARED, CONFUSABLE = ("en", "es", "fr", "ca", "eu"), ("de", "gl", "it", "oc", "pt")
RUNNING = ("sentences", "treebank", "udhr")  # kinds whose lines are split into sentences, to be as short as others
LEFT_OUT = ["docs", "ui"]  # English text in folders of other languages; half sentences with markup
LEAST_SMALL = 0.6  # of a line's characters are small letters: prose, not lists of names or tables
LINES_PER_LANGUAGE, FEWEST, MOST, SEED = 1000, 30, 300, 1
T = TypeVar("T")


def main(path: str) -> None:
    """Print both tables for the documents of a Parquet file."""
    documents = pq.read_table(path).rename_columns({"lang": "language"})
    print("\n".join([*language_lines(documents), "", *personal_data_lines(documents)]))


def language_lines(documents: pa.Table) -> Iterator[str]:
    """How many short lines of each language are told right, and how fast."""
    model = language.load_model(DECLARED, CONFUSABLE)
    samples = dict(_samples(documents, model.names))
    language.identify(["warm"], model)
    right, seconds = {}, 0.0
    for code, lines in samples.items():
        found, took = _timed(lambda lines=lines: language.identify(lines, model))  # type: ignore[misc]
        right[code] = sum(answer == code for answer, _ in found)
        seconds += took
    total = sum(map(len, samples.values()))
    yield f"Prose lines of {FEWEST} to {MOST} characters; labels are the sources', so that a few are wrong.\n"
    yield "| language | lines | told right |\n|---|---|---|"
    for code, lines in samples.items():
        yield f"| {name(code)} | {len(lines):,} | {right[code] / len(lines):.1%} |"
    yield f"| all | {total:,} | {sum(right.values()) / total:.1%} |"
    language.table(documents.slice(0, 50), model, language.Reading())
    _, whole = _timed(lambda: language.table(documents, model, language.Reading()))
    yield f"\n{total / seconds:,.0f} lines per CPU-second; whole documents with all their lines: {_megabytes(documents) / whole:.0f} MB per CPU-second."


def _samples(documents: pa.Table, codes: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    for code in codes:
        chosen = documents.filter(pc.equal(documents["language"], code))
        chosen = chosen.filter(pc.invert(pc.is_in(chosen["kind"], pa.array(LEFT_OUT))))
        rows = zip(chosen["text"].to_pylist(), chosen["kind"].to_pylist(), strict=True)
        lines = sorted({line for text, kind in rows for line in _short_lines(text, kind)})
        yield code, random.Random(SEED).sample(lines, min(LINES_PER_LANGUAGE, len(lines)))


def _short_lines(text: str, kind: str) -> Iterator[str]:
    parts = re.split(r"\n|(?<=[.!?…])\s+" if kind in RUNNING else r"\n", text)
    for line in map(str.strip, parts):
        if FEWEST <= len(line) <= MOST and sum(map(str.islower, line)) >= LEAST_SMALL * len(line):
            yield line


def personal_data_lines(documents: pa.Table) -> Iterator[str]:
    """How fast personal data is looked for in law, and how often something is found there."""
    law = documents.filter(pc.equal(documents["kind"], "law"))
    personal_data.spans("tel. 612 345 678")
    found, seconds = _timed(lambda: personal_data.table(law))
    megabytes = _megabytes(law)
    kinds = Counter(found["kind"].to_pylist())
    yield f"Law, {megabytes:.0f} MB: {megabytes / seconds:.0f} MB per CPU-second. What is found is an alarm, false or not: read it below.\n"
    yield "| kind | found | per MB |\n|---|---|---|"
    for kind in personal_data.KINDS[:-1]:  # names need a plug-in
        yield f"| {kind} | {kinds[kind]} | {kinds[kind] / megabytes:.2f} |"
    texts = dict(zip(law["id"].to_pylist(), law["text"].to_pylist(), strict=True))
    yield ""
    for row in found.to_pylist():
        if row["kind"] != personal_data.EMAIL:
            beside = texts[row["id"]][max(0, row["start"] - 40) : row["end"] + 10]
            yield f"- {row['kind']}: `{' '.join(beside.replace('`', ' ').split())}`"


def _megabytes(documents: pa.Table) -> float:
    return float(pc.sum(pc.binary_length(documents["text"])).as_py()) / 1e6


def _timed(function: Callable[[], T]) -> tuple[T, float]:
    began = time.process_time()
    return function(), time.process_time() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
