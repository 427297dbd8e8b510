"""The parameters of `finetune_dpo`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, model_validator

from stages.training import TrainingParameters

LossType = Literal["sigmoid", "sigmoid_norm", "ipo", "hinge", "apo_zero", "sft"]


class Parameters(TrainingParameters):
    """How the model is taught to prefer."""

    beta: PositiveFloat
    loss_type: Annotated[list[LossType], Field(min_length=1)]
    loss_weights: list[PositiveFloat]
    ld_alpha: Annotated[float, Field(ge=0, le=1)] | None

    @model_validator(mode="after")
    def _a_weight_for_each_loss(self) -> Parameters:
        if len(self.loss_weights) != len(self.loss_type):
            raise ValueError(f"a weight in loss_weights for each of the {len(self.loss_type)} in loss_type")
        return self
