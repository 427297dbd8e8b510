"""The way of all statements to principles, as one drawing: set aside, not drafted and why, drafted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from stages.draft_constitution.marks import SCREENED, code_in_words
from stages.records import Constitution

WIDTH = 760.0
BAR = 14.0  # width of a node
COLUMNS = (4.0, 215.0, 425.0)  # left edges
FULL = 260.0  # height of all statements
GAP = 24.0  # between what was considered and what was set aside
PITCH = 34.0  # between the labels of the last column, so that they never lie over each other
THINNEST = 1.5


@dataclass(frozen=True)
class Stage:
    """One outcome of statements: its name in words, how many, and whether votes were looked at for it."""

    name: str
    count: int
    screened: bool
    drafted: bool = False


def outcomes(constitution: Constitution) -> tuple[Stage, ...]:
    """Drafted first, then every reason with its count, the most frequent first; the sum is all statements."""
    codes = Counter(rejected.code for rejected in constitution.rejected)
    reasons = sorted(codes.items(), key=lambda item: (item[0] in SCREENED, -item[1], item[0]))
    merged = sum(len(principle.statement_ids) for principle in constitution.principles)
    return (
        Stage("drafted as principles", merged, screened=False, drafted=True),
        *(Stage(code_in_words(code), count, code in SCREENED) for code, count in reasons),
    )


def draw(stages: Sequence[Stage], label: str) -> Markup:
    """All statements on the left, what became of them on the right; widths are numbers of statements."""
    total = sum(stage.count for stage in stages)
    if not total:
        return Markup("")
    considered = sum(stage.count for stage in stages if not stage.screened)
    unit = FULL / total
    slots = [max(stage.count * unit + 8, PITCH) for stage in stages]
    height = max(FULL + GAP, sum(slots)) + 8
    top = (height - FULL - (GAP if considered < total else 0)) / 2
    aside_top = top + considered * unit + (GAP if considered else 0)
    bands, nodes = _middle(total, considered, unit, top, aside_top)
    nodes.append(_node(0, top, FULL, "all", f"{total:,} statements"))
    leaving = {False: top, True: aside_top}
    slot_top = (height - sum(slots)) / 2
    for stage, slot in zip(stages, slots, strict=True):
        tall = stage.count * unit
        y = slot_top + (slot - tall) / 2
        kind = "drafted" if stage.drafted else "aside" if stage.screened else "not"
        if stage.count:
            bands.append(_ribbon(1, leaving[stage.screened], tall, 2, y, tall, kind))
        nodes.append(_node(2, y, tall, kind, f"{stage.count:,} {stage.name}"))
        leaving[stage.screened] += tall
        slot_top += slot
    return Markup('<svg class="sankey" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH,
        height,
        label,
        Markup("").join([*bands, *nodes]),  # nodes last: no band lies over a label
    )


def _middle(
    total: int, considered: int, unit: float, top: float, aside_top: float
) -> tuple[list[Markup], list[Markup]]:
    """Statements whose votes were looked at, and those set aside before: the bands to them, and their nodes."""
    bands, nodes = [], []
    if considered:
        tall = considered * unit
        bands.append(_ribbon(0, top, tall, 1, top, tall, "not"))
        nodes.append(_node(1, top, tall, "not", f"{considered:,} considered"))
    aside = total - considered
    if aside:
        tall = aside * unit
        bands.append(_ribbon(0, top + considered * unit, tall, 1, aside_top, tall, "aside"))
        nodes.append(_node(1, aside_top, tall, "aside", f"{aside:,} set aside"))
    return bands, nodes


def _node(column: int, y: float, height: float, kind: str, label: str) -> Markup:
    x = COLUMNS[column]
    height = max(height, THINNEST)
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.0f}" height="{:.1f}"/><text x="{:.1f}" y="{:.1f}">{}</text>'
    ).format(kind, x, y, BAR, height, x + BAR + 8, y + height / 2 + 5, label)


def _ribbon(column: int, y: float, height: float, to_column: int, to_y: float, to_height: float, kind: str) -> Markup:
    """A band from one node to the next with soft bends."""
    x, to_x = COLUMNS[column] + BAR, COLUMNS[to_column]
    bend = (x + to_x) / 2
    height, to_height = max(height, THINNEST), max(to_height, THINNEST)
    return Markup(
        '<path class="ribbon {}" d="M{:.1f} {:.1f}C{b:.1f} {:.1f} {b:.1f} {:.1f} {:.1f} {:.1f}'
        'V{:.1f}C{b:.1f} {:.1f} {b:.1f} {:.1f} {:.1f} {:.1f}z"/>'
    ).format(kind, x, y, y, to_y, to_x, to_y, to_y + to_height, to_y + to_height, y + height, x, y + height, b=bend)
