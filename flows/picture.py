"""The pipeline's picture for people: one box a step, in words, with what became of it in this run."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.graph import Node
from flows.reproduce import Outcome

# Okabe and Ito's palette: told apart by colour-blind people, and each says its word as well
COLOURS = {"executed": "#56B4E9", "reused": "#DDDDDD", "failed": "#E69F00", "not done": "#FFFFFF"}


def draw(nodes: Sequence[Node], done: Mapping[str, Outcome], path: Path) -> None:
    """Write the picture as PNG; the steps of a matrix (the measurements) share a box."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    graph = _steps(nodes)
    places = _places(graph)
    figure, axes = plt.subplots(figsize=(15, 4.6), dpi=110)
    for before, after in graph.edges:
        (x0, y0), (x1, y1) = places[before], places[after]
        arrow = {"arrowstyle": "->", "color": "#555555", "shrinkA": 34, "shrinkB": 36}
        axes.annotate("", xy=(x1, y1), xytext=(x0, y0), arrowprops=arrow)
    for stage, (x, y) in places.items():
        members = [node for node in nodes if node.stage == stage]
        how = _how([done.get(node.name) for node in members])
        box = {"boxstyle": "round,pad=0.45", "facecolor": COLOURS[how.split(" (")[0]], "edgecolor": "#333333"}
        axes.text(x, y, f"{_title(members)}\n[{how}]", ha="center", va="center", fontsize=8.5, bbox=box)
    xs, ys = zip(*places.values(), strict=True)
    axes.set(xlim=(min(xs) - 0.6, max(xs) + 0.6), ylim=(min(ys) - 0.6, max(ys) + 0.6))
    axes.axis("off")
    axes.set_title("From votes to a release: each arrow carries an artifact that anyone can check", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight")
    plt.close(figure)


def _steps(nodes: Sequence[Node]) -> Any:
    """The graph of stages without the arrows that longer ways imply (the release reads everything)."""
    import networkx as nx

    graph = nx.DiGraph()
    stage_of = {node.name: node.stage for node in nodes}
    for node in nodes:
        graph.add_node(node.stage)
        graph.add_edges_from((stage_of[name], node.stage) for name in node.after if name in stage_of)
    return nx.transitive_reduction(graph)


def _places(graph: Any) -> dict[str, tuple[float, float]]:
    """Column: as late as what builds on it allows. Row: side branches below the main path."""
    import networkx as nx

    last = len(nx.dag_longest_path(graph)) - 1
    columns: dict[str, int] = {}
    for stage in reversed(list(nx.topological_sort(graph))):
        columns[stage] = min((columns[after] for after in graph.successors(stage)), default=last + 1) - 1
    main = set(nx.dag_longest_path(graph))
    rows: dict[int, int] = {}
    places = {}
    for stage in graph:
        rows[columns[stage]] = rows.get(columns[stage], 0) + (stage not in main)
        places[stage] = (float(columns[stage]), -0.9 * rows[columns[stage]] if stage not in main else 0.0)
    return places


def _title(members: Sequence[Node]) -> str:
    if len(members) == 1:
        return textwrap.fill(members[0].title, 14)
    return f"{members[0].title.split()[0]} both\nmodels ({len(members)})"


def _how(outcomes: Sequence[Outcome | None]) -> str:
    kinds = {outcome.how if outcome else "not done" for outcome in outcomes}
    return next(how for how in ("not done", "failed", "executed", "reused") if how in kinds)
