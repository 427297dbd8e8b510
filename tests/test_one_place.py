"""CONTRIBUTING's "one place to touch", followed to the letter in a copy of the tree: nothing else has to change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

STAGE = '''"""Greet the people who voted."""
from stages.artifact import new_folder, write_json
from stages.node import arguments, run


def main() -> str:
    args = arguments(__doc__, deliberation="the deliberation", out="the greeting")
    with new_folder(args.out) as folder:
        write_json(folder / "metrics.json", {"greetings": 1})
    return "1 greeting"


if __name__ == "__main__":
    run(main)
'''
BLOCK = """
  greet_people:
    desc: Greet the people who voted.
    cmd: >-
      exec python -m stages.greet_people
      --deliberation data/deliberation
      --out data/greeting
    deps:
      - data/deliberation
      - stages/greet_people
      - stages/artifact.py
    params:
      - greet_people
    outs:
      - data/greeting
    meta:
      title: Greet the people
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tracked files of the project in a repository of their own."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(tmp_path / "copy")], check=True)
    return tmp_path / "copy"


def run(copy: Path, *command: str) -> str:
    """What a command says in the copy; its own `flows` and `stages` are the ones that run."""
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=copy, capture_output=True, text=True, env=environment, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def add(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def touched(copy: Path) -> set[str]:
    """What `git status` says was changed or added."""
    said = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=copy, capture_output=True, text=True, check=True
    )
    return {line[3:] for line in said.stdout.splitlines()}


def test_a_new_stage(copy: Path) -> None:
    folder = copy / "stages/greet_people"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Greet the people who voted."""\n', encoding="utf-8")
    (folder / "__main__.py").write_text(STAGE, encoding="utf-8")
    (folder / "parameters.py").write_text(
        "from stages.params import Section\n\n\nclass Parameters(Section):\n    pass\n", encoding="utf-8"
    )
    add(copy / "dvc.yaml", "\n  draft_constitution:\n", f"{BLOCK}\n  draft_constitution:\n")
    add(copy / "params.yaml", "\ndraft_constitution:", "\ngreet_people: {}\n\ndraft_constitution:")
    add(
        copy / "README.md",
        "    ingest_deliberation --> draft_constitution\n",
        "    ingest_deliberation --> draft_constitution\n    ingest_deliberation --> greet_people\n",
    )
    assert "greet_people" in run(copy, "flows.commands", "status")
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_pipeline.py")
    folder_files = {f"stages/greet_people/{name}.py" for name in ("__init__", "__main__", "parameters")}
    assert touched(copy) == folder_files | {"dvc.yaml", "params.yaml", "README.md"}


def test_a_new_benchmark(copy: Path) -> None:
    """The guide's own words: its two blocks of code are put where it says."""
    guide = (copy / "CONTRIBUTING.md").read_text(encoding="utf-8").split("### A new benchmark")[1]
    module, metric = (block.split("```")[0] for block in guide.split("```python\n")[1:3])
    (copy / "stages/evaluate_model/benchmarks/park_rules.py").write_text(module, encoding="utf-8")
    add(copy / "stages/metrics/kept.py", "METRICS = {\n", "METRICS = {\n" + metric)
    add(copy / "stages/metrics/framework.csv", "capability civic-text,", "capability civic-text park-rules,rule_known ")
    add(copy / "params.yaml", "    - civic-text\n", "    - civic-text\n    - park-rules\n")
    items = copy / "data/sample/benchmarks/park-rules"
    items.mkdir()
    rows = [f"Parkea {n} etan ixten da?,Bai.,Ez.,eu" for n in range(20)]
    (items / "parks.csv").write_text("question,right,wrong,language\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert "evaluate_model@tuned-park-rules" in run(copy, "flows.commands", "status")
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_pipeline.py", "tests/test_framework.py")
    assert touched(copy) == {
        "stages/evaluate_model/benchmarks/park_rules.py",
        "stages/metrics/kept.py",
        "stages/metrics/framework.csv",
        "params.yaml",
        "data/sample/benchmarks/park-rules/parks.csv",
    }
    model = "data/sample/base-model"
    said = run(
        copy, "flows.commands", "evaluate", model, "--benchmark", f"park-rules={items / 'parks.csv'}",
        "--out", str(copy / "out"), "--options", "params.yaml",
    )  # fmt: skip
    assert "preference for the rule that holds" in said


def test_a_new_source(copy: Path) -> None:
    sources = copy / "stages/ingest_deliberation/sources"
    text = (sources / "polis.py").read_text(encoding="utf-8")
    (sources / "assembly.py").write_text(text.replace('platform="polis"', 'platform="assembly"'), encoding="utf-8")
    add(copy / "params.yaml", "  source: polis ", "  source: assembly ")
    assert "ingest_deliberation" in run(copy, "flows.commands", "status")
    out = copy / "data/deliberation"
    run(copy, "stages.ingest_deliberation", "--source", "data/sample/deliberation", "--out", str(out))
    assert '"platform": "assembly"' in (out / "deliberation.json").read_text(encoding="utf-8")
    assert touched(copy) == {"stages/ingest_deliberation/sources/assembly.py", "params.yaml"}
