"""Draw the comparison: each metric before and after, and each principle's change."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.compare_models.charts import interval, number, signed
from stages.compare_models.compare import main_metric
from stages.compare_models.scorecard import Line
from stages.compare_models.told import SIGNS, regressions_first, what
from stages.metrics import METRICS
from stages.records import Comparison

ORANGE, BLUE, GREY = "#E69F00", "#0072B2", "#999999"  # Okabe and Ito: told apart by colour-blind readers
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")
GOALS = {"zero": 0.0, "half": 0.5}
PRINCIPLES_MEAN = (
    "Meaning: how much nearer to its target each benchmark's main figure came on the items that bear on a principle."
    " Limit: it does not tell whether the model keeps a principle; the items ask about parts of it only."
)
STRIP = 1.25  # inches
NARROWEST = 0.2  # a share's axis shows at least so much, so that a hair's breadth does not look like a gulf


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    _pyplot().close(figure)


def draw_forest(path: Path, rows: Sequence[Comparison], confidence: float) -> None:
    """One strip per metric, on its own scale: base and tuned with their intervals, the verdict, and what it means."""
    height = 1.1 + STRIP * max(1, len(rows))
    figure, axes = _pyplot().subplots(max(1, len(rows)), 1, figsize=(12, height), squeeze=False)
    for axis, row in zip(axes[:, 0], regressions_first(rows), strict=False):
        _strip(axis, row)
    title = (
        f"Before (orange square) and after (blue dot) teaching, over all items; lines are {confidence:.0%} intervals"
    )
    figure.suptitle(title, fontsize=10, x=0.02, y=1 - 0.2 / height, ha="left")
    figure.subplots_adjust(left=0.36, right=0.76, top=1 - 0.6 / height, bottom=0.75 / height, hspace=1.9)
    _save(figure, path)


def _strip(axis: Any, row: Comparison) -> None:
    known = METRICS[row.metric]
    if known.target in GOALS:
        axis.axvline(GOALS[known.target], color=GREY, linewidth=1, linestyle="--")
    axis.plot([row.base_low, row.base_high], [1, 1], color=ORANGE, linewidth=2)
    axis.plot([row.base], [1], "s", color=ORANGE, markersize=6)
    axis.plot([row.tuned_low, row.tuned_high], [0, 0], color=BLUE, linewidth=2)
    axis.plot([row.tuned], [0], "o", color=BLUE, markersize=6)
    if known.bounds:
        _widen(axis)
    axis.set_ylim(-0.7, 1.7)
    axis.set_yticks([])
    axis.tick_params(axis="x", labelsize=7)
    named = " (named before training)" if row.family == "primary" else ""
    label = "\n".join([*textwrap.wrap(f"{what(row)}{named}", 52), f"({known.target_words})"])
    axis.text(-0.03, 0.5, label, transform=axis.transAxes, ha="right", va="center", fontsize=8)
    axis.text(1.03, 0.5, _told(row), transform=axis.transAxes, ha="left", va="center", fontsize=8)
    means = f"Meaning: {known.meaning} Limit: {known.caution}"
    under = "\n".join(textwrap.wrap(means, 165))
    axis.text(-0.88, -0.62, under, transform=axis.transAxes, ha="left", va="top", fontsize=7, color="#444444")


def _told(row: Comparison) -> str:
    """The verdict, the change, and what would have been found or done no harm."""
    lines = [f"{SIGNS[row.verdict]} {row.verdict}", f"{signed(row.difference)} ({interval(row.low, row.high)})"]
    lines += [f"smallest change found: {number(row.mde)}"] if row.mde is not None else []
    lines += [f"no harm below {row.margin:g}"] if row.margin is not None else []
    return "\n".join(lines)


def _widen(axis: Any) -> None:
    low, high = axis.get_xlim()
    spare = max(0.0, NARROWEST - (high - low)) / 2
    axis.set_xlim(low - spare, high + spare)


def draw_principles(path: Path, lines: Sequence[Line], confidence: float) -> None:
    """One row per principle: how much nearer to the target each benchmark's main metric came."""
    shown = [(line, _drawn(line)) for line in lines]
    benchmarks = sorted({row.benchmark for _, rows in shown for row in rows})
    height = 1.6 + 0.5 * len(lines)
    figure, axis = _pyplot().subplots(figsize=(11, height))
    axis.axvline(0, color=GREY, linewidth=1, linestyle="--")
    for place, (line, rows) in enumerate(shown):
        _principle(axis, place, line, rows, benchmarks)
    for look, benchmark in enumerate(benchmarks):
        axis.plot([], [], MARKERS[look % 6], color=COLOURS[look % 6], label=benchmark)
    _widen(axis)
    axis.set_yticks(range(len(lines)), [_label(line) for line in lines], fontsize=8)
    axis.set_ylim(len(lines) - 0.5, -0.5)
    axis.set_xlabel(
        "nearer to the metric's target by … (right of the dashed line is better; pale: too few items to claim)",
        fontsize=8,
    )
    title = f"What changed for each principle, with {confidence:.0%} intervals"
    axis.set_title("\n".join([title, *textwrap.wrap(PRINCIPLES_MEAN, 105)]), fontsize=9, loc="left")
    axis.grid(axis="x", linewidth=0.3)
    if benchmarks:
        axis.legend(
            fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.75 / height), ncols=len(benchmarks), frameon=False
        )
    figure.tight_layout()
    _save(figure, path)


def _drawn(line: Line) -> list[Comparison]:
    """Main metrics that have limits: a change in bits has no place on a scale of shares."""
    return [row for row in _main(line) if METRICS[row.metric].bounds]


def _main(line: Line) -> list[Comparison]:
    return [row for row in line.measures if row.metric == main_metric(line.measures, row.benchmark)]


def _principle(axis: Any, place: int, line: Line, rows: Sequence[Comparison], benchmarks: Sequence[str]) -> None:
    for nth, row in enumerate(rows):
        look = benchmarks.index(row.benchmark)
        height = place + 0.22 * (nth - (len(rows) - 1) / 2)
        faint = 0.4 if row.verdict == "too few items" else 1.0
        axis.plot(
            [row.improvement_low, row.improvement_high],
            [height, height],
            color=COLOURS[look % 6],
            linewidth=1.6,
            alpha=faint,
        )
        axis.plot([row.improvement], [height], MARKERS[look % 6], color=COLOURS[look % 6], markersize=5, alpha=faint)
    not_drawn = [row for row in line.measures if row not in rows and (row in _main(line) or row.verdict == "worse")]
    notes = [textwrap.shorten(f"{row.verdict}: {METRICS[row.metric].words}", 46, placeholder=" …") for row in not_drawn]
    note = "\n".join(notes) if line.measures else "not measured"
    axis.text(1.01, place, note, transform=axis.get_yaxis_transform(), fontsize=7, color="#555555", va="center")


def _label(line: Line) -> str:
    # "$" would start mathematics in a label: citizens' text is data.
    text = " ".join(line.text.split()).replace("$", r"\$")
    return "\n".join([f"{line.principle_id}: {line.status}", textwrap.shorten(text, 62, placeholder=" …")])
