"""The node writes a draft in which every statement is accounted for; the sample's draft fits its decisions."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml

from stages.draft_constitution import __main__ as node
from stages.errors import Trouble
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
    statements = []
    for id_ in sorted({s for _, s, _ in votes}):
        text, language = TEXTS.get(id_, (f"Divisive statement {id_}", "en"))
        statements.append({"id": id_, "text": text, "language": language, "moderated": 1, "author": ""})
    random.Random(len(lines)).shuffle(statements)
    (folder / "statements.jsonl").write_text("\n".join(map(json.dumps, statements)) + "\n", encoding="utf-8")
    about = {"title": "Com s'ha de comportar?", "simulated": True, "counts": {"participants": 44}}
    (folder / "deliberation.json").write_text(json.dumps(about), encoding="utf-8")
    section = {"draft_constitution": PARAMS.model_dump() | params}
    (project / "params.yaml").write_text(yaml.safe_dump(section), encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_statement_is_accounted_for_and_no_row_order_changes_a_byte(project: Path) -> None:
    assert node.main().startswith("drafted 4 principles of 21 statements (not supported by every group 17)")
    first = contents(project / "draft")
    assert sorted(first) == [
        "draft.json", "gate.json", "groups.csv", "metrics.json", "plots/consensus.png", "plots/opinion-groups.png",
        "principles.jsonl", "rejected.jsonl",
    ]  # fmt: skip
    principles = [json.loads(line) for line in first["principles.jsonl"].splitlines()]
    rejected = [json.loads(line) for line in first["rejected.jsonl"].splitlines()]
    assert sorted(p["id"] for p in principles) == ["p000", "p001", "p002", "p003"]
    assert sorted([p["statement_ids"][0] for p in principles] + [r["statement_id"] for r in rejected]) == list(
        range(21)
    )
    assert all(r["reason"] for r in rejected)
    draft = json.loads(first["draft.json"])
    assert (draft["k"], sum(draft["groups"].values())) == (2, 44)
    assert first["groups.csv"].startswith(b"participant,group\n")
    votes, _ = crowd((24, 20))
    write(project, random.Random(4).sample(votes, len(votes)))
    node.main()
    assert contents(project / "draft") == first


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
    drafted = {json.loads(line)["id"] for line in (draft / "principles.jsonl").read_text(encoding="utf-8").splitlines()}
    assert {f"p{n:03d}" for n in range(16)} <= drafted
    decisions = yaml.safe_load((ROOT / "data" / "sample" / "decisions.yaml").read_text(encoding="utf-8"))
    assert {decision["principle"] for decision in decisions["decisions"]} == drafted
    assert json.loads((draft / "draft.json").read_text(encoding="utf-8"))["k"] == 3
