"""A run that waits for people: it says what is missing, asks, and goes on after everything was killed and started again."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest

from flows.servers import free_port
from stages.constitution import read_constitution
from tests.conftest import commons
from tests.flows.assembly import make_assembly, prefect
from tests.flows.test_run import runs_in_mlflow

ACCEPT = {"decision": "accept", "reason": "És just."}
REWORD = {"decision": "reword", "reason": "Argiago.", "text": "Ez dezala behar ez denik eskatu."}
ANSWER = {"title": "Carta", "version": "1.0.0", "by": "assemblea ciutadana", "date": "2026-03-01",
          "quorum": 30, "present": 38, "p001": {**ACCEPT, "yes": 30, "no": 2}, "p002": REWORD}  # fmt: skip


def test_without_decisions_a_run_does_the_rest_and_names_the_way_out(tmp_path: Path) -> None:
    project = make_assembly(tmp_path / "project")
    ended = commons("run", at=project)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert "decisions.yaml" in ended.stderr and "`commons ratify`" in ended.stderr
    assert (project / "data/aside").exists() and not (project / "data/ratified").exists()
    waiting = commons("run", "--ask", at=project)
    assert waiting.returncode == 3, waiting.stdout + waiting.stderr
    assert "waiting for people: Ratify it; 2 of 4 nodes are done." in waiting.stdout
    with sqlite3.connect(project / ".commons/prefect/prefect.db") as database:
        runs = database.execute("select state_name from flow_run order by created").fetchall()
        shown = database.execute("select data from artifact where key = 'draft'").fetchall()
    assert runs == [("Failed",), ("Suspended",)]
    assert len(shown) == 1 and "Ez dezala datu pertsonalik eskatu." in json.loads(shown[0][0])


@pytest.mark.slow
def test_a_suspended_run_outlives_server_and_worker_and_takes_the_decisions_as_a_form(tmp_path: Path) -> None:
    project = make_assembly(tmp_path / "project")
    with prefect(project, free_port()) as servers:
        servers.start()
        run = servers.run_deployment()
        first = servers.wait_for(run, "Suspended")
        assert first["state_details"]["pause_timeout"] is None, "people may take months"
        assert (project / "data/aside").exists(), "what needs no decision is done first"
        shown = servers.asked(run, first, "description")
        assert "Tothom ha de ser tractat igual." in shown and "| A | 90 % | 9 | 1 | 0 |" in shown

        servers.kill()
        time.sleep(1)
        servers.start()
        assert servers.state(run)["name"] == "Suspended"
        refused = servers.answer(run, **(ANSWER | {"p001": {"decision": "maybe", "reason": "?"}}))
        assert refused["status"] == "REJECT" and "p001" in refused["details"]["reason"]
        assert servers.answer(run, **(ANSWER | {"version": "3.0.0"}))["status"] == "ACCEPT"
        again = servers.wait_for(run, "Suspended", after=first["id"])
        assert "found version 3.0.0 without" in servers.asked(run, again, "description").replace("\\", "")
        assert not (project / "decisions.yaml").exists(), "what does not fit is not written"

        assert servers.answer(run, **ANSWER)["status"] == "ACCEPT"
        servers.wait_for(run, "Completed")
        tasks = servers.call("POST", "task_runs/filter", json={})
        assert {task["state"]["name"] for task in tasks} == {"Completed"}
    recorded = runs_in_mlflow(project)
    parent, *others = [found for found in recorded if found.get("kind") == "run"]
    assert not others, "before and after the wait it is one run"
    assert parent["status"] == "FINISHED" and "waits for" not in parent
    children = [
        (found["node"], found["outcome"]) for found in recorded if found.get("mlflow.parentRunId") == parent["id"]
    ]
    assert sorted(children) == [(node, "executed") for node in ("aside", "draft", "last", "ratify_constitution")]
    constitution = read_constitution(project / "data/last/constitution.json")
    assert [(p.id, p.text) for p in constitution.principles] == [
        ("p001", "Tothom ha de ser tractat igual."),
        ("p002", "Ez dezala behar ez denik eskatu."),
    ]
    assert constitution.ratification and constitution.ratification.by == "assemblea ciutadana"
    written = (project / "decisions.yaml").read_text(encoding="utf-8")
    assert "reason: És just." in written
    assert json.loads((project / "data/ratified/metrics.json").read_text())["principles reworded"] == 1
