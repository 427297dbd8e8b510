"""Draw the map of opinion groups and how each group voted on the principles."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.records import Principle, VoteCount

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stages.draft_constitution.opinion_groups import Grouping

# Okabe and Ito's colours, which colour-blind readers can tell apart; the shapes tell the same without colour.
STYLES = {
    "A": ("#0072B2", "o"),
    "B": ("#E69F00", "s"),
    "C": ("#009E73", "^"),
    "D": ("#CC79A7", "D"),
    "E": ("#56B4E9", "v"),
}
LABEL_WIDTH = 80  # characters of a statement in a plot
DPI = 120


def opinion_groups(path: Path, grouping: Grouping, simulated: bool) -> None:
    """One point per participant: who votes alike lies close together."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 6), layout="constrained")
    for group, size in grouping.sizes.items():
        colour, shape = STYLES[group]
        members = [grouping.points[key] for key, label in grouping.labels.items() if label == group]
        x, y = zip(*members, strict=True)
        label = f"group {group} ({size} people)"
        axes.scatter(x, y, s=22, c=colour, marker=shape, alpha=0.65, linewidths=0, label=label)
    axes.set_xlabel("first direction in which votes differ most")
    axes.set_ylabel("second direction")
    axes.set_aspect("equal", adjustable="datalim")
    axes.legend(frameon=False, loc="best")
    groups = "1 opinion group" if len(grouping.sizes) == 1 else f"{len(grouping.sizes)} opinion groups"
    axes.set_title(f"People who vote alike lie close together: {groups}{_note(simulated)}", loc="left")
    _save(figure, axes, path)


def consensus(path: Path, principles: Sequence[Principle], threshold: float, simulated: bool) -> None:
    """One line per principle, one mark per group: the share that agreed."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(12, 1.9 + 0.36 * len(principles)), layout="constrained")
    places = range(len(principles))
    for group in principles[0].votes:
        colour, shape = STYLES[group]
        rates = [100 * _share(principle.votes[group]) for principle in principles]
        axes.scatter(
            rates,
            places,
            s=38,
            c=colour,
            marker=shape,
            label=f"group {group}",
            edgecolors="white",
            linewidths=0.6,
            zorder=3,
        )
    bounds = [100 * principle.scores.lower_bound for principle in principles]
    axes.scatter(bounds, places, s=60, c="black", marker="|", label="surely more than this in every group", zorder=3)
    axes.axvline(100 * threshold, color="#999999", linestyle="--", linewidth=1, label="wanted in every group")
    axes.set_yticks(places, [_label(principle) for principle in principles], fontsize=8, parse_math=False)
    axes.set_ylim(len(principles) - 0.5, -0.5)
    axes.set_xlim(min(50.0, 100 * threshold - 5, *bounds), 101)
    axes.set_xlabel("share of the group's voters who agree (%)")
    axes.grid(axis="y", color="#eeeeee")
    axes.set_title(f"Every opinion group agrees with these {len(principles)} principles{_note(simulated)}", loc="left")
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", frameon=False, ncols=len(names), fontsize=8)
    _save(figure, axes, path)


def _share(count: VoteCount) -> float:
    total = count.agree + count.disagree + count.passed
    return count.agree / total if total else 0.0


def _label(principle: Principle) -> str:
    """The statement, shortened; only its id where the plot's font lacks the script."""
    text = textwrap.shorten(principle.text, LABEL_WIDTH, placeholder=" …")
    if not _drawable(text):
        return f"{principle.id} ({principle.language})"
    return f"{text}  {principle.id}"


def _drawable(text: str) -> bool:
    from matplotlib import font_manager, ft2font

    known = ft2font.FT2Font(font_manager.findfont("DejaVu Sans")).get_charmap()
    return all(ord(character) in known for character in text)


def _note(simulated: bool) -> str:
    return " (simulated)" if simulated else ""


def _save(figure: Figure, axes: Axes, path: Path) -> None:
    import matplotlib.pyplot as plt

    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata: dict[str, Any] = {"Software": None}  # no version inside: the same bytes everywhere
    figure.savefig(path, dpi=DPI, metadata=metadata)
    plt.close(figure)
