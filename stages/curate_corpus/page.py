"""The report on a corpus: one HTML page that needs no network, no script and no other file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages import pages
from stages.curate_corpus import sankey, words
from stages.curate_corpus.licenses import asks_share_alike, obligations
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.report import by_reason
from stages.curate_corpus.rules import MAXIMUM, ORDER
from stages.curate_corpus.tally import KEPT, Tally
from stages.languages import name

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
MOST_ROWS = 100  # of a table; what is left out is counted there
Gate = Mapping[str, Sequence[Mapping[str, Any]]]


def render(tally: Tally, params: Parameters, gates: Gate, reading: Sequence[Mapping[str, Any]]) -> str:
    """The whole page. Names of sources are escaped where they are put in, and are never read as a template.

    `reading` tells what could not be read: rows of file, reason and number.
    """
    css, css_hash = pages.inline(HERE / "templates" / "report.css")
    flows = sankey.largest({source: by_reason(outcomes) for source, outcomes in tally.by_source.items()})
    content = {
        "about": params.about,
        "params": params,
        "tally": tally,
        "kept_share": tally.kept / tally.read if tally.read else 0.0,
        "reasons": [(reason, count) for reason in words.REASONS if (count := _count(tally, reason))],
        "left_out": [(reason.told, count) for reason in words.REASONS[1:] if (count := _count(tally, reason))],
        "all_bar": sankey.bar(by_reason(tally.totals), f"{tally.kept:,} of {tally.read:,} documents were kept"),
        "definitions": sankey.definitions(),
        "swatch": sankey.swatch,
        "flow": sankey.draw(flows, "From sources to what became of their documents; the tables below say the same."),
        "sources": _rows(tally.by_source, tally, 0),
        "languages": [row | {"name": name(row["name"])} for row in _rows(tally.by_language, tally, 1)],
        "licenses": _licenses(tally),
        "unclear": _unclear(tally),
        "share_alike": sorted({license for _, license in tally.rights if asks_share_alike(license)}),
        "opt_outs": _opt_outs(tally),
        "masked": sorted(_masked(tally).items(), key=lambda item: (-item[1], item[0])),
        "contaminated": _contaminated(tally),
        "rule_rows": _rule_rows(tally, params),
        "rule_languages": [(code, name(code)) for code in _judged_languages(tally, params)],
        "gates": [(table, entry) for table, entries in sorted(gates.items()) for entry in entries],
        "reading": reading[:MOST_ROWS],
        "reading_count": sum(int(row["documents"]) for row in reading),
        "most_rows": MOST_ROWS,
        "settings": json.dumps(params.model_dump(mode="json", exclude={"about"}), ensure_ascii=False, indent=2),
        "css": css,
        "css_hash": css_hash,
    }
    return environment().get_template("report.html.j2").render(content)


def render_gates(gates: Gate, title: str) -> str:
    """The gates alone, as a page. Great Expectations' own pages hold the time of the run and scripts from elsewhere."""
    css, digest = pages.inline(HERE / "templates" / "report.css")
    return environment().get_template("gates.html.j2").render(gates=gates, title=title, css=css, css_hash=digest)


@cache
def environment() -> Environment:
    """Jinja with this page's filters."""
    filters: dict[str, Callable[..., Any]] = {
        "percent": _percent,
        "thousands": _thousands,
        "rounded": _rounded,
        "rule": words.rule_in_words,
    }
    return pages.environment(HERE / "templates", filters)


