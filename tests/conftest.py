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
    cmd: exec python -m toy --source source.txt --out data/first
    deps: [source.txt, toy.py]
    params: [first]
    outs: [data/first]
    meta: {title: Read the source}
  left:
    cmd: exec python -m toy --source data/first --out data/left
    deps: [data/first, toy.py]
    params: [left]
    outs: [data/left]
    meta: {title: Go left}
  right:
    cmd: exec python -m toy --source data/first --out data/right
    deps: [data/first, toy.py]
    params: [right]
    outs: [data/right]
    meta: {title: Go right, pool: gpu}
  last:
    cmd: exec python -m toy --source data/left --out data/last
    deps: [data/left, data/right, toy.py]
    params: [last]
    outs: [data/last]
    meta: {title: Come together}
"""


OWN = ("PREFECT_API_URL", "PREFECT_HOME", "MLFLOW_TRACKING_URI", "DVC_SITE_CACHE_DIR", "DVC_STAGE", "COMMONS_FLOW_RUN")


def make_toy(project: Path) -> Path:
    """A project of four nodes (first -> left, right -> last) in a git repository."""
    project.mkdir()
    (project / "toy.py").write_text(NODE, encoding="utf-8")
    (project / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    (project / "params.yaml").write_text("first: {}\nleft: {}\nright: {}\nlast: {}\n", encoding="utf-8")
    (project / "source.txt").write_text("Què voleu?\n", encoding="utf-8")
    (project / ".gitignore").write_text(".commons/\n__pycache__/\n", encoding="utf-8")
    shutil.copy(ROOT / ".dvcignore", project / ".dvcignore")
    subprocess.run(["git", "init", "-q"], check=True, cwd=project)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], check=True, cwd=project)
    return project


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy project of this test's own, as the working directory."""
    project = make_toy(tmp_path / "project")
    monkeypatch.chdir(project)
    for name in OWN:
        monkeypatch.delenv(name, raising=False)
    return project


@pytest.fixture(scope="module")
def shared_toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy project that the tests of a module share: a first run costs half a minute."""
    return make_toy(tmp_path_factory.mktemp("shared") / "project")


def commons(
    *arguments: str, at: Path | None = None, timeout: float = 300, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the `commons` command as a user would."""
    clean = {name: value for name, value in os.environ.items() if name not in OWN}
    return subprocess.run(
        [sys.executable, "-m", "flows.commands", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=at,
        env={**clean, **environment},
    )


def set_params(project: Path, **sections: str) -> None:
    """Write the toy's parameters; a section that is not given is empty."""
    values = {"first": "{}", "left": "{}", "right": "{}", "last": "{}"} | sections
    (project / "params.yaml").write_text("".join(f"{k}: {v}\n" for k, v in values.items()), encoding="utf-8")
