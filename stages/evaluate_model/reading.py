"""Find a benchmark's file of code and its files of items, and read them in a fixed order."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from stages.errors import Trouble
from stages.evaluate_model import benchmarks
from stages.evaluate_model.items import Benchmark, Item
from stages.evaluate_model.parameters import Options, known_benchmarks

PARTS = ("FILES", "SAYS", "NORMALISATIONS", "read", "judge")


def benchmark_named(name: str) -> Benchmark:
    """The module in `benchmarks/` of that name; raises Trouble with the known names."""
    known = known_benchmarks()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        closest = f" (did you mean '{near[0]}'?)" if near else ""
        raise Trouble(
            f"No benchmark named '{name}'{closest}; known: {', '.join(known)}; the last part of --items is its name."
        )
    file = name.replace("-", "_")
    try:
        module = importlib.import_module(f"{benchmarks.__name__}.{file}")
    except ModuleNotFoundError as error:
        if error.name != f"{benchmarks.__name__}.{file}":
            raise
        raise Trouble(
            f"{name}: its file must be benchmarks/{file}.py ('-' is '_' in a file's name): rename it."
        ) from None
    missing = [part for part in PARTS if not hasattr(module, part)]
    if missing:
        raise Trouble(f"{name}: benchmarks/{file}.py has no {', '.join(missing)}; wanted {', '.join(PARTS)}: add it.")
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


@dataclass(frozen=True)
class Survey:
    """What a first reading of the files tells; the second one holds only a block of items at a time."""

    asked: int  # items, each as often as it is asked in another way
    ids: int  # different ones
    kept: frozenset[str] | None  # the ids that `max_items` leaves; None: all


def survey(benchmark: Benchmark, files: Sequence[Path], options: Options) -> Survey:
    """Read every item once; raises Trouble where there is none or one stands twice."""
    seen: set[tuple[str, str]] = set()
    clusters: dict[str, str] = {}
    repeated: list[str] = []
    for item in _all(benchmark, files, options):
        key = (item.item_id, item.variant)
        repeated += [item.item_id] if key in seen else []
        seen.add(key)
        clusters[item.item_id] = sys.intern(item.cluster)
    if not seen:
        raise Trouble(f"{_name_of(benchmark)}: {_names(files)} holds no items; wanted at least one.")
    if repeated:
        raise Trouble(
            f"{_name_of(benchmark)}: item '{repeated[0]}' stands more than once in {_names(files)} ({len(repeated)} such);"
            " keep one, or give each an id of its own."
        )
    kept = kept_ids(clusters, options.max_items)
    asked = len(seen) if kept is None else sum(item_id in kept for item_id, _ in seen)
    return Survey(asked, len(clusters if kept is None else kept), kept)


def each_item(
    benchmark: Benchmark, files: Sequence[Path], options: Options, kept: frozenset[str] | None
) -> Iterator[Item]:
    """Yield the kept items, in the order of files and lines, linked to the benchmark's principles."""
    for item in _all(benchmark, files, options):
        if kept is None or item.item_id in kept:
            yield replace(item, principle_ids=tuple(sorted({*item.principle_ids, *options.principles})))


def read_items(benchmark: Benchmark, files: Sequence[Path], options: Options) -> list[Item]:
    """Every item at once, as `each_item` yields them."""
    survey(benchmark, files, options)
    return some(list(each_item(benchmark, files, options, None)), options.max_items)


def some(items: list[Item], max_items: int | None) -> list[Item]:
    """At most `max_items` different ones, in all the ways they are asked."""
    kept = kept_ids({item.item_id: item.cluster for item in items}, max_items)
    return items if kept is None else [item for item in items if item.item_id in kept]


def _all(benchmark: Benchmark, files: Sequence[Path], options: Options) -> Iterator[Item]:
    for path in files:
        yield from benchmark.read(path, options)


def _name_of(benchmark: Benchmark) -> str:
    return benchmark.__name__.rpartition(".")[2].replace("_", "-")


def _names(files: Sequence[Path]) -> str:
    return ", ".join(path.name for path in files[:3]) + (" …" if len(files) > 3 else "")


def kept_ids(clusters: Mapping[str, str], max_items: int | None) -> frozenset[str] | None:
    """At most `max_items` of the ids (id -> cluster): whole clusters in the order of their hashed names, so that base
    and tuned see the same; None for all."""
    if max_items is None or len(clusters) <= max_items:
        return None
    by_hash = sorted(clusters, key=lambda item_id: (_hash(clusters[item_id]), clusters[item_id], _hash(item_id)))
    return frozenset(by_hash[:max_items])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """The file's checksum."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
