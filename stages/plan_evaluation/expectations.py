"""What must hold of the plan before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stages.records import EvaluationPlan

if TYPE_CHECKING:
    import pandas as pd


def tables(plan: EvaluationPlan) -> dict[str, pd.DataFrame]:
    """The benchmarks, their files and the margins as tables for the gate."""
    import pandas as pd

    benchmarks = [
        {"benchmark": name, "files": len(one.files), "items": one.items if one.asked else 1}
        for name, one in plan.benchmarks.items()
    ]
    files = [{"benchmark": b, "sha256": sha} for b, one in plan.benchmarks.items() for sha in one.files.values()]
    margins = [{"metric": name, "margin": margin} for name, margin in plan.margins.items()]
    return {
        "benchmarks": pd.DataFrame(benchmarks),
        "files": pd.DataFrame(files),
        "margins": pd.DataFrame(margins, columns=["metric", "margin"]),
    }


def expected(benchmarks: list[str]) -> dict[str, list[Any]]:
    """Every named benchmark has files and items (a task of the harness brings its own); margins are above zero."""
    from great_expectations import expectations as gxe

    return {
        "benchmarks": [
            gxe.ExpectColumnDistinctValuesToEqualSet(column="benchmark", value_set=benchmarks),
            gxe.ExpectColumnValuesToBeBetween(column="files", min_value=1),
            gxe.ExpectColumnValuesToBeBetween(column="items", min_value=1),
        ],
        "files": [gxe.ExpectColumnValuesToMatchRegex(column="sha256", regex="^[0-9a-f]{64}$")],
        "margins": [gxe.ExpectColumnValuesToBeBetween(column="margin", min_value=0, strict_min=True)],
    }
