"""Score one model on one benchmark by log-likelihood, item by item.

python -m stages.evaluate_model --model models/base --items data/sample/benchmarks/bbq --out data/scores/base/bbq
"""

from __future__ import annotations

from stages import gate
from stages.artifact import new_folder, write_json, write_jsonl
from stages.errors import Trouble
from stages.evaluate_model import expectations, plots, report
from stages.evaluate_model.encoding import prompt_words
from stages.evaluate_model.language_model import check_folder, open_model, readable_length
from stages.evaluate_model.outcomes import outcomes
from stages.evaluate_model.parameters import Options, Parameters
from stages.evaluate_model.reading import benchmark_named, item_files, normalisation, read_items, sha256_of
from stages.metrics import METRICS
from stages.node import arguments, run
from stages.params import load
from stages.scoring import metrics_of, scores_from_items


def main() -> str:
    """Read the items, ask the model, judge, and write items.jsonl, scores.json and what they mean."""
    args = arguments(__doc__, model="a model folder", items="a benchmark's folder, by its name", out="the scores")
    params = load("evaluate_model", Parameters)
    name = args.items.name
    options = params.options.get(name, Options())
    benchmark = benchmark_named(name)
    normalised = normalisation(name, benchmark, options)
    files = item_files(args.items, benchmark.FILES, options.files)
    items = read_items(benchmark, files, options)
    check_folder(args.model)

    model, tokenizer = open_model(args.model, params.precision, params.threads)
    length = readable_length(model, params.max_length)
    found, cut = outcomes(items, benchmark, normalised, model, tokenizer, length, params.batch_tokens)
    unknown = [metric for metric in metrics_of(found) if metric not in METRICS]
    if unknown:
        raise Trouble(
            f"Benchmark '{name}' gives the metric '{unknown[0]}', which has no words; add it to METRICS in stages/scoring.py."
        )
    scores = scores_from_items(found, name, params.resamples, params.seed, params.confidence, params.min_items)

    prompt = prompt_words([request for item in items for request in item.requests], tokenizer)
    settings = {"normalisation": normalised, "prompt": prompt, "max_length": length}
    checksums = {path.relative_to(args.items).as_posix(): sha256_of(path) for path in files}
    with new_folder(args.out) as folder:
        write_jsonl(folder / "items.jsonl", found)
        write_json(folder / "scores.json", [score.model_dump() for score in scores])
        write_json(folder / "benchmark.json", report.describe(name, benchmark, checksums, found, params, settings, cut))
        write_json(folder / "metrics.json", report.numbers(name, scores))
        gate.enforce(folder, expectations.tables(found, scores), expectations.expected(len(items), params.min_items))
        plots.draw_scores(folder / "plots" / "scores.png", scores, name, params.confidence)
    shortened = f", {cut:,} contexts cut" if cut else ""
    return f"{len(found):,} items in {len(files)} files, {len(scores)} scores of {name}{shortened}"


if __name__ == "__main__":
    run(main)
