"""Select the statements that become principles; every other statement gets its reason."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.rules import all_statements, proportional, threshold, top_n
from stages.draft_constitution.rules.certificate import Certificate, certify
from stages.draft_constitution.rules.choice import Candidate, Choice, Pool, Refusal
from stages.draft_constitution.votes import VoteMatrix
from stages.errors import Trouble
from stages.records import (
    Moderation,
    Principle,
    RejectedStatement,
    Selection,
    Statement,
    StatementSource,
    VoteCount,
    Wording,
)

if TYPE_CHECKING:
    from stages.draft_constitution.consensus import Consensus

Rule = Callable[[Pool, Parameters], Choice]

RULES: dict[str, Rule] = {
    "threshold": threshold.choose,
    "top_n": top_n.choose,
    "proportional": proportional.choose,
    "all": all_statements.choose,
}
# What each kind of deliberation can be asked: a lower bound needs people who could disagree, proportion needs to know
# who voted for what, and a charter has no votes at all.
RULES_FOR_KIND = {
    "votes": ("threshold", "top_n", "proportional", "all"),
    "approval": ("top_n", "proportional", "all"),
    "counts": ("top_n", "all"),
    "text": ("all",),
}
NEEDS = {
    "threshold": "votes for and against",
    "top_n": "votes or counts of supporters",
    "proportional": "to know who approves what",
    "all": "nothing",
}
NOBODY = VoteCount(agree=0, disagree=0, passed=0)
MODERATION = {-1: "out", 0: "not looked at", 1: "in"}


@dataclass(frozen=True)
class Draft:
    """The principles, best first, all other statements by id, and how far the set represents everybody."""

    principles: tuple[Principle, ...]
    rejected: tuple[RejectedStatement, ...]
    certificate: Certificate | None  # None where nobody's single votes are known
    kind: str = "votes"  # of the deliberation that it was drafted from


def select(
    statements: Sequence[Statement],
    consensus: Mapping[int, Consensus],
    votes: VoteMatrix | None,
    labels: Mapping[str, str],
    params: Parameters,
    about: Mapping[str, Any],
) -> Draft:
    """Screen the statements, let the named rule choose among the rest, and account for each one."""
    ordered = sorted(statements, key=lambda statement: statement.id)
    screened = {s.id: refusal for s in ordered if (refusal := screen(s, params)) is not None}
    pool = pool_of(ordered, consensus, votes, labels, params, about.get("kind", "votes"))
    choice = choose(pool, params)
    refusals = screened | choice.refused
    return Draft(
        principles=_principles(ordered, consensus, choice, params, about),
        rejected=tuple(
            _rejected(s, consensus.get(s.id), refusals[s.id], scored=s.id not in screened)
            for s in ordered
            if s.id in refusals
        ),
        certificate=_certificate(pool, choice, params),
        kind=pool.kind,
    )


def pool_of(
    statements: Sequence[Statement],
    consensus: Mapping[int, Consensus],
    votes: VoteMatrix | None,
    labels: Mapping[str, str],
    params: Parameters,
    kind: str,
) -> Pool:
    """What passes screening, with the votes on it."""
    passed = sorted((s for s in statements if screen(s, params) is None), key=lambda statement: statement.id)
    return Pool(kind, tuple(Candidate(s, consensus.get(s.id)) for s in passed), votes, labels)


def choose(pool: Pool, params: Parameters) -> Choice:
    """What the rule named in the parameters takes, and why not the others."""
    return rule_named(params.rule, pool.kind)(pool, params)


def screen(statement: Statement, params: Parameters) -> Refusal | None:
    """Why a statement cannot be considered whatever the votes, or None."""
    if statement.moderated == -1:
        return Refusal("moderated", "moderated out by the organisers, so it was not scored")
    if statement.moderated == 0 and not params.accept_unmoderated:
        return Refusal("not_moderated", "nobody moderated it, and this process accepts only moderated statements")
    if not statement.text.strip():
        return Refusal("no_text", "has no text")
    return None


def rule_named(name: str, kind: str) -> Rule:
    """The rule of that name; raises Trouble where there is none, or where this kind of deliberation cannot feed it."""
    if name not in RULES:
        near = difflib.get_close_matches(name, RULES, n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        raise Trouble(f"No rule named '{name}' in draft_constitution.rule{hint}; known rules: {', '.join(RULES)}.")
    if name not in (working := RULES_FOR_KIND[kind]):
        raise Trouble(
            f"draft_constitution.rule is '{name}', which needs {NEEDS[name]}, and the deliberation is of kind '{kind}';"
            f" rules that work with it: {', '.join(working)}."
        )
    return RULES[name]


def _certificate(pool: Pool, choice: Choice, params: Parameters) -> Certificate | None:
    """Any rule's set is checked, against all that rule `proportional` could have chosen from."""
    if pool.votes is None or pool.kind not in ("votes", "approval"):
        return None
    ballots = choice.approvals
    if ballots is None:
        eligible = {c.id for c in pool.candidates if proportional.not_eligible(c, pool.kind, params) is None}
        voted_on = {c.id for c in pool.candidates if c.consensus is not None}
        ballots = proportional.approvals_of(
            pool, sorted((eligible - _repeated(choice)) | (set(choice.chosen) & voted_on))
        )
    known = set(ballots.statements)
    chosen = [id_ for id_ in choice.chosen if id_ in known]
    return certify(ballots, chosen, max(params.top_n, len(chosen)), params.rule)


def _repeated(choice: Choice) -> set[int]:
    return {id_ for id_, refusal in choice.refused.items() if refusal.code == "duplicate_of"}


def _principles(
    statements: Sequence[Statement],
    consensus: Mapping[int, Consensus],
    choice: Choice,
    params: Parameters,
    about: Mapping[str, Any],
) -> tuple[Principle, ...]:
    by_id = {statement.id: statement for statement in statements}
    return tuple(
        _principle(
            by_id[id_],
            consensus.get(id_),
            Selection(rule=params.rule, rank=rank, threshold=choice.wanted, reason=reason),
            about,
        )
        for rank, (id_, reason) in enumerate(choice.chosen.items(), start=1)
    )


def _principle(
    statement: Statement, consensus: Consensus | None, selection: Selection, about: Mapping[str, Any]
) -> Principle:
    own = {statement.language: Wording(value=statement.text, origin="source")}
    source = StatementSource(
        statement_id=statement.id,
        platform=about.get("platform", ""),
        relation="verbatim",
        language=statement.language,
        author=statement.author,
    )
    return Principle(
        id=f"p{statement.id:03d}",
        language=statement.language,
        texts=dict(
            sorted((dict(statement.translations) | own).items())
        ),  # a translation never replaces the citizens' words
        sources=(source,),
        votes=consensus.votes if consensus else {},
        votes_total=consensus.total if consensus else _supports(statement),
        scores=consensus.scores if consensus else None,
        selection=selection,
        moderation=Moderation.model_validate({"state": MODERATION[statement.moderated]}),
        license=about.get("license", ""),
    )


def _supports(statement: Statement) -> VoteCount:
    """Counts of supporters are all the votes there are to tell."""
    return NOBODY if statement.supports is None else NOBODY.model_copy(update={"agree": statement.supports})


def _rejected(statement: Statement, consensus: Consensus | None, refusal: Refusal, scored: bool) -> RejectedStatement:
    return RejectedStatement(
        statement_id=statement.id,
        text=statement.text,
        language=statement.language,
        votes=consensus.votes if consensus else {},
        scores=consensus.scores if consensus and scored else None,
        code=refusal.code,
        reason=refusal.reason,
    )
