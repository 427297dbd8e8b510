"""Compare base and tuned model on the same items, with paired tests.

python -m stages.compare_models --plan data/plan --constitution data/constitution/ratified --model models/tuned \\
    --scores data/scores --out data/comparison
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from stages import gate
from stages.artifact import new_folder, read_json, write_json, write_text
from stages.compare_models import expectations, page, planned, plots
from stages.compare_models.changed import changed_items
from stages.compare_models.compare import compare, one_sided_cells, principle_items
from stages.compare_models.measured import Measurement, read_measurement
from stages.compare_models.parameters import Parameters
from stages.compare_models.scorecard import (
    Line,
    escaped,
    framework_lines,
    markdown,
    numbers,
    overall,
    primary_of,
    scorecard,
    summary,
)
from stages.compare_models.texts import all_texts
from stages.node import arguments, run
from stages.params import load, read_file
from stages.plan import ITEMS, PLAN, read_plan
from stages.records import Comparison, Constitution, EvaluationPlan


def main() -> str:
    """Compare what was measured, benchmark by benchmark, and write the scorecard of the principles."""
    args = arguments(
        __doc__,
        plan="the evaluation plan, frozen before training",
        constitution="the ratified constitution",
        model="the tuned model",
        scores="both models' scores",
        out="the comparison",
    )
    params = load("compare_models", Parameters)
    plan = read_plan(args.plan)
    planned.check_parameters(plan, params, read_file().get("evaluate_model", {}))
    under = planned.check_training(plan, args.model, params.amended)
    constitution = Constitution.model_validate(read_json(args.constitution / "constitution.json"))
    measurements = [read_measurement(args.scores, benchmark) for benchmark in plan.benchmarks]
    planned.check_measurements(plan, measurements)

    comparisons = [
        row for each in measurements for row in compare(each, constitution, planned.rules_of(plan, each.benchmark))
    ]
    lines = scorecard(constitution, comparisons)
    one_sided = sum(map(one_sided_cells, measurements))
    report = _report(args.plan / ITEMS, plan, under, constitution, measurements, comparisons, lines)
    with new_folder(args.out) as folder:
        _write(folder, report, plan, one_sided)
        ids = [principle.id for principle in constitution.principles]
        gate.enforce(folder, expectations.tables(comparisons, lines), expectations.expected(ids))
    return _in_words(comparisons, lines, under["amended"])


def _report(
    items: Path,
    plan: EvaluationPlan,
    under: Mapping[str, str],
    constitution: Constitution,
    measurements: Sequence[Measurement],
    comparisons: Sequence[Comparison],
    lines: Sequence[Line],
) -> page.Report:
    """All that the page tells."""
    bearing = {each.benchmark: principle_items(each.base, constitution) for each in measurements}
    changed = changed_items(measurements, bearing)
    return page.Report(
        comparisons=comparisons,
        lines=lines,
        principles=framework_lines(comparisons),
        primary=primary_of(comparisons),
        endpoint=plan.primary,
        confidence=plan.confidence,
        plan=under,
        changed=changed,
        texts=all_texts(items, plan.benchmarks, [one.key for one in changed]),
        says={name: one.says for name, one in plan.benchmarks.items()},
    )


def _write(folder: Path, report: page.Report, plan: EvaluationPlan, one_sided: int) -> None:
    """Fill the folder with the comparison as data, as pages and as plots."""
    comparisons, lines, primary, amended = report.comparisons, report.lines, report.primary, report.plan["amended"]
    write_json(folder / "comparisons.json", [row.model_dump(mode="json") for row in comparisons])
    write_json(folder / "scorecard.json", [line.model_dump(mode="json") for line in lines])
    write_json(folder / "framework.json", [line.model_dump(mode="json") for line in report.principles])
    write_json(folder / PLAN, plan)
    write_text(folder / page.NAME, page.render(report))
    notice = f"**Amended: the plan was changed after training.** {escaped(amended)}\n\n" if amended else ""
    write_text(folder / "scorecard.md", notice + markdown(lines, comparisons, primary, plan.confidence))
    told = summary(lines, comparisons, primary, one_sided)
    write_json(folder / "summary.json", told | {"plan": dict(report.plan)})
    write_json(folder / "metrics.json", numbers(lines, comparisons))
    plots.draw_forest(folder / "plots" / "forest.png", overall(comparisons), plan.confidence)
    plots.draw_principles(folder / "plots" / "principles.png", lines, plan.confidence)


def _in_words(comparisons: Sequence[Comparison], lines: Sequence[Line], amended: str) -> str:
    verdicts = Counter(row.verdict for row in comparisons if row.principle_id == "all")
    counted = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    unmeasured = sum(line.status == "not measured" for line in lines)
    return (
        f"{sum(verdicts.values())} comparisons ({counted}); {len(lines) - unmeasured} of {len(lines)} principles measured"
        f"{'; the plan was AMENDED after training' if amended else ''}"
    )


if __name__ == "__main__":
    run(main)
