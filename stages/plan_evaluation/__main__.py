"""Fix what will be measured, and how it will be judged, before training starts.

python -m stages.plan_evaluation --items data/sample/benchmarks --deliberation data/deliberation \\
    --draft data/constitution/draft --preferences data/preferences --out data/plan
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from stages import framework, gate
from stages.artifact import new_folder, write_json
from stages.node import arguments, run
from stages.params import load, read_file
from stages.plan import PLAN
from stages.plan_evaluation import expectations, opinion_groups
from stages.plan_evaluation.asked import Measuring, folder_name
from stages.plan_evaluation.leaks import refuse_leaks
from stages.plan_evaluation.parameters import Parameters
from stages.plan_evaluation.plan import judging, make_plan
from stages.records import EvaluationPlan

MADE = {"opinion-groups": "positions.jsonl"}  # benchmarks made from the deliberation -> their item file


def main() -> str:
    """Copy the items, make those that come from the deliberation, look for leaks, and seal the plan."""
    args = arguments(
        __doc__,
        items="a folder per benchmark with its items",
        deliberation="the deliberation",
        draft="its opinion groups",
        preferences="the lessons, which must not hold held-out pairs",
        out="the plan",
    )
    params = load("plan_evaluation", Parameters)
    measuring = load("evaluate_model", Measuring)
    rules = judging(read_file().get("compare_models", {}))
    with new_folder(args.out) as folder, TemporaryDirectory() as temporary:
        made, left_out = _made(args, params, measuring, Path(temporary))
        places = {name: args.items / _folder(name, measuring) for name in measuring.benchmarks}
        folders = {name: place for name, place in places.items() if place.is_dir()}
        plan = make_plan(folder, folders | made, measuring, rules, framework.FRAMEWORK)
        compared = sum(_leak_checked(places, name, plan, args.preferences) for name in params.held_out)
        write_json(folder / PLAN, plan)
        write_json(folder / "checks.json", {"held_out_pairs_compared_with_lessons": compared, "left_out": left_out})
        gate.enforce(folder, expectations.tables(plan), expectations.expected(sorted(measuring.benchmarks)))
    items = sum(one.items for one in plan.benchmarks.values())
    return (
        f"{items:,} items of {len(plan.benchmarks)} benchmarks; named in advance: {plan.primary.benchmark}"
        f" {plan.primary.metric}; {compared:,} held-out pairs not among the lessons; sha256 {plan.sha256}"
    )


def _folder(name: str, measuring: Measuring) -> str:
    options = measuring.options.get(name)
    return (options.folder if options else None) or folder_name(name)


def _made(
    args: Namespace, params: Parameters, measuring: Measuring, place: Path
) -> tuple[dict[str, Path], dict[str, dict[str, int]]]:
    """Items made from the deliberation: the folder of each benchmark, and what was left out of it."""
    folders, left_out = {}, {}
    for name in sorted(set(params.made) & set(measuring.benchmarks)):
        folders[name] = place / name
        folders[name].mkdir(parents=True)
        left_out[name] = opinion_groups.make(args.deliberation, args.draft, folders[name] / MADE[name]).left_out
    return folders, left_out


def _leak_checked(places: Mapping[str, Path], name: str, plan: EvaluationPlan, preferences: Path) -> int:
    """How many held-out pairs of the benchmark were looked for among the lessons; raises Trouble where one is there."""
    if name not in plan.benchmarks:
        return 0
    return sum(refuse_leaks(places[name] / file, preferences) for file in plan.benchmarks[name].files)


if __name__ == "__main__":
    run(main)