def _percent(share: float) -> str:
    """In per cent; a small share is never told as none, nor a large one as all."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f} %"


def _thousands(number: float) -> str:
    return f"{number:,.0f}"


def _rounded(number: int) -> str:
    """A large number as people say it."""
    for size, unit in ((10**9, "billion"), (10**6, "million")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:,}"


def _count(tally: Tally, reason: words.Reason) -> int:
    totals = tally.totals
    return sum(totals[rule] for rule in reason.rules)


def _rows(counts: Mapping[str, Counter[str]], tally: Tally, place: int) -> list[dict[str, Any]]:
    """One row a source (place 0) or language (place 1), the largest first."""
    characters: Counter[str] = Counter()
    for cell, count in tally.characters_kept.items():
        characters[cell[place]] += count
    rows = []
    for key, outcomes in sorted(counts.items(), key=lambda item: (-item[1].total(), item[0])):
        grouped = by_reason(outcomes)
        told = ", ".join(f"{grouped[r.name]:,} {r.name}" for r in words.REASONS[1:] if grouped[r.name])
        rows.append(
            {
                "name": key,
                "read": outcomes.total(),
                "kept": outcomes[KEPT],
                "share": outcomes[KEPT] / outcomes.total(),
                "characters": characters[key],
                "dropped": told,
                "bar": sankey.bar(grouped, f"{outcomes[KEPT]:,} kept; {told or 'none left out'}"),
            }
        )
    return rows


def _licenses(tally: Tally) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for (source, license), right in sorted(tally.rights.items()):
        row = rows.setdefault(
            license, {"license": license, "documents": 0, "sources": [], "asks": obligations(license)}
        )
        row["documents"] += right.documents
        row["sources"].append(source or "(not named)")
    return sorted(rows.values(), key=lambda row: (-row["documents"], row["license"]))


def _unclear(tally: Tally) -> list[tuple[str, int]]:
    """Expressions that no document was kept under, and how many documents the licence rule dropped."""
    counts: Counter[str] = Counter()
    for (expression, outcome), count in tally.licenses.items():
        if outcome == "license":
            counts[expression or "unclear, or none named"] += count
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _opt_outs(tally: Tally) -> list[tuple[str, int, int]]:
    rows = []
    for verdict, said in words.OPT_OUT.items():
        counts = Counter({outcome: count for (found, outcome), count in tally.opt_outs.items() if found == verdict})
        if counts:
            rows.append((said, counts.total(), counts[KEPT]))
    return rows


def _masked(tally: Tally) -> Counter[str]:
    counts: Counter[str] = Counter()
    for kind, count in tally.masked.items():
        counts[words.kind_in_words(kind)] += count
    return counts


def _contaminated(tally: Tally) -> list[tuple[str, int, int]]:
    """Benchmark, documents that hold its items, and how many of them stayed."""
    benchmarks = sorted({benchmark for benchmark, _ in tally.contaminated})
    counts = {b: Counter({o: n for (at, o), n in tally.contaminated.items() if at == b}) for b in benchmarks}
    return [(benchmark, found.total(), found[KEPT]) for benchmark, found in counts.items()]


def _judged_languages(tally: Tally, params: Parameters) -> list[str]:
    """The declared languages that came, then the most frequent of the others, so that the table stays readable."""
    most_others = 3
    totals = {language: outcomes.total() for language, outcomes in tally.by_language.items()}
    others = sorted(set(totals) - set(params.languages), key=lambda code: (-totals[code], code))
    return [code for code in params.languages if code in totals] + others[:most_others]


def _rule_rows(tally: Tally, params: Parameters) -> list[dict[str, Any]]:
    """What every rule would drop alone, and what it drops first, by language."""
    first: Counter[tuple[str, str]] = Counter()
    for (_, language, outcome), count in tally.outcomes.items():
        first[outcome, language] += count
    alone = tally.alone + tally.idle
    for language, outcomes in tally.by_language.items():
        if params.max_documents_per_language is not None and language in params.languages:
            alone[MAXIMUM, language] = max(0, outcomes.total() - params.max_documents_per_language)
    languages = _judged_languages(tally, params)
    return [
        {
            "rule": rule,
            "idle": any(key[0] == rule for key in tally.idle),
            "alone": sum(count for (named, _), count in alone.items() if named == rule),
            "first": sum(count for (named, _), count in first.items() if named == rule),
            "cells": [(alone[rule, language], first[rule, language]) for language in languages],
        }
        for rule in ORDER
        if any(named == rule and count for (named, _), count in alone.items())
    ]
