"""The scorecard: for every ratified principle what was measured, what changed, and what was not measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from stages import framework
from stages.compare_models.compare import main_metric
from stages.framework import Indicator
from stages.metrics import METRICS
from stages.records import Comparison, Constitution, Record
from stages.scoring import metric_name, slice_words

Status = Literal["worse", "better", "within noise", "equivalent", "too few items", "not measured"]
STATUSES: tuple[Status, ...] = (  # regressions first
    "worse",
    "better",
    "within noise",
    "equivalent",
    "too few items",
    "not measured",
)
LONGEST_TEXT = 140  # of a principle in the table


class Line(Record):
    """A ratified principle and what was measured of it, the main metric of each benchmark first."""

    principle_id: str
    text: str
    language: str
    status: Status
    measures: tuple[Comparison, ...]
    indicators: tuple[str, ...] = ()  # of the framework, by id: what measured it
    unmeasured: tuple[str, ...] = ()  # indicators of the same framework principles that have no figure for it


class IndicatorLine(Record):
    """An indicator of the framework and the figures it has: over all items, the result named in advance included."""

    indicator_id: str
    status: Status | Literal["shown elsewhere"]  # elsewhere: the pipeline itself shows it, not the items
    measures: tuple[Comparison, ...]


class FrameworkLine(Record):
    """A principle of the framework with all its indicators, measured or not."""

    principle: str
    indicators: tuple[IndicatorLine, ...]


def scorecard(constitution: Constitution, comparisons: Sequence[Comparison]) -> list[Line]:
    """A line for every ratified principle, regressions first; its status is that of its main metrics, worst first."""
    lines = []
    for principle in constitution.principles:
        measures = tuple(row for row in comparisons if row.principle_id == principle.id)
        measured = _measured_by(measures)
        lines.append(
            Line(
                principle_id=principle.id,
                text=principle.text,
                language=principle.language,
                status=_status(measures),
                measures=measures,
                indicators=measured,
                unmeasured=_not_measured_beside(measured),
            )
        )
    return sorted(lines, key=lambda line: (STATUSES.index(line.status), line.principle_id))


def _measured_by(measures: Sequence[Comparison]) -> tuple[str, ...]:
    return tuple(each.id for each in framework.indicators_of([(row.benchmark, row.metric) for row in measures]))


def _not_measured_beside(measured: Sequence[str]) -> tuple[str, ...]:
    """What else the framework asks about the same things."""
    touched = [rows for rows in framework.principles().values() if any(row.id in measured for row in rows)]
    return tuple(row.id for rows in touched for row in rows if row.id not in measured and row.kind != "pipeline")


def framework_lines(comparisons: Sequence[Comparison]) -> list[FrameworkLine]:
    """Every principle of the framework in its order, with what this comparison has to say on each indicator.

    Tasks that a user added have a line where there are some.
    """
    whole = overall(comparisons)
    primary = primary_of(comparisons)
    shown = whole if primary is None or primary in whole else [primary, *whole]
    lines = []
    for name, indicators in framework.principles().items():
        told = [(each, _indicator_line(each, shown)) for each in indicators]
        kept = tuple(line for each, line in told if line.measures or each.kind != "added")
        lines += [FrameworkLine(principle=name, indicators=kept)] if kept else []
    return lines


def _indicator_line(indicator: Indicator, rows: Sequence[Comparison]) -> IndicatorLine:
    measures = tuple(row for row in rows if indicator.measures(row.benchmark, row.metric))
    status = "shown elsewhere" if indicator.kind == "pipeline" else _status(measures)
    return IndicatorLine(indicator_id=indicator.id, status=status, measures=measures)


def _status(measures: Sequence[Comparison]) -> Status:
    """A loss on any metric counts; a gain counts on a benchmark's main metric only."""
    if any(row.verdict == "worse" for row in measures):
        return "worse"
    main = [row.verdict for row in measures if row.metric == main_metric(measures, row.benchmark)]
    return next((status for status in STATUSES if status in main), "not measured")


