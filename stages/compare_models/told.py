"""What the comparison comes to, for a council member: three sentences, and each verdict in words."""

from __future__ import annotations

from collections.abc import Sequence

from stages import framework
from stages.compare_models.charts import interval, number, signed
from stages.compare_models.scorecard import STATUSES, FrameworkLine, Line, overall
from stages.metrics import METRICS
from stages.records import Comparison, Endpoint
from stages.scoring import ALL, MACRO, slice_words

MOST_LISTED = 16  # names that a sentence lists
MOST_NAMED = 3  # results that a sentence names; the others are counted and stand in the table

FAMILIES = ("primary", "overall", "category", "principle", "exploration")  # in the order of reports

# A sign beside each verdict, so that no colour has to be told from another.
SIGNS = {
    "worse": "▼",
    "better": "▲",
    "within noise": "≈",
    "equivalent": "=",
    "too few items": "…",
    "not measured": "–",
    "shown elsewhere": "↗",
}


def counted(count: int, word: str) -> str:
    """'1 part', '2 parts'."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def what(row: Comparison) -> str:
    """The benchmark, the metric and the slice: 'bbq: bias in ambiguous questions (Spanish - Religion)'."""
    narrow = [name for name in (row.group, row.polarity) if name != "all"]
    where = " - ".join(filter(None, [slice_words(row.language, row.category), *narrow]))
    return f"{row.benchmark}: {METRICS[row.metric].words}" + (f" ({where})" if where else "")


def verdict(row: Comparison, confidence: float) -> str:
    """The verdict as a sentence, with what it could not have seen."""
    if row.verdict == "within noise":
        return f"No change that can be told from chance{_noticed(row)}."
    if row.verdict == "equivalent":
        return f"No harm: the change is surely smaller than {row.margin:g} either way{_noticed(row)}."
    if row.verdict == "too few items":
        return f"Too few items ({row.items:,} from {row.clusters:,} templates) to say anything."
    how = "a false alarm is possible" if row.family == "exploration" else "beyond chance"
    return f"{row.verdict.capitalize()}, {how} (at {confidence:.0%}, adjusted for how much was asked)."


def _noticed(row: Comparison) -> str:
    return "" if row.mde is None else f"; a true change of {number(row.mde)} would have been found four times in five"


def regressions_first(rows: Sequence[Comparison]) -> list[Comparison]:
    """By verdict, then the result named in advance, then results over all items, then by how much worse."""
    return sorted(
        rows,
        key=lambda row: (STATUSES.index(row.verdict), FAMILIES.index(row.family), row.improvement, what(row)),
    )


def told_apart(rows: Sequence[Comparison]) -> list[Comparison]:
    """Without the means of the categories that came out as the same items taken together did: nothing is told twice."""
    plain = {_place(row): row.verdict for row in rows if row.category != MACRO}
    return [
        row for row in rows if row.category != MACRO or row.family == "primary" or row.verdict != plain.get(_place(row))
    ]


def _place(row: Comparison) -> tuple[str, ...]:
    """What the row is about, the mean of the categories being about the same as all of them."""
    category = ALL if row.category == MACRO else row.category
    return row.benchmark, row.metric, row.language, category, row.group, row.polarity, row.principle_id


def three_sentences(
    lines: Sequence[Line],
    principles: Sequence[FrameworkLine],
    comparisons: Sequence[Comparison],
    primary: Comparison | None,
    endpoint: Endpoint | None,
    confidence: float,
) -> tuple[str, str, str]:
    """What was named before training and came out; what got worse; what could not be measured."""
    return (
        _named(primary, endpoint, confidence),
        _worse(comparisons),
        _not_measured(lines, principles, comparisons),
    )


def _named(primary: Comparison | None, endpoint: Endpoint | None, confidence: float) -> str:
    if primary is None and endpoint is None:
        return "No result was named before training, so that every result here is a finding and none a test."
    if primary is None:
        name = f"{endpoint.benchmark}: {METRICS[endpoint.metric].words}" if endpoint else ""
        return f"Named before training was {name}; it could not be measured, since there were too few items."
    known = METRICS[primary.metric]
    found = {
        "better": "it got better beyond chance",
        "worse": "it got worse beyond chance",
        "equivalent": f"no harm was done to it (the change is surely smaller than {primary.margin or 0:g})",
        "within noise": "no change can be told from chance",
        "too few items": "there were too few items to say anything",
    }[primary.verdict]
    zero = (
        "which leaves out zero"
        if primary.low > 0 or primary.high < 0
        else "which holds zero: no change at all fits too"
    )
    return (
        f"Named before training was {what(primary)} ({known.target_words}), and {found}: {number(primary.base)} before,"
        f" {number(primary.tuned)} after, a change of {signed(primary.difference)}; by the {confidence:.0%} interval, other"
        f" questions of this kind could as well have given any change from {interval(primary.low, primary.high)},"
        f" {zero}."
    )


def _worse(comparisons: Sequence[Comparison]) -> str:
    lost = [row for row in told_apart(comparisons) if row.verdict == "worse" and row.principle_id == ALL]
    whole = sorted(
        (row for row in lost if row.family in ("primary", "overall")), key=lambda row: (row.p_adjusted, row.improvement)
    )
    parts = len(lost) - len(whole)
    if not lost:
        missed = [row.mde for row in overall(comparisons) if row.mde is not None and METRICS[row.metric].bounds]
        unseen = f"; losses smaller than {number(max(missed))} may have gone unnoticed somewhere" if missed else ""
        return f"Nothing that was measured got worse beyond chance{unseen}."
    named = "; ".join(f"{what(row)}, {number(row.base)} to {number(row.tuned)}" for row in whole[:MOST_NAMED])
    more = len(whole) - MOST_NAMED
    told = [
        f"Worse beyond chance: {named}" if whole else "Over all items of a benchmark nothing got worse beyond chance"
    ]
    told += [f"and {counted(more, 'more result')} over all items"] if more > 0 else []
    told += [f"{counted(parts, 'part')} of benchmarks (a language, a category, a group) got worse"] if parts else []
    return "; ".join(told) + "."


def _not_measured(lines: Sequence[Line], principles: Sequence[FrameworkLine], comparisons: Sequence[Comparison]) -> str:
    questions = {each.id: each for each in framework.indicators()}
    every = [(line.principle, one) for line in principles for one in line.indicators]
    missing = [(name, one) for name, one in every if one.status == "not measured"]
    never = sum(questions[one.indicator_id].kind == "none" for _, one in missing)
    silent = [line.principle_id for line in lines if line.status == "not measured"]
    few = sum(row.verdict == "too few items" and row.principle_id == "all" for row in comparisons)
    measured = {name for name, one in every if one.status != "not measured"}
    dark = [name for name in dict.fromkeys(name for name, _ in every) if name not in measured]
    told = [
        f"{len(missing)} of the framework's {len(every)} questions have no figure here"
        f" ({never} of them because no benchmark asks them)"
    ]
    told += [f"nothing at all is known of {_listed([name.lower() for name in dark])}"] if dark else []
    if silent:
        told += [f"{len(silent)} of {len(lines)} ratified principles were tested by no item ({_listed(silent)})"]
    told += [f"{counted(few, 'result')} without enough items to say anything"] if few else []
    return "Not measured: " + "; ".join(told) + "."


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
