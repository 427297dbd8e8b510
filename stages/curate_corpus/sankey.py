"""Draw where documents came from and what became of them: sources on the left, kept or the reason on the right.

Each reason has a colour and a pattern of its own, so that it is told apart without colour and in print.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from stages.curate_corpus.words import REASONS, Reason

WIDTH = 760.0
BAR = 14.0
LEFT, RIGHT = 275.0, 560.0  # of the two columns of bars
FULL = 320.0  # height of all documents
GAP = 10.0
PITCH = 26.0  # between labels, so that they never lie over each other
THINNEST = 1.5
LABEL = 26  # characters of a source's name
MOST_SOURCES = 8

# What lies over the colour, in a square of 8 by 8; the empty ones are told by their place as well.
PATTERNS = {
    "plain": "",
    "rising": '<path d="M0 8L8 0"/>',
    "falling": '<path d="M0 0L8 8"/>',
    "upright": '<path d="M4 0V8"/>',
    "flat": '<path d="M0 4H8"/>',
    "grid": '<path d="M4 0V8M0 4H8"/>',
    "crosses": '<path d="M2 2L6 6M6 2L2 6"/>',
    "dots": '<circle cx="4" cy="4" r="1.2"/>',
    "rings": '<circle cx="4" cy="4" r="2.4"/>',
    "waves": '<path d="M0 4Q2 1 4 4T8 4"/>',
}


def definitions() -> Markup:
    """The patterns, to be put on the page once, before they are used."""
    made = [
        Markup(
            '<pattern id="{0}" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="{1}"/>'
            '<g fill="none" stroke="{2}" stroke-width="1.2">{3}</g></pattern>'
        ).format(_id(reason), reason.colour, _ink(reason), Markup(PATTERNS[reason.pattern]))  # noqa: S704 - constants
        for reason in REASONS
    ]
    return Markup('<svg class="definitions" aria-hidden="true"><defs>{}</defs></svg>').format(Markup("").join(made))


def swatch(reason: Reason) -> Markup:
    """A small field that shows how a reason is drawn."""
    return Markup(
        '<svg class="swatch" viewBox="0 0 22 14" aria-hidden="true"><rect width="22" height="14" {}/></svg>'
    ).format(fill(reason))


def fill(reason: Reason) -> Markup:
    """The attribute that fills a shape as the reason looks."""
    return Markup('fill="url(#{})"').format(_id(reason))


def bar(counts: Mapping[str, int], label: str) -> Markup:
    """One row: all documents of a source or language, by what became of them."""
    total = sum(counts.values())
    parts, x = [], 0.0
    for reason in REASONS:
        if counts.get(reason.name):
            wide = 200 * counts[reason.name] / total
            parts.append(Markup('<rect x="{:.2f}" width="{:.2f}" height="14" {}/>').format(x, wide, fill(reason)))
            x += wide
    return Markup(
        '<svg class="bar" viewBox="0 0 200 14" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(label, Markup("").join(parts))


def draw(flows: Mapping[str, Counter[str]], label: str) -> Markup:
    """Source -> reason -> documents as bands; their widths are numbers of documents."""
    total = sum(counts.total() for counts in flows.values())
    if not total:
        return Markup("")
    unit = FULL / total
    ends = [reason for reason in REASONS if any(counts[reason.name] for counts in flows.values())]
    reasons = {reason.name: sum(counts[reason.name] for counts in flows.values()) for reason in ends}
    left = _places([counts.total() * unit for counts in flows.values()])
    right = _places([count * unit for count in reasons.values()])
    height = max(left[-1][1], right[-1][1]) + PITCH / 2
    left, right = _centred(left, height), _centred(right, height)
    landing = {name: top for name, (top, _) in zip(reasons, right, strict=True)}
    bands, nodes = [], []
    for (source, counts), (top, bottom) in zip(flows.items(), left, strict=True):
        nodes.append(_source_node(source, counts.total(), top, bottom))
        for reason in ends:
            tall = counts[reason.name] * unit
            if tall:
                bands.append(
                    _ribbon(top, landing[reason.name], tall, reason, f"{source}: {counts[reason.name]:,} {reason.name}")
                )
                top += tall
                landing[reason.name] += tall
    for reason, (top, bottom) in zip(ends, right, strict=True):
        nodes.append(_reason_node(reason, reasons[reason.name], top, bottom))
    return Markup('<svg class="sankey" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, label, Markup("").join([*bands, *nodes])
    )


def largest(flows: Mapping[str, Counter[str]], most: int = MOST_SOURCES) -> dict[str, Counter[str]]:
    """The largest sources, and all others as one."""
    ordered = sorted(flows.items(), key=lambda item: (-item[1].total(), item[0]))
    shown = dict(ordered[:most])
    if rest := ordered[most:]:
        others = sum((counts for _, counts in rest), Counter[str]())
        shown[f"{len(rest):,} other sources"] = others
    return shown


def _places(heights: Sequence[float]) -> list[tuple[float, float]]:
    """Top and bottom of each bar, one below the other with room for its label."""
    places, y = [], PITCH / 2
    for tall in heights:
        slot = max(tall + GAP, PITCH)
        places.append((y + (slot - GAP - tall) / 2, y + (slot - GAP + tall) / 2))
        y += slot
    return places


def _centred(places: Sequence[tuple[float, float]], height: float) -> list[tuple[float, float]]:
    shift = (height - places[-1][1] - places[0][0]) / 2
    return [(top + shift, bottom + shift) for top, bottom in places]


def _source_node(source: str, count: int, top: float, bottom: float) -> Markup:
    name = source if len(source) <= LABEL else f"{source[: LABEL - 1]}…"
    return Markup(
        '<rect class="source" x="{:.1f}" y="{:.1f}" width="{:.0f}" height="{:.1f}"/>'
        '<text class="end" x="{:.1f}" y="{:.1f}">{}<tspan class="count" dx="6">{:,}</tspan></text>'
    ).format(
        LEFT, top, BAR, max(bottom - top, THINNEST), LEFT - 8, (top + bottom) / 2 + 5, name or "(not named)", count
    )


def _reason_node(reason: Reason, count: int, top: float, bottom: float) -> Markup:
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.0f}" height="{:.1f}" {}/>'
        '<text x="{:.1f}" y="{:.1f}"><tspan class="count">{:,}</tspan><tspan dx="6">{}</tspan></text>'
    ).format(
        RIGHT, top, BAR, max(bottom - top, THINNEST), fill(reason),
        RIGHT + BAR + 8, (top + bottom) / 2 + 5, count, reason.name,
    )  # fmt: skip


def _ribbon(y: float, to_y: float, height: float, reason: Reason, title: str) -> Markup:
    """A band from one bar to the other with soft bends."""
    x, to_x = LEFT + BAR, RIGHT
    bend = (x + to_x) / 2
    height = max(height, 0.75)
    return Markup(
        '<path class="ribbon" fill="{}" d="M{:.1f} {:.1f}C{b:.1f} {:.1f} {b:.1f} {:.1f} {:.1f} {:.1f}'
        'V{:.1f}C{b:.1f} {:.1f} {b:.1f} {:.1f} {:.1f} {:.1f}z"><title>{}</title></path>'
    ).format(
        reason.colour, x, y, y, to_y, to_x, to_y, to_y + height, to_y + height, y + height, x, y + height, title, b=bend
    )  # fmt: skip


def _id(reason: Reason) -> str:
    return f"fill-{reason.name.replace(' ', '-')}"


def _ink(reason: Reason) -> str:
    """Lines that are seen on the colour: white on the dark ones."""
    return "#ffffff" if reason.colour in ("#000000", "#0072B2", "#4D4D4D") else "#000000"
