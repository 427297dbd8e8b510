"""The drawings of the report as inline SVG: opinion map, stability, consensus against division, votes of a group.

Every drawing has its numbers in words beside it; texts of citizens are escaped where they are put in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from stages.draft_constitution.marks import mark, shortened
from stages.draft_constitution.standing import Standing, Standings
from stages.records import VoteCount

if TYPE_CHECKING:
    from stages.draft_constitution.opinion_groups import Grouping

WIDTH, HEIGHT = 720.0, 460.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 16.0, 16.0, 58.0
TOOLTIP = 160  # characters of a statement


def sample(grouping: Grouping, at_most: int, seed: int) -> dict[str, list[tuple[float, float]]]:
    """Group -> places on the map; of a large crowd, so many people drawn by lot, the same ones every time."""
    people = sorted(person for person in grouping.labels if person in grouping.points)
    if len(people) > at_most:
        drawn = np.random.default_rng(seed).choice(len(people), at_most, replace=False)
        people = [people[index] for index in sorted(drawn.tolist())]
    places: dict[str, list[tuple[float, float]]] = {}
    for person in people:
        places.setdefault(grouping.labels[person], []).append(grouping.points[person])
    return dict(sorted(places.items()))


def opinion_map(places: Mapping[str, Sequence[tuple[float, float]]], label: str) -> Markup:
    """One mark per person, each group with its own colour and shape, and its letter over the middle."""
    everybody = np.array([place for group in places.values() for place in group], dtype=float).reshape(-1, 2)
    if not len(everybody):
        return Markup("")
    low, high = everybody.min(axis=0), everybody.max(axis=0)
    scale = min((WIDTH - 40) / max(high[0] - low[0], 1e-9), (HEIGHT - 40) / max(high[1] - low[1], 1e-9))
    middle = (low + high) / 2
    size = 5.0 if len(everybody) < 500 else 3.5
    parts, letters = [], []
    for group, members in places.items():
        on_page = [(WIDTH / 2 + (x - middle[0]) * scale, HEIGHT / 2 - (y - middle[1]) * scale) for x, y in members]
        path = "".join(_outline(mark(group).shape, x, y, size) for x, y in on_page)
        parts.append(
            Markup('<path class="people" fill="{}" d="{}"><title>{}</title></path>').format(
                mark(group).colour, path, f"group {group}" if len(places) > 1 else "people"
            )
        )
        x, y = np.median(np.array(on_page), axis=0)
        if len(places) == 1:
            continue  # one crowd needs no letter
        letters.append(Markup('<text class="letter" x="{:.1f}" y="{:.1f}">{}</text>').format(x, y + 9, group))
    return _svg("map", WIDTH, HEIGHT, label, [*parts, *letters])


def _outline(shape: str, x: float, y: float, r: float) -> str:
    """A closed path around (x, y); all shapes have about the same area."""
    match shape:
        case "square":
            return f"M{x - r:.1f} {y - r:.1f}h{2 * r:g}v{2 * r:g}h{-2 * r:g}z"
        case "triangle":
            return f"M{x:.1f} {y - 1.3 * r:.1f}l{1.3 * r:g} {2.3 * r:g}h{-2.6 * r:g}z"
        case "diamond":
            return f"M{x:.1f} {y - 1.35 * r:.1f}l{1.35 * r:g} {1.35 * r:g}l{-1.35 * r:g} {1.35 * r:g}l{-1.35 * r:g} {-1.35 * r:g}z"
        case "triangle pointing down":
            return f"M{x:.1f} {y + 1.3 * r:.1f}l{1.3 * r:g} {-2.3 * r:g}h{-2.6 * r:g}z"
        case _:
            return f"M{x - r:.1f} {y:.1f}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0z"


def key(group: str) -> Markup:
    """The group's mark, for a legend or beside its letter."""
    return Markup('<svg class="key" viewBox="0 0 16 16" aria-hidden="true"><path fill="{}" d="{}"/></svg>').format(
        mark(group).colour, _outline(mark(group).shape, 8, 8, 5)
    )


def vote_bar(votes: VoteCount) -> Markup:
    """Agree, pass and disagree as parts of one bar; the numbers stand beside it."""
    whole = max(votes.agree + votes.passed + votes.disagree, 1)
    agree, passed = votes.agree / whole * 100, votes.passed / whole * 100
    return Markup(
        '<svg class="votes" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="disagree" width="100" height="10"/><rect class="pass" width="{:.1f}" height="10"/>'
        '<rect class="agree" width="{:.1f}" height="10"/></svg>'
    ).format(agree + passed, agree)


