"""What the evaluation will ask on one benchmark: its item files, and every prompt as the benchmark's code words it.

The plan must name what is asked later, so it uses the evaluation's own reader and no second one: the one place where a
node knows another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from stages.errors import Trouble
from stages.evaluate_model.items import Item
from stages.evaluate_model.parameters import Options, folder_name, harness_task
from stages.evaluate_model.parameters import Parameters as Measuring
from stages.evaluate_model.reading import benchmark_named, each_item, item_files, normalisation, sha256_of, survey

__all__ = ["Asked", "Measuring", "Options", "asked", "files_of", "folder_name", "harness_task", "sha256_of", "supplied"]


class Asked(NamedTuple):
    """What a benchmark asks."""

    files: list[Path]
    items: int
    sha256: str  # over all that is asked
    says: str
    normalisation: str


def files_of(name: str, folder: Path, options: Options) -> list[Path]:
    """The item files that the evaluation reads from the folder."""
    return item_files(folder, benchmark_named(name).FILES, options.files)


def asked(name: str, files: list[Path], options: Options) -> Asked:
    """What the benchmark asks with these files; raises Trouble where two items are one."""
    benchmark = benchmark_named(name)
    known = survey(benchmark, files, options)
    digest = _digest(each_item(benchmark, files, options, known.kept))
    return Asked(files, known.ids, digest, benchmark.SAYS, normalisation(name, benchmark, options))


def supplied(name: str, options: Options) -> dict[str, str]:
    """Files outside the items that the options name, with their sha256."""
    found = {}
    for field in ("lexicon", "facts"):
        path = getattr(options, field, None)
        if path is not None:
            if not Path(path).is_file():
                raise Trouble(f"evaluate_model.options.{name}.{field}: {path} is missing; correct the path.")
            found[str(path)] = sha256_of(Path(path))
    return found


def _digest(items: Iterable[Item]) -> str:
    """Over each item's names, cluster, prompts and requests, in order."""
    digest = hashlib.sha256()
    for item in items:
        line = json.dumps(_plain(item), ensure_ascii=False, sort_keys=True, default=str)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _plain(item: Item) -> dict[str, Any]:
    """The item as data, without the facts by which answers are judged: they are in the item files."""
    content = asdict(item)
    content.pop("facts")
    return content
