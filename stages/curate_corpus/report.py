"""Count what was kept, dropped and masked, in words and in a picture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from stages.curate_corpus.curate import Curation
from stages.languages import name

MASKED_IN_WORDS = {"EMAIL": "e-mail addresses", "IBAN": "bank accounts", "IP": "IP addresses", "PHONE": "phone numbers"}
RULES_IN_WORDS = {"near_duplicate": "near duplicate", "license": "licence"}

# Okabe and Ito's palette, which colour-blind readers can tell apart; a rule has the same colour in every picture.
COLOURS = {
    "kept": "#009E73",
    "license": "#D55E00",
    "language": "#0072B2",
    "short": "#56B4E9",
    "long": "#999999",
    "repetition": "#F0E442",
    "duplicate": "#CC79A7",
    "near_duplicate": "#E69F00",
}


def metrics(curation: Curation, left_by_limit: int) -> dict[str, int]:
    """The figures that the platform shows, by their names in words."""
    counts = {
        "documents read": len(curation.kept) + len(curation.dropped),
        "documents kept": len(curation.kept),
        "documents dropped": len(curation.dropped),
        "documents beyond the limit per language": left_by_limit,
        "characters kept": sum(len(document.text) for document in curation.kept),
        "sources kept": len({document.source for document in curation.kept}),
    }
    for rule, count in Counter(drop.rule for drop in curation.dropped).items():
        counts[f"dropped: {RULES_IN_WORDS.get(rule, rule)}"] = count
    for language, count in Counter(document.language for document in curation.kept).items():
        counts[f"documents kept, {name(language)}"] = count
    for kind, words in MASKED_IN_WORDS.items():
        counts[f"masked: {words}"] = curation.masked[kind]
    return counts


def summary(curation: Curation) -> str:
    """The counts in one line, e.g. "kept 812 of 1,000 (license 143, duplicate 45)"."""
    read = len(curation.kept) + len(curation.dropped)
    rules = Counter(drop.rule for drop in curation.dropped)
    reasons = ", ".join(
        f"{rule} {count:,}" for rule, count in sorted(rules.items(), key=lambda item: (-item[1], item[0]))
    )
    return f"kept {len(curation.kept):,} of {read:,}" + (f" ({reasons})" if reasons else "")


def draw(curation: Curation, path: Path) -> None:
    """Draw, for each language, how many documents were kept and by which rules the others were dropped."""
    from matplotlib.figure import Figure

    counts = Counter((document.language, "kept") for document in curation.kept)
    counts += Counter((drop.language, drop.rule) for drop in curation.dropped)
    total: Counter[str] = Counter()
    for (language, _), count in counts.items():
        total[language] += count
    languages = sorted(total, key=lambda language: (-total[language], language))
    outcomes = [outcome for outcome in COLOURS if any(counts[language, outcome] for language in languages)]

    figure = Figure(figsize=(9, 1.8 + 0.4 * len(languages)), layout="constrained")
    axes = figure.subplots()
    start = [0] * len(languages)
    for outcome in outcomes:
        widths = [counts[language, outcome] for language in languages]
        label = "kept" if outcome == "kept" else f"dropped: {RULES_IN_WORDS.get(outcome, outcome)}"
        axes.barh(
            range(len(languages)),
            widths,
            left=start,
            label=label,
            color=COLOURS[outcome],
            edgecolor="white",
            linewidth=0.5,
        )
        start = [place + width for place, width in zip(start, widths, strict=True)]
    axes.set_yticks(range(len(languages)), [name(language) for language in languages], parse_math=False)
    axes.invert_yaxis()
    axes.margins(x=0.02)
    axes.set_xlabel("documents")
    axes.spines[["top", "right"]].set_visible(False)
    read = len(curation.kept) + len(curation.dropped)
    figure.suptitle(f"{len(curation.kept):,} of {read:,} documents were kept; the others broke a rule", fontsize=12)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})
