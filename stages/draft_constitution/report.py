"""Say how the draft was made, for people and programs: draft.json and metrics.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from stages.draft_constitution.opinion_groups import Grouping
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.selection import Draft

METHOD = (
    "Opinion groups: two principal components of the votes (missing votes filled with the statement's mean, as in Polis),"
    " then k-means; the number of groups is fixed or the most that stay stable when people are resampled."
    " Consensus: per group the one-sided lower bound of the agree rate (Beta posterior, uniform prior, passes count as"
    " votes); a statement is measured by its weakest group."
)


def describe(about: Mapping[str, Any], grouping: Grouping, draft: Draft, params: Parameters) -> dict[str, Any]:
    """The content of draft.json; `about` is deliberation.json."""
    refusals = Counter(refusal.kind for refusal in draft.refusals.values())
    participants = int(about["counts"]["participants"])
    return {
        "question": about["title"],
        "simulated": about["simulated"],
        "method": METHOD,
        "rule": params.rule,
        "k": len(grouping.sizes),
        "k_chosen": grouping.chosen,
        "stability": {
            str(count): {"mean": found.mean, "lowest": found.lowest, "smallest_group": found.smallest_group}
            for count, found in sorted(grouping.stability.items())
        },
        "separation_p": grouping.separation_p,
        "groups": grouping.sizes,
        "participants": participants,
        "participants_without_group": participants - len(grouping.labels),
        "principles": len(draft.principles),
        "rejected": dict(sorted(refusals.items())),
        "parameters": params.model_dump(),
    }


def measure(grouping: Grouping, draft: Draft, described: Mapping[str, Any]) -> dict[str, float]:
    """The content of metrics.json: numbers by their name in words."""
    metrics: dict[str, float] = {
        "principles drafted": len(draft.principles),
        "statements not selected": len(draft.rejected),
        "opinion groups": described["k"],
        "people in the largest group": max(grouping.sizes.values()),
        "people in the smallest group": min(grouping.sizes.values()),
        "people with too few votes for a group": described["participants_without_group"],
        "lowest sure support of a principle in any group": min(p.scores.lower_bound for p in draft.principles),
        "smallest share of participants who saw a principle": min(p.scores.exposure for p in draft.principles),
    }
    metrics |= {f"not selected: {kind}": count for kind, count in described["rejected"].items()}
    if described["k"] in grouping.stability:
        metrics["stability of the groups (1 = always the same)"] = grouping.stability[described["k"]].mean
    if grouping.separation_p is not None:
        metrics["chance of groups as clear as these in random votes (p)"] = grouping.separation_p
    return metrics
