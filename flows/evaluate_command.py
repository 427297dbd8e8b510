"""`commons evaluate MODEL --benchmark NAME=FILES… --out DIR`: score any model folder, outside the pipeline.

    commons evaluate models/tuned --benchmark bbq=../shared/data/benchmarks/bbq/data \\
        --benchmark crows-pairs=../shared/data/benchmarks/crows-pairs/data --out /tmp/tuned

The model is loaded once for all benchmarks. DIR/<benchmark> gets items.jsonl (every item and the model's choice),
scores.json, benchmark.json (what was asked and what the figures mean), metrics.json and a picture; `commons compare`
reads two such folders. Killed, it goes on where it was when it is started again.
"""

from __future__ import annotations

import argparse
import glob
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.errors import Trouble

if TYPE_CHECKING:
    from stages.evaluate_model.evaluation import Prepared
    from stages.evaluate_model.parameters import Parameters

OURS = "benchmark.json"  # a folder that holds it was written by this command and may be replaced


def add(commands: Any) -> None:
    """Add the command."""
    evaluate = commands.add_parser("evaluate", help="score any model folder on benchmarks, outside the pipeline")
    evaluate.add_argument("model", type=Path, metavar="MODEL", help="a Hugging Face model folder with safetensors")
    evaluate.add_argument(
        "--benchmark",
        action="append",
        nargs="+",
        required=True,
        metavar="NAME=FILES",
        help="e.g. bbq=data/Age.jsonl, a folder or a pattern, and more files after it; lm_eval:<task> needs none, or"
        " lm_eval:<task>=FOLDER with task files of your own; may be repeated",
    )
    evaluate.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write, one below it each")
    evaluate.add_argument(
        "--options", type=Path, metavar="FILE", help="YAML with the keys of params.yaml's evaluate_model"
    )
    evaluate.add_argument("--threads", type=int, metavar="N", help="of the CPU (default: 1)")
    evaluate.add_argument("--precision", choices=("float32", "bfloat16"), help="default: float32")
    evaluate.set_defaults(act=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    _quiet()
    from stages.evaluate_model import evaluation, harness
    from stages.evaluate_model.language_model import check_folder, open_folder
    from stages.evaluate_model.parameters import folder_name, harness_task

    asked = [_named(words) for words in options.benchmark]
    params = _parameters(options, [name for name, _ in asked])
    outs = {name: options.out.absolute() / folder_name(name) for name, _ in asked}
    _refuse_foreign(list(outs.values()))
    check_folder(options.model)
    prepared = {name: _prepared(name, files, params) for name, files in asked}

    opened = open_folder(options.model, params.precision, params.threads, params.max_length)
    for name, files in asked:
        ready = prepared[name]
        if ready is not None:
            done = evaluation.evaluate(opened, ready, outs[name], params)
        else:
            include = Path(files[0]) if files else None
            done = harness.evaluate(opened, str(harness_task(name)), name, include, outs[name], params)
        print(f"{done.in_words(name)}: {options.out / folder_name(name)}", flush=True)
        for line in _figures(done.scores):
            print(f"  {line}")
    print("What each figure means and does not mean stands in its benchmark.json.")
    return 0


def _quiet() -> None:
    """Nothing is fetched and nothing phones home; progress goes to standard error."""
    from stages.node import QUIET

    for name, value in {**QUIET, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}.items():
        os.environ.setdefault(name, value)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("great_expectations").setLevel(logging.WARNING)


def _named(words: list[str]) -> tuple[str, list[str]]:
    """`bbq=a.jsonl b.jsonl` as name and files."""
    name, equals, first = words[0].partition("=")
    return name, ([first] if equals and first else []) + words[1:]


def _parameters(options: argparse.Namespace, names: list[str]) -> Parameters:
    """The usual values, under those of the options file and of the command line."""
    from stages.evaluate_model.parameters import Parameters
    from stages.params import parse, read_file

    section: dict[str, Any] = {}
    if options.options:
        overlay = read_file(options.options)
        section |= overlay.get("evaluate_model", overlay)
    said = {"threads": options.threads, "precision": options.precision}
    section |= {name: value for name, value in said.items() if value is not None}
    section |= {"items": "", "benchmarks": names}
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated:
        raise Trouble(f"--benchmark {repeated} is given twice; name all its files after one --benchmark {repeated}=….")
    return parse("evaluate_model", section, Parameters, options.options or Path("the command line"))


def _refuse_foreign(outs: list[Path]) -> None:
    """A benchmark's folder is replaced whole: never somebody's other folder."""
    for out in outs:
        if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / OURS).exists())):
            raise Trouble(
                f"{out} is there and holds other things; wanted a new folder or an older measurement: name another --out."
            )


def _prepared(name: str, files: list[str], params: Parameters) -> Prepared | None:
    """The benchmark's files, read once; None for a task of the harness, which reads its own."""
    from stages.evaluate_model import harness
    from stages.evaluate_model.evaluation import Source, prepare
    from stages.evaluate_model.parameters import Options, harness_task

    if task := harness_task(name):
        harness.check(task)
        if len(files) > 1 or any(not Path(file).is_dir() for file in files):
            raise Trouble(f"--benchmark {name}={' '.join(files)}: wanted one folder with task files, or nothing.")
        return None
    if not files:
        raise Trouble(f"--benchmark {name} names no items; wanted {name}=FILES: files, a folder or a pattern.")
    found = _found(name, files, params.options.get(name, Options()).files)
    return prepare(Source(name, tuple(found), _common_folder(found)), params)


def _found(name: str, files: list[str], patterns: tuple[str, ...]) -> list[Path]:
    from stages.evaluate_model.reading import benchmark_named, item_files

    found: set[Path] = set()
    for file in files:
        if Path(file).is_dir():
            found |= set(item_files(Path(file), benchmark_named(name).FILES, patterns))
            continue
        # pathlib's own glob takes no absolute pattern
        matching = [file] if Path(file).is_file() else glob.glob(file, recursive=True)  # noqa: PTH207
        if not matching:
            raise Trouble(f"--benchmark {name}={file}: nothing is there; wanted item files: check the path.")
        found |= {Path(each) for each in matching if Path(each).is_file()}
    return sorted(path.absolute() for path in found)


def _common_folder(files: list[Path]) -> Path:
    return Path(os.path.commonpath([file.parent for file in files]))


def _figures(scores: list[Any]) -> list[str]:
    """Each metric over all items with its interval."""
    from stages.metrics import METRICS

    lines = []
    for score in scores:
        if (score.language, score.category, score.group, score.polarity) == ("all",) * 4:
            known = METRICS[score.metric]
            interval = f"{score.value:.4f} [{score.low:.4f}, {score.high:.4f}]"
            lines.append(f"{known.words}: {interval}; {known.target_words} ({score.items:,} items)")
    return lines
