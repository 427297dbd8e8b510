"""The node writes statements and votes without anybody's name, or nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml

from stages.errors import Trouble
from stages.ingest_deliberation import __main__ as node

PARAMS = {
    "source": "polis", "path": "export", "title": "Nola jokatu behar du?", "url": "", "license": "CC0-1.0",
    "simulated": True, "language": "eu", "salt": "public-salt", "withhold_moderated": True,
}  # fmt: skip
COMMENTS = """timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body
1,Mon,0,person-1,0,0,1,Herritar bakoitzari bere hizkuntzan erantzun.
1,Mon,1,person-2,0,0,-1,Call Untel on 699 000 000!
"""
VOTES = ["1,0,person-1,1", "1,0,person-2,-1", "2,1,person-2,1", "3,1,person-3,0"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "comments.csv").write_text(COMMENTS, encoding="utf-8")
    write_votes(tmp_path, VOTES)
    write_params(tmp_path, PARAMS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMMONS_SALT", raising=False)
    monkeypatch.setattr("sys.argv", ["ingest_deliberation", "--source", "export", "--out", "out"])
    return tmp_path


def write_votes(project: Path, rows: list[str]) -> None:
    lines = ["timestamp,comment-id,voter-id,vote", *rows]
    (project / "export" / "votes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_params(project: Path, values: dict[str, object]) -> None:
    (project / "params.yaml").write_text(yaml.safe_dump({"ingest_deliberation": values}), encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_output_names_nobody_and_no_line_order_changes_a_byte(project: Path) -> None:
    assert "read 4 votes of 3 participants on 2 statements (1 moderated out)" in node.main()
    first = contents(project / "out")
    assert sorted(first) == [
        "deliberation.json", "gate.json", "metrics.json", "plots/votes-per-statement.png", "statements.jsonl", "votes.csv",
    ]  # fmt: skip
    assert not any(b"person-" in content or b"699" in content for content in first.values())
    about = json.loads(first["deliberation.json"])
    assert (about["key"], about["counts"]["participants"]) == ("public sample key", 3)
    write_votes(project, random.Random(3).sample(VOTES, len(VOTES)))
    node.main()
    assert contents(project / "out") == first


def test_moderated_text_is_kept_where_the_process_says_so(project: Path) -> None:
    write_params(project, PARAMS | {"withhold_moderated": False})
    node.main()
    assert "699 000 000" in (project / "out" / "statements.jsonl").read_text(encoding="utf-8")


def test_trouble_leaves_nothing_behind(project: Path) -> None:
    write_votes(project, ["1,0,person-1,maybe"])
    with pytest.raises(Trouble, match=r"votes\.csv, line 2: vote is 'maybe'"):
        node.main()
    assert not (project / "out").exists()


def test_a_misspelt_parameter_is_named(project: Path) -> None:
    write_params(project, PARAMS | {"langauge": "eu"})
    with pytest.raises(Trouble, match=r"did you mean 'language'\?"):
        node.main()
