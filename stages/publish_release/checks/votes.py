"""Does every principle stand on statements and votes, and is every statement accounted for?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from stages.publish_release import layout
from stages.publish_release.checks.release import Failed, Release, fail_on, some, table
from stages.records import ConsensusScores, Principle, RejectedStatement, Statement, VoteCount

NOTHING = VoteCount(agree=0, disagree=0, passed=0)
ROUNDING = 1.5e-6  # scores are written with six decimals


@dataclass(frozen=True)
class Recount:
    """The votes of votes.csv by statement: of each opinion group, and of everybody."""

    groups: Mapping[int, Mapping[str, VoteCount]]
    everybody: Mapping[int, VoteCount]
    cast: int


def principles_stand_on_votes(release: Release) -> str:
    """Each principle's statements exist, and its votes and consensus are those that votes.csv gives."""
    recount = _recount(release)
    drafted, ratified = release.draft.principles, release.constitution.principles
    if not ratified:
        raise Failed("the constitution has no principle")
    for principle in (*drafted, *ratified):
        missing = [str(id_) for id_ in principle.statement_ids if id_ not in release.statements]
        if missing or not principle.sources:
            raise Failed(f"{principle.id} stands on no known statement ({some(missing) or 'none named'})")
        # A principle's votes are those on its first statement, which it was drafted from; merging adds no votes.
        first = principle.sources[0].statement_id
        _compare_groups(principle.id, principle.votes, recount.groups.get(first, {}))
        _compare_total(principle, release.statements[first], recount.everybody.get(first, NOTHING))
        fail_on(_scores_differ(principle.id, principle.votes, principle.scores))
    for item in release.draft.rejected:
        if item.votes:
            _compare_groups(f"statement {item.statement_id}", item.votes, recount.groups.get(item.statement_id, {}))
            fail_on(_scores_differ(f"statement {item.statement_id}", item.votes, item.scores))
    return f"{len(ratified)} principles, {_votes_in_words(recount)}"


def _votes_in_words(recount: Recount) -> str:
    if not recount.cast:
        return "no single votes: the platform does not publish them, so there is nothing to recount"
    return f"{recount.cast:,} votes recounted"


def _recount(release: Release) -> Recount:
    """Participants without an opinion group count only for everybody, as in the draft."""
    group_of = {row["participant"]: row["group"] for row in table(release, f"{layout.DRAFT}/groups.csv")}
    counts: Counter[tuple[int, str, int]] = Counter()
    for row in table(release, f"{layout.DELIBERATION}/votes.csv"):
        counts[int(row["statement_id"]), group_of.get(row["participant"], ""), int(row["vote"])] += 1
    groups: dict[int, dict[str, VoteCount]] = {}
    everybody: dict[int, VoteCount] = {}
    for statement, group in sorted({(statement, group) for statement, group, _ in counts}):
        count = VoteCount(
            agree=counts[statement, group, 1],
            disagree=counts[statement, group, -1],
            passed=counts[statement, group, 0],
        )
        everybody[statement] = _sum(everybody.get(statement, NOTHING), count)
        if group:
            groups.setdefault(statement, {})[group] = count
    return Recount(groups, everybody, counts.total())


def _sum(one: VoteCount, other: VoteCount) -> VoteCount:
    return VoteCount(
        agree=one.agree + other.agree, disagree=one.disagree + other.disagree, passed=one.passed + other.passed
    )


def _compare_groups(name: str, stated: Mapping[str, VoteCount], recounted: Mapping[str, VoteCount]) -> None:
    for group in sorted({*stated, *recounted}):
        told, found = stated.get(group, NOTHING), recounted.get(group, NOTHING)
        if told != found:
            raise Failed(
                f"{name}, opinion group {group}: it states {_in_words(told)}, the votes say {_in_words(found)}"
            )


