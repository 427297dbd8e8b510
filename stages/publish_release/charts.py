"""Small drawings of the page as inline SVG: votes of a group, and before and after with their intervals.

Every drawing has its numbers in words beside it or as its label; colours are from Okabe and Ito's palette in spirit:
blue and orange are told apart by everyone.
"""

from __future__ import annotations

from markupsafe import Markup

from stages.metrics import METRICS
from stages.records import Comparison, VoteCount

WIDTH = 220.0
GOALS = {"zero": 0.0, "half": 0.5}


def vote_bar(votes: VoteCount, label: str) -> Markup:
    """Agree, pass and disagree as parts of one bar."""
    whole = max(votes.agree + votes.passed + votes.disagree, 1)
    agree, passed = votes.agree / whole * 100, votes.passed / whole * 100
    return Markup(
        '<svg class="votes" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="disagree" width="100" height="10"/><rect class="pass" width="{:.1f}" height="10"/>'
        '<rect class="agree" width="{:.1f}" height="10"/></svg>'
    ).format(label, agree + passed, agree)


def scale(rows: list[Comparison]) -> tuple[float, float]:
    """The range on which rows of one metric are drawn: its bounds, or what the intervals span."""
    known = METRICS.get(rows[0].metric)
    if known and known.bounds:
        return known.bounds
    low = min(min(row.base_low, row.tuned_low, row.base, row.tuned) for row in rows)
    high = max(max(row.base_high, row.tuned_high, row.base, row.tuned) for row in rows)
    margin = (high - low or 1.0) * 0.08
    return low - margin, high + margin


def before_and_after(row: Comparison, bounds: tuple[float, float], label: str) -> Markup:
    """Two points with their intervals on one axis; a dashed line marks the goal where it is a value."""
    parts = [Markup('<line class="axis" x1="0" x2="{:.0f}" y1="17" y2="17"/>').format(WIDTH)]
    target = METRICS[row.metric].target if row.metric in METRICS else ""
    if target in GOALS and bounds[0] <= GOALS[target] <= bounds[1]:
        parts.append(
            Markup('<line class="goal" x1="{0:.1f}" x2="{0:.1f}" y1="1" y2="33"/>').format(_x(GOALS[target], bounds))
        )
    parts.append(_point("base", 10, row.base, row.base_low, row.base_high, bounds))
    parts.append(_point("tuned", 24, row.tuned, row.tuned_low, row.tuned_high, bounds))
    return Markup('<svg class="change" viewBox="-6 0 {:.0f} 34" role="img" aria-label="{}">{}</svg>').format(
        WIDTH + 12, label, Markup("").join(parts)
    )


def _point(name: str, y: int, value: float, low: float, high: float, bounds: tuple[float, float]) -> Markup:
    return Markup(
        '<line class="{0}" x1="{1:.1f}" x2="{2:.1f}" y1="{3}" y2="{3}"/><circle class="{0}" cx="{4:.1f}" cy="{3}" r="4.5"/>'
    ).format(name, _x(low, bounds), _x(high, bounds), y, _x(value, bounds))


def _x(value: float, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return min(max((value - low) / (high - low), 0.0), 1.0) * WIDTH
