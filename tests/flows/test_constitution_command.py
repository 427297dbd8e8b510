"""`commons constitution`: an amendment reads as one, and a file that contradicts itself is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.commands import main
from flows.constitution_command import FORMATS
from stages.artifact import write_json
from stages.constitution import fingerprint
from stages.ratify_constitution.exports import names
from stages.ratify_constitution.ratification import ratified
from stages.records import Constitution, Principle, Wording
from tests.ratify_constitution.drafted import ALL, DRAFT, decision, draft, file


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> str:
    """What the command prints."""
    with pytest.raises(SystemExit) as ended:
        main(["constitution", *map(str, arguments)])
    captured = capsys.readouterr()
    assert ended.value.code == code, captured.err
    return captured.out if code == 0 else captured.err


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return adopted(tmp_path / "one.json", DRAFT, ALL | {"p004": decision("p004", "reject", reason="Later.")})


@pytest.fixture
def second(tmp_path: Path, first: Path) -> Path:
    """The next version, in a release's folder: p001 reworded, p004 added, p005 no longer drafted, p002 translated."""
    translated = DRAFT.principles[1].model_copy(
        update={"texts": {**DRAFT.principles[1].texts, "fr": Wording(value="Rien de personnel.", origin="machine")}}
    )
    drafted: tuple[Principle, ...] = (DRAFT.principles[0], translated, *DRAFT.principles[2:4])
    texts = {p["id"]: p["texts"][p["language"]]["value"] for p in json.loads(first.read_text())["principles"]}
    release = tmp_path / "release/data/constitution/ratified/constitution.json"
    return adopted(
        release,
        draft(principles=drafted),
        {p.id: ALL[p.id] for p in drafted}
        | {"p001": decision("p001", "reword", text="Tothom,\x1b[31m igual.", reason="Més curt.")}
        | {"p005": decision("p005", "reject", reason="Off-topic.")},
        title="Carta nova",
        date="2026-03-01",
        version="2.0.0",
        previous={"version": "1.0.0", "sha256": fingerprint(first), "principles": texts},
    )


def adopted(path: Path, drafted: Constitution, decisions: dict[str, object], **more: object) -> Path:
    """Write what these decisions make of the draft."""
    path.parent.mkdir(parents=True, exist_ok=True)
    decided = file(path.with_name("d.yaml"), list(decisions.values()), **more)
    write_json(path, ratified(decided, drafted).constitution)
    return path


def test_a_difference_reads_like_an_amendment(
    first: Path, second: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, "diff", first, tmp_path / "release")
    assert text.splitlines() == [
        "Amendment to Carta nova: version 1.0.0 → 2.0.0.",
        "Adopted by citizens' assembly on 2026-03-01.",
        "Article p001 now reads: “Tothom, [31m igual.” (was: “Tothom ha de ser tractat igual.”); reason: Més curt.",
        "Article p004 is added: “Que responda con claridad.”; reason: It is fair.",
        "Article p005 is repealed (it read: “Buy <b>my</b> bike.”); reason: Off-topic.",
        "The title now is: “Carta nova” (was: “Charter”)",
        "Article p002: its translation into fr now reads: “Rien de personnel.”",
    ]
    assert "\x1b" not in text


def test_a_difference_can_be_read_by_a_machine(first: Path, second: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, "diff", first, second, "--json"))
    assert (found["from"], found["to"]) == ("1.0.0", "2.0.0")
    assert [(a["principle"], a["change"]) for a in found["amendments"]] == [
        ("p001", "reworded"), ("p004", "added"), ("p005", "removed")
    ]  # fmt: skip


def test_the_same_twice_differs_in_nothing(first: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "diff", first, first).splitlines()[-1] == "Nothing that was adopted differs."


def test_an_export_goes_to_standard_output(first: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "export", first, "--as", "list").startswith("Tothom ha de ser tractat igual.\n")
    assert len(json.loads(said(capsys, "export", first, "--as", "critique"))["constitutions"]) == 4
    assert sorted(FORMATS.split(", ")) == names(), "the help names every format"
    assert "No format named 'pdf'; known formats: " in said(capsys, "export", first, "--as", "pdf", code=2)


def test_a_sound_file_is_told_and_another_refused(
    first: Path, second: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "sound. Version 1.0.0 (ratified), 4 principles on 4 statements." in said(capsys, "check", first)
    assert "sound. Version 2.0.0 (ratified)" in said(capsys, "check", tmp_path / "release")
    content = json.loads(first.read_text())
    write_json(first, content | {"version": "1.1.0"})
    assert "found version 1.1.0 without `previous`" in said(capsys, "check", first, code=1)
    write_json(first, content | {"status": "voted"})
    assert "$.status: 'voted' is not one of" in said(capsys, "check", first, code=2)
    assert "holds no constitution.json" in said(capsys, "check", tmp_path / "nowhere", code=2)
