"""The comparison as one static HTML file: no network, no other file, and nothing lost without its few lines of script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from stages import framework, languages, pages
from stages.compare_models import charts, told
from stages.compare_models.changed import Changed
from stages.compare_models.compare import main_metric
from stages.compare_models.scorecard import STATUSES, FrameworkLine, IndicatorLine, Line
from stages.compare_models.texts import Asked
from stages.framework import Indicator
from stages.metrics import METRICS
from stages.metrics.metric import Metric
from stages.records import Comparison, Endpoint
from stages.scoring import MACRO

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

HERE = Path(__file__).parent
NAME = "comparison.html"
# How much of long lists is on the page; what is left out is counted there, with the file that holds all.
MOST_PARTS_WORSE = 40
MOST_SLICES = 24  # of a kind, for a benchmark
LONGEST_TEXT = 700  # characters of an item's text

LONGEST_LINE = 140  # of an item's text where it is folded up


@dataclass(frozen=True)
class Report:
    """All that the page tells."""

    comparisons: Sequence[Comparison]
    lines: Sequence[Line]  # of the ratified constitution
    principles: Sequence[FrameworkLine]
    primary: Comparison | None
    endpoint: Endpoint | None  # what was named before training; None where nothing was
    confidence: float
    plan: Mapping[str, str] = field(default_factory=dict)  # sha256, trained_under, amended; empty without a plan
    changed: Sequence[Changed] = ()
    texts: Mapping[tuple[str, str, str], Asked] = field(default_factory=dict)  # by Changed.key
    says: Mapping[str, str] = field(default_factory=dict)  # benchmark -> how it asks


class Drawn(NamedTuple):
    """A comparison as it is shown."""

    row: Comparison
    metric: Metric
    what: str
    sign: str
    verdict: str
    levels: Markup
    change: Markup


class Slices(NamedTuple):
    """A benchmark's main metric by language, category, group or polarity."""

    title: str
    rows: list[Drawn]
    more: int


class Candidate(NamedTuple):
    """One candidate of an item: its text, how likely it was before and after, and whether it was the likeliest."""

    context: str
    text: str
    before: str
    after: str
    chosen_before: bool
    chosen_after: bool


def render(report: Report) -> str:
    """The whole page. Texts of items and citizens are escaped where they are put in, and are never read as a template."""
    css, css_hash = pages.inline(HERE / "templates" / "comparison.css")
    script, script_hash = pages.inline(HERE / "templates" / "filter.js")
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(_content(report), css=css, css_hash=css_hash, script=script, script_hash=script_hash)
    )


@cache
def environment() -> Environment:
    """Jinja with this page's filters and words."""
    filters: dict[str, Callable[..., Any]] = {
        "number": charts.number,
        "signed": charts.signed,
        "language": languages.name,
        "short": short,
        "sentence": sentence,
    }
    known = {
        "interval": charts.interval,
        "span": charts.span,
        "signs": told.SIGNS,
        "counted": told.counted,
        "first_words": first_words,
    }
    return pages.environment(HERE / "templates", filters, known)


def short(text: str) -> str:
    """At most LONGEST_TEXT characters; what is cut is counted."""
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT].rstrip()} … ({len(text) - LONGEST_TEXT:,} more characters)"


def first_words(asked: Asked) -> str:
    """The beginning of what an item asks, on one line."""
    texts = [*asked.contexts, *asked.prompts, *asked.candidates]
    line = " ".join(next((text for text in texts if text.strip()), "").split())
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE].rstrip()} …"


def sentence(words: str) -> str:
    """With a capital first letter and all others as they are."""
    return words[:1].upper() + words[1:]


def _content(report: Report) -> dict[str, Any]:
    table, more = _table(report)
    indicators = {each.id: each for each in framework.indicators()}
    return {
        "report": report,
        "sentences": told.three_sentences(
            report.lines, report.principles, report.comparisons, report.primary, report.endpoint, report.confidence
        ),
        "counts": [(name, sum(row.verdict == name for row in table)) for name in STATUSES],
        "table": [_drawn(row, 1.0, report) for row in table],
        "more_worse": more,
        "framework": [_principle(line, indicators, report) for line in report.principles],
        "indicators": indicators,
        "sources": framework.sources(),
        "constitution": [(line, _plot(_of_interest(line.measures), report)) for line in report.lines],
        "slices": list(_slices(report)),
        "ranges": [_drawn(row, 1.0, report) for row in table if row.range_low is not None],
        "items": [
            (one, METRICS[one.metric], report.texts.get(one.key), _candidates(one, report)) for one in report.changed
        ],
        "says": dict(sorted(report.says.items())),
        "principle_ids": sorted({each for one in report.changed for each in one.principle_ids}),
        "item_benchmarks": sorted({one.benchmark for one in report.changed}),
        "item_languages": sorted({one.base.language for one in report.changed}),
    }


