"""What can be chosen in section `generate_preferences` of `params.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, StringConstraints, model_validator

from stages.params import Section

LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+[^/\s]$")]


class Rule(Section):
    """The rule teacher: adopted text against a statement that the deliberation did not adopt."""

    pairs_per_principle: PositiveInt = 8
    max_support_of_rejected: float = Field(default=0.5, ge=0.0, le=1.0)
    min_votes_of_group: PositiveInt = 10


class Endpoint(Section):
    """The endpoint teacher: a model behind an OpenAI-compatible chat API; its key is in COMMONS_TEACHER_API_KEY."""

    url: Address
    model: str = Field(min_length=1)
    revision: str = ""
    temperature: float = Field(default=0.0, ge=0.0)
    max_tokens: PositiveInt = 512
    concurrency: PositiveInt = 16
    timeout_seconds: PositiveFloat = 120.0
    retries: NonNegativeInt = 5


class Parameters(Section):
    """The section as a whole."""

    prompts: str
    recordings: str
    benchmarks: str
    teacher: str
    languages: tuple[LanguageCode, ...] = Field(min_length=1)
    min_length_ratio: PositiveFloat = 0.7
    max_length_ratio: PositiveFloat = 1.4
    seed: int = 0
    rule: Rule = Rule()
    endpoint: Endpoint | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Parameters:
        if self.min_length_ratio > self.max_length_ratio:
            raise ValueError("min_length_ratio is above max_length_ratio; no pair could be kept")
        if self.teacher == "endpoint" and self.endpoint is None:
            raise ValueError("teacher 'endpoint' needs the block 'endpoint' with at least url and model")
        return self
