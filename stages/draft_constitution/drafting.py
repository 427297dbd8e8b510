"""From votes to a draft in one pure function: groups, consensus, selection, and how far each can be trusted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

import numpy as np

from stages.draft_constitution import alike, groupings, integrity, quality, representation, representative, sensitivity
from stages.draft_constitution.alike import Alike
from stages.draft_constitution.consensus import Consensus, count, measure
from stages.draft_constitution.groupings import DeclaredVotes
from stages.draft_constitution.integrity import Integrity
from stages.draft_constitution.opinion_groups import Grouping, find_groups
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.representation import Representation
from stages.draft_constitution.representative import Representative
from stages.draft_constitution.selection import Draft, select
from stages.draft_constitution.sensitivity import Scenario
from stages.draft_constitution.votes import VoteMatrix
from stages.records import Constitution, Gate, Method, OpinionGroup, Principle, Process, Statement

DRAFT_VERSION = "0.0.0"  # a draft has no version of its own until people adopt it


@dataclass(frozen=True)
class Material:
    """What a draft is made from."""

    about: Mapping[str, Any]  # deliberation.json
    statements: tuple[Statement, ...]  # by id
    votes: VoteMatrix | None  # None where nobody's single votes are known
    attributes: Mapping[str, Mapping[str, str]]  # participant -> what they declared
    census: Mapping[str, Mapping[str, float]]  # attribute -> value -> share of the people
    inputs: Mapping[str, str]  # file of the deliberation, in canonical order -> sha256


@dataclass(frozen=True)
class VoteFindings:
    """What single votes allow to say; there is none of it where a platform publishes only counts or a text."""

    votes: VoteMatrix
    grouping: Grouping
    consensus: Mapping[int, Consensus]
    representative: Mapping[str, tuple[Representative, ...]]
    representation: Representation
    declared: tuple[DeclaredVotes, ...]
    alike: Alike
    integrity: Integrity
    sensitivity: tuple[Scenario, ...]


@dataclass(frozen=True)
class Drafted:
    """The draft and all that was found on the way."""

    constitution: Constitution
    draft: Draft
    found: VoteFindings | None
    gates: tuple[Gate, ...]


def draft(material: Material, params: Parameters) -> Drafted:
    """Make the draft; no order of the inputs' rows changes it."""
    found = _look(material, params)
    chosen = _choose(material, found, params)
    if found:
        scenarios = sensitivity.table(material.statements, found.votes, found.grouping, chosen, found.integrity, params)
        found = replace(found, sensitivity=scenarios)
    gates = quality.gates(material.about, found, chosen, params)
    return Drafted(_constitution(material, found, chosen, gates, params), chosen, found, gates)


def _look(material: Material, params: Parameters) -> VoteFindings | None:
    votes = material.votes
    if votes is None:
        return None
    scored = np.array([statement.moderated != -1 for statement in material.statements])
    grouping = find_groups(votes, scored, params)
    weighing = representation.weigh(material.attributes, material.census, votes.participants, grouping.labels)
    return VoteFindings(
        votes=votes,
        grouping=grouping,
        consensus=measure(votes, grouping.labels, params.confidence, weighing.weights or None),
        representative=representative.representative(count(votes, grouping.labels).only(scored)),
        representation=representation.publishable(weighing, params.min_shown),
        declared=groupings.by_declared(votes, material.attributes, params),
        alike=alike.find([s for s in material.statements if s.moderated != -1], votes, params),
        integrity=integrity.look(votes, params),
        sensitivity=(),
    )


def _choose(material: Material, found: VoteFindings | None, params: Parameters) -> Draft:
    consensus: Mapping[int, Consensus] = found.consensus if found else {}
    labels: Mapping[str, str] = found.grouping.labels if found else {}
    votes = found.votes if found else None
    return select(material.statements, consensus, votes, labels, params, material.about)


def _constitution(
    material: Material, found: VoteFindings | None, chosen: Draft, gates: Sequence[Gate], params: Parameters
) -> Constitution:
    about = material.about
    conflicts = _conflicts(found.alike if found else None, chosen.principles)
    principles = tuple(p.model_copy(update={"conflicts": conflicts.get(p.id, ())}) for p in chosen.principles)
    return Constitution(
        version=DRAFT_VERSION,
        title=about["title"],
        status="draft",
        question=about["topic"] or about["title"],
        license=about["license"],
        languages=tuple(sorted({principle.language for principle in principles})),
        process=Process(
            platform=about["platform"],
            url=about["url"],
            question=about["topic"] or about["title"],
            simulated=about["simulated"],
            participants=about["counts"]["participants"],
            votes=about["counts"]["votes"],
            inputs=dict(material.inputs),
        ),
        method=_method(found, gates, params),
        principles=principles,
        rejected=chosen.rejected,
    )


def _conflicts(found: Alike | None, principles: Sequence[Principle]) -> dict[str, tuple[str, ...]]:
    """Principles whose statements were flagged as contradicting each other."""
    by_statement = {principle.statement_ids[0]: principle.id for principle in principles}
    conflicts: dict[str, tuple[str, ...]] = {}
    for pair in found.contradictions if found else ():
        if pair.first in by_statement and pair.second in by_statement:
            one, other = by_statement[pair.first], by_statement[pair.second]
            conflicts[one] = (*conflicts.get(one, ()), other)
            conflicts[other] = (*conflicts.get(other, ()), one)
    return conflicts


def _method(found: VoteFindings | None, gates: Sequence[Gate], params: Parameters) -> Method:
    canonical = json.dumps(params.model_dump(mode="json"), sort_keys=True).encode()
    grouping = found.grouping if found else None
    stability = grouping.stability.get(len(grouping.sizes)) if grouping else None
    effective = found.representation.effective_by_group if found else {}
    return Method(
        code=metadata.version("democratic-commons"),
        parameters=hashlib.sha256(canonical).hexdigest(),
        seed=params.seed,
        rule=params.rule,
        groups=tuple(
            OpinionGroup(id=name, participants=size, effective=effective.get(name))
            for name, size in (grouping.sizes.items() if grouping else ())
        ),
        reliable=bool(grouping and grouping.reliable),
        verdict=grouping.verdict if grouping else "no reliable groups: nobody's single votes are known",
        stability_mean=stability.mean if stability else None,
        stability_lowest=stability.lowest if stability else None,
        gates=tuple(gates),
    )
