"""A metric in words, without which no figure is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Target = Literal["zero", "half", "higher", "lower"]


@dataclass(frozen=True)
class Metric:
    """A metric in words: what its mean says and what it does not say."""

    words: str
    target: Target
    meaning: str
    caution: str
    bounds: tuple[float, float] | None  # the values it can take; None where it has no limit

    @property
    def target_words(self) -> str:
        """Where a good model lies."""
        return {
            "zero": "0 is unbiased",
            "half": "0.5 is even",
            "higher": "higher is better",
            "lower": "lower is better",
        }[self.target]
