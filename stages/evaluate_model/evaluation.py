"""Score an open model on one benchmark and write the folder of results: the node and `commons evaluate` both do this."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from stages import gate
from stages.artifact import new_folder, write_json, write_jsonl
from stages.errors import Trouble
from stages.evaluate_model import expectations, plots, report
from stages.evaluate_model.encoding import prompt_words
from stages.evaluate_model.items import Benchmark, Item
from stages.evaluate_model.language_model import OpenModel
from stages.evaluate_model.outcomes import outcomes
from stages.evaluate_model.parameters import Options, Parameters
from stages.evaluate_model.progress import Progress
from stages.evaluate_model.reading import Survey, benchmark_named, each_item, normalisation, sha256_of, survey
from stages.evaluate_model.resume import Blocks, StoredOutcomes
from stages.evaluate_model.scorer import Scorer
from stages.metrics import METRICS
from stages.records import ItemOutcome, Score
from stages.scoring import metrics_of, scores_from_items

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A benchmark and where its items lie."""

    name: str
    files: tuple[Path, ...]
    folder: Path  # the files are told by their paths below it
    plan: str | None = None  # sha256 of the evaluation plan that the files belong to


@dataclass(frozen=True)
class Evaluated:
    """What was written."""

    items: int
    files: int
    contexts_cut: int
    scores: list[Score]

    def in_words(self, name: str) -> str:
        """The counts, for the milestone line."""
        shortened = f", {self.contexts_cut:,} contexts cut" if self.contexts_cut else ""
        return f"{self.items:,} items in {self.files} files, {len(self.scores)} scores of {name}{shortened}"


@dataclass(frozen=True)
class Prepared:
    """A benchmark that was read once: what is wrong with it is told before a model is loaded."""

    source: Source
    options: Options
    normalisation: str
    survey: Survey
    checksums: dict[str, str]

    @property
    def benchmark(self) -> Benchmark:
        """Its code."""
        return benchmark_named(self.source.name)

    def items(self) -> Iterator[Item]:
        """Its items, once more from the files."""
        return each_item(self.benchmark, self.source.files, self.options, self.survey.kept)


def prepare(source: Source, params: Parameters) -> Prepared:
    """Read the benchmark's files once; raises Trouble for whatever is wrong with them or the options."""
    options = params.options.get(source.name, Options())
    benchmark = benchmark_named(source.name)
    checksums = {path.relative_to(source.folder).as_posix(): sha256_of(path) for path in source.files}
    asked = normalisation(source.name, benchmark, options)
    surveyed = survey(benchmark, source.files, options)
    if surveyed.ids < params.min_items:
        raise Trouble(
            f"{source.name}: {surveyed.ids:,} items; evaluate_model.min_items is {params.min_items}, so no figure would be"
            " told: add items, or lower it (commons evaluate: in the file of --options)."
        )
    return Prepared(source, options, asked, surveyed, checksums)


def evaluate(opened: OpenModel, prepared: Prepared, out: Path, params: Parameters) -> Evaluated:
    """Ask the model every item, in blocks that survive a kill, and write items, scores, what they mean and a picture."""
    name, options = prepared.source.name, prepared.options
    scorer = Scorer(opened, params.batch_tokens, params.seed, options.temperature)
    settings = {"normalisation": prepared.normalisation, "max_length": opened.length}
    blocks = Blocks(out, _identity(prepared, params, settings, opened))
    asked = _ask(prepared, scorer, blocks, params.block_items)
    with new_folder(out) as folder:
        counted = blocks.joined(folder / "items.jsonl", asked)
        told = _judged(prepared, folder / "items.jsonl", out.with_name(f".{out.name}.judge.partial"))
        stored = StoredOutcomes(folder / "items.jsonl")
        prompt = prompt_words(bool(counted["chat"]) and not opened.masked, opened.tokenizer)
        settings |= {"prompt": prompt}
        told |= origin(opened, prepared.source.plan) | _derived(prepared, stored)
        says, checksums = prepared.benchmark.SAYS, prepared.checksums
        scores = write_results(folder, name, says, checksums, stored, params, settings, counted, told)
    blocks.remove()
    return Evaluated(prepared.survey.asked, len(prepared.source.files), counted["contexts_cut"], scores)


