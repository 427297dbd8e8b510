"""Attack a real conversation with invented accounts: what is flagged, and how does the constitution move?

    python infra/brigade.py [EXPORT] [--shares 0.05 0.1 0.2]

EXPORT (default: ../shared/data/polis/scoop-hivemind.biodiversity) is a Polis export with the times of votes. Accounts are
added to it, as many as the given shares of the real ones, with three strategies; the parameters are those of params.yaml.
Nothing is drawn anew from run to run. Prints a Markdown table.

- push: vote with the majority on everything, and agree with one statement that divides people;
- veto: vote with the majority on everything, and disagree with the principle that stands first;
- capture: take the side of the smallest opinion group on everything, and disagree with the ten first principles.

Each account sees as many statements as some real one, drawn by how often they are shown, and misses its aim in one vote
of twenty. All come within three hours, as an appeal on a messenger brings them, two thirds into the conversation.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray

from stages.draft_constitution.consensus import Consensus, count, measure
from stages.draft_constitution.integrity import look
from stages.draft_constitution.opinion_groups import Grouping, find_groups
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.selection import choose, pool_of
from stages.draft_constitution.votes import VoteMatrix, matrix
from stages.ingest_deliberation import sources
from stages.params import load
from stages.records import Statement

EXPORT = Path("../shared/data/polis/scoop-hivemind.biodiversity")
SHARES = (0.05, 0.1, 0.2)
SEED = 1
RUSH_MINUTES = 180
COMES_AT = 2 / 3  # of the conversation's time
SLIPS = 0.05  # of an account's votes, cast as a pass
OPPOSED = 10  # principles that `capture` votes against
FAKE = "~fake"  # sorts behind every real id


@dataclass(frozen=True)
class Result:
    """A draft: its principles in order, and every statement in order of rank."""

    grouping: Grouping
    consensus: Mapping[int, Consensus]
    principles: tuple[int, ...]
    ranked: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """How an invented account votes on each statement, and which statement it is about."""

    name: str
    target: int
    votes: Mapping[int, int]


def main() -> None:
    """Draft without an attack, then with each, then without the flagged."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path, nargs="?", default=EXPORT)
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES)
    asked = parser.parse_args()
    params = load("draft_constitution", Parameters)
    statements, votes = read(asked.export)
    before = draft(statements, votes, params)
    print(introduction(asked.export, votes, before, params))
    for plan in plans(statements, votes, before):
        for share in asked.shares:
            print(line(plan, share, statements, votes, before, params), flush=True)


def read(export: Path) -> tuple[list[Statement], VoteMatrix]:
    """The conversation, with the platform's own ids: nothing of it is written."""
    found = sources.read("polis", export, "en")
    statements = [
        Statement(id=s.id, text=s.text, language=s.language, moderated=s.moderated, author="")
        for s in sorted(found.statements, key=lambda s: s.id)
    ]
    table = found.votes
    people = np.array(table.participants)[table.participant]
    return statements, matrix(people, table.statement, table.vote, [s.id for s in statements], table.minute)


def draft(statements: Sequence[Statement], votes: VoteMatrix, params: Parameters) -> Result:
    """Groups, consensus and principles, and the order in which statements stand by their lower bound."""
    scored = np.array([statement.moderated != -1 for statement in statements])
    grouping = find_groups(votes, scored, params)
    consensus = measure(votes, grouping.labels, params.confidence)
    pool = pool_of(statements, consensus, votes, grouping.labels, params, "votes")
    ranked = sorted(
        (candidate.id for candidate in pool.candidates),
        key=lambda id_: (-consensus[id_].scores.lower_bound, -consensus[id_].scores.exposure, id_),
    )
    return Result(grouping, consensus, tuple(choose(pool, params).chosen), tuple(ranked))


def plans(statements: Sequence[Statement], votes: VoteMatrix, before: Result) -> list[Plan]:
    """The three strategies on this conversation."""
    kept = [statement.id for statement in statements if statement.moderated != -1]
    majority = {id_: side(before.consensus[id_].total.agree, before.consensus[id_].total.disagree) for id_ in kept}
    seen = [id_ for id_ in kept if before.consensus[id_].scores.exposure >= 0.3]
    divisive = min(seen, key=lambda id_: (abs(agree_share(before.consensus[id_]) - 0.5), id_))
    first = before.principles[0]
    smallest = list(before.grouping.sizes)[-1]
    counts = count(votes, before.grouping.labels)
    row = counts.groups.index(smallest)
    of_group = {
        id_: side(int(counts.agree[row, column]), int(counts.disagree[row, column]))
        for column, id_ in enumerate(counts.statements)
        if id_ in majority
    }
    against = dict.fromkeys(before.principles[:OPPOSED], -1)
    return [
        Plan("push", divisive, majority | {divisive: 1}),
        Plan("veto", first, majority | {first: -1}),
        Plan("capture", first, of_group | against),
    ]


