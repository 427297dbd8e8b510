"""Gather what will be asked, under which rules, into one plan with a checksum."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from stages.artifact import write_json
from stages.errors import Trouble
from stages.metrics import METRICS
from stages.params import Section, parse
from stages.plan import FAMILIES, ITEMS, sealed
from stages.plan_evaluation.asked import (
    Measuring,
    Options,
    asked,
    files_of,
    harness_task,
    sha256_of,
    supplied,
)
from stages.records import Endpoint, EvaluationPlan, PlannedBenchmark


class Judging(Section):
    """What the plan freezes of the section `compare_models`."""

    primary: Endpoint
    permutations: int = Field(default=10_000, ge=1000)
    margins: dict[str, float] = Field(default_factory=dict)


def judging(section: Mapping[str, Any]) -> Judging:
    """The part of `compare_models` that is planned: all but the reason for amending the plan."""
    return parse("compare_models", {name: value for name, value in section.items() if name != "amended"}, Judging)


def make_plan(
    folder: Path, sources: Mapping[str, Path], measuring: Measuring, rules: Judging, framework: Path
) -> EvaluationPlan:
    """Copy each benchmark's item files below `folder`/items and say what they ask; `sources` are its items' folders."""
    _check_endpoint(rules, measuring)
    found = {}
    for name in sorted(measuring.benchmarks):
        options = measuring.options.get(name, Options())
        found[name] = plan_benchmark(name, sources.get(name), folder / ITEMS / name, options)
    return sealed(
        EvaluationPlan(
            benchmarks=found,
            primary=rules.primary,
            margins=rules.margins,
            families=FAMILIES,
            resamples=measuring.resamples,
            permutations=rules.permutations,
            seed=measuring.seed,
            confidence=measuring.confidence,
            min_items=measuring.min_items,
            framework=sha256_of(framework) if framework.exists() else None,
        )
    )


def plan_benchmark(name: str, source: Path | None, target: Path, options: Options) -> PlannedBenchmark:
    """Copy the item files and describe what they ask."""
    task = harness_task(name)
    if task is not None:
        return _of_the_harness(task, source, target, options)
    if source is None:
        raise Trouble(f"No items for the benchmark '{name}'; wanted a folder of that name: check evaluate_model.items.")
    copied = _copied(files_of(name, source, options), source, target)
    what = asked(name, copied, options)
    files = {path.relative_to(target).as_posix(): sha256_of(path) for path in copied}
    return PlannedBenchmark(
        files=files,
        items=what.items,
        asked=what.sha256,
        says=what.says,
        normalisation=what.normalisation,
        options=options.model_dump(mode="json", exclude_defaults=True) | {"supplied": supplied(name, options)},
    )


def _of_the_harness(task: str, source: Path | None, target: Path, options: Options) -> PlannedBenchmark:
    """A task of lm-evaluation-harness: its name, and what the user brings for it; other items are the harness's own."""
    target.mkdir(parents=True)
    write_json(target / "task.json", {"task": task})
    brought = sorted(path for path in source.rglob("*") if path.is_file()) if source else []
    copied = [target / "task.json", *(_copied(brought, source, target) if source else [])]
    return PlannedBenchmark(
        files={path.relative_to(target).as_posix(): sha256_of(path) for path in copied},
        items=0,
        asked="",
        says=f"the task {task} of lm-evaluation-harness, as that asks it",
        normalisation="",
        options=options.model_dump(mode="json", exclude_defaults=True),
    )


def _copied(files: list[Path], source: Path, target: Path) -> list[Path]:
    """The files at the same places below `target`."""
    copies = []
    for path in files:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copies.append(copy)
    return copies


def _check_endpoint(rules: Judging, measuring: Measuring) -> None:
    named = rules.primary
    if named.benchmark not in measuring.benchmarks:
        raise Trouble(
            f"compare_models.primary.benchmark is '{named.benchmark}'; evaluate_model.benchmarks has:"
            f" {', '.join(measuring.benchmarks)}."
        )
    for name in (named.metric, *(margin.rpartition(":")[2] for margin in rules.margins)):
        if name not in METRICS:
            raise Trouble(f"compare_models names the metric '{name}'; wanted one of: {', '.join(METRICS)}.")