def origin(opened: OpenModel, plan: str | None) -> dict[str, str]:
    """Which model was asked, and by which evaluation plan; no part of the settings, which are the same for all models."""
    return {"model_sha256": opened.sha256} | ({"plan": plan} if plan else {})


def _derived(prepared: Prepared, stored: Sequence[ItemOutcome]) -> dict[str, Any]:
    """What a benchmark tells of all its items beside their means."""
    derive = getattr(prepared.benchmark, "derived", None)
    return {"derived": derive(prepared.items(), stored)} if derive else {}


def write_results(
    folder: Path,
    name: str,
    says: str,
    checksums: Mapping[str, str],
    items: Sequence[ItemOutcome],
    params: Parameters,
    settings: Mapping[str, Any],
    counted: Mapping[str, int],
    more: Mapping[str, Any],
) -> list[Score]:
    """Write all that follows from items.jsonl, which is there already."""
    metrics = metrics_of(items)
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown:
        raise Trouble(
            f"Benchmark '{name}' gives the metric '{unknown[0]}', which has no words; add it in a file of stages/metrics/,"
            f" or use one of: {', '.join(METRICS)}."
        )
    scores = scores_from_items(items, name, params.resamples, params.seed, params.confidence, params.min_items)
    about = report.describe(name, says, checksums, items, params, settings, counted) | dict(more)
    write_json(folder / "scores.json", [score.model_dump() for score in scores])
    write_json(folder / "benchmark.json", about)
    write_json(folder / "metrics.json", report.numbers(name, scores))
    expected = expectations.expected(len(items), params.min_items, metrics)
    gate.enforce(folder, expectations.tables(items, scores), expected)
    plots.draw_scores(folder / "plots" / "scores.png", scores, name, params.confidence)
    return scores


def _ask(prepared: Prepared, scorer: Scorer, blocks: Blocks, block_items: int) -> int:
    """Ask block by block what is not yet on disk; return the number of blocks."""
    name = prepared.source.name
    progress = Progress(name, prepared.survey.asked)
    items = prepared.items()
    number = resumed = 0
    while block := list(islice(items, block_items)):
        if blocks.finished(number):
            resumed += len(block)
            progress.skip(len(block))
        else:
            tell = partial(progress.within, len(block))
            judged, cut = outcomes(name, block, prepared.benchmark, prepared.normalisation, scorer, tell)
            chat = any(_in_turns(item) for item in block)
            blocks.write(number, judged, {"contexts_cut": cut, "chat": int(chat)})
            progress.add(len(block))
        number += 1
    if resumed:
        log.info("evaluate_model: %s: %s items were there from an interrupted run", name, f"{resumed:,}")
    return number


def _in_turns(item: Item) -> bool:
    """Whether it is asked as a citizen's turn."""
    return any(request.chat for request in item.requests) or any(prompt.chat for prompt in item.prompts)


def _judged(prepared: Prepared, path: Path, cache: Path) -> dict[str, Any]:
    """Where the options name a judge, let it look at what was written, and keep what is to be known about it."""
    if prepared.options.judge is None:
        return {}
    from stages.evaluate_model.judge import judged

    result = judged(list(prepared.items()), list(StoredOutcomes(path)), prepared.options.judge, cache)
    write_jsonl(path, result.outcomes)
    return {"judge": result.about}


def _identity(prepared: Prepared, params: Parameters, settings: Mapping[str, Any], opened: OpenModel) -> dict[str, Any]:
    """All that decides the outcomes."""
    named = (prepared.options.lexicon, prepared.options.facts)
    return {
        "files": prepared.checksums,
        "supplied": {path: sha256_of(Path(path)) for path in named if path and Path(path).is_file()},
        "options": prepared.options.model_dump(mode="json"),
        "settings": dict(settings),
        "model_sha256": opened.sha256,
        "precision": params.precision,
        "seed": params.seed,
        "blocks": [params.block_items, params.batch_tokens],
        "device": str(opened.model.device.type),
    }
