"""The node writes the constitution as record and as charter, or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.artifact import read_json, read_jsonl, write_json, write_jsonl
from stages.errors import Trouble
from stages.ratify_constitution import __main__ as node
from stages.records import Constitution, RejectedStatement
from tests.ratify_constitution.test_ratify import ALL, APPLIED, DRAFT, decision, file

NOT_ADOPTED = RejectedStatement(
    statement_id=9, text="Que réponde toujours oui.", language="fr", votes={}, scores=None, reason="moderated out"
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_jsonl(tmp_path / "draft" / "principles.jsonl", DRAFT)
    write_jsonl(tmp_path / "draft" / "rejected.jsonl", [NOT_ADOPTED])
    write_json(tmp_path / "draft" / "draft.json", {"question": "Com s'ha de comportar?", "simulated": True})
    file(tmp_path / "decisions.yaml", list(APPLIED.values()))
    (tmp_path / "params.yaml").write_text("ratify_constitution: {decisions: decisions.yaml}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "sys.argv", ["ratify_constitution", "--draft", "draft", "--decisions", "decisions.yaml", "--out", "out"]
    )
    return tmp_path


def test_the_constitution_is_written_the_same_every_time(project: Path) -> None:
    assert node.main() == "ratified 3 of 5 drafted principles (accept 2, merge 1, reject 1, reword 1)"
    first = {path.name: path.read_bytes() for path in sorted((project / "out").iterdir())}
    assert sorted(first) == ["constitution.json", "constitution.md", "gate.json", "metrics.json", "rejected.jsonl"]
    assert list(read_jsonl(project / "out" / "rejected.jsonl", RejectedStatement)) == [NOT_ADOPTED]
    constitution = Constitution.model_validate(read_json(project / "out" / "constitution.json"))
    assert [p.id for p in constitution.principles] == ["p001", "p002", "p003"]
    assert json.loads(first["metrics.json"])["statements behind the constitution"] == 4
    file(project / "decisions.yaml", list(APPLIED.values())[::-1])
    node.main()
    assert {path.name: path.read_bytes() for path in sorted((project / "out").iterdir())} == first


def test_decisions_without_principle_are_named_in_the_counts(project: Path) -> None:
    file(project / "decisions.yaml", [*ALL.values(), decision("p099")])
    assert node.main().endswith("; 1 decisions on principles not in the draft: p099")


def test_a_missing_decision_leaves_nothing_behind(project: Path) -> None:
    file(project / "decisions.yaml", list(ALL.values())[:4])
    with pytest.raises(Trouble, match="no decision on 1 of 5 drafted principles: p005"):
        node.main()
    assert not (project / "out").exists()


def test_a_constitution_needs_a_principle(project: Path) -> None:
    file(project / "decisions.yaml", [decision(p.id, "reject") for p in DRAFT])
    with pytest.raises(Trouble, match="accepts none of 5 principles"):
        node.main()


def test_a_missing_file_is_one_line(project: Path) -> None:
    (project / "decisions.yaml").unlink()
    with pytest.raises(Trouble, match=r"decisions\.yaml is missing"):
        node.main()
