"""Say how the draft was made, for people and programs: draft.json and metrics.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stages.draft_constitution.marks import code_in_words
from stages.draft_constitution.parameters import Parameters

if TYPE_CHECKING:
    from stages.draft_constitution.drafting import Drafted, VoteFindings

METHOD = (
    "Opinion groups: the votes are laid on a map of the two directions in which they differ most (principal components;"
    " a missing vote stands at the statement's mean, as in Polis), and people who lie close together are a group (k-means)."
    " The number of groups is fixed, or the one that stays the same when people are resampled."
    " Consensus: per group the one-sided lower bound of the agree rate (Beta posterior, uniform prior, passes count as"
    " votes); a statement is measured by its weakest group."
)
METHOD_WITHOUT_VOTES = (
    "Nobody's single votes are known, so there are no opinion groups and no consensus between them;"
    " statements are taken by what the source tells of each one."
)


def describe(about: Mapping[str, Any], drafted: Drafted, params: Parameters) -> dict[str, Any]:
    """The content of draft.json; `about` is deliberation.json."""
    described: dict[str, Any] = {
        "question": about["title"],
        "simulated": about["simulated"],
        "kind": about["kind"],
        "lost": list(about["lost"]),
        "method": METHOD if drafted.found else METHOD_WITHOUT_VOTES,
        "rule": params.rule,
        "participants": int(about["counts"]["participants"]),
        "principles": len(drafted.constitution.principles),
        "rejected": reasons(drafted),
        "gates": {gate.name: gate.passed for gate in drafted.gates},
        "parameters": params.model_dump(mode="json"),
    }
    return described | (_groups(described["participants"], drafted.found) if drafted.found else _no_groups(drafted))


def reasons(drafted: Drafted) -> dict[str, int]:
    """Why statements were not drafted, in words, and how many of each."""
    codes = Counter(rejected.code for rejected in drafted.constitution.rejected)
    return {code_in_words(code): codes[code] for code in sorted(codes)}


def _groups(participants: int, found: VoteFindings) -> dict[str, Any]:
    grouping = found.grouping
    return {
        "k": len(grouping.sizes),
        "k_chosen": grouping.chosen,
        "reliable": grouping.reliable,
        "verdict": grouping.verdict,
        "stability": {
            str(count): {"mean": one.mean, "lowest": one.lowest, "smallest_group": one.smallest_group}
            for count, one in sorted(grouping.stability.items())
        },
        "separation_p": grouping.separation_p,
        "groups": dict(sorted(grouping.sizes.items())),
        "participants_without_group": participants - len(grouping.labels),
        "flagged": {kind: len(accounts) for kind, accounts in sorted(found.integrity.flags.items())},
        "design_effect": found.representation.design_effect,
        "effective_participants": found.representation.effective_n,
    }


def _no_groups(drafted: Drafted) -> dict[str, Any]:
    method = drafted.constitution.method
    verdict = method.verdict if method else ""
    return {"k": 0, "k_chosen": "", "reliable": False, "verdict": verdict, "stability": {}, "groups": {}}


def measure(about: Mapping[str, Any], drafted: Drafted, params: Parameters) -> dict[str, float]:
    """The content of metrics.json: numbers by their name in words."""
    constitution = drafted.constitution
    metrics: dict[str, float] = {
        "principles drafted": len(constitution.principles),
        "statements not selected": len(constitution.rejected),
        "checks of quality passed": sum(gate.passed for gate in drafted.gates),
        "checks of quality not passed": sum(not gate.passed for gate in drafted.gates),
    }
    metrics |= {f"not selected: {why}": count for why, count in reasons(drafted).items()}
    scores = [principle.scores for principle in constitution.principles if principle.scores]
    if scores:
        metrics["lowest sure support of a principle in any group"] = min(one.lower_bound for one in scores)
        metrics["smallest share of participants who saw a principle"] = min(one.exposure for one in scores)
        metrics["fewest votes of a group on a principle"] = min(one.smallest_cell for one in scores)
    return metrics | (_measure_votes(about, drafted.found) if drafted.found else {})


def _measure_votes(about: Mapping[str, Any], found: VoteFindings) -> dict[str, float]:
    """What only single votes can tell."""
    grouping, sizes = found.grouping, found.grouping.sizes
    stability = grouping.stability.get(len(sizes))
    flagged = {account for accounts in found.integrity.flags.values() for account in accounts}
    metrics: dict[str, float] = {
        "opinion groups": len(sizes),
        "opinion groups can be relied on (1 = yes)": float(grouping.reliable),
        "people with too few votes for a group": int(about["counts"]["participants"]) - len(grouping.labels),
        "accounts flagged": len(flagged),
        "pairs of statements proposed for merging": len(found.alike.duplicates),
        "pairs of statements that may contradict each other": len(found.alike.contradictions),
    }
    if sizes:
        metrics["people in the largest group"] = max(sizes.values())
        metrics["people in the smallest group"] = min(sizes.values())
    if stability:
        metrics["stability of the groups (1 = always the same)"] = stability.mean
    if grouping.separation_p is not None:
        metrics["chance of groups as clear as these in random votes (p)"] = grouping.separation_p
    if found.representation.design_effect is not None:
        metrics["design effect of weighting to the census (1 = the people themselves)"] = (
            found.representation.design_effect
        )
    overlaps = [scenario.overlap for scenario in found.sensitivity]
    if overlaps:
        metrics["overlap of the draft with its most different variant (1 = the same)"] = min(overlaps)
    return metrics
