"""Score one model on one benchmark, item by item.

python -m stages.evaluate_model --model models/base --items data/plan/items/bbq --out data/scores/base/bbq
"""

from __future__ import annotations

from pathlib import Path

from stages.evaluate_model import harness
from stages.evaluate_model.evaluation import Source, evaluate, prepare
from stages.evaluate_model.language_model import check_folder, open_folder
from stages.evaluate_model.parameters import Options, Parameters, harness_task
from stages.evaluate_model.reading import benchmark_named, item_files
from stages.node import arguments, run
from stages.params import load
from stages.plan import PLAN, read_plan


def main() -> str:
    """Read the items, ask the model, judge, and write items.jsonl, scores.json and what they mean."""
    args = arguments(__doc__, model="a model folder", items="a benchmark's folder, by its name", out="the scores")
    params = load("evaluate_model", Parameters)
    name, plan = args.items.name, _plan_of(args.items)
    options = params.options.get(name, Options())
    if task := harness_task(name):
        check_folder(args.model)
        opened = open_folder(args.model, params.precision, params.threads, params.max_length)
        include = Path(options.include) if options.include else args.items
        return harness.evaluate(opened, task, name, include, args.out, params, plan).in_words(name)
    files = item_files(args.items, benchmark_named(name).FILES, options.files)
    prepared = prepare(Source(name, tuple(files), args.items, plan), params)
    opened = open_folder(args.model, params.precision, params.threads, params.max_length)
    return evaluate(opened, prepared, args.out, params).in_words(name)


def _plan_of(items: Path) -> str | None:
    """The sha256 of the evaluation plan that the items lie in, if they do."""
    folder = items.absolute().parents[1]
    return read_plan(folder).sha256 if (folder / PLAN).is_file() else None


if __name__ == "__main__":
    run(main)
