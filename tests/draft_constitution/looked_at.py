"""Small deliberations drafted whole, for the tests of what people look at: report, pictures and page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from stages.draft_constitution.drafting import Drafted, Material, draft
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.votes import matrix
from stages.records import Statement, Wording
from tests.draft_constitution.planted import columns, crowd

ROOT = Path(__file__).parents[2]
SMALL: dict[str, Any] = {"stability_runs": 4, "separation_runs": 19, "min_votes": 4, "min_exposure": 0.2}
HOSTILE = '<script>alert("1")</script> & {{ 7 * 7 }} {% raw %} %s {0} — ¿qué?'
WORDS = (
    ("Laguntzaileak argi esan behar du ez dakiela zerbait, asmatu ordez.", "eu"),
    ("L’assistant doit citer ses sources, même quand c’est évident.", "fr"),
    ("Els serveis han de funcionar també en llengües minoritzades, com l’aranès.", "ca"),
    (HOSTILE, "es"),
)


def params(**changes: object) -> Parameters:
    """The parameters of params.yaml, made quick, with some of them changed."""
    told = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["draft_constitution"]
    return Parameters.model_validate(told | SMALL | changes)


def about(**changes: object) -> dict[str, Any]:
    """deliberation.json of the planted conversation."""
    told: dict[str, Any] = {
        "title": "Nola jokatu behar du laguntzaileak?",
        "topic": "",
        "description": "In the story, <b>residents</b> are asked.",
        "platform": "polis",
        "url": "",
        "license": "CC0-1.0",
        "simulated": True,
        "kind": "votes",
        "lost": [],
        "sign_convention": "agree is +1 (authors voted +1 on 9 and -1 on 0 of their own statements)",
        "counts": {"participants": 50, "votes": 800, "statements": 22},
    }
    return told | changes


def statements(count: int) -> tuple[Statement, ...]:
    """So many statements, of which the last was moderated out; the first four have texts of their own."""
    made = []
    for id_ in range(count):
        text, language = WORDS[id_] if id_ < len(WORDS) else (f"Opinion number {id_} about the city’s assistant", "en")
        translations = {"en": Wording(value="It must say what it does not know.", origin="machine")} if id_ == 0 else {}
        moderated = -1 if id_ == count - 1 else 1
        made.append(
            Statement(
                id=id_,
                text="" if moderated == -1 else text,
                language=language,
                moderated=moderated,
                author="",
                translations=translations,
            )
        )
    return tuple(made)


@cache
def planted(shuffled: bool = False) -> tuple[Material, Drafted]:
    """Fifty people in two groups, who declared their age, with a census that has an age nobody declared."""
    votes, groups = crowd((30, 20))
    if shuffled:
        votes = votes[::-1]
    ages = {person: {"age": "16-29" if number % 3 else "30-64"} for number, person in enumerate(sorted(groups))}
    told = {person: {"age": "abroad"} for person in sorted(groups)[:2]}
    census = {"age": {"16-29": 0.3, "30-64": 0.4, "65+": 0.3}}
    known = statements(22)
    material = Material(about(), known, matrix(*columns(votes), known=[s.id for s in known]), ages | told, census, {})
    return material, draft(material, params())


def drafted_of(
    votes: list[tuple[str, int, int]] | None, kind: str, **changes: object
) -> tuple[dict[str, Any], Drafted]:
    """A draft of any votes, or of none."""
    known = statements(6)
    found = matrix(*columns(votes), known=[s.id for s in known]) if votes is not None else None
    told = about(
        kind=kind,
        lost=[] if votes is not None else ["opinion groups: only counts are published, so nobody knows who agrees"],
        counts={"participants": len({p for p, _, _ in votes or ()}), "votes": len(votes or ()), "statements": 6},
    )
    return told, draft(Material(told, known, found, {}, {}, {}), params(**changes))
