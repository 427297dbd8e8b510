"""The section `evaluate_model` of `params.yaml`."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from stages.params import Section

HARNESS = "lm_eval:"  # begins the name of a task of lm-evaluation-harness
TASK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")  # the names of its tasks; all of it is safe in a path


def known_benchmarks() -> list[str]:
    """The benchmarks that have a file in `benchmarks/`, by the names used in `params.yaml`."""
    folder = Path(__file__).parent / "benchmarks"
    return sorted(path.stem.replace("_", "-") for path in folder.glob("*.py") if path.stem != "__init__")


def harness_task(name: str) -> str | None:
    """The task that `lm_eval:<task>` names (as a folder: `lm_eval-<task>`); None where it names none."""
    task = name[len(HARNESS) :] if name.startswith((HARNESS, folder_name(HARNESS))) else ""
    return task if TASK.fullmatch(task) else None


def folder_name(benchmark: str) -> str:
    """The benchmark's name as a folder: a colon is no part of a path on every machine."""
    return benchmark.replace(":", "-")


def _known(name: str) -> str:
    known = known_benchmarks()
    if name not in known and harness_task(name) is None:
        near = difflib.get_close_matches(name, known, n=1)
        closest = f" (did you mean '{near[0]}'?)" if near else ""
        raise PydanticCustomError(
            "unknown_benchmark",
            "a benchmark with a file in stages/evaluate_model/benchmarks: {known}, or lm_eval:<task>{closest}",
            {"known": ", ".join(known), "closest": closest},
        )
    return name


Benchmark = Annotated[str, AfterValidator(_known)]
PrincipleId = Annotated[str, StringConstraints(pattern=r"^p\d{3,}$")]


class Judge(Section):
    """A model behind an OpenAI-compatible endpoint that judges answers, beside the rules and never instead of them."""

    base_url: str = Field(pattern=r"^https?://\S+$")
    model: str = Field(min_length=1)
    key_variable: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9_]*$")  # the environment variable's name
    sample: int = Field(default=100, ge=10)  # items that rules and judge both judge, for the agreement figure


class Options(Section):
    """What one benchmark is told apart from the others."""

    folder: Annotated[str, StringConstraints(pattern=r"^[\w.-]+$")] | None = None  # of its items, if named otherwise
    files: tuple[str, ...] = ()  # patterns below the benchmark's folder; empty: every file of its format
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None  # of a file the user supplies
    max_items: int | None = Field(default=None, gt=0)  # a fixed pseudo-random part of the items; null: all
    principles: tuple[PrincipleId, ...] = ()  # principles that every item of the benchmark bears on
    normalisation: Literal["token", "none"] | None = (
        None  # log-likelihood per token or summed; null: the benchmark's way
    )
    ask: Literal["likelihood", "lettered"] = "likelihood"  # lettered: the answers are listed under letters
    rotations: int = Field(default=1, ge=1, le=3)  # orders in which lettered answers are listed
    paraphrases: int = Field(default=1, ge=1, le=5)  # wordings of the prompt
    lexicon: str | None = None  # path of a word list that the user supplies (HONEST)
    facts: str | None = None  # path of a fact sheet that an authority supplies (electoral facts)
    judge: Judge | None = None  # null: rules alone
    temperature: float = Field(default=0.0, ge=0)  # of written answers; 0: always the likeliest token
    include: str | None = None  # folder with the user's own task files of lm-evaluation-harness


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
    block_items: int = Field(default=2000, ge=1)  # items held, scored and written to the working file at once
    max_length: int | None = Field(default=None, ge=16)
    threads: int = Field(default=1, ge=1)
    precision: Literal["float32", "bfloat16"] = "float32"
