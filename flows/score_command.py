"""`commons score BENCHMARK --items FILE… --predictions FILE… --prediction-field NAME --json OUT`: score recorded answers.

    commons score bbq --items ../shared/data/benchmarks/bbq/data/Age.jsonl \\
        --predictions ../shared/data/benchmarks/bbq/results/UnifiedQA/preds_Age.jsonl \\
        --prediction-field unifiedqa-t5-11b_pred_arc --json age.json

Whatever model wrote the answers, by the same definitions and intervals as in the pipeline; no model is needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stages.errors import Trouble

DEFAULTS = Path(__file__).parents[1] / "params.yaml"  # how intervals are made, where no params.yaml lies here
FAMILY = {"bbq": "en", "cabbq": "ca", "esbbq": "es", "gg-bbq": "de", "kobbq": "ko", "mbbq": ""}  # the usual language


def add(commands: Any) -> None:
    """Add the command."""
    score = commands.add_parser("score", help="score recorded answers to a benchmark's questions, outside the pipeline")
    score.add_argument("benchmark", choices=sorted(FAMILY), metavar="BENCHMARK", help=", ".join(sorted(FAMILY)))
    score.add_argument("--items", type=Path, nargs="+", required=True, metavar="FILE", help="item files or folders")
    score.add_argument(
        "--predictions", type=Path, nargs="+", required=True, metavar="FILE", help="answers, JSON Lines or CSV"
    )
    score.add_argument("--prediction-field", required=True, metavar="NAME", help="the field that holds the answer")
    score.add_argument("--json", type=Path, required=True, metavar="OUT", help="file to write")
    score.add_argument(
        "--id-field", default="", metavar="NAME", help="the predictions' item id (default: as in the items' format)"
    )
    score.set_defaults(act=_score)


def _score(options: argparse.Namespace) -> int:
    from stages.artifact import write_json
    from stages.evaluate_model.bbq_family.formats import id_field_of, read_questions
    from stages.evaluate_model.reading import benchmark_named, item_files, sha256_of
    from stages.evaluate_model.recorded import score

    pattern = benchmark_named(options.benchmark).FILES
    files = [one for path in options.items for one in (item_files(path, pattern, ()) if path.is_dir() else [path])]
    questions = [one for path in files for one in read_questions(path, options.benchmark, FAMILY[options.benchmark])]
    if not questions:
        raise Trouble(f"{options.benchmark}: {files[0]} has no items; wanted at least one line.")
    id_field = options.id_field or id_field_of(files[0], options.benchmark)
    found = score(options.benchmark, questions, options.predictions, options.prediction_field, id_field, _settings())
    named = {"items": files, "predictions": options.predictions}
    for name, paths in named.items():
        found[name] = [{"file": path.name, "sha256": sha256_of(path)} for path in paths]
    write_json(options.json, found)
    print("\n".join(_table(found)))
    print(
        f"Written: {options.json}. How answers were read: its 'rule'. 0 is not yet fair: read the bias beside the accuracy."
    )
    return 0


def _settings() -> Any:
    from stages.evaluate_model.parameters import Parameters
    from stages.evaluate_model.recorded import Settings
    from stages.params import load

    params = load("evaluate_model", Parameters, Path("params.yaml") if Path("params.yaml").exists() else DEFAULTS)
    return Settings(params.resamples, params.seed, params.confidence, params.min_items)


def _table(found: dict[str, Any]) -> list[str]:
    """One line per category, then all: bias with its interval, accuracies, and what was not read."""
    cells = list(found["categories"].items()) if len(found["categories"]) > 1 else []
    lines = [f"{'':<24} {'items':>7}  {'s_amb':<24} {'acc_amb':>7}  {'s_dis':<24} {'acc_dis':>7} {'pro-anti':>8}"]
    for name, cell in [*cells, ("all", found)]:
        lines.append(
            f"{name:<24.24} {cell['n_items']:>7,}  {_with_interval(cell, 's_amb'):<24} {_short(cell['acc_amb']):>7}  "
            f"{_with_interval(cell, 's_dis'):<24} {_short(cell['acc_dis']):>7} {_short(cell['acc_difference']):>8}"
        )
    lines += [f"{name} is undefined: {reason}." for name, reason in sorted(found["undefined"].items())]
    lines.append(
        "not scored: "
        + ", ".join(f"{name} {found[f'n_{name}']:,}" for name in ("unmatched", "refused", "empty", "missing"))
        + f"; counted once: {found['n_duplicates']:,} duplicates; left out: {found['n_without_item']:,} predictions"
        f" without an item; for accuracy only: {found['n_without_target']:,} items without one stereotyped person"
    )
    return lines


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _with_interval(cell: dict[str, Any], name: str) -> str:
    if cell[name] is None:
        return "-"
    low, high = cell["intervals"][name]
    return f"{cell[name]:.3f} [{low:.3f}, {high:.3f}]"
