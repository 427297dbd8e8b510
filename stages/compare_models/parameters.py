"""The section `compare_models` of `params.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from stages.metrics import METRICS
from stages.params import Section


def _known(metric: str) -> str:
    if metric not in METRICS:
        raise PydanticCustomError("unknown_metric", "one of {known}", {"known": ", ".join(METRICS)})
    return metric


class Primary(Section):
    """The one result named in advance: a metric of a benchmark, over all its items."""

    benchmark: str
    metric: Annotated[str, AfterValidator(_known)]


class Parameters(Section):
    """How base and tuned model are compared."""

    primary: Primary
    permutations: int = Field(default=10_000, ge=1000)