def overall(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The rows over all items of a benchmark."""
    everything = ("all",) * 5
    return [
        row
        for row in comparisons
        if (row.language, row.category, row.group, row.polarity, row.principle_id) == everything
    ]


def primary_of(comparisons: Sequence[Comparison]) -> Comparison | None:
    """The result named in advance, if it could be measured."""
    return next((row for row in comparisons if row.family == "primary"), None)


def in_words(row: Comparison) -> str:
    """A comparison as a sentence, with its interval and what it rests on."""
    known = METRICS[row.metric]
    narrow = [name for name in (row.group, row.polarity) if name != "all"]
    where = " - ".join(filter(None, [slice_words(row.language, row.category), *narrow]))
    place = f" ({where})" if where else ""
    return (
        f"{row.benchmark}: {known.words}{place}, {known.target_words}: {row.base:.3f} → {row.tuned:.3f},"
        f" change {row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}],"
        f" {row.items:,} items from {row.clusters:,} templates: {_verdict(row)}"
    )


def _verdict(row: Comparison) -> str:
    """The verdict, with what it could not have seen or what it means by no harm."""
    if row.verdict == "within noise" and row.mde is not None:
        return f"within noise (a change of {row.mde:.3f} would be found four times in five)"
    if row.verdict == "equivalent":
        return f"equivalent (no harm shown: the change is smaller than {row.margin:g})"
    return row.verdict


def summary(
    lines: Sequence[Line], comparisons: Sequence[Comparison], primary: Comparison | None, one_sided: int
) -> dict[str, Any]:
    """The content of summary.json: headlines in words, then counts."""
    main = [
        row
        for row in overall(comparisons)
        if row.metric == main_metric(comparisons, row.benchmark) and row is not primary
    ]
    worse = [
        row
        for row in comparisons
        if row.verdict == "worse" and row.principle_id == "all" and row not in main and row is not primary
    ]
    whole = overall(worse)
    told = [*([primary] if primary else []), *main]
    statuses = Counter(line.status for line in lines)
    return {
        "headline": [in_words(row) for row in told],
        "also_worse": [in_words(row) for row in whole],
        "worse_in_parts": [in_words(row) for row in worse if row not in whole],
        "primary": primary.model_dump(mode="json") if primary else None,
        "principles": {status: statuses[status] for status in STATUSES},
        "comparisons": dict(sorted(Counter(row.verdict for row in comparisons if row.principle_id == "all").items())),
        "cells_of_one_model_only": one_sided,
    }


def numbers(lines: Sequence[Line], comparisons: Sequence[Comparison]) -> dict[str, float]:
    """The content of metrics.json."""
    statuses = Counter(line.status for line in lines)
    found: dict[str, float] = {f"principles: {status}": statuses[status] for status in STATUSES}
    for row in overall(comparisons):
        name = metric_name(row.benchmark, row.metric)
        found |= {
            f"{name} - before": row.base,
            f"{name} - after": row.tuned,
            f"{name} - nearer to target by": row.improvement,
        }
    return found


def markdown(
    lines: Sequence[Line], comparisons: Sequence[Comparison], primary: Comparison | None, confidence: float
) -> str:
    """The scorecard for people: the named result, what got worse, every principle, and how to read it."""
    worse = [row for row in comparisons if row.verdict == "worse" and row.principle_id == "all"]
    better = [
        row for row in comparisons if row.verdict == "better" and row.principle_id == "all" and row is not primary
    ]
    parts = [
        "# Before and after",
        f"**Named in advance.** {in_words(primary)}."
        if primary
        else "**Named in advance.** Not measured: too few items.",
        "## What got worse\n"
        + _listed(worse, "Nothing got worse beyond chance. Small losses can hide where items are few."),
        "## Principle by principle\n" + _table(lines),
        "## What else got better\n" + _listed(better, "Nothing else got better beyond chance."),
        "## How to read this\n" + _reading(confidence),
    ]
    return "\n\n".join(parts)


def _listed(rows: Sequence[Comparison], nothing: str) -> str:
    """One line per metric over all items, with the number of languages and categories that moved alike; else one per slice."""
    told = []
    for row in overall(rows):
        parts = [
            part for part in rows if (part.benchmark, part.metric) == (row.benchmark, row.metric) and part is not row
        ]
        also = f" (also in {len(parts)} of its parts)" if parts else ""
        told.append(f"- {in_words(row)}{also}")
    whole = {(row.benchmark, row.metric) for row in overall(rows)}
    told += [f"- {in_words(row)}" for row in rows if (row.benchmark, row.metric) not in whole]
    return "\n".join(told) or nothing


def _table(lines: Sequence[Line]) -> str:
    head = "| principle | measured by | before | after | change | verdict |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(row for line in lines for row in _rows(line))])


def _rows(line: Line) -> list[str]:
    """A row per benchmark (its main metric), and one for each further metric that changed."""
    title = f"{line.principle_id} {escaped(line.text)}"
    shown = [
        row
        for row in line.measures
        if row.metric == main_metric(line.measures, row.benchmark) or row.verdict in ("better", "worse")
    ]
    if not shown:
        return [f"| {title} | – | – | – | – | not measured |"]
    return [f"| {title if place == 0 else ''} | {_cells(row)} |" for place, row in enumerate(shown)]


def _cells(row: Comparison) -> str:
    known = METRICS[row.metric]
    verdict = f"too few items ({row.items})" if row.verdict == "too few items" else row.verdict
    change = f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]"
    return f"{row.benchmark}: {known.words}, {known.target_words} | {row.base:.3f} | {row.tuned:.3f} | {change} | {verdict}"


def escaped(text: str) -> str:
    """Citizens' text for a table of Markdown: one line, no markup of its own."""
    plain = " ".join(text.split())
    short = plain if len(plain) <= LONGEST_TEXT else plain[: LONGEST_TEXT - 1].rstrip() + "…"
    entities = short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{letter}" if letter in "\\`*_[]|~#$!(){}" else letter for letter in entities)


def _reading(confidence: float) -> str:
    return (
        f"In brackets: {confidence:.0%} intervals, from whole templates drawn again and again, since questions made from one"
        " template are near copies. 'Better' and 'worse' hold after adjusting for the number of comparisons of the same"
        " kind (Holm), so a change may be within noise although its interval leaves out zero.\n"
        "'Within noise' does not say that nothing changed: the interval shows which changes cannot be ruled out."
        " 'Equivalent' does: the change is surely smaller than the margin that was set before training."
        " 'Too few items' means that no claim is made either way.\n"
        "A benchmark that is linked to several principles counts for each of them."
    )
