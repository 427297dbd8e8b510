"""A small draft in five languages and decisions on it, shared by the tests of ratification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from stages.records import (
    ConsensusScores,
    Constitution,
    Principle,
    Process,
    RejectedStatement,
    Selection,
    StatementSource,
    VoteCount,
    Wording,
)

TEXTS = {
    "p001": ("Tothom ha de ser tractat igual.", "ca"),
    "p002": ("Ez dezala datu pertsonalik eskatu.", "eu"),
    "p003": ("Qu'il réponde « en clair ».", "fr"),
    "p004": ("Que responda con claridad.", "es"),
    "p005": ("Buy <b>my</b> bike.", "en"),
}


def principle(id_: str, text: str, language: str, **more: Any) -> Principle:
    texts = {language: Wording(value=text, origin="source")} | more.pop("texts", {})
    source = StatementSource(
        statement_id=int(id_[1:]), platform="polis", relation="verbatim", language=language, author=f"author-{id_}"
    )
    return Principle(
        id=id_,
        language=language,
        texts=texts,
        sources=(source,),
        votes={"A": VoteCount(agree=9, disagree=1, passed=0), "B": VoteCount(agree=4, disagree=0, passed=1)},
        votes_total=VoteCount(agree=13, disagree=1, passed=1),
        scores=ConsensusScores(gac=0.6, gac_geometric_mean=0.77, lower_bound=0.5, exposure=0.9),
        selection=Selection(rule="threshold", rank=1, reason="place 1 of 5"),
        **more,
    )


NOT_ADOPTED = RejectedStatement(
    statement_id=9, text="Que réponde toujours oui.", language="fr", votes={}, scores=None, code="moderated",
    reason="moderated out",
)  # fmt: skip
IDS = list(TEXTS)


def draft(**more: Any) -> Constitution:
    values: dict[str, Any] = {
        "version": "0.0.0",
        "title": "How should it behave?",
        "status": "draft",
        "question": "Com s'ha de comportar?",
        "license": "CC0-1.0",
        "languages": ("ca", "en", "es", "eu", "fr"),
        "process": Process(platform="polis", question="Com?", simulated=True, participants=15, votes=75),
        "principles": tuple(principle(id_, text, language) for id_, (text, language) in TEXTS.items()),
        "rejected": (NOT_ADOPTED,),
    }
    return Constitution(**(values | more))


DRAFT = draft()


def decision(principle: str, decision: str = "accept", **more: object) -> dict[str, Any]:
    return {"principle": principle, "decision": decision, "reason": "It is fair.", "by": "citizens' assembly"} | more


ALL = {id_: decision(id_) for id_ in IDS}
APPLIED = ALL | {
    "p002": decision("p002", "reword", text="Ez dezala behar ez den\n  datu pertsonalik eskatu."),
    "p004": decision("p004", "merge", into="p003", reason="The same in another language."),
    "p005": decision("p005", "reject", reason="Off-topic."),
}


def file(path: Path, decisions: object, **more: object) -> Path:
    content = {"title": "Charter", "version": "1.0.0", "decisions": decisions} | more
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path
