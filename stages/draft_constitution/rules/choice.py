"""What every rule takes and gives back, and the checks that several rules share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stages.draft_constitution.same_text import twins
from stages.records import ConsensusScores, RejectionCode, Statement

if TYPE_CHECKING:
    from stages.draft_constitution.consensus import Consensus
    from stages.draft_constitution.parameters import Parameters
    from stages.draft_constitution.rules.approvals import Approvals
    from stages.draft_constitution.votes import VoteMatrix


@dataclass(frozen=True)
class Candidate:
    """A statement that may become a principle, with the consensus on it where single votes are known."""

    statement: Statement
    consensus: Consensus | None

    @property
    def id(self) -> int:
        """The statement's id."""
        return self.statement.id


@dataclass(frozen=True)
class Pool:
    """All that a rule may choose from, and who voted."""

    kind: str  # of deliberation: votes, approval, counts or text
    candidates: tuple[Candidate, ...]  # by statement id
    votes: VoteMatrix | None
    labels: Mapping[str, str]  # participant -> opinion group


@dataclass(frozen=True)
class Refusal:
    """Why a statement is not a principle: a short name to count by, and the reason in words."""

    code: RejectionCode
    reason: str


@dataclass(frozen=True)
class Choice:
    """What a rule chose: statement id -> why, best first; and every other statement id -> why not."""

    chosen: dict[int, str]
    refused: dict[int, Refusal]
    wanted: float | None = None  # the number that every principle is above, where the rule has one
    approvals: Approvals | None = None  # what a proportional rule took for approved


def percent(share: float) -> str:
    """A share as it may stand in a reason: one decimal, so that 59.6 does not read as the wanted 60."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def seen_by_too_few(candidate: Candidate, params: Parameters) -> Refusal | None:
    """Too few participants, or too few of one group, voted on it to know what they think."""
    if candidate.consensus is None or not candidate.consensus.votes:
        return Refusal("low_exposure", "nobody of any opinion group voted on it")
    scores = candidate.consensus.scores
    if scores.exposure < params.min_exposure:
        reason = f"seen by {percent(scores.exposure)} of participants; wanted {percent(params.min_exposure)}"
        return Refusal("low_exposure", reason)
    if scores.smallest_cell < params.min_cell:
        reason = f"one group cast {scores.smallest_cell} votes on it; wanted {params.min_cell} of every group"
        return Refusal("low_exposure", reason)
    return None


def not_sure_enough(candidate: Candidate, wanted: float) -> Refusal | None:
    """The lower bound of one group's agree rate is not above what is wanted."""
    assert candidate.consensus is not None
    consensus = candidate.consensus
    if consensus.scores.lower_bound > wanted:
        return None
    count = consensus.votes[consensus.weakest_group]
    reason = (
        f"in group {consensus.weakest_group}, {count.agree} of {count.agree + count.disagree + count.passed} agree:"
        f" more than {percent(consensus.scores.lower_bound)} is sure; wanted more than {percent(wanted)} in every group"
    )
    return Refusal("below_threshold", reason)


def best_first(candidates: Iterable[Candidate], rank_by: str) -> list[Candidate]:
    """By score; equal scores go to the one that more people saw, then to the older one."""
    return sorted(candidates, key=lambda candidate: _rank(candidate, rank_by))


def _rank(candidate: Candidate, rank_by: str) -> tuple[float, float, int]:
    scores = scores_of(candidate)
    return -float(getattr(scores, rank_by)), -scores.exposure, candidate.id


def scores_of(candidate: Candidate) -> ConsensusScores:
    """The scores of a candidate that has some."""
    assert candidate.consensus is not None
    return candidate.consensus.scores


def set_apart(
    candidates: Sequence[Candidate], refusals: Iterable[tuple[Candidate, Refusal | None]]
) -> tuple[list[Candidate], dict[int, Refusal]]:
    """Those that nothing was said against, and what was said against the others."""
    refused = {candidate.id: refusal for candidate, refusal in refusals if refusal is not None}
    return [candidate for candidate in candidates if candidate.id not in refused], refused


def without_twins(
    ranked: Sequence[Candidate], why: str = "which has more support"
) -> tuple[list[Candidate], dict[int, Refusal]]:
    """Of statements with the same words the best placed one; `why` says what is better about it."""
    repeated = twins((candidate.id, candidate.statement.text) for candidate in ranked)
    refused = {
        id_: Refusal("duplicate_of", f"says the same as statement {kept}, {why}") for id_, kept in repeated.items()
    }
    return [candidate for candidate in ranked if candidate.id not in repeated], refused


def beyond(ranked: Sequence[Candidate], places: int, what: str) -> dict[int, Refusal]:
    """Those that come after the last place; `what` says what all of them have in common."""
    return {
        candidate.id: Refusal("place", f"place {place} of {len(ranked)} statements {what}; the best {places} are taken")
        for place, candidate in enumerate(ranked[places:], start=places + 1)
    }
