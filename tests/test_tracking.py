"""MLflow as an observer: a database that is whole, and a node recorded with what it read, wrote and counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stages import tracking
from stages.lineage import NodeLineage


def test_a_process_killed_while_it_makes_the_database_does_not_spoil_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    command = [sys.executable, "-c", "from stages import tracking; tracking.client()"]
    partial, whole = tmp_path / ".commons/mlflow.partial", tmp_path / ".commons/mlflow.db"
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        while not (partial.exists() and partial.stat().st_size) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not whole.exists(), "killed in the midst of its migrations"
    assert tracking.client().search_experiments()
    assert whole.exists() and not partial.exists()


def test_a_node_is_recorded_with_inputs_numbers_and_plots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    out = tmp_path / "data/corpus"
    (out / "plots").mkdir(parents=True)
    (out / "plots/kept.png").write_bytes(b"png")
    (out / "metrics.json").write_text('{"documents kept, Basque (eu)": 3}', encoding="utf-8")
    lineage = NodeLineage(
        {"documents": "a" * 32}, {"data/corpus": "b.dir"}, {}, {"curate_corpus": {"near": {"jaccard": 0.8}}}
    )
    run = tracking.NodeRun("curate_corpus", "Curate the corpus", "executed", lineage, "kept 3", {"energy_kwh": 0.5})
    client = tracking.client()
    experiment = tracking.experiment(client, "Democratic Commons: Zer nahi duzue?")
    found = client.get_run(tracking.record(client, experiment, run, None, "abc"))
    assert found.data.metrics == {"documents kept Basque eu": 3.0, "used: energy kwh": 0.5}
    assert found.data.params == {"near.jaccard": "0.8"}
    assert found.data.tags["dvc.out.data/corpus"] == "b.dir"
    assert found.data.tags["mlflow.runName"] == "Curate the corpus"
    assert [(each.dataset.name, each.dataset.digest) for each in found.inputs.dataset_inputs] == [
        ("documents", "a" * 32)
    ]
    assert [file.path for file in client.list_artifacts(found.info.run_id, "plots")] == ["plots/kept.png"]
