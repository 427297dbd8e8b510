"""Hold parameters, training and measurements to the evaluation plan that was frozen before training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.artifact import read_json
from stages.compare_models.compare import Rules
from stages.compare_models.measured import Measurement
from stages.compare_models.parameters import Parameters
from stages.errors import Trouble
from stages.records import EvaluationPlan

TRAINING = "training.json"  # what a trained model was made of


def rules_of(plan: EvaluationPlan, benchmark: str) -> Rules:
    """How this benchmark's comparison is judged, by the plan."""
    primary = plan.primary
    named = (primary.metric, primary.category) if primary.benchmark == benchmark else None
    return Rules(plan.permutations, named, plan.margins)


def check_parameters(plan: EvaluationPlan, params: Parameters, measuring: Mapping[str, Any]) -> None:
    """Raise Trouble where `params.yaml` says something else than the plan: it was changed and not planned again."""
    said = {
        "compare_models.primary": (params.primary.model_dump(), plan.primary.model_dump()),
        "compare_models.margins": (params.margins, plan.margins),
        "compare_models.permutations": (params.permutations, plan.permutations),
        "evaluate_model.benchmarks": (sorted(measuring["benchmarks"]), sorted(plan.benchmarks)),
    }
    for name in ("resamples", "seed", "confidence", "min_items"):
        said[f"evaluate_model.{name}"] = (measuring.get(name, getattr(plan, name)), getattr(plan, name))
    for name, (now, planned) in said.items():
        if now != planned:
            raise Trouble(f"{name} is {now}, but {planned} was planned; run plan_evaluation again, or put it back.")


def check_measurements(plan: EvaluationPlan, measurements: Sequence[Measurement]) -> None:
    """Raise Trouble where scores come from other items or another plan."""
    for each in measurements:
        planned = plan.benchmarks[each.benchmark]
        if each.plan != plan.sha256:
            found = f"the plan {each.plan[:12]}…" if each.plan else "no plan"
            raise Trouble(
                f"{each.benchmark} was measured by {found}, but the plan is {plan.sha256[:12]}…; measure both models again."
            )
        if planned.asked and dict(each.files) != planned.files:  # a task of lm-evaluation-harness brings its own
            raise Trouble(
                f"{each.benchmark} was measured on other item files than were planned; measure both models again."
            )


def check_training(plan: EvaluationPlan, model: Path, amended: str) -> dict[str, str]:
    """Which plan the model was trained under; raises Trouble where that is another one and nobody says why."""
    trained = str(read_json(model / TRAINING).get("plan") or "")
    if trained != plan.sha256 and not amended.strip():
        found = f"under the evaluation plan {trained[:12]}…" if trained else "without an evaluation plan"
        raise Trouble(
            f"{model} was trained {found}, but the plan is now {plan.sha256[:12]}…: it was changed after training; train"
            " again, put the plan back, or say why in compare_models.amended, which is shown with every result."
        )
    changed = trained != plan.sha256
    return {"sha256": plan.sha256, "trained_under": trained, "amended": " ".join(amended.split()) if changed else ""}
