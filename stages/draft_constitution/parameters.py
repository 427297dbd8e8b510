"""The parameters of `draft_constitution`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stages.params import Section

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]


class Proportional(Section):
    """Read by rule "proportional": a set in which every part of the crowd finds itself, in proportion to its size."""

    method: Literal["equal_shares", "phragmen", "sequential_pav"]
    completion: Literal["phragmen", "none"]  # how Equal Shares spends what is left
    floor: Share  # every group's lower bound must be above it, or the statement is not eligible


class Alike(Section):
    """When two statements are proposed for merging, or flagged as contradicting each other; people decide."""

    min_text_similarity: Share
    min_vote_agreement: Share
    max_contradiction_correlation: Annotated[float, Field(ge=-1, le=0)]
    min_common_voters: Count


class Integrity(Section):
    """When an account's votes are flagged; flagged votes are counted and shown, never removed silently."""

    min_votes: Count
    max_identical_accounts: Count
    straight_line_share: Share
    min_common: Count
    alike_share: Share
    max_alike_accounts: Share
    burst_minutes: Count
    burst_times_usual: Annotated[float, Field(gt=1)]
    late_share: Share


class Quality(Section):
    """From where on a gate of quality counts as passed; gates inform people and do not stop the run."""

    min_placed_share: Share
    min_seen_share: Share
    max_design_effect: Annotated[float, Field(ge=1)]
    max_flagged_share: Share
    min_overlap: Share


class Parameters(Section):
    """How groups are found, how consensus is measured and which statements become principles."""

    seed: int
    min_votes: Count  # per participant, to be placed in a group
    groups: Annotated[int, Field(ge=1, le=5)] | None  # None: chosen by stability
    min_groups: Annotated[int, Field(ge=2, le=5)]
    max_groups: Annotated[int, Field(ge=2, le=5)]
    min_group_size: Count
    max_outliers: Share
    base_clusters: Count
    stability_runs: Count
    min_stability: Share
    separation_runs: Whole
    max_separation_p: Share
    resample_at_most: Count
    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    rule: str = Field(min_length=1)
    threshold: Share
    min_exposure: Share
    min_cell: Whole
    top_n: Count
    rank_by: Literal["lower_bound", "gac_geometric_mean"]
    accept_unmoderated: bool
    proportional: Proportional
    alike: Alike
    integrity: Integrity
    quality: Quality
    min_shown: Count

    @model_validator(mode="after")
    def _ordered(self) -> Parameters:
        if self.min_groups > self.max_groups:
            raise ValueError(f"min_groups ({self.min_groups}) not above max_groups ({self.max_groups})")
        return self
