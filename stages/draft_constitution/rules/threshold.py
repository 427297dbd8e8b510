"""Rule `threshold`: what every opinion group surely supports, at most `top_n` of it."""

from __future__ import annotations

from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.rules.choice import (
    Candidate,
    Choice,
    Pool,
    best_first,
    beyond,
    not_sure_enough,
    percent,
    scores_of,
    seen_by_too_few,
    set_apart,
    without_twins,
)


def choose(pool: Pool, params: Parameters) -> Choice:
    """Take the best that enough people saw and of which every group's lower bound is above the threshold."""
    supported, refused = set_apart(
        pool.candidates,
        ((c, seen_by_too_few(c, params) or not_sure_enough(c, params.threshold)) for c in pool.candidates),
    )
    unique, repeated = without_twins(best_first(supported, params.rank_by))
    best = unique[: params.top_n]
    late = beyond(unique, params.top_n, "that every group supports")
    return Choice(
        chosen={c.id: _why(c, place, len(best), params) for place, c in enumerate(best, start=1)},
        refused=refused | repeated | late,
        wanted=params.threshold,
    )


def _why(candidate: Candidate, place: int, places: int, params: Parameters) -> str:
    return (
        f"place {place} of {places}: in every opinion group more than {percent(scores_of(candidate).lower_bound)} agree"
        f" ({percent(params.confidence)} confidence; wanted {percent(params.threshold)})"
    )
