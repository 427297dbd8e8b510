"""The way of the statements, as inline SVG: all of them, then drafted or rejected for what, then what people decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from stages.records import Constitution

WIDTH = 800.0
BAR = 14.0  # width of a node
COLUMNS = (2.0, 215.0, 480.0)  # left edges
TALL = 250.0  # height of all statements
PITCH = 24.0  # the least height that a label needs

Kind = Literal["adopted", "declined", "rejected"]


@dataclass(frozen=True)
class Way:
    """What became of some statements: a reason for which they were not drafted, or a decision on the draft."""

    key: str  # e.g. "code.below_threshold" or "way.accept": the page's word for it
    count: int
    kind: Kind

    @property
    def drafted(self) -> bool:
        """Whether they came before the people who decided."""
        return self.kind != "rejected"


def ways(drafted: Constitution, ratified: Constitution) -> tuple[Way, ...]:
    """Every statement is in one of them: decisions in the order of agreement, then reasons, the most frequent first."""
    statements = {principle.id: len(principle.sources) for principle in drafted.principles}
    decided: Counter[str] = Counter()
    for decision in (*(item.decision for item in ratified.principles), *ratified.declined):
        if decision is not None:
            decided[decision.decision] += statements.get(decision.principle, 0)
    codes = Counter(item.code for item in drafted.rejected)
    kinds: dict[str, Kind] = {"accept": "adopted", "reword": "adopted", "merge": "adopted", "reject": "declined"}
    return (
        *(Way(f"way.{name}", decided[name], kind) for name, kind in kinds.items() if decided[name]),
        *(
            Way(f"code.{code}", count, "rejected")
            for code, count in sorted(codes.items(), key=lambda item: (-item[1], item[0]))
        ),
    )


def draw(found: Sequence[Way], names: Sequence[str], all_name: str, drafted_name: str, label: str) -> Markup:
    """The drawing; `names` are the ways in words, in their order. Heights are numbers of statements."""
    unit = TALL / max(sum(way.count for way in found), 1)
    drafted = sum(way.count for way in found if way.drafted) * unit
    slots = [max(way.count * unit, PITCH) for way in found]
    decisions = sum(slot for way, slot in zip(found, slots, strict=True) if way.drafted)
    height = max(TALL, decisions + sum(slots) - decisions + PITCH) + 8
    start = (height - TALL) / 2
    parts = [_node(0, start, TALL, "whole", all_name)]
    if drafted:
        middle = 4 + (max(decisions, drafted) - drafted) / 2
        parts += [_ribbon(0, start, 1, middle, drafted, "adopted"), _node(1, middle, drafted, "adopted", drafted_name)]
    leaving = {True: middle if drafted else 0.0, False: start + drafted}
    y = 4.0
    for number, (way, slot, name) in enumerate(zip(found, slots, names, strict=True)):
        if not way.drafted and (number == 0 or found[number - 1].drafted):
            y = max(y, 4 + drafted) + (PITCH if number else 0)
        tall, place = way.count * unit, y + (slot - way.count * unit) / 2
        column = 2 if way.drafted else 1
        parts.append(_ribbon(column - 1, leaving[way.drafted], column, place, tall, way.kind))
        parts.append(_node(column, place, tall, way.kind, name))
        leaving[way.drafted] += tall
        y += slot
    return Markup('<svg class="ways" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, max(height, y + 8), label, Markup("").join(parts)
    )


def _node(column: int, y: float, height: float, kind: str, name: str) -> Markup:
    x = COLUMNS[column]
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.0f}" height="{:.1f}"/><text x="{:.1f}" y="{:.1f}">{}</text>'
    ).format(kind, x, y, BAR, max(height, 1.5), x + BAR + 7, y + height / 2 + 5, name)


def _ribbon(column: int, y: float, to: int, to_y: float, height: float, kind: str) -> Markup:
    left, right = COLUMNS[column] + BAR, COLUMNS[to]
    bend = (left + right) / 2
    tall = max(height, 1.5)
    path = (
        f"M{left:.1f} {y:.1f}C{bend:.1f} {y:.1f} {bend:.1f} {to_y:.1f} {right:.1f} {to_y:.1f}V{to_y + tall:.1f}"
        f"C{bend:.1f} {to_y + tall:.1f} {bend:.1f} {y + tall:.1f} {left:.1f} {y + tall:.1f}Z"
    )
    return Markup('<path class="flow {}" d="{}"/>').format(kind, path)
