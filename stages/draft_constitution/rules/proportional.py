"""Rule `proportional`: of what no group is against, a set in which every part of the crowd finds itself.

First a floor for each statement (every group's lower bound), then approvals corrected for exposure, then a committee
rule. Likes and other approvals that everybody could give are taken as they were cast: there is no rate to correct by,
and no floor to ask for.
"""

from __future__ import annotations

from stages.draft_constitution.parameters import Parameters, Proportional
from stages.draft_constitution.rules import committee
from stages.draft_constitution.rules.approvals import Approvals, as_cast, corrected
from stages.draft_constitution.rules.choice import (
    Candidate,
    Choice,
    Pool,
    Refusal,
    best_first,
    not_sure_enough,
    percent,
    seen_by_too_few,
    set_apart,
    without_twins,
)
from stages.draft_constitution.rules.top_n import supporters

METHODS = {"equal_shares": "Equal Shares", "phragmen": "Phragmén", "sequential_pav": "sequential PAV"}


def choose(pool: Pool, params: Parameters) -> Choice:
    """Set apart what is not eligible, fill in approvals, and let the committee rule choose `top_n`."""
    assert pool.votes is not None
    eligible, refused = set_apart(pool.candidates, ((c, not_eligible(c, pool.kind, params)) for c in pool.candidates))
    unique, repeated = without_twins(_ranked(eligible, pool.kind, params))
    ballots = approvals_of(pool, [candidate.id for candidate in unique])
    rows = committee_of(ballots, params.top_n, params.proportional)
    chosen = {
        ballots.statements[row]: _why(ballots, row, place, len(rows), params) for place, row in enumerate(rows, 1)
    }
    reason = f"{METHODS[params.proportional.method]} gave the {len(rows)} places to others of {len(unique)} eligible statements"
    late = {c.id: Refusal("place", reason) for c in unique if c.id not in chosen}
    wanted = params.proportional.floor if pool.kind == "votes" else None
    return Choice(chosen, refused | repeated | late, wanted, ballots)


def not_eligible(candidate: Candidate, kind: str, params: Parameters) -> Refusal | None:
    """Why it cannot be in the set, whoever would be represented by it."""
    if kind == "votes":
        return seen_by_too_few(candidate, params) or not_sure_enough(candidate, params.proportional.floor)
    if (found := supporters(candidate, kind)) < max(params.min_cell, 1):
        return Refusal("low_exposure", f"{found} people approve it; wanted {max(params.min_cell, 1)}")
    return None


def approvals_of(pool: Pool, statements: list[int]) -> Approvals:
    """The ballots, corrected for exposure where statements were routed to people."""
    assert pool.votes is not None
    return (corrected if pool.kind == "votes" else as_cast)(pool.votes, pool.labels, statements)


def committee_of(ballots: Approvals, places: int, chosen: Proportional) -> list[int]:
    """Rows of the ballots in the order in which the method chose them."""
    if not ballots.statements or not ballots.voters:
        return []
    if chosen.method == "equal_shares":
        return committee.equal_shares(ballots.approved, places, chosen.completion)
    if chosen.method == "phragmen":
        return committee.phragmen(ballots.approved, places)
    return committee.sequential_pav(ballots.approved, places)


def _ranked(candidates: list[Candidate], kind: str, params: Parameters) -> list[Candidate]:
    if kind == "votes":
        return best_first(candidates, params.rank_by)
    return sorted(candidates, key=lambda c: (-supporters(c, kind), c.id))


def _why(ballots: Approvals, row: int, place: int, places: int, params: Parameters) -> str:
    approving = float(ballots.approved[row].mean())
    cast = int((ballots.approved[row] & ballots.seen[row]).sum())
    return (
        f"place {place} of {places} by {METHODS[params.proportional.method]}: {percent(approving)} of voters approve it,"
        f" corrected for who was shown it ({cast:,} votes to agree)"
    )
