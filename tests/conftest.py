"""Shared by all tests: nothing phones home, nothing is fetched, and a small project with nodes that take no time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

for name, value in {
    "DO_NOT_TRACK": "true",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MPLBACKEND": "Agg",
    "DVC_NO_ANALYTICS": "1",
    "TQDM_DISABLE": "1",
}.items():
    os.environ.setdefault(name, value)

NODE = '''"""A node that adds a line to what it reads."""
import os, signal, sys, time
from pathlib import Path
from stages.artifact import new_folder, write_json, write_text
from stages.errors import TransientTrouble, Trouble
from stages.node import arguments, run
from stages.params import read_file

def main() -> str:
    args = arguments(__doc__, source="input", out="output")
    node = os.environ["DVC_STAGE"]
    behaviour = read_file()[node]
    print("working", flush=True)
    if behaviour.get("fail"):
        raise Trouble("The sky is green; wanted blue; look again.")
    attempts = Path("attempts.txt")
    if behaviour.get("flaky") and not attempts.exists():
        attempts.write_text("1")
        raise TransientTrouble("The server is away; wanted an answer; it is asked again.")
    time.sleep(behaviour.get("seconds", 0))
    source = args.source / "text.txt" if args.source.is_dir() else args.source
    with new_folder(args.out) as folder:
        write_text(folder / "text.txt", source.read_text(encoding="utf-8") + node)
        write_json(folder / "metrics.json", {"lines written": 1})
    return "1 line"

if __name__ == "__main__":
    run(main)
'''

PIPELINE = """stages:
  first:
    cmd: python -m toy --source source.txt --out data/first
    deps: [source.txt, toy.py]
    params: [first]
    outs: [data/first]
    meta: {title: Read the source}
  left:
    cmd: python -m toy --source data/first --out data/left
    deps: [data/first, toy.py]
    params: [left]
    outs: [data/left]
    meta: {title: Go left}
  right:
    cmd: python -m toy --source data/first --out data/right
    deps: [data/first, toy.py]
    params: [right]
    outs: [data/right]
    meta: {title: Go right, pool: gpu}
  last:
    cmd: python -m toy --source data/left --out data/last
    deps: [data/left, data/right, toy.py]
    params: [last]
    outs: [data/last]
    meta: {title: Come together}
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of four nodes (first -> left, right -> last) in a git repository, as the working directory."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "toy.py").write_text(NODE, encoding="utf-8")
    (project / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    (project / "params.yaml").write_text("first: {}\nleft: {}\nright: {}\nlast: {}\n", encoding="utf-8")
    (project / "source.txt").write_text("Què voleu?\n", encoding="utf-8")
    (project / ".gitignore").write_text(".commons/\n__pycache__/\n", encoding="utf-8")
    shutil.copy(ROOT / ".dvcignore", project / ".dvcignore")
    monkeypatch.chdir(project)
    for name in ("PREFECT_API_URL", "PREFECT_HOME", "MLFLOW_TRACKING_URI", "DVC_SITE_CACHE_DIR", "DVC_STAGE"):
        monkeypatch.delenv(name, raising=False)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], check=True)
    return project


def commons(*arguments: str, timeout: float = 240, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the `commons` command in the working directory as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "flows.commands", *arguments],
        capture_output=True, text=True, timeout=timeout, env={**os.environ, **environment},
    )