def _compare_total(principle: Principle, statement: Statement, recounted: VoteCount) -> None:
    """Everybody's votes; where the platform publishes only how many supported a statement, that number."""
    supported = VoteCount(agree=statement.supports or 0, disagree=0, passed=0)
    counted = principle.scores is None and recounted == NOTHING and principle.votes_total == supported
    if principle.votes_total != recounted and not counted:
        raise Failed(
            f"{principle.id}, everybody: it states {_in_words(principle.votes_total)},"
            f" the votes say {_in_words(recounted)}"
        )


def _scores_differ(name: str, votes: Mapping[str, VoteCount], scores: ConsensusScores | None) -> Iterator[str]:
    """The group-informed consensus is arithmetic on the votes (Small et al. 2021): computed again."""
    if scores is None or not votes:
        return
    gac = math.prod((count.agree + 1) / (_size(count) + 2) for count in votes.values())
    told = {"gac": scores.gac, "gac_geometric_mean": scores.gac_geometric_mean}
    found = {"gac": gac, "gac_geometric_mean": gac ** (1 / len(votes))}
    for field in told:
        if not math.isclose(told[field], found[field], rel_tol=0, abs_tol=ROUNDING):
            yield f"{name}: {field} is told as {told[field]:g}, the votes give {found[field]:.6f}"


def _size(count: VoteCount) -> int:
    return count.agree + count.disagree + count.passed


def _in_words(votes: VoteCount) -> str:
    if votes == NOTHING:
        return "no votes"
    return f"{votes.agree} agree, {votes.disagree} disagree, {votes.passed} pass"


# --- every statement --------------------------------------------------------------------------------------------------


def statements_are_accounted_for(release: Release) -> str:
    """Every statement was drafted, or rejected with a reason; none is lost, and nobody's words were changed."""
    draft = release.draft
    drafted = [source.statement_id for principle in draft.principles for source in principle.sources]
    rejected = [item.statement_id for item in draft.rejected]
    fail_on(_not_once(release.statements, drafted, rejected))
    fail_on(_other_words(release.statements, draft.principles, draft.rejected))
    if release.constitution.rejected != draft.rejected:
        raise Failed("the constitution's list of rejected statements is not the draft's")
    reasons = Counter(item.code for item in draft.rejected)
    told = ", ".join(f"{code} {count:,}" for code, count in sorted(reasons.items()))
    return f"{len(release.statements):,} statements: {len(set(drafted)):,} drafted, {len(rejected):,} rejected ({told or 'none'})"


def _not_once(statements: Iterable[int], drafted: list[int], rejected: list[int]) -> Iterator[str]:
    known, taken, twice = set(statements), set(drafted), Counter(rejected)
    for id_ in sorted(known | taken | set(rejected)):
        if id_ not in known:
            yield f"statement {id_} is told of in the draft, but nobody made it"
        elif id_ in taken and id_ in twice:
            yield f"statement {id_} is told as drafted and as rejected"
        elif twice[id_] > 1:
            yield f"statement {id_} was rejected twice"
        elif id_ not in taken and id_ not in twice:
            yield f"statement {id_} was neither drafted nor rejected: it got lost"


def _other_words(
    statements: Mapping[int, Statement], principles: Iterable[Principle], rejected: Iterable[RejectedStatement]
) -> Iterator[str]:
    for principle in principles:
        source, wording = principle.sources[0], principle.texts[principle.language]
        if wording.origin != "source" or source.relation != "verbatim":
            yield f"{principle.id} was drafted in other words than those of statement {source.statement_id}"
        elif _plain(wording.value) != _plain(statements[source.statement_id].text):
            yield f"{principle.id} does not have the words of statement {source.statement_id}"
    for item in rejected:
        if _plain(item.text) != _plain(statements[item.statement_id].text):
            yield f"rejected statement {item.statement_id} does not have its own words"
        if not item.reason.strip():
            yield f"statement {item.statement_id} was rejected without a reason"


def _plain(text: str) -> str:
    return " ".join(text.split())
