"""The report on a draft: one HTML page that needs no network, no script and no other file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages import pages
from stages.draft_constitution import cards, charts, report, sankey, summary
from stages.draft_constitution.cards import Said
from stages.draft_constitution.marks import code_in_words, flag_in_words, listed
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.standing import MAJORITY, HeldAlone, Standings, held_alone, standings
from stages.records import Constitution, Gate

if TYPE_CHECKING:
    from jinja2 import Environment

    from stages.draft_constitution.alike import Pair
    from stages.draft_constitution.drafting import Drafted, VoteFindings
    from stages.draft_constitution.groupings import DeclaredVotes

HERE = Path(__file__).parent
# How much of long lists is on the page; what is left out is counted there, with the file that holds all.
MOST_CARDS = 100
MOST_REJECTED = 200
MOST_PAIRS = 15  # of each kind
MOST_DIVIDED = 8
MOST_HELD_ALONE = 10
MOST_POINTS = 2000  # people on the map
MOST_DOTS = 2500  # statements in the drawing
MOST_ROWS = 200  # of any other table


def render(about: Mapping[str, Any], drafted: Drafted, params: Parameters) -> str:
    """The whole page. Texts of citizens are escaped where they are put in, and are never read as a template."""
    css, css_hash = pages.inline(HERE / "templates" / "report.css")
    content = _content(about, drafted, params)
    if drafted.found:
        content |= _findings(drafted, drafted.found, params)
    return environment().get_template("report.html.j2").render(content, css=css, css_hash=css_hash)


@cache
def environment() -> Environment:
    """Jinja with this page's filters."""
    filters: dict[str, Callable[..., Any]] = {
        "percent": cards.percent,
        "thousands": _thousands,
        "listed": listed,
        "capitalize_first": _capitalised,
        "gate_value": _gate_value,
        "flag_in_words": flag_in_words,
    }
    return pages.environment(HERE / "templates", filters)


def _thousands(number: float) -> str:
    return f"{number:,.0f}"


def _capitalised(sentence: str) -> str:
    """With a capital first letter and all others as they are."""
    return sentence[:1].upper() + sentence[1:]


def _gate_value(gate: Gate) -> str:
    """What was found, in per cent where per cent are wanted."""
    if gate.value is None:
        return "yes" if gate.passed else "not known"
    if "%" in gate.wanted:
        return f"{100 * gate.value:.1f} %"
    return f"{gate.value:,.0f}" if gate.value >= 100 else f"{gate.value:.3g}"


def _content(about: Mapping[str, Any], drafted: Drafted, params: Parameters) -> dict[str, Any]:
    """What every draft can tell, with and without votes."""
    constitution = drafted.constitution
    stages = sankey.outcomes(constitution)
    rejected = sorted(
        constitution.rejected, key=lambda r: (-(r.scores.lower_bound if r.scores else -1), r.statement_id)
    )
    bounds = _bounds(drafted.found)
    shown = constitution.principles[:MOST_CARDS]
    return {
        "about": about,
        "constitution": constitution,
        "method": report.METHOD if drafted.found else report.METHOD_WITHOUT_VOTES,
        "params": params,
        "found": drafted.found,
        "gates": drafted.gates,
        "certificate": drafted.draft.certificate,
        "cards": [cards.card(p, bounds.get(p.statement_ids[0], {}), params.confidence) for p in shown],
        "more_cards": len(constitution.principles) - len(shown),
        "stages": stages,
        "sankey": sankey.draw(stages, _in_words(stages)),
        "rejected": [
            (r, cards.text(r.text, r.language, cards.MOST_CHARACTERS_IN_LISTS), code_in_words(r.code))
            for r in rejected[:MOST_REJECTED]
        ],
        "more_rejected": max(len(rejected) - MOST_REJECTED, 0),
        "short": list(summary.in_short(drafted)),
        "settings": json.dumps(params.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False),
        "most_rows": MOST_ROWS,
    }


def _in_words(stages: tuple[sankey.Stage, ...]) -> str:
    """The drawing's content for those who do not see it."""
    total = sum(stage.count for stage in stages)
    return f"Of {total:,} statements: " + "; ".join(f"{stage.count:,} {stage.name}" for stage in stages)


def _bounds(found: VoteFindings | None) -> dict[int, Mapping[str, float]]:
    return {id_: one.lower_bounds for id_, one in found.consensus.items()} if found else {}


