"""The data card: what the corpus is, by what right, what was left out and what it is not fit for, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stages.curate_corpus.attribution import escape_markdown, link
from stages.curate_corpus.licenses import asks_share_alike, obligations
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.tally import KEPT, Tally
from stages.curate_corpus.words import OPT_OUT, kind_in_words, rule_in_words
from stages.languages import name


def data_card(tally: Tally, params: Parameters) -> str:
    """The whole card."""
    about = params.about
    parts = [
        f"# {escape_markdown(about.name)}",
        escape_markdown(about.description),
        _facts(tally, params),
        "## By what right",
        _table(("licence (SPDX)", "documents", "share-alike", "what it asks"), _licenses(tally)),
        "Sources, with the evidence for each licence: `attribution.md`. Obligations for a model's card: `obligations.json`.",
        "## Opt-out",
        _table(("what was looked up", "kept", "left out"), _opt_outs(tally)),
        _captured(tally),
        "## Languages",
        _table(("language", "read", "kept", "characters kept"), _languages(tally)),
        "## What was left out",
        _table(
            ("reason", "rule", "documents"), ((rule_in_words(r), f"`{r}`", f"{n:,}") for r, n in tally.dropped.items())
        ),
        "Every document's rule, value and threshold: `decisions.parquet`.",
        *_withdrawn(params),
        "## Personal data",
        _personal_data(tally),
        "## What it is not",
        _limits(params),
    ]
    return "\n\n".join(part for part in parts if part)


def _facts(tally: Tally, params: Parameters) -> str:
    about = params.about
    facts = [
        f"- Published by: {escape_markdown(about.publisher)}",
        f"- Version: {about.version}" + (f", {about.published.isoformat()}" if about.published else ""),
        f"- Documents: {tally.kept:,} of {tally.read:,} read; {tally.characters_kept.total():,} characters",
        "- Made by rules in `params.yaml`, section `curate_corpus`; the same texts and rules give the same bytes",
        "- For people: `report.html`; for machines: `croissant.json`",
    ]
    return "\n".join([*facts, *([f"- Address: {link(about.url)}"] if about.url else [])])


def _licenses(tally: Tally) -> Iterable[Sequence[str]]:
    counts: dict[str, int] = {}
    for (_, license), right in sorted(tally.rights.items()):
        counts[license] = counts.get(license, 0) + right.documents
    for license, count in counts.items():
        yield license, f"{count:,}", "yes" if asks_share_alike(license) else "no", "; ".join(obligations(license))


def _opt_outs(tally: Tally) -> Iterable[Sequence[str]]:
    for verdict, words in OPT_OUT.items():
        counts = {outcome: number for (said, outcome), number in tally.opt_outs.items() if said == verdict}
        if counts:
            yield words, f"{counts.get(KEPT, 0):,}", f"{sum(counts.values()) - counts.get(KEPT, 0):,}"


def _captured(tally: Tally) -> str:
    first, last = tally.captured
    return f"Captured from {first} to {last}: robots.txt, TDM Reservation Protocol, ai.txt." if first else ""


def _languages(tally: Tally) -> Iterable[Sequence[str]]:
    for language, outcomes in sorted(tally.by_language.items()):
        characters = sum(count for (_, spoken), count in tally.characters_kept.items() if spoken == language)
        yield escape_markdown(name(language)), f"{outcomes.total():,}", f"{outcomes[KEPT]:,}", f"{characters:,}"


def _withdrawn(params: Parameters) -> list[str]:
    return [
        f"- Withdrawn on {removal.date}: {escape_markdown(removal.source)} ({escape_markdown(removal.reason)})"
        for removal in params.remove
    ]


def _personal_data(tally: Tally) -> str:
    kinds = ((kind_in_words(kind), f"{count:,}") for kind, count in sorted(tally.masked.items()))
    told = f"Found in {tally.masked_documents:,} kept documents and replaced by placeholders such as [EMAIL]."
    return f"{told}\n\n{_table(('kind', 'places'), kinds)}" if tally.masked else "None was found in the kept documents."


def _limits(params: Parameters) -> str:
    return "\n".join(
        [
            "- Licences are as the sources state them; nobody checked whether a source had the right to state it.",
            "- Personal data is found by patterns, check digits and the words beside it. Names are not, unless a model was given.",
            "- Quality rules count words, lines and repetition. They do not tell whether a text is true, or good.",
            "- Opt-outs are those of the day they were captured."
            + (" Texts whose publisher was not looked up are in." if params.opt_out.not_captured == "keep" else ""),
            "- A source can be taken out on request: the curation is run again without it.",
        ]
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (" | ".join(row) for row in (header, *rows))
    first, *others = (f"| {line} |" for line in lines)
    return "\n".join([first, "|" + "---|" * len(header), *others])
