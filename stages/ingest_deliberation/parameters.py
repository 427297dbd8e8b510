"""The parameters of `ingest_deliberation`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.params import Section

Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]  # ISO 639-1


class Parameters(Section):
    """Which deliberation is read, and what is said about it."""

    source: str = Field(min_length=1)
    path: str = Field(min_length=1)
    title: str = Field(min_length=1)
    url: str = ""
    license: str = Field(min_length=1)
    simulated: bool
    language: Language
    salt: str = Field(min_length=8)
    withhold_moderated: bool = True
