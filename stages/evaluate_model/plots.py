"""Draw a model's scores: one panel per metric, a dot and its interval per slice, and what the metric means."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.metrics import METRICS
from stages.records import Score
from stages.scoring import FEW_CLUSTERS, slice_words

BLUE, GREY = "#0072B2", "#999999"  # Okabe and Ito: told apart by colour-blind readers
TARGETS = {"zero": 0.0, "half": 0.5}
NARROWEST = 0.2  # a share's axis shows at least so much, so that a hair's breadth does not look like a gulf
COLUMNS = 3  # panels beside each other: more would be too small to read
MOST_SLICES = 40  # lines of a panel; how many are left out is said

Slice = tuple[str, str]  # language and category


def draw_scores(path: Path, scores: Sequence[Score], benchmark: str, confidence: float) -> None:
    """Write one picture of the scores of all items, of each language and of each category."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    shown = [score for score in scores if _is_shown(score)]
    names = list(dict.fromkeys((score.language, score.category) for score in shown))
    metrics = list(dict.fromkeys(score.metric for score in shown))
    lines, columns = math.ceil(len(metrics) / COLUMNS) or 1, min(COLUMNS, max(1, len(metrics)))
    tall = 1.9 + 0.26 * min(len(names), MOST_SLICES)
    figure, axes = plt.subplots(
        lines, columns, figsize=(2.6 + 3.7 * columns, 0.9 + tall * lines), squeeze=False, layout="constrained"
    )
    panels = list(axes.flat)
    for place, (axis, metric) in enumerate(zip(panels, metrics, strict=False)):
        _panel(axis, [score for score in shown if score.metric == metric], names[:MOST_SLICES], metric)
        _named(axis, names[:MOST_SLICES], with_words=place % columns == 0)
    for axis in panels[len(metrics) :]:
        axis.set_axis_off()
    figure.suptitle(_title(benchmark, confidence, max(0, len(names) - MOST_SLICES)), fontsize=9, x=0.01, ha="left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _is_shown(score: Score) -> bool:
    """All items, a language or a category; groups and polarities stand in scores.json."""
    return "all" in (score.language, score.category) and (score.group, score.polarity) == ("all", "all")


def _title(benchmark: str, confidence: float, left_out: int) -> str:
    title = (
        f"{benchmark}: each dot is a mean, its line the {confidence:.0%} interval (hollow: too few templates for one);"
        " ticks: lowest and highest over the ways of asking; dashed: where a good model lies"
    )
    more = [f"{left_out} more slices stand in scores.json"] if left_out else []
    return "\n".join([*textwrap.wrap(title, 120), *more])


def _panel(axis: Any, scores: Sequence[Score], names: Sequence[Slice], metric: str) -> None:
    known = METRICS[metric]
    if known.target in TARGETS:
        axis.axvline(TARGETS[known.target], color=GREY, linewidth=1, linestyle="--")
    for score in scores:
        if (score.language, score.category) in names:
            _dot(axis, score, names.index((score.language, score.category)))
    if known.bounds:
        low, high = axis.get_xlim()
        spare = max(0.0, NARROWEST - (high - low)) / 2
        axis.set_xlim(low - spare, high + spare)
    axis.set_title("\n".join(textwrap.wrap(known.words, 42)), fontsize=9)
    words = [known.target_words, *textwrap.wrap(f"Meaning: {known.meaning}", 62)]
    axis.set_xlabel("\n".join([*words, *textwrap.wrap(f"Limit: {known.caution}", 62)]), fontsize=7.5)
    axis.tick_params(labelsize=8)
    axis.grid(axis="x", linewidth=0.3)


def _dot(axis: Any, score: Score, row: int) -> None:
    enough = score.clusters >= FEW_CLUSTERS
    if enough:
        axis.plot([score.low, score.high], [row, row], color=BLUE, linewidth=2)
    ends = [end for end in (score.range_low, score.range_high) if end is not None]
    axis.plot(ends, [row] * len(ends), "|", color=BLUE, markersize=9, linestyle="none")
    axis.plot([score.value], [row], "o", color=BLUE, markersize=5, markerfacecolor=BLUE if enough else "white")


def _named(axis: Any, names: Sequence[Slice], with_words: bool) -> None:
    # "$" would start mathematics in a label: names of categories are data
    words = [(slice_words(*name) or "all items").replace("$", r"\$") for name in names]
    axis.set_yticks(range(len(names)), words if with_words else [""] * len(names))
    axis.set_ylim(len(names) - 0.4, -0.6)
