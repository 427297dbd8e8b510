"""Draw how the votes are spread over the statements."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.ingest_deliberation.deliberation import Deliberation, votes_on

# Okabe and Ito's colours, which colour-blind readers can tell apart.
KINDS = ((1, "moderated in", "#0072B2"), (0, "not moderated", "#E69F00"), (-1, "moderated out", "#999999"))


def votes_per_statement(path: Path, deliberation: Deliberation) -> None:
    """One bar per statement, most seen first: late statements are seen by few, so their result is less sure."""
    import matplotlib.pyplot as plt

    votes = _votes(deliberation)
    ranked = sorted(deliberation.statements, key=lambda statement: (-votes[statement.id], statement.id))
    figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
    for moderated, name, colour in KINDS:
        bars = [(rank, votes[s.id]) for rank, s in enumerate(ranked, start=1) if s.moderated == moderated]
        if bars:
            ranks, heights = zip(*bars, strict=True)
            axes.bar(ranks, heights, width=1.0, color=colour, label=f"{name} ({len(bars)})")
    axes.set_xlim(0.5, len(ranked) + 0.5)
    axes.set_xlabel("statements, the most voted on first")
    axes.set_ylabel("votes (participants who saw it)" if len(deliberation.vote) else "supports")
    axes.set_title(_title(deliberation), loc="left")
    axes.legend(title="statements", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)


def _votes(deliberation: Deliberation) -> dict[int, int]:
    """The votes on each statement; where the platform tells only how many supported it, those."""
    ids = np.array([one.id for one in deliberation.statements], np.int64)
    counts = votes_on(ids, deliberation.statement).tolist()
    return {one.id: count or one.supports or 0 for one, count in zip(deliberation.statements, counts, strict=True)}


def _title(deliberation: Deliberation) -> str:
    counts = deliberation.about["counts"]
    simulated = " (simulated)" if deliberation.about["simulated"] else ""
    if not counts["votes"]:
        return f"{counts['supports']:,} supports for {counts['statements']:,} statements{simulated}; nobody's votes are known"
    return f"{counts['participants']:,} participants cast {counts['votes']:,} votes{simulated}; some statements were seen by few"
