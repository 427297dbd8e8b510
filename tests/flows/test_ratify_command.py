"""`commons ratify`: asked in a real terminal, taken from a table, and refused in one line where it cannot be."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.commands import main
from stages.artifact import write_json
from stages.constitution import fingerprint
from stages.ratify_constitution.decisions import read_decisions
from stages.ratify_constitution.ratification import ratified
from stages.ratify_constitution.table import read_table
from tests.conftest import OWN
from tests.ratify_constitution.drafted import ALL, APPLIED, DRAFT, decision, draft, file

TWO = draft(principles=DRAFT.principles[:2])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "draft/constitution.json", TWO)
    write_json(
        tmp_path / "draft/alike.json",
        {"duplicates": [{"first": 1, "second": 2, "reason": "85 % voted alike"}], "contradictions": []},
    )
    return tmp_path


def ratify(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What the command says, its exit code being as expected."""
    with pytest.raises(SystemExit) as ended:
        main(["ratify", "--draft", "draft", *arguments])
    captured = capsys.readouterr()
    assert ended.value.code == code, captured.err
    if code == 2:
        assert captured.err.count("\n") == 1
    return captured.err if code == 2 else captured.out


def in_terminal(place: Path, *answers: str) -> tuple[int, str]:
    """Answer the command in a pseudo-terminal; its exit code and what is seen there."""
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name not in OWN}
    command = [sys.executable, "-m", "flows.commands", "ratify", "--draft", "draft", "--out", "decisions.yaml"]
    with subprocess.Popen(command, cwd=place, env=clean, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
        seen = b""
        while True:
            try:
                read = os.read(ours, 4096)
            except OSError:  # Linux says so when the other side is closed
                break
            if not read:
                break
            seen += read
        code = process.wait(30)
    os.close(ours)
    return code, seen.decode()


def test_people_answer_in_a_terminal_stop_and_go_on(place: Path) -> None:
    head = ["Carta de barri", "", "assemblea ciutadana", "2026-03-01", "30", "38", ""]
    code, seen = in_terminal(place, *head, "accept", "És just.", "", "30 2", "stop")
    assert code == 3, seen
    assert "Tothom ha de ser tractat igual." in seen
    assert "A: 9 agree, 1 disagree, 0 pass; B: 4 agree" in seen
    assert "Look at: may say the same as p002 (85 % voted alike)" in seen
    assert "1 principles wait for a decision; the others are kept in decisions.yaml" in seen
    code, seen = in_terminal(place, "reword", "Ez dezala eskatu.", "Argiago.", "", "")
    assert code == 0, seen
    assert "decisions.yaml is complete. Next: commons run" in seen
    constitution = ratified(place / "decisions.yaml", TWO).constitution
    assert [p.text for p in constitution.principles] == ["Tothom ha de ser tractat igual.", "Ez dezala eskatu."]
    assert constitution.ratification and constitution.ratification.quorum
    assert constitution.ratification.by == "assemblea ciutadana"
    code, seen = in_terminal(place)
    assert code == 0 and "0 of 2 principles wait for a decision" in seen


def test_without_a_terminal_the_way_out_is_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (place / "nobody").open("w+") as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        words = ratify(capsys, "--out", "decisions.yaml", code=2)
    assert "Standard input is not a terminal" in words and "--template FILE.csv" in words
    assert not (place / "decisions.yaml").exists()


def test_a_table_is_written_filled_in_and_taken(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "2 principles to decide on" in ratify(capsys, "--template", "table.csv")
    assert "is there already" in ratify(capsys, "--template", "table.csv", code=2)
    assert "ends in .csv" in ratify(capsys, "--template", "table.xlsx", code=2)
    words = ratify(capsys, "--out", "decisions.yaml", "--from-csv", "table.csv", code=2)
    assert "table.csv has no decision on 2 of 2 drafted principles: p001, p002" in words
    text = (place / "table.csv").read_text(encoding="utf-8-sig")
    (place / "table.csv").write_text(_filled(text), encoding="utf-8")
    assert "decisions.yaml: 2 decisions from table.csv" in ratify(
        capsys, "--out", "decisions.yaml", "--from-csv", "table.csv"
    )
    found = ratified(place / "decisions.yaml", TWO).constitution
    assert [(p.id, p.decision and p.decision.by) for p in found.principles] == [("p001", "assemblea")]


def _filled(table: str) -> str:
    """As a secretary would fill it in."""
    lines = []
    for line in table.splitlines():
        cells = line.split(",")
        if cells[0] == "p001":
            cells[1:4] = ["accept", "És just.", "assemblea"]
        if cells[0] == "p002":
            cells[1:4] = ["reject", "Ez.", "batzarra"]
        lines.append(",".join(cells))
    return "\n".join(lines)


def test_translations_and_other_decisions_stay_when_a_table_is_taken(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    translated = decision("p001", translations={"fr": {"value": "Égaux.", "origin": "human"}})
    file(place / "decisions.yaml", [translated, decision("p099", "reject")])
    (place / "table.csv").write_text(
        "# title,Carta\n# version,1.0.0\n# by,assemblea\nprinciple,decision,reason\np001,accept,Bé\np002,accept,Bai\n",
        encoding="utf-8",
    )
    ratify(capsys, "--out", "decisions.yaml", "--from-csv", "table.csv")
    entries = {entry.principle: entry for entry in read_decisions(place / "decisions.yaml").decisions}
    assert sorted(entries) == ["p001", "p002", "p099"]
    assert entries["p001"].translations["fr"].value == "Égaux."
    assert entries["p001"].reason == "Bé"


def test_an_amendment_carries_the_version_before(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = ratified(file(place / "old.yaml", list((ALL | {"p002": APPLIED["p002"]}).values())), DRAFT).constitution
    release = place / "release/data/constitution/ratified/constitution.json"
    write_json(release, old)
    ratify(capsys, "--template", "table.csv", "--amends", "release")
    content = read_table(place / "table.csv")
    assert (content["title"], content["version"], content["question"]) == ("Charter", "2.0.0", "Com s'ha de comportar?")
    assert content["previous"]["version"] == "1.0.0"
    assert content["previous"]["sha256"] == fingerprint(release)
    assert content["previous"]["principles"] == {p.id: p.text for p in old.principles}
    file(place / "decisions.yaml", [ALL["p001"], ALL["p002"]])
    (place / "short.csv").write_text(
        "# title,Carta\n# version,1.1.0\n# by,assemblea\nprinciple,decision,reason\np001,accept,Bé\np002,accept,Bai\n",
        encoding="utf-8",
    )
    taken = ("--out", "decisions.yaml", "--from-csv", "short.csv", "--amends", "release")
    assert "wanted 2.0.0 (principles 3 removed, 1 reworded)" in ratify(capsys, *taken, code=2)
    text = (place / "short.csv").read_text(encoding="utf-8").replace("1.1.0", "2.0.0")
    (place / "short.csv").write_text(text, encoding="utf-8")
    ratify(capsys, *taken)
    written = yaml.safe_load((place / "decisions.yaml").read_text(encoding="utf-8"))
    assert written["previous"]["sha256"] == fingerprint(release)
    assert [a.change for a in ratified(place / "decisions.yaml", TWO).constitution.amendments] == [
        "reworded", "removed", "removed", "removed"
    ]  # fmt: skip


def test_what_is_ratified_already_is_no_draft(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(place / "draft/constitution.json", TWO.model_copy(update={"status": "ratified"}))
    assert "is ratified; wanted a draft" in ratify(capsys, "--out", "decisions.yaml", code=2)
