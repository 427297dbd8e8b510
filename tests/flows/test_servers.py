"""A run whose Prefect server dies: its nodes go on, and it ends by itself with one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.conftest import OWN, commons, make_toy, set_params
from tests.flows.test_run import WHOLE, runs_in_mlflow, text

# `commons run` with less patience: a test does not wait as long as Prefect's client does.
IMPATIENT = """
from flows import commands, servers
servers.PATIENCE_SECONDS, servers.PROBE_SECONDS = 15, 1
commands.main(["run"])
"""


def kill_prefect(run: int) -> None:
    servers = [child for child in psutil.Process(run).children() if "uvicorn" in child.cmdline()]
    assert len(servers) == 1
    servers[0].kill()


def test_a_run_whose_prefect_server_dies_finishes_its_nodes_and_ends_by_itself(tmp_path: Path) -> None:
    project = make_toy(tmp_path / "project")
    set_params(project, left="{seconds: 8}", right="{seconds: 8}")
    clean = {name: value for name, value in os.environ.items() if name not in OWN}
    with (
        (tmp_path / "stderr").open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-c", IMPATIENT], cwd=project, env=clean, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as run,
    ):
        assert run.stdout is not None
        for line in run.stdout:
            if "left: working" in line:
                break
        kill_prefect(run.pid)
        said = run.stdout.read()
        assert run.wait(120) == 1
    assert said.count("Prefect does not answer; the nodes go on without it") == 1
    assert "[ 4/4] last: 1 line" in said
    last = (tmp_path / "stderr").read_text(encoding="utf-8").splitlines()[-1]
    assert last.startswith("commons: Prefect at http://127.0.0.1:") and "has not answered for 15 s" in last
    assert last.endswith("run the same command again, finished nodes are kept.")
    assert text(project) == WHOLE
    assert [found["status"] for found in runs_in_mlflow(project) if found.get("kind") == "run"] == ["FINISHED"]
    assert commons("run", at=project).stdout.startswith("Everything is up to date")
