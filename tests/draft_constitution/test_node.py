"""The node writes a draft in which every statement is accounted for; the sample's draft fits its decisions."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest
import yaml

from stages.draft_constitution import __main__ as node
from stages.errors import Trouble
from stages.records import Constitution
from tests.draft_constitution.planted import PARAMS, Row, crowd

ROOT = Path(__file__).parents[2]
TEXTS = {
    0: ("Tothom ha de ser tractat igual.", "ca"),
    1: ("Ez dezala datu pertsonalik eskatu.", "eu"),
    2: ("No fee of $5 or $10 for an answer, ever.", "en"),  # a plot must not take it for mathematics
    3: ("最重要還是安全第一", "zh"),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "deliberation").mkdir()
    votes, _ = crowd((24, 20))
    write(tmp_path, votes)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["draft_constitution", "--deliberation", "deliberation", "--out", "draft"])
    return tmp_path


def write(project: Path, votes: list[Row], **params: object) -> None:
    folder = project / "deliberation"
    lines = ["participant,statement_id,vote", *(f"{p},{s},{v}" for p, s, v in votes)]
    (folder / "votes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "participants.csv").write_text("participant\n", encoding="utf-8")
    (folder / "attendance.csv").write_text("participant,first_minute,last_minute\n", encoding="utf-8")
    (folder / "census.csv").write_text("attribute,value,share\n", encoding="utf-8")
    statements = []
    for id_ in sorted({s for _, s, _ in votes}):
        text, language = TEXTS.get(id_, (f"Divisive statement {id_}", "en"))
        statements.append({"id": id_, "text": text, "language": language, "moderated": 1, "author": ""})
    random.Random(len(lines)).shuffle(statements)
    (folder / "statements.jsonl").write_text("\n".join(map(json.dumps, statements)) + "\n", encoding="utf-8")
    about = {
        "title": "Com s'ha de comportar?", "topic": "", "description": "", "url": "", "platform": "polis", "kind": "votes",
        "lost": [], "license": "CC0-1.0", "simulated": True, "sign_convention": "agree is +1", "languages": ["ca", "en"],
        "counts": {"participants": 44, "votes": len(votes), "statements": 21}, "inputs": {}, "quirks": [],
    }  # fmt: skip
    (folder / "deliberation.json").write_text(json.dumps(about), encoding="utf-8")
    section = {"draft_constitution": PARAMS.model_dump() | params}
    (project / "params.yaml").write_text(yaml.safe_dump(section), encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


FILES = [
    "alike.json", "certificate.json", "constitution.json", "draft.json", "gate.json", "groupings.csv", "groups.csv",
    "integrity.json", "metrics.json", "plots/consensus-versus-division.png", "plots/consensus.png",
    "plots/k-stability.png", "plots/opinion-groups.png", "report.html", "representation.json", "sensitivity.json",
]  # fmt: skip


def test_every_statement_is_accounted_for_and_no_row_order_changes_a_byte(project: Path) -> None:
    assert node.main().startswith("drafted 4 principles of 21 statements (below_threshold 17); groups: A 24, B 20; rel")
    first = contents(project / "draft")
    assert sorted(first) == FILES
    constitution = Constitution.model_validate_json(first["constitution.json"])
    assert sorted(principle.id for principle in constitution.principles) == ["p000", "p001", "p002", "p003"]
    drafted = [principle.statement_ids[0] for principle in constitution.principles]
    assert sorted(drafted + [r.statement_id for r in constitution.rejected]) == list(range(21))
    assert all(r.reason and r.code == "below_threshold" for r in constitution.rejected)
    assert constitution.process is not None and constitution.method is not None
    assert constitution.process.inputs["votes.csv"] == sha256(project / "deliberation" / "votes.csv")
    assert [(group.id, group.participants) for group in constitution.method.groups] == [("A", 24), ("B", 20)]
    assert all(gate.wanted for gate in constitution.method.gates)
    draft = json.loads(first["draft.json"])
    assert (draft["k"], sum(draft["groups"].values())) == (2, 44)
    votes, _ = crowd((24, 20))
    write(project, random.Random(4).sample(votes, len(votes)))
    node.main()
    assert but_for_inputs(contents(project / "draft")) == but_for_inputs(first)


def but_for_inputs(written: dict[str, bytes]) -> dict[str, bytes]:
    """Without the fingerprints of this folder's own files, whose lines ingest_deliberation always puts in one order."""
    constitution = json.loads(written.pop("constitution.json"))
    marks = constitution["process"].pop("inputs").values()
    for mark in marks:
        written["report.html"] = written["report.html"].replace(mark.encode(), b"")
    return {**written, "constitution": json.dumps(constitution).encode()}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_where_no_statement_unites_the_groups_nothing_is_drafted(project: Path) -> None:
    write(project, crowd((24, 20))[0], threshold=0.99)
    with pytest.raises(Trouble, match=r"no statement has the support of every group \(the best: 0\.\d+\).*lower"):
        node.main()
    assert not (project / "draft").exists()


def test_parameters_out_of_order_are_one_line(project: Path) -> None:
    write(project, crowd((24, 20))[0], min_groups=4, max_groups=3)
    with pytest.raises(Trouble, match=r"min_groups \(4\) not above max_groups \(3\)"):
        node.main()


def test_the_sample_gives_the_core_principles_and_its_decisions_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.ingest_deliberation import __main__ as ingest

    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("COMMONS_SALT", raising=False)
    source, deliberation, draft = (
        ROOT / "data" / "sample" / "deliberation",
        tmp_path / "deliberation",
        tmp_path / "draft",
    )
    monkeypatch.setattr("sys.argv", ["ingest_deliberation", "--source", str(source), "--out", str(deliberation)])
    ingest.main()
    monkeypatch.setattr("sys.argv", ["draft_constitution", "--deliberation", str(deliberation), "--out", str(draft)])
    node.main()
    constitution = json.loads((draft / "constitution.json").read_text(encoding="utf-8"))
    drafted = {principle["id"] for principle in constitution["principles"]}
    assert {f"p{n:03d}" for n in range(16)} <= drafted
    decisions = yaml.safe_load((ROOT / "data" / "sample" / "decisions.yaml").read_text(encoding="utf-8"))
    assert {decision["principle"] for decision in decisions["decisions"]} == drafted
    assert json.loads((draft / "draft.json").read_text(encoding="utf-8"))["k"] == 3
