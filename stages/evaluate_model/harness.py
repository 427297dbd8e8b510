"""Any task of lm-evaluation-harness by its name: asked through our scorer, its samples kept as item outcomes like ours.

What a sample is worth is the task's own doing. A task can hold code of its own; it runs, so name only folders that you
trust. Data are read from files of this machine: nothing is fetched.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.artifact import new_folder, write_jsonl
from stages.errors import Trouble
from stages.evaluate_model.evaluation import Evaluated, origin, write_results
from stages.evaluate_model.language_model import OpenModel
from stages.evaluate_model.parameters import Options, Parameters
from stages.evaluate_model.reading import sha256_of
from stages.evaluate_model.resume import StoredOutcomes
from stages.evaluate_model.scorer import Scorer
from stages.metrics import harness_metric
from stages.records import ItemOutcome

Sample = Mapping[str, Any]
# Metrics that the harness makes of sums over all documents; a document's own part is kept in bits per word or byte.
PER_UNIT = {"word_perplexity": "bits per word", "byte_perplexity": "bits per byte", "bits_per_byte": "bits per byte"}
UNDETERMINED = "und"  # ISO 639-2: the harness does not tell a task's language


def check(task: str) -> None:
    """Raise Trouble where the harness is not installed."""
    if importlib.util.find_spec("lm_eval") is None:
        raise Trouble(
            f"lm_eval:{task} needs lm-evaluation-harness, which is not installed: pip install 'democratic-commons[harness]'."
        )


def evaluate(
    opened: OpenModel,
    task: str,
    name: str,
    include: Path | None,
    out: Path,
    params: Parameters,
    plan: str | None = None,
) -> Evaluated:
    """Run the task and write the same folder as for our own benchmarks."""
    check(task)
    if opened.masked:
        raise Trouble(
            f"lm_eval:{task} needs a model that writes; a masked language model was given: leave the task out."
        )
    options = params.options.get(name, Options())
    scorer = Scorer(opened, params.batch_tokens, params.seed, options.temperature)
    results, cut = _run(scorer, task, include, options.max_items, params.seed)
    counted: Counter[str] = Counter()
    outcomes = [
        outcome
        for part, samples in sorted(results["samples"].items())
        for outcome in outcomes_of(part, samples, lower_is_better(results, part), counted)
    ]
    if not outcomes:
        raise Trouble(f"lm_eval:{task} has no samples; wanted at least one document in its test split.")
    if not any(outcome.values for outcome in outcomes):
        raise Trouble(
            f"lm_eval:{task} gives no value per document (only {', '.join(sorted(counted)) or 'nothing'}); wanted a metric that is"
            " a mean over documents."
        )
    files = _files(include)
    settings = {"normalisation": "the task's own", "prompt": "plain text", "max_length": opened.length}
    with new_folder(out) as folder:
        write_jsonl(folder / "items.jsonl", outcomes)
        stored = StoredOutcomes(folder / "items.jsonl")
        says = f"The task {task} of lm-evaluation-harness, asked as that asks it."
        more = {"harness": about(results, counted)} | origin(opened, plan)
        scores = write_results(folder, name, says, files, stored, params, settings, {"contexts_cut": cut}, more)
    return Evaluated(len(outcomes), len(files), cut, scores)


def _run(scorer: Scorer, task: str, include: Path | None, limit: int | None, seed: int) -> tuple[dict[str, Any], int]:
    """The harness's results, its samples among them, and how many contexts were cut."""
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    from stages.evaluate_model.harness_model import HarnessModel

    lm = HarnessModel(scorer)
    place = include.absolute() if include is not None and include.is_dir() else None
    manager = TaskManager(include_path=str(place), include_defaults=False) if place else TaskManager()
    if task not in manager.all_tasks:
        manager = TaskManager(include_path=str(place) if place else None)
    if task not in manager.all_tasks:
        where = f" or in {include}" if include else ""
        raise Trouble(f"lm-evaluation-harness has no task '{task}'{where}; its tasks are listed by: lm_eval ls tasks.")
    # Data files stand in a task by their paths; they are meant from the task's own folder.
    with contextlib.chdir(place) if place else contextlib.nullcontext():
        try:
            results = simple_evaluate(
                model=lm, tasks=[task], task_manager=manager, limit=limit, bootstrap_iters=0, log_samples=True,
                random_seed=seed, numpy_random_seed=seed, torch_random_seed=seed, fewshot_random_seed=seed,
            )  # fmt: skip
        except (OSError, ValueError) as error:  # datasets' ways to say that something is not on this machine
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise Trouble(
                f"lm_eval:{task} cannot be asked ({reason}); nothing is fetched: put its data on this machine and name it"
                " in a task file of your own (`include`)."
            ) from error
    if results is None:
        raise Trouble(f"lm_eval:{task} gave no results.")
    return dict(results), lm.cut


