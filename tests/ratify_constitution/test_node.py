"""The node writes the constitution as record, as charter and in other formats, or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.artifact import write_json
from stages.constitution import read_constitution
from stages.errors import Trouble
from stages.ratify_constitution import __main__ as node
from tests.ratify_constitution.drafted import ALL, APPLIED, DRAFT, NOT_ADOPTED, decision, draft, file


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_json(tmp_path / "draft" / "constitution.json", DRAFT)
    file(tmp_path / "decisions.yaml", list(APPLIED.values()))
    (tmp_path / "params.yaml").write_text("ratify_constitution: {decisions: decisions.yaml}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "sys.argv", ["ratify_constitution", "--draft", "draft", "--decisions", "decisions.yaml", "--out", "out"]
    )
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_constitution_is_written_the_same_every_time(project: Path) -> None:
    assert node.main() == "ratified 3 of 5 drafted principles (accept 2, merge 1, reject 1, reword 1)"
    first = files(project / "out")
    assert sorted(first) == [
        "constitution.json", "constitution.md",
        "exports/articles.json", "exports/critique-revision.json", "exports/principles.txt",
        "exports/provenance.jsonld", "gate.json", "metrics.json",
    ]  # fmt: skip
    constitution = read_constitution(project / "out" / "constitution.json")
    assert constitution.rejected == (NOT_ADOPTED,)
    assert [p.id for p in constitution.principles] == ["p001", "p002", "p003"]
    metrics = json.loads(first["metrics.json"])
    assert metrics["statements behind the constitution"] == 4
    assert metrics["principles in the constitution"] == 3
    file(project / "decisions.yaml", list(APPLIED.values())[::-1])
    node.main()
    assert files(project / "out") == first


def test_amendments_are_counted(project: Path) -> None:
    before = {"p001": "Tothom ha de ser tractat igual.", "p003": "Autrement.", "p009": "Oui."}
    previous = {"version": "1.0.0", "sha256": "0" * 64, "principles": before}
    file(project / "decisions.yaml", list(APPLIED.values()), version="2.0.0", previous=previous)
    assert node.main().endswith("(accept 2, merge 1, reject 1, reword 1); 3 amendments of 1.0.0")
    metrics = json.loads((project / "out/metrics.json").read_text(encoding="utf-8"))
    since = {name.split()[1]: value for name, value in metrics.items() if name.endswith("since the version before")}
    assert since == {"added": 1, "reworded": 1, "removed": 1}


def test_decisions_without_principle_are_named_in_the_counts(project: Path) -> None:
    file(project / "decisions.yaml", [*ALL.values(), decision("p099")])
    assert node.main().endswith("; 1 decisions on principles not in the draft: p099")


def test_a_missing_decision_leaves_nothing_behind(project: Path) -> None:
    file(project / "decisions.yaml", list(ALL.values())[:4])
    with pytest.raises(Trouble, match="no decision on 1 of 5 drafted principles: p005"):
        node.main()
    assert not (project / "out").exists()


def test_a_constitution_needs_a_principle(project: Path) -> None:
    file(project / "decisions.yaml", [decision(p.id, "reject") for p in DRAFT.principles])
    with pytest.raises(Trouble, match="accepts none of 5 principles"):
        node.main()


def test_a_statement_behind_two_principles_is_refused(project: Path) -> None:
    first, *others = DRAFT.principles
    copied = others[0].model_copy(update={"sources": first.sources})
    write_json(project / "draft" / "constitution.json", draft(principles=(first, copied, *others[1:])))
    with pytest.raises(Trouble, match="statement 1 stands behind 2 principles"):
        node.main()
    assert not (project / "out").exists()


def test_a_missing_or_broken_file_is_one_line(project: Path) -> None:
    (project / "decisions.yaml").unlink()
    with pytest.raises(Trouble, match=r"decisions\.yaml is missing"):
        node.main()
    (project / "draft/constitution.json").write_text('{"principles": [{}]}', encoding="utf-8")
    with pytest.raises(Trouble, match=r"draft/constitution\.json: version: Field required; wanted a constitution"):
        node.main()
