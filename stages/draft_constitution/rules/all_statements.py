"""Rule `all`: every statement, in the order of the source; for a charter that people already adopted elsewhere."""

from __future__ import annotations

from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.rules.choice import Choice, Pool, without_twins


def choose(pool: Pool, params: Parameters) -> Choice:
    """Take everything that passed screening, and nothing twice; no vote is asked."""
    unique, repeated = without_twins(pool.candidates, "which comes before it")
    chosen = {
        candidate.id: f"place {place} of {len(unique)}: the rule takes every statement, in the order of the source"
        for place, candidate in enumerate(unique, start=1)
    }
    return Choice(chosen, repeated)