def stability_bar(mean: float, lowest: float, wanted: float) -> Markup:
    """Mean stability as a bar, the lowest run as a tick, what is wanted as a dashed line; 0 to 1."""
    return Markup(
        '<svg class="stability" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="ground" width="100" height="12"/><rect class="agree" y="2" height="8" width="{:.1f}"/>'
        '<rect class="tick" x="{:.1f}" y="0" width=".8" height="12"/>'
        '<line class="goal" x1="{w:.1f}" x2="{w:.1f}" y1="0" y2="12"/></svg>'
    ).format(_percent(mean), _percent(lowest), w=_percent(wanted))


def _percent(share: float) -> float:
    return min(max(100 * share, 0.0), 100.0)


def consensus_and_division(standings: Standings, label: str) -> Markup:
    """Each statement by how high the least agreeing group is and how far the groups are apart."""
    top = division_ceiling(standings)
    several = standings.groups > 1
    across = "agree in the group that agrees least (%)" if several else "agree (%)"
    up = "points between the groups that agree most and least" if several else "disagree (%)"
    parts = [*_axes(top, across, up)]
    for one in sorted(standings.placed, key=lambda s: (bool(s.principle), s.statement_id)):
        parts.append(_dot(one, top, several))
    corner = Markup('<text class="corner" x="{:.0f}" y="{:.0f}" text-anchor="end">{}</text>')
    right = WIDTH - RIGHT - 6  # nobody can be far right and far up at once, so this corner is always free
    parts.append(corner.format(right, TOP + 20, "↑ the groups are divided" if several else "↑ people disagree"))
    parts.append(corner.format(right, TOP + 40, "→ every group agrees" if several else "→ people agree"))
    return _svg("division", WIDTH, HEIGHT, label, parts)


def division_ceiling(standings: Standings) -> float:
    """The top of the upward axis in per cent: the next ten above the widest distance, at least 30."""
    widest = max((one.apart for one in standings.placed), default=0.0)
    return min(100.0, max(30.0, 10.0 * np.ceil(10 * widest + 0.2)))


def _axes(top: float, across: str, up: str) -> list[Markup]:
    parts = []
    for tick in range(0, 101, 20):
        x = LEFT + tick / 100 * (WIDTH - LEFT - RIGHT)
        parts.append(
            Markup('<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(x, TOP, HEIGHT - BOTTOM)
        )
        parts.append(
            Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(x, HEIGHT - BOTTOM + 20, tick)
        )
    step = 10 if top <= 50 else 20
    for tick in range(0, int(top) + 1, step):
        y = _up(tick / 100, top)
        parts.append(
            Markup('<line class="grid" x1="{1}" x2="{2}" y1="{0:.1f}" y2="{0:.1f}"/>').format(y, LEFT, WIDTH - RIGHT)
        )
        parts.append(Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(LEFT - 8, y + 5, tick))
    middle = TOP + (HEIGHT - TOP - BOTTOM) / 2
    parts.append(
        Markup('<text x="{:.0f}" y="{:.0f}" text-anchor="middle">{}</text>').format(
            LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 12, across
        )
    )
    parts.append(
        Markup('<text transform="translate(16 {:.0f}) rotate(-90)" text-anchor="middle">{}</text>').format(middle, up)
    )
    return parts


def _up(apart: float, top: float) -> float:
    return HEIGHT - BOTTOM - 100 * apart / top * (HEIGHT - TOP - BOTTOM)


def _dot(one: Standing, top: float, several: bool) -> Markup:
    """A drafted statement is a filled diamond, another one an open circle; the words appear where one points at it."""
    x, y = LEFT + one.least * (WIDTH - LEFT - RIGHT), _up(one.apart, top)
    name = one.principle or f"statement {one.statement_id}"
    told = f"{100 * one.least:.0f} % agree"
    if several:
        told = f"{100 * one.least:.0f} % in group {one.least_group}, {100 * one.most:.0f} % in group {one.most_group}"
    shape = Markup('<path class="{}" d="{}"><title>{}: {} ({})</title></path>')
    kind = "drafted" if one.principle else "other"
    outline = _outline("diamond" if one.principle else "circle", x, y, 5 if one.principle else 4)
    return shape.format(kind, outline, name, shortened(one.text, TOOLTIP), told)


def _svg(name: str, width: float, height: float, label: str, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg class="{}" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        name, width, height, label, Markup("").join(parts)
    )