def _drawn(row: Comparison, limit: float, report: Report) -> Drawn:
    return Drawn(
        row,
        METRICS[row.metric],
        told.what(row),
        told.SIGNS[row.verdict],
        told.verdict(row, report.confidence),
        charts.levels(row),
        charts.change(row, limit),
    )


def _plot(rows: Sequence[Comparison], report: Report) -> list[Drawn]:
    """Rows of one plot: changes of metrics with limits share an axis, so that lengths can be compared."""
    shared = charts.limit_of([row for row in rows if METRICS[row.metric].bounds])
    return [_drawn(row, shared if METRICS[row.metric].bounds else charts.limit_of([row]), report) for row in rows]


def _table(report: Report) -> tuple[list[Comparison], int]:
    """Every result over all items, and the parts that got worse; how many of the latter are left out."""
    rows = told.told_apart(report.comparisons)
    whole = [row for row in rows if row.family in ("primary", "overall")]
    parts = [row for row in rows if row.family in ("category", "exploration") and row.verdict == "worse"]
    parts = told.regressions_first(parts)
    return told.regressions_first([*whole, *parts[:MOST_PARTS_WORSE]]), max(0, len(parts) - MOST_PARTS_WORSE)


def _principle(
    line: FrameworkLine, indicators: Mapping[str, Indicator], report: Report
) -> tuple[FrameworkLine, list[tuple[Indicator, IndicatorLine, list[Drawn]]]]:
    return line, [(indicators[one.indicator_id], one, _plot(one.measures, report)) for one in line.indicators]


def _of_interest(measures: Sequence[Comparison]) -> list[Comparison]:
    """Of a ratified principle: each benchmark's main metric, and what else changed."""
    shown = [
        row
        for row in measures
        if row.metric == main_metric(measures, row.benchmark) or row.verdict in ("better", "worse")
    ]
    return told.regressions_first(shown)


def _slices(report: Report) -> Iterator[tuple[str, str, list[Slices]]]:
    """Per benchmark, its main metric by language, category, group and polarity."""
    rows = [row for row in report.comparisons if row.principle_id == "all"]
    for benchmark in sorted({row.benchmark for row in rows}):
        main = main_metric(rows, benchmark)
        mine = [row for row in rows if row.benchmark == benchmark and row.metric == main]
        kinds = [
            ("By language", [row for row in mine if _narrow(row) == {"language"}]),
            ("By category", [row for row in mine if _narrow(row) == {"category"} and row.category != MACRO]),
            ("By group", [row for row in mine if "group" in _narrow(row) and "language" not in _narrow(row)]),
            ("By polarity of the question", [row for row in mine if _narrow(row) == {"polarity"}]),
        ]
        found = [_slice(title, part, report) for title, part in kinds if part]
        if found and main is not None:
            yield benchmark, main, found


def _narrow(row: Comparison) -> set[str]:
    """In what respects the row is about a part of the items."""
    return {name for name in ("language", "category", "group", "polarity") if getattr(row, name) != "all"}


def _slice(title: str, rows: Sequence[Comparison], report: Report) -> Slices:
    ordered = told.regressions_first(rows)
    return Slices(title, _plot(ordered[:MOST_SLICES], report), max(0, len(ordered) - MOST_SLICES))


def _candidates(one: Changed, report: Report) -> list[Candidate]:
    """The item's candidates with their log-likelihoods; nothing where its texts are not known."""
    asked = report.texts.get(one.key)
    before, after = one.base.log_likelihoods, one.tuned.log_likelihoods
    if asked is None or len(asked.candidates) != len(before):
        return []
    contexts = asked.contexts if len(asked.contexts) > 1 else ("",) * len(before)
    return [
        Candidate(
            contexts[at], asked.candidates[at], charts.number(before[at]), charts.number(after[at]),
            before[at] == max(before), after[at] == max(after),
        )
        for at in range(len(before))
    ]  # fmt: skip
