"""What must hold inside a constitution beyond its schema: its version, its sources, its decisions and its parent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from stages.ratify_constitution import versions
from stages.records import Constitution, Principle


def problems(constitution: Constitution) -> list[str]:
    """Every contradiction, in words; an empty list: sound."""
    return [*_version(constitution), *_principles(constitution), *_merges(constitution)]


def _version(constitution: Constitution) -> Iterator[str]:
    parent = constitution.parent
    for version in (constitution.version, *([parent.version] if parent else [])):
        if not re.match(versions.SEMANTIC_VERSION, version):
            yield f"version {version}: wanted three numbers, as in 1.0.0"
            return
    if constitution.status == "draft":
        return
    changes = [amendment.change for amendment in constitution.amendments]
    problem = versions.problem(constitution.version, parent.version if parent else None, changes)
    if problem:
        yield problem.removesuffix(": write it")
    if constitution.amendments and parent is None:
        yield f"{len(constitution.amendments)} amendments of no named version; wanted a parent"


def _principles(constitution: Constitution) -> Iterator[str]:
    if not constitution.principles:
        yield "no principle; wanted at least one"
    for name, count in Counter(principle.id for principle in constitution.principles).items():
        if count > 1:
            yield f"{count} principles with the id {name}; wanted one"
    statements = Counter(statement for principle in constitution.principles for statement in principle.statement_ids)
    for statement, count in sorted(statements.items()):
        if count > 1:
            yield f"statement {statement} stands behind {count} principles; wanted one"
    for principle in constitution.principles:
        yield from (f"{principle.id}: {problem}" for problem in _principle(principle, constitution.status == "draft"))


def _principle(principle: Principle, draft: bool) -> Iterator[str]:
    if principle.language not in principle.texts:
        yield f"no text in {principle.language}, its own language"
    elif not principle.text.strip():
        yield "an empty text"
    if not principle.sources:
        yield "no source; wanted the statement it was drafted from"
    decision = principle.decision
    if decision is None:
        if not draft:
            yield "no decision; wanted one by people"
        return
    if decision.decision not in ("accept", "reword") or decision.principle != principle.id:
        yield f"the decision {decision.decision} on {decision.principle}; wanted accept or reword on it"
    if (decision.decision == "reword") != (principle.amended_from is not None):
        yield f"{decision.decision} does not fit the text from before ({principle.amended_from!r})"
    if decision.ballots and decision.ballots.no > decision.ballots.yes:
        yield f"adopted with {decision.ballots.no} no and {decision.ballots.yes} yes"


def _merges(constitution: Constitution) -> Iterator[str]:
    adopted = {principle.id: principle for principle in constitution.principles}
    for decision in constitution.declined:
        if decision.decision == "merge" and decision.into not in adopted:
            yield f"{decision.principle} was merged into {decision.into}, which is not adopted"
    merged = sum(decision.decision == "merge" for decision in constitution.declined)
    if merged and not any(s.relation == "merged" for p in constitution.principles for s in p.sources):
        yield f"{merged} principles were merged, but no statement of theirs is named as a source"
