"""What the curation kernels cost, in megabytes of text per CPU-second, and how well duplicates and benchmark items are found.

    python infra/benchmark_curation_kernels.py FOLDER [--benchmarks FOLDER] [--documents 50000] [--repeats 3]

FOLDER holds documents.parquet and neardup_truth.json (planted near-duplicates), the second one crows-pairs, as
described in their SOURCES.md. One thread; the best of the repeats, since other work on the machine only ever adds.
Compiling (some 20 s, once per machine) is not counted.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from stages.annotate_documents import contamination, duplicates, language, personal_data, quality  # noqa: E402
from stages.annotate_documents.kernels import words  # noqa: E402
from stages.overlap import Item, read_items, words_of  # noqa: E402

SHARD = 10_000  # documents
PLANTED = 1_500  # sentences, as in the reference figures
NEAR = duplicates.Near()
LANGUAGES = ("ca", "de", "en", "es", "eu", "fr", "gl", "it", "oc", "pt")


def main() -> None:
    """Print the tables."""
    options = _arguments()
    documents = _documents(options.folder / "documents.parquet", options.documents)
    items = read_items(options.benchmarks, ["crows-pairs"]) if options.benchmarks else []
    _print_speed(documents, items, options.repeats)
    _print_steps(documents, options.repeats)
    _print_duplicates(documents, json.loads((options.folder / "neardup_truth.json").read_text()))
    if items:
        _print_contamination(documents, items)
    print(f"\nPeak memory of all this: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds documents.parquet and neardup_truth.json")
    parser.add_argument("--benchmarks", type=Path, help="holds a folder crows-pairs")
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def _documents(path: Path, count: int) -> pa.Table:
    table = pq.read_table(path, columns=["id", "text", "lang"]).slice(0, count)
    text = table["text"].cast(pa.large_string()).combine_chunks()
    return pa.table({"id": table["id"], "text": text, "language": table["lang"]})


def _print_speed(documents: pa.Table, items: Sequence[Item], repeats: int) -> None:
    """One pass over the pieces, each kernel timed by itself."""
    known = contamination.lookup(items)
    languages = quality.languages(documents["language"])
    kernels: dict[str, Callable[[words.Piece], Any]] = {
        "quality counts": lambda piece: quality.piece_counts(piece, languages),
        "MinHash and text hash": lambda piece: duplicates.piece_signatures(piece, NEAR),
        "contamination": lambda piece: contamination.piece_hits(piece, known),
    }
    megabytes = len(words.utf8(documents["text"])[0]) / 1e6
    fold = "fold, split, hash words"
    rounds = [_seconds(documents.slice(0, 500), kernels, fold)]  # compiles
    rounds = [_seconds(documents, kernels, fold) for _ in range(repeats)]
    best = {name: min(each[name] for each in rounds) for name in rounds[0]}
    print(f"| {documents.num_rows:,} documents, {megabytes:.1f} MB | MB per CPU-second | with folding |\n|---|---|---|")
    print(f"| {fold} | {megabytes / best[fold]:.0f} | |")
    for name in kernels:
        print(f"| {name} | {megabytes / best[name]:.0f} | {megabytes / (best[name] + best[fold]):.0f} |")
    print(f"| all together | {megabytes / sum(best.values()):.0f} | |")


def _print_steps(documents: pa.Table, repeats: int) -> None:
    """The four steps as the node does them, in a process that has loaded and compiled all; without reading and writing."""
    model = language.load_model(LANGUAGES)
    counts = quality.languages(documents["language"])

    def of_words(part: pa.Table) -> None:
        for piece in words.pieces(part["text"]):
            quality.piece_counts(piece, counts)
            duplicates.piece_signatures(piece, NEAR)

    steps: dict[str, Callable[[pa.Table], Any]] = {
        "language of documents and lines": lambda part: language.table(part, model, language.Reading()),
        "quality counts and signatures": of_words,
        "personal data": lambda part: personal_data.table(part, None, ""),
    }
    for step in steps.values():
        step(documents.slice(0, 500))
    spent: dict[str, list[float]] = {name: [] for name in (*steps, "near duplicates of all")}
    with tempfile.TemporaryDirectory() as folder:
        shards = list(_signed(documents, Path(folder)))
        for _ in range(repeats):
            for name, step in steps.items():
                start = time.process_time()
                step(documents)
                spent[name].append(time.process_time() - start)
            start = time.process_time()
            list(duplicates.resolve(shards, NEAR, Path(folder)))
            spent["near duplicates of all"].append(time.process_time() - start)
    megabytes = len(words.utf8(documents["text"])[0]) / 1e6
    best = {name: min(seconds) for name, seconds in spent.items()}
    print("\n| step | CPU-seconds | MB per CPU-second |\n|---|---|---|")
    for name, seconds in (best | {"the four together": sum(best.values())}).items():
        print(f"| {name} | {seconds:.2f} | {megabytes / seconds:.0f} |")


def _seconds(documents: pa.Table, kernels: dict[str, Callable[[words.Piece], Any]], fold: str) -> dict[str, float]:
    spent: defaultdict[str, float] = defaultdict(float)
    start = time.process_time()
    for piece in words.pieces(documents["text"]):
        spent[fold] += time.process_time() - start
        for name, kernel in kernels.items():
            start = time.process_time()
            kernel(piece)
            spent[name] += time.process_time() - start
        start = time.process_time()
    return spent


def _print_duplicates(documents: pa.Table, truth: Sequence[dict[str, Any]]) -> None:
    """Recall of the planted pairs, and the true Jaccard similarity of what would be dropped with what stays."""
    with tempfile.TemporaryDirectory() as folder:
        shards = list(_signed(documents, Path(folder)))
        start = time.process_time()
        result = pa.concat_tables(duplicates.resolve(shards, NEAR, Path(folder)))
    print(
        f"\nAll shards together (index, candidates, comparing in full): {time.process_time() - start:.1f} CPU-seconds."
    )
    leader = dict(zip(result["id"].to_pylist(), result["representative"].to_pylist(), strict=True))
    text = dict(zip(documents["id"].to_pylist(), documents["text"].to_pylist(), strict=True))
    dropped = [(name, stands) for name, stands in leader.items() if name != stands]
    similar = np.array([_jaccard(text[name], text[stands]) for name, stands in dropped])
    pairs = [row for row in truth if row["dup"] in leader and row["src"] in leader]
    print("\n| planted pairs | in one cluster |\n|---|---|")
    for low, high in ((0.8, 2.0), (0.7, 0.8), (0.0, 0.7)):
        within = [leader[row["dup"]] == leader[row["src"]] for row in pairs if low <= row["jac5"] < high]
        print(f"| Jaccard {low} to {min(high, 1.0)} ({len(within):,}) | {np.mean(within or [0]):.4f} |")
    print(
        f"\nDropped {len(dropped):,} ({sum(result['exact'].to_pylist()):,} exact); with their representative, by plain "
        f"Python: Jaccard ≥ 0.7 {np.mean(similar >= 0.7):.4f}, ≥ 0.8 {np.mean(similar >= 0.8):.4f}."
    )


def _signed(documents: pa.Table, folder: Path) -> Iterator[duplicates.Shard]:
    for start in range(0, documents.num_rows, SHARD):
        part = documents.slice(start, SHARD)
        path = folder / f"{start}.arrow"
        duplicates.write_signatures(duplicates.signatures(part, NEAR), path)
        yield duplicates.Shard(path, np.zeros(part.num_rows, np.int32), lambda part=part: part["text"])  # type: ignore[misc]


def _jaccard(first: str, second: str) -> float:
    a, b = _runs(first), _runs(second)
    return len(a & b) / len(a | b)


def _runs(text: str) -> set[tuple[str, ...]]:
    found = words_of(text)
    return {tuple(found[start : start + NEAR.words]) for start in range(max(len(found) - NEAR.words, 0) + 1)}


def _print_contamination(documents: pa.Table, items: Sequence[Item]) -> None:
    """Plant sentences, with some words replaced, in the middle of documents; count which are found, and where none are."""
    random = np.random.Generator(np.random.PCG64(1))
    known = contamination.lookup(items)
    # A sentence of fewer than four words is not looked for; it stays in the figure as a miss.
    chosen = [items[place] for place in random.choice(len(items), min(PLANTED, len(items)), replace=False)]
    hosts = documents.slice(0, len(chosen))
    clean = contamination.contamination(documents, known)
    print(f"\nCrowS-Pairs, {len(items):,} sentences; documents with a hit before planting: {len(set(_ids(clean))):,}.")
    print(f"\n| words changed | found of {len(chosen):,} planted |\n|---|---|")
    for changed in (0, 1, 2):
        texts = [_planted(host, item.text, changed, random) for host, item in zip(_texts(hosts), chosen, strict=True)]
        table = hosts.set_column(1, "text", pa.array(texts, pa.large_string()))
        found = set(_ids(contamination.contamination(table, known)))
        print(f"| {changed} | {len(found) / len(chosen):.3f} |")


def _ids(table: pa.Table) -> list[str]:
    return table["id"].to_pylist()


def _texts(table: pa.Table) -> list[str]:
    return table["text"].to_pylist()


def _planted(host: str, sentence: str, changed: int, random: np.random.Generator) -> str:
    parts = sentence.split()
    for place in random.choice(len(parts), min(changed, len(parts)), replace=False):
        parts[place] = "xyzzy"
    middle = host.find(" ", len(host) // 2)
    return f"{host[:middle]} {' '.join(parts)} {host[middle:]}"


if __name__ == "__main__":
    main()
