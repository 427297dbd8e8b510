"""The evaluation plan as the nodes after it read it: frozen before training, known by its sha256.

`plan_evaluation` writes it, `finetune_sft` and `evaluate_model` record its sha256, `compare_models` holds all to it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import ValidationError

from stages.artifact import read_json
from stages.errors import Trouble
from stages.records import EvaluationPlan

PLAN = "plan.json"
ITEMS = "items"

# What is adjusted for what: the named result stands alone; claims are few, exploration is much.
FAMILIES = {
    "primary": "alone",
    "overall": "holm",
    "category": "holm",
    "principle": "holm",
    "exploration": "benjamini-hochberg",
}


def sha256_of(plan: EvaluationPlan) -> str:
    """Over the canonical JSON of all but the checksum itself."""
    content = plan.model_dump(mode="json", exclude={"sha256"})
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def sealed(plan: EvaluationPlan) -> EvaluationPlan:
    """The plan with its checksum."""
    return plan.model_copy(update={"sha256": sha256_of(plan)})


def read_plan(folder: Path) -> EvaluationPlan:
    """The plan in a folder; raises Trouble where it was changed by hand."""
    path = folder / PLAN
    try:
        plan = EvaluationPlan.model_validate(read_json(path))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise Trouble(f"{path}: {place}: {problem['msg']}; make it again with plan_evaluation.") from None
    if plan.sha256 != sha256_of(plan):
        raise Trouble(
            f"{path} tells the sha256 {plan.sha256[:12]}… but its content has {sha256_of(plan)[:12]}…: it was changed"
            " by hand; make it again with plan_evaluation."
        )
    return plan