def side(agree: int, disagree: int) -> int:
    """What most of them say."""
    return 1 if agree >= disagree else -1


def agree_share(consensus: Consensus) -> float:
    """Of all votes on a statement."""
    total = consensus.total
    return total.agree / max(total.agree + total.disagree + total.passed, 1)


def attacked(votes: VoteMatrix, plan: Plan, share: float) -> VoteMatrix:
    """The conversation with as many more accounts as this share of the real ones."""
    draw = np.random.default_rng(SEED)
    ids = np.array(sorted(plan.votes))
    shown = np.asarray(votes.seen.sum(axis=0)).ravel()[np.searchsorted(votes.statements, ids)]
    busy = np.sort(votes.votes_cast[votes.votes_cast >= 10])
    last = 0 if votes.minutes is None else int(votes.minutes.max())
    people: list[str] = []
    statements: list[int] = []
    cast: list[int] = []
    minutes: list[int] = []
    for number in range(round(share * len(votes.participants))):
        size = min(int(draw.choice(busy)), int(np.count_nonzero(shown)))
        chosen = {*draw.choice(ids, size, replace=False, p=shown / shown.sum()).tolist(), plan.target}
        begin = int(COMES_AT * last + draw.integers(0, RUSH_MINUTES))
        for id_ in sorted(chosen):
            slips = id_ != plan.target and draw.random() < SLIPS
            people.append(f"{FAKE}{number:05d}")
            statements.append(id_)
            cast.append(0 if slips else plan.votes[id_])
            minutes.append(begin + len(minutes) % 20)
    return joined(votes, people, statements, cast, minutes)


def joined(
    votes: VoteMatrix, people: list[str], statements: list[int], cast: list[int], minutes: list[int]
) -> VoteMatrix:
    """Real and invented votes together."""
    real = votes.coded.tocoo()
    rows: NDArray[np.str_] = np.array(votes.participants)[real.coords[0]]
    ids = np.array(votes.statements)[real.coords[1]]
    return matrix(
        np.concatenate([rows, np.array(people)]),
        np.concatenate([ids, np.array(statements)]),
        np.concatenate([votes.coded.data - 2, np.array(cast)]),
        votes.statements,
        None if votes.minutes is None else np.concatenate([votes.minutes, np.array(minutes)]),
    )


def introduction(export: Path, votes: VoteMatrix, before: Result, params: Parameters) -> str:
    """What stood before the attack, and the table's head."""
    found = look(votes, params)
    flags = ", ".join(f"{kind} {len(accounts)}" for kind, accounts in found.flags.items())
    return "\n".join(
        [
            f"{export.name}: {len(votes.participants):,} people, {votes.coded.nnz:,} votes; groups {in_words(before)};"
            f" {len(before.principles)} principles (rule {params.rule}); flagged without any attack: {found.flagged} ({flags})",
            "",
            "| strategy | fakes | flagged of the fakes | by kind | flagged of the real | groups with the fakes; without the flagged |"
            " principles with the fakes | target's place: before, with, without flagged | principles without the flagged |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
    )


def line(
    plan: Plan, share: float, statements: Sequence[Statement], votes: VoteMatrix, before: Result, params: Parameters
) -> str:
    """One attack as a row of the table."""
    together = attacked(votes, plan, share)
    found = look(together, params)
    flagged = {account for accounts in found.flags.values() for account in accounts}
    fakes = {person for person in together.participants if person.startswith(FAKE)}
    by_kind = {kind: len(fakes & set(accounts)) for kind, accounts in found.flags.items()}
    attack = draft(statements, together, params)
    rest = np.array([row for row, person in enumerate(together.participants) if person not in flagged])
    cleaned = draft(statements, together.rows(rest), params)
    places = [result.ranked.index(plan.target) + 1 for result in (before, attack, cleaned)]
    cells = [
        plan.name,
        f"{len(fakes)} ({share:.0%})",
        f"{len(flagged & fakes) / len(fakes):.0%}",
        ", ".join(f"{kind} {number}" for kind, number in by_kind.items() if number),
        f"{len(flagged - fakes)} of {len(votes.participants)}",
        f"{in_words(attack)}; {in_words(cleaned)}",
        moved(before, attack),
        f"s{plan.target}: {', '.join(map(str, places))}",
        moved(before, cleaned),
    ]
    return "| " + " | ".join(cells) + " |"


def in_words(result: Result) -> str:
    """The opinion groups."""
    return ", ".join(f"{name} {size}" for name, size in result.grouping.sizes.items())


def moved(before: Result, after: Result) -> str:
    """How many principles came and went, and the overlap."""
    one, other = set(before.principles), set(after.principles)
    overlap = len(one & other) / max(len(one | other), 1)
    return f"{len(other)}: +{len(other - one)} -{len(one - other)}, overlap {overlap:.2f}"


if __name__ == "__main__":
    main()
