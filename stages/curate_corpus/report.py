"""Count what was kept, dropped and masked, in words and in a picture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from stages.curate_corpus.rules import MAXIMUM
from stages.curate_corpus.tally import KEPT, Tally
from stages.curate_corpus.words import PERSONAL_DATA, REASON_OF, REASONS, kind_in_words, metric_name
from stages.languages import name

ALWAYS_TOLD = ("email", "iban", "ip", "phone")  # kinds whose zero is told too


def metrics(tally: Tally) -> dict[str, int]:
    """The figures that the platform shows, by their names in words."""
    counts = {
        "documents read": tally.read,
        "documents kept": tally.kept,
        "documents dropped": tally.read - tally.kept,
        "documents beyond the limit per language": tally.totals[MAXIMUM],
        "documents with personal data masked": tally.masked_documents,
        "documents kept for a representative that was dropped": tally.stand_ins,
        "characters read": tally.characters_read.total(),
        "characters kept": tally.characters_kept.total(),
        "sources kept": sum(1 for outcomes in tally.by_source.values() if outcomes[KEPT]),
    }
    for rule, count in tally.dropped.items():
        counts[f"dropped: {metric_name(rule)}"] = count
    for language, outcomes in tally.by_language.items():
        if outcomes[KEPT]:
            counts[f"documents kept, {name(language)}"] = outcomes[KEPT]
    masked: Counter[str] = Counter()
    for kind, count in tally.masked.items():
        masked[kind_in_words(kind)] += count
    for words in {*masked, *(PERSONAL_DATA[kind] for kind in ALWAYS_TOLD)}:
        counts[f"masked: {words}"] = masked[words]
    return counts


def summary(tally: Tally) -> str:
    """The counts in one line, e.g. "kept 812 of 1,000 (license 143, duplicate 45)"."""
    dropped = sorted(tally.dropped.items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{rule} {count:,}" for rule, count in dropped)
    return f"kept {tally.kept:,} of {tally.read:,}" + (f" ({reasons})" if reasons else "")


def draw(tally: Tally, path: Path) -> None:
    """Draw, for each language, how many documents were kept and for which reasons the others were dropped."""
    from matplotlib.figure import Figure

    most = 20  # languages; a web crawl has more than fit on a picture
    languages = sorted(tally.by_language.items(), key=lambda item: (-item[1].total(), item[0]))[:most]
    grouped = [(name(language), by_reason(outcomes)) for language, outcomes in languages]
    shown = [reason for reason in REASONS if any(counts[reason.name] for _, counts in grouped)]

    figure = Figure(figsize=(9, 1.8 + 0.4 * len(grouped)), layout="constrained")
    axes = figure.subplots()
    start = [0] * len(grouped)
    for reason in shown:
        widths = [counts[reason.name] for _, counts in grouped]
        label = "kept" if reason.name == "kept" else f"dropped: {reason.name}"
        axes.barh(
            range(len(grouped)), widths, left=start, label=label, color=reason.colour, edgecolor="white", linewidth=0.5
        )
        start = [place + width for place, width in zip(start, widths, strict=True)]
    axes.set_yticks(range(len(grouped)), [language for language, _ in grouped], parse_math=False)
    axes.invert_yaxis()
    axes.margins(x=0.02)
    axes.set_xlabel("documents")
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{tally.kept:,} of {tally.read:,} documents were kept; the others broke a rule", fontsize=12)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def by_reason(outcomes: Counter[str]) -> Counter[str]:
    """The counts of rules added up by what they are about."""
    counts: Counter[str] = Counter()
    for rule, count in outcomes.items():
        counts[REASON_OF[rule].name] += count
    return counts
