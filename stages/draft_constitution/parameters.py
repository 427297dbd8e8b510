"""The parameters of `draft_constitution`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stages.params import Section

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Parameters(Section):
    """How groups are found, how consensus is measured and which statements become principles."""

    seed: int
    min_votes: Count  # per participant, to be placed in a group
    groups: Annotated[int, Field(ge=1, le=5)] | None  # None: chosen by stability
    min_groups: Annotated[int, Field(ge=2, le=5)]
    max_groups: Annotated[int, Field(ge=2, le=5)]
    min_group_size: Count
    max_outliers: Share
    stability_runs: Count
    min_stability: Share
    separation_runs: Annotated[int, Field(ge=0)]
    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    rule: str = Field(min_length=1)
    threshold: Share
    min_exposure: Share
    top_n: Count
    rank_by: Literal["lower_bound", "gac_geometric_mean"]
    accept_unmoderated: bool

    @model_validator(mode="after")
    def _ordered(self) -> Parameters:
        if self.min_groups > self.max_groups:
            raise ValueError(f"min_groups ({self.min_groups}) not above max_groups ({self.max_groups})")
        return self
