"""Select the statements that become principles; every other statement gets its reason."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stages.draft_constitution.consensus import Consensus
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.same_text import normalised
from stages.errors import Trouble
from stages.records import Principle, RejectedStatement, Statement


@dataclass(frozen=True)
class Candidate:
    """A statement that may become a principle, with the votes on it."""

    statement: Statement
    consensus: Consensus


@dataclass(frozen=True)
class Refusal:
    """Why a statement is not a principle: a short name to count by, and the reason in words."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Choice:
    """What a rule chose: statement id -> why, best first; and statement id -> why not."""

    chosen: dict[int, str]
    refused: dict[int, Refusal]


@dataclass(frozen=True)
class Draft:
    """The principles, best first, and all other statements by id."""

    principles: tuple[Principle, ...]
    rejected: tuple[RejectedStatement, ...]
    refusals: dict[int, Refusal]


def select(statements: Sequence[Statement], consensus: Mapping[int, Consensus], params: Parameters) -> Draft:
    """Screen the statements, let the named rule choose among the rest, and account for each one."""
    screened = {s.id: refusal for s in statements if (refusal := screen(s, params)) is not None}
    candidates = [Candidate(s, consensus[s.id]) for s in statements if s.id not in screened]
    choice = rule_named(params.rule)(candidates, params)
    refusals = screened | choice.refused
    by_id = {s.id: s for s in statements}
    return Draft(
        principles=tuple(_principle(by_id[id_], consensus[id_], why) for id_, why in choice.chosen.items()),
        rejected=tuple(
            _rejected(by_id[id_], consensus[id_], refusals[id_], id_ in screened) for id_ in sorted(refusals)
        ),
        refusals=refusals,
    )


def screen(statement: Statement, params: Parameters) -> Refusal | None:
    """Why a statement cannot be considered whatever the votes, or None."""
    if statement.moderated == -1:
        return Refusal("moderated out", "moderated out by the organisers, so it was not scored")
    if statement.moderated == 0 and not params.accept_unmoderated:
        return Refusal("not moderated", "nobody moderated it, and this process accepts only moderated statements")
    if not statement.text:
        return Refusal("no text", "has no text")
    return None


def rule_named(name: str) -> Callable[[Sequence[Candidate], Parameters], Choice]:
    """The selection rule of that name; raises Trouble with the known ones."""
    if name not in RULES:
        near = difflib.get_close_matches(name, RULES, n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        raise Trouble(f"No rule named '{name}' in draft_constitution.rule{hint}; known rules: {', '.join(RULES)}.")
    return RULES[name]


def by_threshold(candidates: Sequence[Candidate], params: Parameters) -> Choice:
    """Take the best `top_n` that enough people saw and that every group surely supports."""
    refused = {c.statement.id: refusal for c in candidates if (refusal := _unsupported(c, params)) is not None}
    ranked = sorted((c for c in candidates if c.statement.id not in refused), key=lambda c: _rank(c, params))
    twins = repeated(ranked)
    refused |= {
        id_: Refusal("same text", f"says the same as statement {kept}, which has more support")
        for id_, kept in twins.items()
    }
    unique = [c for c in ranked if c.statement.id not in twins]
    for place, candidate in enumerate(unique[params.top_n :], start=params.top_n + 1):
        reason = (
            f"place {place} of {len(unique)} statements that every group supports; the best {params.top_n} are taken"
        )
        refused[candidate.statement.id] = Refusal("place", reason)
    best = unique[: params.top_n]
    return Choice({c.statement.id: _why(c, place, len(best), params) for place, c in enumerate(best, start=1)}, refused)


RULES: dict[str, Callable[[Sequence[Candidate], Parameters], Choice]] = {"threshold": by_threshold}


def repeated(ranked: Iterable[Candidate]) -> dict[int, int]:
    """Statements that repeat the text of a better placed one: id -> the id of the better one."""
    first: dict[str, int] = {}
    twins = {}
    for candidate in ranked:
        # A text of symbols alone has no words to compare: it repeats only itself.
        words = normalised(candidate.statement.text) or candidate.statement.text
        if words in first:
            twins[candidate.statement.id] = first[words]
        first.setdefault(words, candidate.statement.id)
    return twins


def _unsupported(candidate: Candidate, params: Parameters) -> Refusal | None:
    scores, weakest = candidate.consensus.scores, candidate.consensus.weakest_group
    if scores.exposure < params.min_exposure:
        reason = f"seen by {_percent(scores.exposure)} of participants; wanted {_percent(params.min_exposure)}"
        return Refusal("seen by too few", reason)
    if scores.lower_bound <= params.threshold:
        count = candidate.consensus.votes[weakest]
        reason = (
            f"in group {weakest}, {count.agree} of {count.agree + count.disagree + count.passed} agree:"
            f" more than {_percent(scores.lower_bound)} is sure; wanted more than {_percent(params.threshold)} in every group"
        )
        return Refusal("not supported by every group", reason)
    return None


def _rank(candidate: Candidate, params: Parameters) -> tuple[float, float, int]:
    """Best first; equal scores go to the one that more people saw, then to the older one."""
    scores = candidate.consensus.scores
    return -float(getattr(scores, params.rank_by)), -scores.exposure, candidate.statement.id


def _why(candidate: Candidate, place: int, places: int, params: Parameters) -> str:
    sure = _percent(candidate.consensus.scores.lower_bound)
    return (
        f"place {place} of {places}: in every opinion group more than {sure} agree"
        f" ({_percent(params.confidence)} confidence; wanted {_percent(params.threshold)})"
    )


def _percent(share: float) -> str:
    """A share as it may stand in a reason: one decimal, so that 59.6 does not read as the wanted 60."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def _principle(statement: Statement, consensus: Consensus, why: str) -> Principle:
    return Principle(
        id=f"p{statement.id:03d}",
        text=statement.text,
        language=statement.language,
        statement_ids=(statement.id,),
        votes=consensus.votes,
        scores=consensus.scores,
        selection=why,
    )


def _rejected(statement: Statement, consensus: Consensus, refusal: Refusal, unscored: bool) -> RejectedStatement:
    return RejectedStatement(
        statement_id=statement.id,
        text=statement.text,
        language=statement.language,
        votes=consensus.votes,
        scores=None if unscored else consensus.scores,
        reason=refusal.reason,
    )
