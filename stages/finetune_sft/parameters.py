"""The parameters of `finetune_sft`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.training import TrainingParameters


class Parameters(TrainingParameters):
    """How the model is taught the revised answers."""

    replay_share: Annotated[float, Field(ge=0, lt=1)]
