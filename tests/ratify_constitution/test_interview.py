"""People are asked one principle after the other; every answer is kept, and they can go on another time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stages.ratify_constitution.decisions import Decisions, read_decisions
from stages.ratify_constitution.interview import Interview, head
from stages.ratify_constitution.ratification import ratified
from stages.ratify_constitution.writing import write_decisions
from tests.ratify_constitution.drafted import DRAFT

EMPTY = Decisions(title="Carta", version="1.0.0", by="assemblea", decisions=())


def sitting(path: Path, answers: Iterable[str], decisions: Decisions | None = None) -> tuple[bool, list[str]]:
    """Hold an interview with these answers; whether it is complete, and what was said and asked."""
    said: list[str] = []
    given = iter(answers)

    def ask(question: str) -> str:
        said.append(question)
        answer = next(given, None)
        if answer is None:
            raise EOFError
        return answer

    known = decisions or (read_decisions(path) if path.exists() else EMPTY)
    talk = Interview(
        path, DRAFT, {"p004": ("may say the same as p003",)}, known, ask, said.append,
        lambda answered: write_decisions(path, answered, DRAFT), by=known.by,
    )  # fmt: skip
    complete = talk.hold()
    assert next(given, "none left") == "none left", "every answer was asked for"
    return complete, said


def accepted(reason: str = "És just.") -> list[str]:
    return ["accept", reason, "", ""]


def test_a_sitting_can_stop_and_go_on_another_day(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    complete, said = sitting(path, [*accepted(), "rew", "Ez dezala eskatu.", "Argiago.", "batzarra", "30 2", "stop"])
    assert not complete
    assert "  Tothom ha de ser tractat igual." in said
    assert "  A: 9 agree, 1 disagree, 0 pass; B: 4 agree, 0 disagree, 1 pass; place 1 of 5" in said
    entries = read_decisions(path).decisions
    assert [(e.principle, e.decision, e.text, e.by) for e in entries] == [
        ("p001", "accept", None, "assemblea"),
        ("p002", "reword", "Ez dezala eskatu.", "batzarra"),
    ]
    assert entries[1].ballots and (entries[1].ballots.yes, entries[1].ballots.no) == (30, 2)
    rest = [*accepted("Clair."), "merge", "p003", "Lo mismo.", "", "", "reject", "Off-topic.", "", ""]
    complete, said = sitting(path, rest)
    assert complete
    assert "  Look at: may say the same as p003" in said
    assert not any("p001" in line for line in said), "what is decided is not asked again"
    assert [p.id for p in ratified(path, DRAFT).constitution.principles] == ["p001", "p002", "p003"]


def test_an_answer_that_cannot_be_applied_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    answers = ["what", "re", "accept", "", "", "", "accept", "És just.", "", "2 30", "accept", "És just.", "", "x y",
               "merge", "p009", "?", "", "", *accepted(), "stop"]  # fmt: skip
    _, said = sitting(path, answers)
    assert "  Found 'what'; wanted one of: accept, reword, merge, reject, skip, stop (or their beginnings)." in said
    assert "  Found 're'; wanted one of: accept, reword, merge, reject, skip, stop (or their beginnings)." in said
    not_taken = [line for line in said if "Not taken" in line]
    assert "found no reason" in not_taken[0]
    assert "found accept with 30 no and 2 yes" in not_taken[1]
    assert "ballots.yes: Input should be a valid integer" in not_taken[2]
    assert "found into: p009; wanted another principle of the draft" in not_taken[3]
    assert [entry.principle for entry in read_decisions(path).decisions] == ["p001"]


def test_skipped_principles_wait(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    assert not sitting(path, ["skip", *accepted() * 4])[0]
    assert sitting(path, accepted())[0]


def test_the_last_answer_brings_the_version_that_fits(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    texts = {p.id: p.text for p in DRAFT.principles[:4]}
    previous = {"version": "1.0.0", "sha256": "0" * 64, "principles": texts}
    known = Decisions.model_validate(EMPTY.model_dump() | {"version": "2.0.0", "previous": previous})
    complete, said = sitting(path, [*accepted() * 5, ""], known)
    assert complete and "Version [1.1.0]: " in said
    assert read_decisions(path).version == "1.1.0"


def test_what_hinders_the_whole_is_said_at_the_end(tmp_path: Path) -> None:
    answers = ["reject", "Ez.", "", ""] * 5
    complete, said = sitting(tmp_path / "d.yaml", answers)
    assert not complete
    assert "accepts none of 5 principles" in said[-1]


def test_what_holds_for_the_whole_is_asked_once() -> None:
    answers = iter(["", "", " assemblea  ciutadana", "2026-03-01", "30", "38", "33, 4, 1"])
    found = Decisions.model_validate(head(DRAFT, lambda _: next(answers), "1.0.0"))
    assert (found.title, found.version, found.by) == ("How should it behave?", "1.0.0", "assemblea ciutadana")
    assert found.quorum and (found.quorum.wanted, found.quorum.present) == (30, 38)
    assert found.ballots and (found.ballots.yes, found.ballots.no, found.ballots.abstain) == (33, 4, 1)
