"""The section `compare_models` of `params.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from stages.metrics import METRICS
from stages.params import Section


def _known(metric: str) -> str:
    if metric not in METRICS:
        raise PydanticCustomError("unknown_metric", "one of {known}", {"known": ", ".join(METRICS)})
    return metric


def _known_last(name: str) -> str:
    """A metric, or `benchmark:metric`."""
    _known(name.rpartition(":")[2])
    return name


class Primary(Section):
    """The one result named in advance: a metric of a benchmark, over all its items or as the mean of its categories."""

    benchmark: str
    metric: Annotated[str, AfterValidator(_known)]
    category: Literal["all", "macro"] = "all"


Margin = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Parameters(Section):
    """How base and tuned model are compared; all but `amended` is frozen in the evaluation plan before training."""

    primary: Primary
    permutations: int = Field(default=10_000, ge=1000)
    margins: dict[Annotated[str, AfterValidator(_known_last)], Margin] = Field(default_factory=dict)
    amended: str = ""  # why the plan was changed after training; shown with every result
