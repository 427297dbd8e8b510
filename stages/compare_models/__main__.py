"""Compare base and tuned model on the same items, with paired tests.

python -m stages.compare_models --constitution data/constitution/ratified --scores data/scores --out data/comparison
"""

from __future__ import annotations

from collections import Counter

from stages import gate
from stages.artifact import new_folder, read_json, write_json, write_text
from stages.compare_models import expectations, plots
from stages.compare_models.compare import compare, one_sided_cells
from stages.compare_models.measured import planned_benchmarks, read_measurement
from stages.compare_models.parameters import Parameters
from stages.compare_models.scorecard import markdown, numbers, overall, primary_of, scorecard, summary
from stages.errors import Trouble
from stages.node import arguments, run
from stages.params import load, read_file
from stages.records import Constitution


def main() -> str:
    """Compare what was measured, benchmark by benchmark, and write the scorecard of the principles."""
    args = arguments(
        __doc__, constitution="the ratified constitution", scores="both models' scores", out="the comparison"
    )
    params = load("compare_models", Parameters)
    benchmarks = planned_benchmarks(read_file())
    named = params.primary
    if named.benchmark not in benchmarks:
        raise Trouble(
            f"compare_models.primary.benchmark is '{named.benchmark}'; evaluate_model.benchmarks has: {', '.join(benchmarks)}."
        )
    constitution = Constitution.model_validate(read_json(args.constitution / "constitution.json"))
    measurements = [read_measurement(args.scores, benchmark) for benchmark in benchmarks]

    comparisons = [
        row
        for each in measurements
        for row in compare(
            each, constitution, named.metric if each.benchmark == named.benchmark else None, params.permutations
        )
    ]
    primary = primary_of(comparisons, named.benchmark, named.metric)
    lines = scorecard(constitution, comparisons)
    confidence = measurements[0].confidence
    with new_folder(args.out) as folder:
        write_json(folder / "comparisons.json", [row.model_dump(mode="json") for row in comparisons])
        write_json(folder / "scorecard.json", [line.model_dump(mode="json") for line in lines])
        write_text(folder / "scorecard.md", markdown(lines, comparisons, primary, confidence))
        write_json(
            folder / "summary.json", summary(lines, comparisons, primary, sum(map(one_sided_cells, measurements)))
        )
        write_json(folder / "metrics.json", numbers(lines, comparisons))
        ids = [principle.id for principle in constitution.principles]
        gate.enforce(folder, expectations.tables(comparisons, lines), expectations.expected(ids))
        plots.draw_forest(folder / "plots" / "forest.png", overall(comparisons), confidence)
        plots.draw_principles(folder / "plots" / "principles.png", lines, confidence)
    verdicts = Counter(row.verdict for row in comparisons if row.principle_id == "all")
    counted = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    unmeasured = sum(line.status == "not measured" for line in lines)
    return f"{sum(verdicts.values())} comparisons ({counted}); {len(lines) - unmeasured} of {len(lines)} principles measured"


if __name__ == "__main__":
    run(main)
