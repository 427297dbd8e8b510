"""Consensus against division as inline SVG: each statement by how high the least agreeing group is, and how far apart.

Shape and fill tell what became of a statement, colour only says it again, so that everyone can tell them apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from stages.records import Constitution, VoteCount

Fate = Literal["adopted", "declined", "other"]
WIDTH, HEIGHT = 640.0, 420.0
LEFT, RIGHT, TOP, BOTTOM = 68.0, 24.0, 30.0, 52.0
FEWEST_VOTES = 5  # of a group on a statement: fewer tell no share
LONGEST = 110  # characters of a statement that appears where one points at its mark


@dataclass(frozen=True)
class Place:
    """Where a statement stands; with a single group `apart` is the share that disagrees."""

    statement_id: int
    text: str
    fate: Fate
    least: float  # share that agrees in the group that agrees least
    apart: float


@dataclass(frozen=True)
class Places:
    """Every statement that has a place, and how many have none because a group cast too few votes."""

    shown: tuple[Place, ...]
    too_few_votes: int
    groups: int

    def count(self, fate: Fate) -> int:
        """How many became what."""
        return sum(place.fate == fate for place in self.shown)


@dataclass(frozen=True)
class Words:
    """The drawing's words in one language."""

    label: str
    across: str
    up: str
    right_corner: str
    top_corner: str


def places(drafted: Constitution, adopted: Sequence[str]) -> Places:
    """The place of each statement that was voted on, by its number."""
    shown, left_out, groups = [], 0, 0
    for id_, text, fate, votes in _voted_on(drafted, set(adopted)):
        groups = max(groups, len(votes))
        if min(_size(count) for count in votes.values()) < FEWEST_VOTES:
            left_out += 1
            continue
        rates = [count.agree / _size(count) for count in votes.values()]
        alone = next(iter(votes.values()))
        apart = max(rates) - min(rates) if len(votes) > 1 else alone.disagree / _size(alone)
        shown.append(Place(id_, text, fate, min(rates), apart))
    return Places(tuple(sorted(shown, key=lambda place: place.statement_id)), left_out, groups)


def _voted_on(drafted: Constitution, adopted: set[str]) -> Iterator[tuple[int, str, Fate, Mapping[str, VoteCount]]]:
    for principle in drafted.principles:
        if principle.scores and principle.votes:
            fate: Fate = "adopted" if principle.id in adopted else "declined"
            yield principle.statement_ids[0], principle.text, fate, principle.votes
    for rejected in drafted.rejected:
        if rejected.scores and rejected.votes:
            yield rejected.statement_id, rejected.text, "other", rejected.votes


def _size(count: VoteCount) -> int:
    return count.agree + count.disagree + count.passed


def draw(found: Places, words: Words) -> Markup:
    """One mark per statement; those that became principles lie on top."""
    top = ceiling(found)
    order = {"other": 0, "declined": 1, "adopted": 2}
    marks = [_mark(place, top) for place in sorted(found.shown, key=lambda place: order[place.fate])]
    corner = Markup('<text class="corner" x="{:.0f}" y="{:.0f}" text-anchor="{}">{}</text>')
    parts = [
        *_axes(top, words),
        *marks,
        corner.format(WIDTH - RIGHT, HEIGHT - 10, "end", words.right_corner),
        corner.format(LEFT, TOP - 12, "start", words.top_corner),
    ]
    return Markup('<svg class="division" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, words.label, Markup("").join(parts)
    )


def ceiling(found: Places) -> int:
    """The top of the upward axis in points: the next ten above the widest distance, from 30 to 100."""
    widest = max((place.apart for place in found.shown), default=0.0)
    return min(100, max(30, 10 * math.ceil(10 * widest + 0.2)))


def _axes(top: int, words: Words) -> Iterator[Markup]:
    line = Markup('<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
    text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    bottom = HEIGHT - BOTTOM
    for tick in range(0, 101, 20):
        yield line.format(_x(tick / 100), _x(tick / 100), TOP, bottom)
        yield text.format(_x(tick / 100), bottom + 19, "middle", tick)
    for tick in range(0, top + 1, 10 if top <= 50 else 20):
        yield line.format(LEFT, WIDTH - RIGHT, _y(tick / 100, top), _y(tick / 100, top))
        yield text.format(LEFT - 7, _y(tick / 100, top) + 5, "end", tick)
    yield text.format(LEFT, HEIGHT - 10, "start", words.across)
    turned = Markup('<text transform="translate(16 {:.0f}) rotate(-90)" text-anchor="middle">{}</text>')
    yield turned.format((TOP + bottom) / 2, words.up)


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(apart: float, top: int) -> float:
    return HEIGHT - BOTTOM - 100 * apart / top * (HEIGHT - TOP - BOTTOM)


def _mark(place: Place, top: int) -> Markup:
    """A diamond for a draft (filled where it was adopted), a ring for the rest; its words where one points at it."""
    x, y = _x(place.least), _y(place.apart, top)
    title = Markup("<title>{}: {}</title>").format(place.statement_id, _short(place.text))
    if place.fate == "other":
        return Markup('<circle class="other" cx="{:.1f}" cy="{:.1f}" r="4">{}</circle>').format(x, y, title)
    return Markup('<path class="{}" d="{}">{}</path>').format(place.fate, diamond(x, y, 6), title)


def diamond(x: float, y: float, half: float) -> str:
    """The outline of a square on its corner."""
    return f"M{x:.1f} {y - half:.1f}L{x + half:.1f} {y:.1f}L{x:.1f} {y + half:.1f}L{x - half:.1f} {y:.1f}Z"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
