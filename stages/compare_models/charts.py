"""The drawings of the comparison page as inline SVG: where both models lie, and the change between them.

Before is a hollow square, after a filled dot, the change a diamond: shapes tell them apart where colours do not. All
numbers stand in words beside the drawings and in their labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from stages.metrics import METRICS
from stages.records import Comparison

WIDTH, HEIGHT = 330, 64
LEFT, RIGHT = 50, 16  # beside the axis: names on the left, room for the last number on the right
AXIS = 46
GOALS = {"zero": 0.0, "half": 0.5}
NARROWEST = 0.2  # a share's axis shows at least so much, so that a hair's breadth does not look like a gulf
STEPS = (1.0, 2.0, 5.0, 10.0)


def number(value: float) -> str:
    """Three decimals, with a true minus sign."""
    return f"{value + 0.0:.3f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    """A difference with its sign."""
    return ("+" if round(value, 3) > 0 else "") + number(0.0 if round(value, 3) == 0 else value)


def interval(low: float, high: float) -> str:
    """The interval of a difference in words: a dash between two signs could not be read."""
    return f"{signed(low)} to {signed(high)}"


def span(low: float, high: float) -> str:
    """The interval of a value in words."""
    return f"{number(low)} to {number(high)}"


def levels(row: Comparison) -> Markup:
    """Base above tuned, each with its interval and, as two small ticks, its range over the ways of asking."""
    known = METRICS[row.metric]
    goal = GOALS.get(known.target)
    low, high = _scale(row, goal)
    parts = [_axis(low, high, [low, high] if goal is None or goal in (low, high) else [low, goal, high])]
    if goal is not None:
        parts.append(
            Markup('<line class="goal" x1="{x}" x2="{x}" y1="4" y2="{y}"/>').format(x=_x(goal, low, high), y=AXIS)
        )
    before = (row.base, row.base_low, row.base_high, row.base_range_low, row.base_range_high)
    after = (row.tuned, row.tuned_low, row.tuned_high, row.tuned_range_low, row.tuned_range_high)
    for place, (name, (value, left, right, least, most)) in enumerate((("before", before), ("after", after))):
        y = 13 + 20 * place
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(y + 4, name))
        parts.append(_bar(name, left, right, low, high, y))
        parts += [_tick(name, each, low, high, y) for each in (least, most) if each is not None]
        parts.append(_marker(name, _x(value, low, high), y))
    told = (
        f"before {number(row.base)}, interval {span(row.base_low, row.base_high)}; after {number(row.tuned)},"
        f" interval {span(row.tuned_low, row.tuned_high)}; {known.target_words}"
    )
    return _svg("levels", told, parts)


def change(row: Comparison, limit: float) -> Markup:
    """The difference and its interval about zero, the margin of no harm shaded, and which side is better."""
    low, high = -limit, limit
    parts: list[Markup] = []
    if row.margin is not None:
        left, right = (_x(max(low, min(high, side)), low, high) for side in (-row.margin, row.margin))
        parts.append(
            Markup('<rect class="margin" x="{:.1f}" y="14" width="{:.1f}" height="{}"/>').format(
                left, right - left, AXIS - 14
            )
        )
    parts.append(_axis(low, high, [low, 0.0, high]))
    parts.append(Markup('<line class="zero" x1="{x}" x2="{x}" y1="14" y2="{y}"/>').format(x=_x(0.0, low, high), y=AXIS))
    parts.append(_bar("change", row.low, row.high, low, high, 30))
    parts += [_tick("change", each, low, high, 30) for each in (row.range_low, row.range_high) if each is not None]
    parts.append(_marker("change", _x(row.difference, low, high), 30))
    parts.append(_direction(row))
    margin = f"; no harm below {row.margin:g}" if row.margin is not None else ""
    told = f"change {signed(row.difference)}, interval {interval(row.low, row.high)}{margin}; {row.verdict}"
    return _svg("change", told, parts)


def limit_of(rows: Sequence[Comparison]) -> float:
    """How far an axis of changes must reach on both sides to hold all of them; a round number."""
    furthest = max((abs(side) for row in rows for side in (row.low, row.high, row.difference)), default=0.0)
    wanted = max(furthest, NARROWEST / 2)
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in STEPS if step * power >= wanted - 1e-12)


def _direction(row: Comparison) -> Markup:
    """Which side of zero is better; for a goal in the middle that depends on where the base model was."""
    known = METRICS[row.metric]
    if known.target in GOALS:
        goal = GOALS[known.target]
        if row.base == goal:
            return Markup("")
        words, right = f"towards {goal:g}", row.base < goal
    else:
        words, right = "better", known.target == "higher"
    text = f"{words} →" if right else f"← {words}"
    x, anchor = (WIDTH - RIGHT, "end") if right else (LEFT, "start")
    return Markup('<text class="soft" x="{}" y="9" text-anchor="{}">{}</text>').format(x, anchor, text)


def _scale(row: Comparison, goal: float | None) -> tuple[float, float]:
    """The part of the metric's range that holds both intervals and the goal."""
    shown = [row.base_low, row.base_high, row.tuned_low, row.tuned_high, row.base, row.tuned]
    shown += [
        side
        for side in (row.base_range_low, row.base_range_high, row.tuned_range_low, row.tuned_range_high)
        if side is not None
    ]
    shown += [] if goal is None else [goal]
    low, high = min(shown), max(shown)
    bounds = METRICS[row.metric].bounds
    spare = max((NARROWEST if bounds else 0.02 * abs(high)) - (high - low), 0.08 * (high - low), 1e-6) / 2
    low, high = low - spare, high + spare
    if bounds:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return (math.floor(low * 100) / 100, math.ceil(high * 100) / 100)


def _x(value: float, low: float, high: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low), 1)


def _axis(low: float, high: float, ticks: Sequence[float]) -> Markup:
    parts = [Markup('<line class="axis" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(LEFT, WIDTH - RIGHT, y=AXIS)]
    places: list[float] = []
    for tick in sorted(ticks, key=lambda each: each not in (low, high)):  # a number at an end comes before one between
        x = _x(tick, low, high)
        if any(abs(x - other) < 34 for other in places):
            continue
        places.append(x)
        parts.append(Markup('<line class="axis" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(AXIS, AXIS + 4, x=x))
        parts.append(
            Markup('<text class="soft" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                x, AXIS + 16, _tick_text(tick)
            )
        )
    return Markup("").join(parts)


def _tick_text(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _bar(name: str, left: float, right: float, low: float, high: float, y: float) -> Markup:
    ends = [_x(max(low, min(high, side)), low, high) for side in (left, right)]
    return Markup('<line class="{}" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(name, *ends, y=y)


def _tick(name: str, value: float, low: float, high: float, y: float) -> Markup:
    x = _x(max(low, min(high, value)), low, high)
    return Markup('<line class="range {}" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(name, y - 7, y + 7, x=x)


def _marker(name: str, at: float, y: float) -> Markup:
    if name == "before":
        return Markup('<rect class="before" x="{:.1f}" y="{:.1f}" width="9" height="9"/>').format(at - 4.5, y - 4.5)
    if name == "after":
        return Markup('<circle class="after" cx="{:.1f}" cy="{:.1f}" r="5"/>').format(at, y)
    points = f"{at:.1f},{y - 6:.1f} {at + 6:.1f},{y:.1f} {at:.1f},{y + 6:.1f} {at - 6:.1f},{y:.1f}"
    return Markup('<polygon class="change" points="{}"/>').format(points)


def _svg(name: str, told: str, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        name, WIDTH, HEIGHT, told, Markup("").join(parts)
    )
