"""The decisions file is changed where it has to be; comments, order and other entries stay."""

from __future__ import annotations

from pathlib import Path

from stages.ratify_constitution.decisions import Decisions, read_decisions
from stages.ratify_constitution.writing import write_decisions
from tests.ratify_constitution.drafted import DRAFT, decision

TEXT = """# Written by the secretary.
title: Carta
version: 1.0.0
ballots: {yes: 30, no: 2}   # counted twice
decisions:
  - principle: p002
    decision: accept
    reason: "Bai: bidezkoa da."
    by: batzarra
    translations:
      fr: {value: C'est juste., origin: machine}
  # discussed for an hour
  - principle: p001
    decision: accept
    reason: És just.
    by: assemblea
"""


def test_what_is_there_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(TEXT, encoding="utf-8")
    before = read_decisions(path)
    write_decisions(path, before, DRAFT)
    assert path.read_text(encoding="utf-8") == TEXT
    added = Decisions.model_validate({
        **before.model_dump(), "decisions": [*before.decisions, decision("p003", "reject", reason="Ça suffit: non.")],
    })  # fmt: skip
    write_decisions(path, added, DRAFT)
    text = path.read_text(encoding="utf-8")
    assert text.startswith(TEXT)
    assert read_decisions(path) == added
    write_decisions(path, before.model_copy(update={"decisions": before.decisions[1:]}), DRAFT)
    assert [entry.principle for entry in read_decisions(path).decisions] == ["p001"]
    assert list(tmp_path.iterdir()) == [path], "no half-written file stays"


def test_words_that_yaml_could_take_for_something_else_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    entries = [decision("p001", reason=reason) for reason in ("no", "2026-03-01", "null", "1.0", "# x", "a: b", "ç«»")]
    for entry in entries:
        written = Decisions.model_validate(
            {"title": "yes", "version": "1.0.0", "date": "2026-03-01", "ballots": {"yes": 1, "no": 0},
             "decisions": [entry]}
        )  # fmt: skip
        write_decisions(path, written, DRAFT)
        assert read_decisions(path) == written
        path.unlink()
