"""Teach any constitution without a model or prompts: an adopted principle against a statement that was not adopted.

Both are participants' own words, equally long, so what the model learns to tell apart is what people decided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from stages.errors import Trouble
from stages.generate_preferences.inputs import DroppedLesson, Places, Taught, rejected_statements
from stages.generate_preferences.parameters import Parameters, Rule
from stages.records import Constitution, Principle, RejectedStatement, Revision, VoteCount

TEACHER = "rule:adopted-over-rejected@1"

# Neutral ways to ask what was decided; in a language without its own, the English ones are used.
QUESTIONS = {
    "en": (
        "What did the participants ask for?",
        "Name a rule that people adopted in the deliberation.",
        "What did all opinion groups agree on?",
        "Which of the proposals was accepted?",
        "What should the assistant hold to, according to the citizens?",
        "What does the constitution say?",
    ),
    "fr": (
        "Qu'ont demandé les participants ?",
        "Citez une règle adoptée lors de la délibération.",
        "Sur quoi tous les groupes d'opinion se sont-ils accordés ?",
        "Laquelle des propositions a été acceptée ?",
        "À quoi l'assistant doit-il se tenir, selon les citoyens ?",
        "Que dit la constitution ?",
    ),
    "es": (
        "¿Qué pidieron los participantes?",
        "Diga una regla que la gente adoptó en la deliberación.",
        "¿En qué estuvieron de acuerdo todos los grupos de opinión?",
        "¿Cuál de las propuestas se aceptó?",
        "¿A qué debe atenerse el asistente, según la ciudadanía?",
        "¿Qué dice la constitución?",
    ),
    "ca": (
        "Què van demanar els participants?",
        "Digueu una regla que la gent va adoptar en la deliberació.",
        "En què van estar d'acord tots els grups d'opinió?",
        "Quina de les propostes es va acceptar?",
        "A què s'ha d'atenir l'assistent, segons la ciutadania?",
        "Què diu la constitució?",
    ),
    "eu": (
        "Zer eskatu zuten parte-hartzaileek?",
        "Esan jendeak deliberazioan onartutako arau bat.",
        "Zertan etorri ziren bat iritzi-talde guztiak?",
        "Proposamenetatik zein onartu zen?",
        "Zeri eutsi behar dio laguntzaileak, herritarren arabera?",
        "Zer dio konstituzioak?",
    ),
}


def teach(places: Places, constitution: Constitution, params: Parameters) -> Taught:
    """For each principle, lessons that put it against different statements that were not adopted."""
    if not constitution.rejected:
        raise Trouble(
            f"{places.constitution / 'constitution.json'} names no rejected statement; teacher 'rule' needs statements"
            " that were not adopted: choose another generate_preferences.teacher."
        )
    rejected = [s for s in rejected_statements(constitution) if is_contested(s, params.rule)]
    revisions: list[Revision] = []
    dropped: list[DroppedLesson] = []
    for principle in sorted(constitution.principles, key=lambda principle: principle.id):
        lessons = lessons_of(principle, rejected, params)
        revisions += lessons
        if not lessons:
            dropped.append(
                DroppedLesson(
                    id=f"rule-{principle.id}",
                    language=principle.language,
                    principle_ids=(principle.id,),
                    rule="nothing to compare with",
                    value=f"no contested statement in '{principle.language}' of like length",
                    wanted=f"length ratio {params.min_length_ratio} to {params.max_length_ratio}",
                )
            )
    return Taught(revisions, dropped)


def is_contested(statement: RejectedStatement, rule: Rule) -> bool:
    """Whether an opinion group did not support the statement.

    One that all support but that was left out, as a repetition or for lack of places, is no bad answer; one that
    moderators took out has no scores, and its words are not taught to a model.
    """
    if statement.scores is None or not statement.text.strip():
        return False
    shares = [_agree_share(count) for count in statement.votes.values() if _votes(count) >= rule.min_votes_of_group]
    return bool(shares) and min(shares) < rule.max_support_of_rejected


def lessons_of(principle: Principle, rejected: Sequence[RejectedStatement], params: Parameters) -> list[Revision]:
    """The principle against statements in its language and of like length, in an order that only the seed decides."""
    questions = QUESTIONS.get(principle.language, QUESTIONS["en"])
    candidates = [
        s for s in rejected if s.language == principle.language and _like_length(principle.text, s.text, params)
    ]
    candidates.sort(key=lambda statement: _order(principle.id, statement.statement_id, params.seed))
    return [
        Revision(
            id=f"rule-{principle.id}-{number:02d}",
            language=principle.language,
            principle_ids=(principle.id,),
            kind="probe",
            prompt=questions[number % len(questions)],
            initial=statement.text,
            critique=f"Statement {statement.statement_id} was not adopted: {statement.reason.rstrip('.')}.",
            revision=principle.text,
            teacher=TEACHER,
        )
        for number, statement in enumerate(candidates[: params.rule.pairs_per_principle])
    ]


def _like_length(chosen: str, rejected: str, params: Parameters) -> bool:
    return params.min_length_ratio <= len(chosen) / len(rejected) <= params.max_length_ratio


def _order(principle: str, statement: int, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{principle}:{statement}".encode()).hexdigest()


def _votes(count: VoteCount) -> int:
    return count.agree + count.disagree + count.passed


def _agree_share(count: VoteCount) -> float:
    return count.agree / _votes(count)
