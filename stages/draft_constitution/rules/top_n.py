"""Rule `top_n`: the best so many, however good they are; of counts of supports, the most supported ones."""

from __future__ import annotations

from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.rules.choice import (
    Candidate,
    Choice,
    Pool,
    Refusal,
    best_first,
    beyond,
    percent,
    scores_of,
    seen_by_too_few,
    set_apart,
    without_twins,
)


def choose(pool: Pool, params: Parameters) -> Choice:
    """Rank by group-informed consensus where there are votes, else by how many support it."""
    return _by_votes(pool, params) if pool.kind == "votes" else _by_supporters(pool, params)


def _by_votes(pool: Pool, params: Parameters) -> Choice:
    """By the geometric mean of the groups' agree rates: the order is that of GAC itself, and the figure is comparable."""
    seen, refused = set_apart(pool.candidates, ((c, seen_by_too_few(c, params)) for c in pool.candidates))
    unique, repeated = without_twins(best_first(seen, "gac_geometric_mean"))
    best = unique[: params.top_n]
    late = beyond(unique, params.top_n, "that enough people saw, by group-informed consensus")
    chosen = {
        c.id: f"place {place} of {len(best)} by group-informed consensus: on average over the opinion groups"
        f" {percent(scores_of(c).gac_geometric_mean)} agree (geometric mean)"
        for place, c in enumerate(best, start=1)
    }
    return Choice(chosen, refused | repeated | late)


def _by_supporters(pool: Pool, params: Parameters) -> Choice:
    known, refused = set_apart(pool.candidates, ((c, _unknown(c, pool.kind)) for c in pool.candidates))
    ranked = sorted(known, key=lambda c: (-supporters(c, pool.kind), c.id))
    unique, repeated = without_twins(ranked)
    best = unique[: params.top_n]
    late = beyond(unique, params.top_n, "by number of supporters")
    chosen = {
        c.id: f"place {place} of {len(best)} by number of supporters: {supporters(c, pool.kind):,} support it"
        for place, c in enumerate(best, start=1)
    }
    return Choice(chosen, refused | repeated | late)


def _unknown(candidate: Candidate, kind: str) -> Refusal | None:
    if kind == "counts" and candidate.statement.supports is None:
        return Refusal("low_exposure", "the platform does not tell how many support it")
    if supporters(candidate, kind) == 0:
        return Refusal("low_exposure", "nobody supports it")
    return None


def supporters(candidate: Candidate, kind: str) -> int:
    """How many people support it: as the platform counts, or by the approvals of single people."""
    if kind == "counts":
        return candidate.statement.supports or 0
    return candidate.consensus.total.agree if candidate.consensus else 0
