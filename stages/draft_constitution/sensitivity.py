"""The draft made again without the flagged accounts and without each opinion group: does it stand on a few?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from stages.draft_constitution.consensus import measure
from stages.draft_constitution.integrity import Integrity
from stages.draft_constitution.opinion_groups import Grouping, find_groups
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.selection import Draft, choose, pool_of
from stages.draft_constitution.votes import VoteMatrix
from stages.records import Statement

Kind = Literal["flagged", "flag", "group"]


@dataclass(frozen=True)
class Scenario:
    """The draft without some people, beside the draft with everybody."""

    kind: Kind  # without all flagged accounts, without those of one kind of flag, without one opinion group
    name: str  # in words
    left_out: int
    participants: int  # who remain
    principles: int
    added: tuple[str, ...]  # principles that would come
    removed: tuple[str, ...]  # and would go
    overlap: float  # Jaccard: 1 the same principles, 0 none in common


def table(
    statements: Sequence[Statement],
    votes: VoteMatrix,
    grouping: Grouping,
    drafted: Draft,
    integrity: Integrity,
    params: Parameters,
) -> tuple[Scenario, ...]:
    """Without all flagged accounts, without each kind of flag, without each opinion group."""
    return tuple(_scenarios(statements, votes, grouping, drafted, integrity, params))


def _scenarios(
    statements: Sequence[Statement],
    votes: VoteMatrix,
    grouping: Grouping,
    drafted: Draft,
    integrity: Integrity,
    params: Parameters,
) -> Iterator[Scenario]:
    flagged = {participant for accounts in integrity.flags.values() for participant in accounts}
    left_out: list[tuple[Kind, str, Collection[str]]] = [("flagged", "without all flagged accounts", flagged)]
    kinds = {kind: accounts for kind, accounts in sorted(integrity.flags.items()) if accounts}
    left_out += [("flag", f"without accounts flagged as '{kind}'", accounts) for kind, accounts in kinds.items()]
    made: dict[frozenset[str], Scenario] = {}  # often one kind of flag is all there is
    for kind, name, accounts in left_out:
        out = frozenset(accounts)
        if out not in made:
            rest = _without(votes, out)
            labels = _regroup(statements, rest, grouping, params) if out else grouping.labels
            made[out] = _scenario(kind, name, len(votes.participants), statements, rest, labels, drafted, params)
        yield replace(made[out], kind=kind, name=name)
    if len(grouping.sizes) < 2:
        return
    for group in grouping.sizes:
        members = [participant for participant, label in grouping.labels.items() if label == group]
        labels = {participant: label for participant, label in grouping.labels.items() if label != group}
        name = f"without opinion group {group}"
        rest = _without(votes, members)
        yield _scenario("group", name, len(votes.participants), statements, rest, labels, drafted, params)


def _without(votes: VoteMatrix, accounts: Collection[str]) -> VoteMatrix:
    out = set(accounts)
    return votes.rows(np.array([row for row, p in enumerate(votes.participants) if p not in out], dtype=np.int64))


def _regroup(
    statements: Sequence[Statement], votes: VoteMatrix, grouping: Grouping, params: Parameters
) -> Mapping[str, str]:
    """Groups of those who remain, as many as before: how stable they are was asked once, of everybody."""
    known = {statement.id: statement.moderated != -1 for statement in statements}
    scored = np.array([known.get(id_, True) for id_ in votes.statements])
    if not len(votes.participants):
        return {}
    quick = params.model_copy(update={"groups": len(grouping.sizes) or 1, "stability_runs": 1, "separation_runs": 0})
    return find_groups(votes, scored, quick).labels


def _scenario(
    kind: Kind,
    name: str,
    everybody: int,
    statements: Sequence[Statement],
    votes: VoteMatrix,
    labels: Mapping[str, str],
    drafted: Draft,
    params: Parameters,
) -> Scenario:
    consensus = measure(votes, labels, params.confidence)
    chosen = choose(pool_of(statements, consensus, votes, labels, params, drafted.kind), params).chosen
    before = {principle.id for principle in drafted.principles}
    after = {f"p{id_:03d}" for id_ in chosen}
    return Scenario(
        kind=kind,
        name=name,
        left_out=everybody - len(votes.participants),
        participants=len(votes.participants),
        principles=len(after),
        added=tuple(sorted(after - before)),
        removed=tuple(sorted(before - after)),
        overlap=round(len(before & after) / len(before | after), 6) if before | after else 1.0,
    )
