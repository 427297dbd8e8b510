"""Draw a model's scores: one panel per metric, a dot and its interval per slice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stages.metrics import METRICS
from stages.records import Score
from stages.scoring import FEW_CLUSTERS, slice_words

BLUE, GREY = "#0072B2", "#999999"  # Okabe and Ito: told apart by colour-blind readers
TARGETS = {"zero": 0.0, "half": 0.5}
NARROWEST = 0.2  # a share's axis shows at least so much, so that a hair's breadth does not look like a gulf


def draw_scores(path: Path, scores: Sequence[Score], benchmark: str, confidence: float) -> None:
    """Write one picture of the scores of all items, of each language and of each category."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    shown = [score for score in scores if "all" in (score.language, score.category)]
    names = list(dict.fromkeys((score.language, score.category) for score in shown))
    metrics = list(dict.fromkeys(score.metric for score in shown))
    figure, axes = plt.subplots(
        1,
        len(metrics),
        figsize=(max(6.5, 2.2 + 2.6 * len(metrics)), 1.9 + 0.3 * len(names)),
        sharey=True,
        squeeze=False,
    )
    for axis, metric in zip(axes[0], metrics, strict=True):
        _panel(axis, [score for score in shown if score.metric == metric], names, metric)
    axes[0][0].set_yticks(range(len(names)), [slice_words(*name) or "all items" for name in names])
    axes[0][0].set_ylim(len(names) - 0.4, -0.6)
    figure.suptitle(
        f"{benchmark}: each dot is a mean, its line the {confidence:.0%} interval (hollow: too few templates for one)",
        fontsize=10,
    )
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _panel(axis, scores: Sequence[Score], names: Sequence[tuple[str, str]], metric: str) -> None:  # type: ignore[no-untyped-def]
    known = METRICS[metric]
    if known.target in TARGETS:
        axis.axvline(TARGETS[known.target], color=GREY, linewidth=1, linestyle="--")
    for score in scores:
        row = names.index((score.language, score.category))
        enough = score.clusters >= FEW_CLUSTERS
        if enough:
            axis.plot([score.low, score.high], [row, row], color=BLUE, linewidth=2)
        axis.plot([score.value], [row], "o", color=BLUE, markersize=5, markerfacecolor=BLUE if enough else "white")
    if known.bounds:
        low, high = axis.get_xlim()
        spare = max(0.0, NARROWEST - (high - low)) / 2
        axis.set_xlim(low - spare, high + spare)
    axis.set_title(_wrapped(known.words), fontsize=8)
    axis.set_xlabel(known.target_words, fontsize=8)
    axis.tick_params(labelsize=8)
    axis.grid(axis="x", linewidth=0.3)


def _wrapped(words: str, width: int = 26) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(words, width))
