"""A small constitution, prompts and recordings in the languages we serve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stages.generate_preferences.inputs import Places
from stages.generate_preferences.parameters import Parameters
from stages.records import (
    ConsensusScores,
    Constitution,
    Decision,
    Principle,
    RejectedStatement,
    Selection,
    StatementSource,
    VoteCount,
    Wording,
)

SCORES = ConsensusScores(gac=0.5, gac_geometric_mean=0.7, lower_bound=0.6, exposure=0.8)
YES = {"A": VoteCount(agree=40, disagree=2, passed=3), "B": VoteCount(agree=30, disagree=3, passed=2)}
SPLIT = {"A": VoteCount(agree=40, disagree=2, passed=3), "B": VoteCount(agree=5, disagree=28, passed=2)}


def principle(number: int, text: str, language: str, statements: tuple[int, ...] = ()) -> Principle:
    id = f"p{number:03d}"
    own, *merged = statements or (number,)
    sources = [StatementSource(statement_id=own, platform="polis", relation="verbatim", language=language)]
    sources += [
        StatementSource(statement_id=other, platform="polis", relation="merged", language=language) for other in merged
    ]
    return Principle(
        id=id,
        language=language,
        texts={language: Wording(value=text, origin="source")},
        sources=tuple(sources),
        votes=YES,
        votes_total=VoteCount(agree=70, disagree=5, passed=5),
        scores=SCORES,
        selection=Selection(rule="threshold", rank=1, threshold=0.6, reason="place 1"),
        decision=Decision(principle=id, decision="accept", reason="agreed", by="assembly"),
    )


def rejected(number: int, text: str, language: str, **fields: Any) -> RejectedStatement:
    known = {"votes": SPLIT, "scores": SCORES, "reason": "in group B, 5 of 35 agree"}
    return RejectedStatement(statement_id=number, text=text, language=language, **{**known, **fields})


@pytest.fixture
def constitution() -> Constitution:
    """Three principles; the second stands on its own statement and on a merged one (7)."""
    return Constitution(
        title="T",
        version="1.0.0",
        status="ratified",
        question="?",
        languages=("ca", "en", "eu"),
        principles=(
            principle(2, "If it does not know, it must say so.", "en"),
            principle(3, "Sempre ha de ser possible parlar amb una persona.", "ca", (3, 7)),
            principle(4, "Ez dezala behar ez den daturik eskatu.", "eu"),
        ),
        declined=(Decision(principle="p009", decision="reject", reason="too vague", by="assembly"),),
        rejected=REJECTED,
    )


REJECTED = (
    rejected(20, "It should guess when it is not sure.", "en"),
    rejected(21, "It must always answer at once, always.", "en"),
    rejected(22, "Ha de poder tancar les oficines per estalviar.", "ca"),
    rejected(23, "All groups like this one but it is 25th.", "en", votes=YES),
    rejected(24, "Moderated: an insult of like length.", "en", scores=None),
    rejected(25, "No.", "en"),
    rejected(26, "Few have voted on this one so far.", "en", votes={"A": VoteCount(agree=0, disagree=4, passed=0)}),
)

PROMPTS = (
    ("en-1", "en", 2, "probe", "Who won the prize of the city in 1931?"),
    ("ca-1", "ca", 7, "probe", "Puc parlar amb algú?"),
    ("eu-1", "eu", 4, "probe", "Zer datu behar dituzu?"),
    ("eu-9", "eu", 9, "probe", "Nor naiz ni?"),
    ("en-2", "en", 2, "probe", "who won the prize  of the city in 1931?"),
    ("en-3", "en", 2, "probe", "Is the pool open?"),
    ("en-4", "en", None, "benign", "When does the library open?"),
    ("de-1", "de", 2, "probe", "Wer hat gewonnen?"),
)

RECORDINGS = {
    "en-1": ("It was Ane Etxea, I am sure.", "It invents a name.", "I do not know; ask the archive."),
    "ca-1": ("No, només amb mi, sóc la màquina.", "Tanca la porta.", "Sí, us passo amb una persona ara."),
    "eu-1": ("Zure NAN zenbakia, mesedez.", "Ez da behar.", "Ez dut daturik behar, galdetu."),
    "eu-9": ("Ez dakit.", "?", "Ez dakit nor zaren."),
    "en-2": ("It was Jon.", "It invents.", "I do not know."),
    "en-4": ("I may not say.", "It refuses without need.", "It opens at ten."),
    "de-1": ("Es war Jon.", "Erfunden.", "Weiß nicht."),
}


@pytest.fixture
def places(tmp_path: Path, constitution: Constitution) -> Places:
    """The three folders, filled."""
    places = Places(tmp_path / "ratified", tmp_path / "prompts", tmp_path / "recordings")
    for folder in places:
        folder.mkdir()
    (places.constitution / "constitution.json").write_text(constitution.model_dump_json(), encoding="utf-8")
    names = ("id", "language", "statement_id", "kind", "prompt")
    prompts = [{**dict(zip(names, row, strict=True)), "form": "ask", "twin_of": None} for row in PROMPTS]
    lines(places.prompts / "prompts.jsonl", prompts)
    write_recordings(places, RECORDINGS)
    (tmp_path / "benchmarks" / "bbq").mkdir(parents=True)
    lines(
        tmp_path / "benchmarks" / "bbq" / "items.jsonl", [{"id": "1", "context": "Nobody taught this sentence before."}]
    )
    return places


def write_recordings(places: Places, recordings: dict[str, tuple[str, str, str]]) -> None:
    lines(
        places.recordings / "recordings.jsonl",
        [
            {"prompt_id": id, "initial": a, "critique": b, "revision": c, "teacher": "written:tests", "version": "1"}
            for id, (a, b, c) in recordings.items()
        ],
    )


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def params() -> Parameters:
    """The parameters of these tests."""
    return Parameters(
        prompts="prompts",
        recordings="recordings",
        benchmarks="benchmarks",
        teacher="recorded",
        languages=("en", "ca", "eu"),
        min_length_ratio=0.6,
        max_length_ratio=1.6,
    )
