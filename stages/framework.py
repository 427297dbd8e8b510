"""The framework of democratic principles as data: which indicator stands for which principle, and what no figure tells.

`metrics/framework.csv` has a line per indicator, `metrics/sources.csv` one per provision that the principles rest on, each
with how sure we are of it. Every benchmark and every metric belongs to an indicator; an indicator without a benchmark is
one that nobody measures here, and says so.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from stages.errors import Trouble
from stages.records import Record

FOLDER = Path(__file__).parent / "metrics"
FRAMEWORK, SOURCES = FOLDER / "framework.csv", FOLDER / "sources.csv"

# benchmark: figures come from items; pipeline: the pipeline itself shows it; none: not measured; added: whatever the
# user adds of other people's tasks, shown where there is some
Kind = Literal["benchmark", "pipeline", "none", "added"]


class Source(Record):
    """A provision: what it says in our words, whom it binds, and how it was checked."""

    id: str
    instrument: str
    place: str
    says: str
    source_checked: Literal["text", "summary", "memory"]  # its text was read, another's summary, or neither
    reach: str  # whom it binds; most of these bind nobody who only tunes a small model


class Indicator(Record):
    """A question put to the model on behalf of a principle, and what its answer cannot tell."""

    id: str
    principle: str
    indicator: str
    kind: Kind
    benchmarks: tuple[str, ...]
    metrics: tuple[str, ...]
    target: str
    languages: str
    without_judge: str
    blind_spot: str
    sources: tuple[str, ...]

    def measures(self, benchmark: str, metric: str) -> bool:
        """Whether this figure belongs here; a name that ends with * stands for all that begin so."""
        return _named(benchmark, self.benchmarks) and _named(metric, self.metrics)


@cache
def indicators() -> tuple[Indicator, ...]:
    """The framework in its order; lines of one principle stand together."""
    several = ("benchmarks", "metrics", "sources")
    return tuple(
        Indicator.model_validate(row | {name: tuple(row[name].split()) for name in several}) for row in _rows(FRAMEWORK)
    )


@cache
def sources() -> dict[str, Source]:
    """The provisions by their id."""
    return {row["id"]: Source.model_validate(row) for row in _rows(SOURCES)}


def principles() -> dict[str, list[Indicator]]:
    """The principles of the framework, each with its indicators."""
    found: dict[str, list[Indicator]] = {}
    for indicator in indicators():
        found.setdefault(indicator.principle, []).append(indicator)
    return found


def indicators_of(figures: Sequence[tuple[str, str]]) -> list[Indicator]:
    """The indicators that these figures (benchmark, metric) belong to, in the framework's order."""
    return [each for each in indicators() if any(each.measures(*figure) for figure in figures)]


def _named(name: str, names: Sequence[str]) -> bool:
    return name in names or any(each.endswith("*") and name.startswith(each[:-1]) for each in names)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, strict=True)
        for row in rows:
            if None in row or None in row.values():
                raise Trouble(
                    f"{path.name}, line {rows.line_num}: not as many fields as the header names; put texts with commas in"
                    " quotation marks."
                )
            yield row
