"""What must hold for a model taught by preference before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages import training

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation


def expected(steps: int) -> dict[str, list[Expectation]]:
    """Safetensors only, the tensors of the model before with finite numbers, a finite loss at every step."""
    return training.expected(steps)
