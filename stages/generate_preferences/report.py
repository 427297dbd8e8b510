"""Count the lessons by principle and language, in words and in a picture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from stages.generate_preferences.lessons import Lessons, taught_principles
from stages.languages import name
from stages.records import Constitution

BENIGN = "benign prompts"

# Okabe and Ito's palette, which colour-blind readers can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
LABEL_CHARACTERS = 60


def metrics(lessons: Lessons, constitution: Constitution) -> dict[str, int]:
    """The figures that the platform shows, by their names in words."""
    taught = taught_principles(lessons.pairs)
    counts = {
        "pairs": len(lessons.pairs),
        "pairs, benign": sum(pair.kind == "benign" for pair in lessons.pairs),
        "lessons dropped": len(lessons.dropped),
        "principles taught": len(taught),
        "principles without a pair": len(constitution.principles) - len(taught),
    }
    for rule, count in Counter(lesson.rule for lesson in lessons.dropped).items():
        counts[f"dropped: {rule}"] = count
    for language, count in Counter(pair.language for pair in lessons.pairs).items():
        counts[f"pairs, {name(language)}"] = count
    for (principle, language), count in _by_principle(lessons).items():
        if principle != BENIGN:
            counts[f"pairs, {principle}, {name(language)}"] = count
    return counts


def summary(lessons: Lessons) -> str:
    """The counts in one line, e.g. "1,204 pairs of 1,300 lessons (length ratio 60, no-op revision 36)"."""
    everything = len(lessons.pairs) + len(lessons.dropped)
    rules = sorted(Counter(lesson.rule for lesson in lessons.dropped).items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{rule} {count:,}" for rule, count in rules)
    return f"{len(lessons.pairs):,} pairs of {everything:,} lessons" + (f" ({reasons})" if reasons else "")


def draw(lessons: Lessons, constitution: Constitution, path: Path) -> None:
    """Draw how many pairs teach each principle, by language."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    counts = _by_principle(lessons)
    rows = {principle.id: _label(principle.id, principle.text) for principle in constitution.principles}
    rows = {id: rows[id] for id in sorted(rows)}
    if any(principle == BENIGN for principle, _ in counts):
        rows[BENIGN] = "benign prompts (plain help)"
    languages = sorted({language for _, language in counts})

    figure = Figure(figsize=(11, 1.8 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots()
    start = [0] * len(rows)
    for place, language in enumerate(languages):
        widths = [counts[row, language] for row in rows]
        colour = COLOURS[place % len(COLOURS)]
        axes.barh(
            range(len(rows)), widths, left=start, label=name(language), color=colour, edgecolor="white", linewidth=0.5
        )
        start = [begun + width for begun, width in zip(start, widths, strict=True)]
    # citizens' words: a "$" in them is no formula
    axes.set_yticks(range(len(rows)), list(rows.values()), fontsize=9, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("preference pairs")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    taught = len(taught_principles(lessons.pairs))
    figure.suptitle(
        f"{len(lessons.pairs):,} pairs teach {taught} of {len(constitution.principles)} adopted principles", fontsize=12
    )
    figure.legend(loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def _by_principle(lessons: Lessons) -> Counter[tuple[str, str]]:
    """Pairs by principle and language; a pair of two principles counts for both."""
    return Counter(
        (principle, pair.language) for pair in lessons.pairs for principle in (pair.principle_ids or (BENIGN,))
    )


def _label(id: str, text: str) -> str:
    short = " ".join(text.split())
    return f"{id}  {short if len(short) <= LABEL_CHARACTERS else short[: LABEL_CHARACTERS - 1].rstrip() + '…'}"
