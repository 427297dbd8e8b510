"""The section `evaluate_model` of `params.yaml`."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from stages.params import Section


def known_benchmarks() -> list[str]:
    """The benchmarks that have a file in `benchmarks/`, by the names used in `params.yaml`."""
    folder = Path(__file__).parent / "benchmarks"
    return sorted(path.stem.replace("_", "-") for path in folder.glob("*.py") if path.stem != "__init__")


def _known(name: str) -> str:
    known = known_benchmarks()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        closest = f" (did you mean '{near[0]}'?)" if near else ""
        raise PydanticCustomError(
            "unknown_benchmark",
            "a benchmark with a file in stages/evaluate_model/benchmarks: {known}{closest}",
            {"known": ", ".join(known), "closest": closest},
        )
    return name


Benchmark = Annotated[str, AfterValidator(_known)]
PrincipleId = Annotated[str, StringConstraints(pattern=r"^p\d{3,}$")]


class Options(Section):
    """What one benchmark is told apart from the others."""

    files: tuple[str, ...] = ()  # patterns below the benchmark's folder; empty: every file of its format
    max_items: int | None = Field(default=None, gt=0)  # a fixed pseudo-random part of the items; null: all
    principles: tuple[PrincipleId, ...] = ()  # principles that every item of the benchmark bears on
    normalisation: Literal["token", "none"] | None = (
        None  # log-likelihood per token or summed; null: the benchmark's way
    )


class Parameters(Section):
    """How models are scored, and on what."""

    items: str
    benchmarks: tuple[Benchmark, ...] = Field(min_length=1)
    options: dict[Benchmark, Options] = Field(default_factory=dict)
    resamples: int = Field(default=2000, ge=100)
    seed: int = Field(default=0, ge=0)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    min_items: int = Field(default=30, ge=1)
    batch_tokens: int = Field(default=2048, ge=64)
    max_length: int | None = Field(default=None, ge=16)
    threads: int = Field(default=1, ge=1)
    precision: Literal["float32", "bfloat16"] = "float32"
