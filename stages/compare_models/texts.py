"""What single items of a planned benchmark ask, for people to read: through the reader that asked the models.

A second reader of twenty formats would sooner or later show another text than the one that was asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.errors import Trouble
from stages.evaluate_model.items import Item
from stages.evaluate_model.parameters import Options, harness_task
from stages.evaluate_model.reading import benchmark_named, sha256_of
from stages.records import PlannedBenchmark

UNLICENSED = frozenset({"mbbq"})  # published without a licence: its items may be used but not shown


@dataclass(frozen=True)
class Asked:
    """An item's texts: what came before, the candidates (each likelihood's text), and what was to be answered."""

    contexts: tuple[str, ...]  # one where all candidates share it
    candidates: tuple[str, ...]
    prompts: tuple[str, ...]


def all_texts(
    items: Path, benchmarks: Mapping[str, PlannedBenchmark], wanted: Iterable[tuple[str, str, str]]
) -> dict[tuple[str, str, str], Asked]:
    """The texts of items of several benchmarks, by benchmark, id and variant."""
    by_benchmark: dict[str, set[tuple[str, str]]] = {}
    for benchmark, *key in wanted:
        by_benchmark.setdefault(benchmark, set()).add((key[0], key[1]))
    return {
        (benchmark, *key): asked
        for benchmark, keys in sorted(by_benchmark.items())
        for key, asked in texts_of(items, benchmark, benchmarks[benchmark], keys).items()
    }


def texts_of(
    items: Path, benchmark: str, planned: PlannedBenchmark, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Asked]:
    """The texts of the wanted items (id, variant); `items` is the plan's folder of items.

    Nothing for a task of lm-evaluation-harness, whose items are its own, nor where no licence allows to show them, nor
    where the plan came without its items.
    """
    if harness_task(benchmark) is not None or benchmark in UNLICENSED or not (items / benchmark).is_dir():
        return {}
    module = benchmark_named(benchmark)
    options = Options.model_validate({name: value for name, value in planned.options.items() if name != "supplied"})
    found: dict[tuple[str, str], Asked] = {}
    for name, sha256 in sorted(planned.files.items()):
        path = items / benchmark / name
        if not path.is_file() or sha256_of(path) != sha256:
            raise Trouble(f"{path} is not the file that was planned; run plan_evaluation again.")
        for item in module.read(path, options):
            if (key := (item.item_id, item.variant)) in wanted:
                found[key] = _asked(item)
    return found


def _asked(item: Item) -> Asked:
    contexts = tuple(request.context for request in item.requests)
    return Asked(
        contexts=contexts[:1] if len(set(contexts)) == 1 else contexts,
        candidates=tuple(request.continuation for request in item.requests),
        prompts=tuple(prompt.text for prompt in item.prompts),
    )