def _findings(drafted: Drafted, found: VoteFindings, params: Parameters) -> dict[str, Any]:
    """What only single votes can tell."""
    constitution = drafted.constitution
    words = cards.texts(constitution)
    places = charts.sample(found.grouping, MOST_POINTS, params.seed)
    placed = standings(constitution, params.min_cell)
    alone = held_alone(constitution, _bounds(found), params.min_cell)
    sizes = found.grouping.sizes
    smallest_first = sorted(alone, key=lambda group: (sizes.get(group, 0), group))
    return {
        "grouping": found.grouping,
        "sizes": sizes,
        "keys": {group: charts.key(group) for group in sorted(sizes)},
        "stability": _stability(found, len(sizes), params),
        "map": charts.opinion_map(places, _map_words(sizes)),
        "on_map": sum(len(members) for members in places.values()),
        "distinctive": cards.distinctive(found, words),
        "standings": placed,
        "division": charts.consensus_and_division(_drawn(placed), "Every statement by agreement and division"),
        "dots_left_out": max(len(placed.placed) - MOST_DOTS, 0),
        "divided": _divided(placed, constitution),
        "alone": {group: [_alone(view) for view in alone[group][:MOST_HELD_ALONE]] for group in smallest_first},
        "alone_counts": {group: len(views) for group, views in alone.items()},
        "words": words,
        "principle_of": {p.statement_ids[0]: p.id for p in constitution.principles},
        "duplicates": _pairs(found.alike.duplicates, constitution),
        "contradictions": _pairs(found.alike.contradictions, constitution),
        "margins": found.representation.margins,
        "has_census": any(row.census_share is not None for row in found.representation.margins),
        "declared": list(_declared(found, constitution)),
    }


def _stability(found: VoteFindings, used: int, params: Parameters) -> list[dict[str, Any]]:
    return [
        {
            "count": count,
            "found": one,
            "used": count == used,
            "bar": charts.stability_bar(one.mean, one.lowest, params.min_stability),
        }
        for count, one in sorted(found.grouping.stability.items())
    ]


def _map_words(sizes: Mapping[str, int]) -> str:
    """What the map shows, for those who do not see it."""
    if len(sizes) < 2:
        return f"Map of opinions of {sum(sizes.values()):,} people, not divided into groups"
    return f"Map of opinions: {listed([f'group {name} with {size:,} people' for name, size in sorted(sizes.items())])}"


def _drawn(placed: Standings) -> Standings:
    """All principles, and of the other statements the first ones by id while there is room."""
    order = sorted(placed.placed, key=lambda one: (not one.principle, one.statement_id))
    return Standings(tuple(order[:MOST_DOTS]), placed.too_few_votes, placed.groups)


def _divided(placed: Standings, constitution: Constitution) -> list[Said]:
    """The statements over which the groups are furthest apart, or that most people reject where there is one group."""
    votes = {r.statement_id: r.votes for r in constitution.rejected} | {
        p.statement_ids[0]: p.votes for p in constitution.principles
    }
    order = sorted((one for one in placed.placed if one.apart > 0), key=lambda one: (-one.apart, one.statement_id))
    return [
        Said(
            one.statement_id,
            cards.text(one.text, one.language, cards.MOST_CHARACTERS_IN_LISTS),
            f"{100 * one.apart:.0f} points apart" if placed.groups > 1 else f"{cards.percent(one.apart)} disagree",
            cards.group_votes(votes[one.statement_id]),
        )
        for one in order[:MOST_DIVIDED]
    ]


def _alone(view: HeldAlone) -> Said:
    told = f"group {view.group} is {100 * view.ahead:.0f} points ahead of the next group"
    return Said(
        view.statement_id,
        cards.text(view.text, view.language, cards.MOST_CHARACTERS_IN_LISTS),
        told,
        cards.group_votes(view.counts),
    )


def _pairs(pairs: Sequence[Pair], constitution: Constitution) -> dict[str, Any]:
    """The pairs that bear on a drafted principle first, then the others, and how many are left out."""
    drafted = {p.statement_ids[0] for p in constitution.principles}
    bearing = [pair for pair in pairs if {pair.first, pair.second} & drafted]
    others = [pair for pair in pairs if not {pair.first, pair.second} & drafted]
    shown = bearing[:MOST_PAIRS], others[:MOST_PAIRS]
    return {"drafted": shown[0], "others": shown[1], "left_out": len(pairs) - len(shown[0]) - len(shown[1])}


def _declared(found: VoteFindings, constitution: Constitution) -> Iterator[dict[str, Any]]:
    """For each declared group: on how many principles it can be told what it thinks, and where it agrees least."""
    principles = {p.statement_ids[0]: p.id for p in constitution.principles}
    cells: dict[tuple[str, str], list[DeclaredVotes]] = {}
    for cell in found.declared:
        group = cells.setdefault((cell.attribute, cell.value), [])
        if cell.statement_id in principles:
            group.append(cell)
    for (attribute, value), votes in sorted(cells.items()):
        told = {principles[cell.statement_id]: share for cell in votes if (share := _agree_share(cell)) is not None}
        least = min(told, key=lambda id_: (told[id_], id_), default=None)
        yield {
            "attribute": attribute,
            "value": value,
            "told": len(told),
            "hidden": len(principles) - len(told),
            "majority": sum(share > MAJORITY for share in told.values()),
            "least": f"{least}, {cards.percent(told[least])}" if least else "",
        }


def _agree_share(cell: DeclaredVotes) -> float | None:
    """None where the count is hidden, or nobody voted."""
    if cell.agree is None or cell.disagree is None or cell.passed is None:
        return None
    whole = cell.agree + cell.disagree + cell.passed
    return cell.agree / whole if whole else None
