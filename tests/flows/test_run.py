"""A run of the flow with real DVC, Prefect and MLflow, on a small project whose nodes take no time."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import OWN, commons, make_toy, set_params


def text(project: Path) -> str:
    return (project / "data/last/text.txt").read_text(encoding="utf-8")


WHOLE = "Què voleu?\nfirst\nleft\nlast\n"


def runs_in_mlflow(project: Path) -> list[dict[str, str]]:
    """The tags of every MLflow run, with its status."""
    with sqlite3.connect(project / ".commons/mlflow.db") as database:
        found = database.execute("select run_uuid, status from runs order by start_time").fetchall()
        tags = [dict(database.execute("select key, value from tags where run_uuid = ?", (run,))) for run, _ in found]
    return [{**tag, "id": run, "status": status} for tag, (run, status) in zip(tags, found, strict=True)]


def prefect_rows(project: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(project / ".commons/prefect/prefect.db") as database:
        return database.execute(query).fetchall()


def test_a_run_makes_everything_tells_prefect_and_mlflow_and_is_then_up_to_date(shared_toy: Path) -> None:
    set_params(shared_toy, left="{flaky: true}")
    ended = commons("run", at=shared_toy)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert text(shared_toy) == WHOLE
    assert "[ 4/4] last: 1 line" in ended.stdout
    assert "Error" not in ended.stderr

    parents = [run for run in runs_in_mlflow(shared_toy) if run.get("kind") == "run"]
    children = [run for run in runs_in_mlflow(shared_toy) if "node" in run]
    assert [run["status"] for run in parents] == ["FINISHED"]
    assert {run["node"]: run["outcome"] for run in children} == dict.fromkeys(
        ("first", "left", "right", "last"), "executed"
    )
    assert {run["mlflow.parentRunId"] for run in children} == {parents[0]["id"]}
    assert next(run for run in children if run["node"] == "left")["mlflow.runName"] == "Go left"
    assert next(run for run in children if run["node"] == "left")["dvc.out.data/left"].endswith(".dir")

    states = dict(prefect_rows(shared_toy, "select name, state_type from task_run"))
    assert states == dict.fromkeys(("first", "left", "right", "last"), "COMPLETED")
    retried = dict(prefect_rows(shared_toy, "select name, run_count from task_run"))
    assert retried["left"] == 2 and retried["right"] == 1, (
        "a server that does not answer is asked again, others are not"
    )
    assert ("working",) in prefect_rows(shared_toy, "select message from log")
    assert {"progress", "scorecard"} == {key for (key,) in prefect_rows(shared_toy, "select key from artifact")}

    again = commons("run", at=shared_toy)
    assert again.returncode == 0
    assert again.stdout.startswith("Everything is up to date; nothing to do.")
    assert len(runs_in_mlflow(shared_toy)) == 5, "nothing was done, so nothing is recorded"


def test_a_changed_parameter_reruns_its_node_and_reuses_the_others(shared_toy: Path) -> None:
    set_params(shared_toy, left="{flaky: true}", right="{seconds: 0.1}")
    status = commons("status", at=shared_toy)
    assert "right  would run: parameter right" in status.stdout
    assert "last   would run: right runs before it" in status.stdout
    assert "2 up to date, 2 would run" in status.stdout
    ended = commons("run", at=shared_toy)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    children = [run for run in runs_in_mlflow(shared_toy) if "node" in run][4:]
    assert {run["node"]: run["outcome"] for run in children} == {
        "first": "reused", "left": "reused", "right": "executed", "last": "reused",
    }  # fmt: skip


def test_a_failed_node_is_one_line_and_the_next_run_continues(shared_toy: Path) -> None:
    set_params(shared_toy, left="{fail: true}", right="{seconds: 0.2}")
    ended = commons("run", at=shared_toy)
    assert ended.returncode == 1
    assert ended.stderr == "commons: left: The sky is green; wanted blue; look again.\n"
    assert not (shared_toy / "data/left").exists(), "nothing half-written remains"
    assert "right: 1 line" in ended.stdout, "a node that does not need it goes on"
    assert [run["status"] for run in runs_in_mlflow(shared_toy) if run.get("kind") == "run"][-1] == "FAILED"
    set_params(shared_toy, right="{seconds: 0.2}")
    continued = commons("run", at=shared_toy)
    assert continued.returncode == 0
    assert "right: 1 line (reused)" in continued.stdout
    assert text(shared_toy) == WHOLE


def test_a_node_reproduced_by_hand_gives_the_same_bytes_and_a_run_in_mlflow(shared_toy: Path) -> None:
    before = len(runs_in_mlflow(shared_toy))
    shutil.rmtree(shared_toy / "data/left")
    shutil.rmtree(shared_toy / ".dvc/cache")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    clean = {name: value for name, value in os.environ.items() if name not in OWN} | {"PATH": path}
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", "--force", "left"]
    subprocess.run(command, cwd=shared_toy, env=clean, check=True, capture_output=True)
    assert (shared_toy / "data/left/text.txt").read_text(encoding="utf-8") == "Què voleu?\nfirst\nleft\n"
    by_hand, *others = runs_in_mlflow(shared_toy)[before:]
    assert not others
    assert (by_hand["node"], by_hand["outcome"], by_hand["mlflow.runName"]) == ("left", "executed", "Go left")
    by_flow = next(run for run in runs_in_mlflow(shared_toy) if run.get("node") == "left")
    assert by_hand["dvc.out.data/left"] == by_flow["dvc.out.data/left"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_leaves_no_process_and_ends_in_the_same_bytes(tmp_path: Path, how: signal.Signals) -> None:
    project = make_toy(tmp_path / "project")
    set_params(project, left="{seconds: 60}")
    clean = {name: value for name, value in os.environ.items() if name not in OWN}
    clean["SHELL"] = "/bin/sh"  # DVC starts nodes through it; dash stays between them where bash would step aside
    command = [sys.executable, "-m", "flows.commands", "run"]
    with subprocess.Popen(command, cwd=project, env=clean, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if "left: working" in line:
                break
        family = psutil.Process(run.pid).children(recursive=True)
        assert family
        run.send_signal(how)
        assert run.wait(60) == (-signal.SIGKILL if how == signal.SIGKILL else 130)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []
    assert not (project / "data/left").exists()
    set_params(project)
    ended = commons("run", at=project)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert text(project) == WHOLE
    statuses = [found["status"] for found in runs_in_mlflow(project) if found.get("kind") == "run"]
    assert statuses == ["KILLED", "FINISHED"]