def outcomes_of(part: str, samples: Sequence[Sample], lower: set[str], counted: Counter[str]) -> list[ItemOutcome]:
    """One outcome per document; a task with several filters has a sample per filter, which are joined."""
    documents: dict[int, list[Sample]] = {}
    for sample in samples:
        documents.setdefault(int(sample["doc_id"]), []).append(sample)
    return [_outcome(part, number, documents[number], lower, counted) for number in sorted(documents)]


def _outcome(part: str, number: int, samples: Sequence[Sample], lower: set[str], counted: Counter[str]) -> ItemOutcome:
    values: dict[str, float] = {}
    for sample in samples:
        for metric in sample["metrics"]:
            value = _in_bits(metric, sample[metric])
            if isinstance(value, (bool, int, float)) and math.isfinite(value):
                name = PER_UNIT.get(metric, metric)
                name = name if sample["filter"] == "none" else f"{name} {sample['filter']}"
                values[harness_metric(name, lower=metric in lower or metric in PER_UNIT)] = round(float(value), 6)
            else:
                counted[metric] += 1  # the harness makes its figure of them in another way than by a mean
    likelihoods, answers = _said(samples[0])
    best = [at for at, value in enumerate(likelihoods) if value == max(likelihoods)]
    return ItemOutcome(
        item_id=f"{part}-{number}",
        language=UNDETERMINED,
        category=part,
        cluster=f"{part}-{number}",
        log_likelihoods=tuple(likelihoods),
        answers=tuple(answers),
        choice=f"candidate {best[0]}"
        if len(best) == 1 and len(likelihoods) > 1
        else "scored"
        if likelihoods
        else "written",
        values=dict(sorted(values.items())),
    )


def _in_bits(metric: str, value: Any) -> Any:
    """Of a perplexity's log-likelihood and number of units, the bits per unit; anything else as it is."""
    if metric not in PER_UNIT or not isinstance(value, tuple) or not value[1]:
        return value
    return -float(value[0]) / float(value[1]) / math.log(2)


def _said(sample: Sample) -> tuple[list[float], list[str]]:
    """The log-likelihoods and the texts that the model gave."""
    likelihoods, answers = [], []
    for request in sample["resps"]:
        for response in request:
            if isinstance(response, str):
                answers.append(response)
            else:
                total = response[0] if isinstance(response, (tuple, list)) else response
                likelihoods.append(round(float(total), 4))
    return likelihoods, answers


def lower_is_better(results: Mapping[str, Any], part: str) -> set[str]:
    """The metrics of which the task says that less is better."""
    told = results.get("higher_is_better", {}).get(part, {})
    return {metric for metric, higher in told.items() if higher is False}


def about(results: Mapping[str, Any], counted: Mapping[str, int]) -> dict[str, Any]:
    """What the harness itself found and how it was set up."""
    from importlib.metadata import version

    return {
        "version": version("lm_eval"),
        "results": _plain(results["results"]),
        "versions": _plain(results.get("versions", {})),
        "shots": _plain(results.get("n-shot", {})),
        "values_that_are_no_mean": dict(sorted(counted.items())),
    }


def _plain(content: Any) -> Any:
    """As JSON: numbers that are none, and texts for what it does not know."""
    if isinstance(content, Mapping):
        return {str(name): _plain(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    if isinstance(content, (bool, int, str)) or content is None:
        return content
    number = float(content) if hasattr(content, "__float__") else math.nan
    return number if math.isfinite(number) else json.loads(json.dumps(str(content)))


def _files(include: Path | None) -> dict[str, str]:
    if include is None or not include.is_dir():
        return {}
    paths = sorted(path for path in include.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(include).as_posix(): sha256_of(path) for path in paths}
