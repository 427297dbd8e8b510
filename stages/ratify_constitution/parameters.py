"""The parameters of `ratify_constitution`."""

from __future__ import annotations

from pydantic import Field

from stages.params import Section


class Parameters(Section):
    """Where people's decisions on the draft are written down."""

    decisions: str = Field(min_length=1)
