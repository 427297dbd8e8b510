"""Gates of quality: what was found of the deliberation and the draft, and what would be wanted to rely on it.

They do not stop the run: people decide with them before their eyes, and every release carries them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from stages.draft_constitution.parameters import Parameters
from stages.records import Gate

if TYPE_CHECKING:
    from stages.draft_constitution.drafting import VoteFindings
    from stages.draft_constitution.selection import Draft


def gates(about: Mapping[str, Any], found: VoteFindings | None, chosen: Draft, params: Parameters) -> tuple[Gate, ...]:
    """Every gate with its value, in the order in which a reader would ask."""
    if found is None:
        lost = "; ".join(about["lost"])
        return (
            Gate(name="single votes are known", passed=False, value=None, wanted="yes", reason=lost),
            _chosen(chosen),
        )
    return (
        Gate(name="single votes are known", passed=True, value=None, wanted="yes"),
        _sign(about),
        *_groups(found, params),
        *_crowd(found, params),
        *_accounts(found, params),
        _chosen(chosen),
    )


def _sign(about: Mapping[str, Any]) -> Gate:
    convention = about["sign_convention"]
    known = "assumed" not in convention
    return Gate(name="it is known which sign means agree", passed=known, value=None, wanted="yes", reason=convention)


def _groups(found: VoteFindings, params: Parameters) -> Iterator[Gate]:
    grouping = found.grouping
    stability = grouping.stability.get(len(grouping.sizes))
    mean = stability.mean if stability else None
    yield Gate(
        name="opinion groups stay when people are resampled",
        passed=mean is not None and mean >= params.min_stability,
        value=mean,
        wanted=f"adjusted Rand index of at least {params.min_stability}",
        reason=grouping.verdict,
    )
    p = grouping.separation_p
    yield Gate(
        name="opinion groups lie further apart than chance makes them",
        passed=p is not None and p <= params.max_separation_p,
        value=p,
        wanted=f"p of at most {params.max_separation_p}",
        reason="share of votes dealt out by chance that give groups as far apart",
    )


def _crowd(found: VoteFindings, params: Parameters) -> Iterator[Gate]:
    placed, everybody = len(found.grouping.labels), len(found.votes.participants)
    yield Gate(
        name="participants voted often enough to be placed",
        passed=placed >= params.quality.min_placed_share * everybody,
        value=round(placed / everybody, 6) if everybody else None,
        wanted=f"at least {params.quality.min_placed_share:.0%} of participants",
        reason=f"{placed:,} of {everybody:,} participants cast at least {params.min_votes} votes or were the busiest",
    )
    seen = [consensus.scores.exposure >= params.min_exposure for consensus in found.consensus.values()]
    yield Gate(
        name="statements were seen by enough people",
        passed=sum(seen) >= params.quality.min_seen_share * len(seen),
        value=round(sum(seen) / len(seen), 6) if seen else None,
        wanted=f"at least {params.quality.min_seen_share:.0%} of statements seen by {params.min_exposure:.0%} of participants",
        reason=f"{sum(seen)} of {len(seen)} statements",
    )
    weighing = found.representation
    yield Gate(
        name="those who took part resemble the people",
        passed=weighing.design_effect is not None and weighing.design_effect <= params.quality.max_design_effect,
        value=weighing.design_effect,
        wanted=f"design effect of at most {params.quality.max_design_effect}",
        reason=weighing.verdict,
    )


def _accounts(found: VoteFindings, params: Parameters) -> Iterator[Gate]:
    flagged = {participant for participants in found.integrity.flags.values() for participant in participants}
    everybody = len(found.votes.participants)
    yield Gate(
        name="few accounts are flagged",
        passed=len(flagged) <= params.quality.max_flagged_share * everybody,
        value=round(len(flagged) / everybody, 6) if everybody else None,
        wanted=f"at most {params.quality.max_flagged_share:.0%} of accounts",
        reason=f"{len(flagged):,} of {everybody:,} accounts",
    )
    without = [scenario for scenario in found.sensitivity if scenario.kind == "flagged"]
    for scenario in without:
        yield Gate(
            name="the draft stays without the flagged accounts",
            passed=scenario.overlap >= params.quality.min_overlap,
            value=scenario.overlap,
            wanted=f"Jaccard overlap of at least {params.quality.min_overlap}",
            reason=f"{len(scenario.added)} principles would come, {len(scenario.removed)} would go",
        )


def _chosen(chosen: Draft) -> Gate:
    count = len(chosen.principles)
    return Gate(name="at least one principle was drafted", passed=count > 0, value=count, wanted="at least 1")
