"""Find a benchmark's file of code and its files of items, and read them in a fixed order."""

from __future__ import annotations

import difflib
import hashlib
import importlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from stages.errors import Trouble
from stages.evaluate_model.items import Benchmark, Item
from stages.evaluate_model.parameters import Options, known_benchmarks


def benchmark_named(name: str) -> Benchmark:
    """The module in `benchmarks/` of that name; raises Trouble with the known names."""
    known = known_benchmarks()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        closest = f" (did you mean '{near[0]}'?)" if near else ""
        raise Trouble(
            f"No benchmark named '{name}'{closest}; known: {', '.join(known)}; the last part of --items is its name."
        )
    module = importlib.import_module(f"stages.evaluate_model.benchmarks.{name.replace('-', '_')}")
    return cast(Benchmark, module)


def normalisation(name: str, benchmark: Benchmark, options: Options) -> str:
    """The asked normalisation, or the benchmark's usual one; raises Trouble where it does not fit."""
    asked = options.normalisation or benchmark.NORMALISATIONS[0]
    if asked not in benchmark.NORMALISATIONS:
        raise Trouble(
            f"evaluate_model.options.{name}.normalisation is '{asked}'; {name} takes: {', '.join(benchmark.NORMALISATIONS)}."
        )
    return asked


def item_files(folder: Path, pattern: str, wanted: Sequence[str]) -> list[Path]:
    """The files that match `wanted` (patterns below the folder), sorted by path.

    Without patterns, every file of the format: in the folder, else in its `data` (where BBQ and CrowS-Pairs keep
    them, apart from published predictions), else anywhere below.
    """
    if not folder.is_dir():
        raise Trouble(f"{folder} is missing; wanted a folder with the benchmark's items: check evaluate_model.items.")
    usual = next((place for place in (pattern, f"data/{pattern}", f"**/{pattern}") if any(folder.glob(place))), None)
    files = {path for each in wanted or filter(None, [usual]) for path in _matching(folder, each) if path.is_file()}
    if not files:
        raise Trouble(f"{folder} has no file {pattern}; wanted the benchmark's items there.")
    return sorted(files)


def _matching(folder: Path, pattern: str) -> list[Path]:
    matching = list(folder.glob(pattern))
    if not matching:
        raise Trouble(
            f"{folder} has nothing that matches '{pattern}'; mend the benchmark's `files` in evaluate_model.options."
        )
    return matching


def read_items(benchmark: Benchmark, files: Sequence[Path], options: Options) -> list[Item]:
    """Every item once, in the order of files and lines, linked to the benchmark's principles."""
    items = [_linked(item, options.principles) for path in files for item in benchmark.read(path, options)]
    if not items:
        raise Trouble(f"{', '.join(path.name for path in files)}: no items; wanted at least one line.")
    repeated = [
        item_id for (item_id, _), count in Counter((item.item_id, item.variant) for item in items).items() if count > 1
    ]
    if repeated:
        raise Trouble(
            f"Item '{repeated[0]}' stands more than once in {_names(files)} ({len(repeated)} such); keep one."
        )
    return some(items, options.max_items)


def _names(files: Sequence[Path]) -> str:
    return ", ".join(path.name for path in files[:3]) + (" …" if len(files) > 3 else "")


def _linked(item: Item, principles: Sequence[str]) -> Item:
    return replace(item, principle_ids=tuple(sorted({*item.principle_ids, *principles})))


def some(items: list[Item], max_items: int | None) -> list[Item]:
    """At most `max_items`: whole clusters in the order of their hashed names, so that base and tuned see the same."""
    if max_items is None or len(items) <= max_items:
        return items
    by_hash = sorted(items, key=lambda item: (_hash(item.cluster), item.cluster, _hash(item.item_id)))
    kept = {item.item_id for item in by_hash[:max_items]}
    return [item for item in items if item.item_id in kept]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """The file's checksum."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
