"""The section `plan_evaluation` of `params.yaml`."""

from __future__ import annotations

from stages.params import Section


class Parameters(Section):
    """What is checked of the items; what is measured stands in `evaluate_model`, how it is judged in `compare_models`."""

    held_out: tuple[str, ...] = ("adherence",)  # benchmarks whose pairs must never have been taught
    made: tuple[str, ...] = ("opinion-groups",)  # benchmarks whose items are made from the deliberation
