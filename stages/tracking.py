"""Show a node in MLflow: parameters, metrics, plots, inputs with digest, tags; for the flow and for `dvc repro` alike.

An observer: nothing here shapes an output, and an unreachable MLflow never fails a node.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stages.lineage import NodeLineage, dvc_md5

HOME = Path(".commons")
OBSERVED = HOME / "observed"
DEFAULT_EXPERIMENT = "Democratic Commons"

log = logging.getLogger("commons")


@dataclass(frozen=True)
class NodeRun:
    """One node in one run: `how` is executed, reused or failed; `used` has seconds, memory and energy."""

    node: str
    title: str
    how: str
    lineage: NodeLineage
    counts: str = ""
    used: dict[str, float] = field(default_factory=dict)


def tracking_uri() -> str:
    """Where MLflow records: the environment's server, or the project's own database."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{_database()}"


def client() -> Any:
    """An MLflow client; the local database is made by one process at a time (three of four would die)."""
    HOME.mkdir(exist_ok=True)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    with _locked(HOME / "mlflow.lock"):
        if tracking_uri() == f"sqlite:///{_database()}" and not _database().exists():
            _make_database(mlflow)
        made = mlflow.MlflowClient(tracking_uri=tracking_uri())
        made.search_experiments(max_results=1)
        return made


def _database() -> Path:
    """The project's own database."""
    return (HOME / "mlflow.db").absolute()


def _make_database(mlflow: Any) -> None:
    """Make the database whole or not at all: killed in the midst of its migrations, it would be refused for ever."""
    partial = _database().with_suffix(".partial")
    partial.unlink(missing_ok=True)
    mlflow.MlflowClient(tracking_uri=f"sqlite:///{partial}").search_experiments(max_results=1)
    partial.rename(_database())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def experiment_name(params: Mapping[str, Any]) -> str:
    """The experiment in plain words: what the people were asked."""
    question = str(params.get("ingest_deliberation", {}).get("title", "")).strip()
    return f"{DEFAULT_EXPERIMENT}: {question}" if question else DEFAULT_EXPERIMENT


def experiment(mlflow: Any, name: str) -> str:
    """The id of the experiment of that name, made where there is none."""
    found = mlflow.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    local = tracking_uri().startswith("sqlite")
    location = (HOME / "mlartifacts").absolute().as_uri() if local else None
    return str(mlflow.create_experiment(name, artifact_location=location))


def record(mlflow: Any, experiment_id: str, run: NodeRun, parent: str | None, commit: str) -> str:
    """Write one MLflow run for the node, below `parent` where there is one; return its id."""
    tags = {
        "mlflow.runName": run.title,
        "mlflow.source.name": run.node,
        "node": run.node,
        "outcome": run.how,
        "commit": commit,
        "counts": run.counts,
        **({"mlflow.parentRunId": parent} if parent else {}),
        **{f"dvc.in.{path}": md5 for path, md5 in run.lineage.inputs.items()},
        **{f"dvc.out.{path}": md5 for path, md5 in run.lineage.outputs.items()},
    }
    made = mlflow.create_run(experiment_id, run_name=run.title, tags={_name(k): v[:5000] for k, v in tags.items() if v})
    run_id = str(made.info.run_id)
    _log_numbers(mlflow, run_id, run)
    _log_inputs(mlflow, run_id, run.lineage.inputs)
    if run.how != "failed":
        _log_files(mlflow, run_id, run.lineage.outputs)
    mlflow.set_terminated(run_id, "FAILED" if run.how == "failed" else "FINISHED")
    return run_id


def _log_numbers(mlflow: Any, run_id: str, run: NodeRun) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    numbers = {
        **_metrics(run.lineage.outputs),
        **{f"used: {name.replace('_', ' ')}": v for name, v in run.used.items()},
    }
    section = run.lineage.params.get(run.node.split("@")[0]) or {}
    mlflow.log_batch(
        run_id,
        metrics=[Metric(_name(name), float(value), now, 0) for name, value in sorted(numbers.items())],
        params=[Param(_name(name), str(value)[:6000]) for name, value in _flat(section)],
    )


def _metrics(outputs: Mapping[str, str]) -> dict[str, float]:
    """The numbers that a node tells of its outputs: `metrics.json` in each output folder."""
    numbers: dict[str, float] = {}
    for path in outputs:
        file = Path(path) / "metrics.json"
        if file.exists():
            numbers.update(json.loads(file.read_text(encoding="utf-8")))
    return numbers


def _log_inputs(mlflow: Any, run_id: str, inputs: Mapping[str, str]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    datasets = [
        DatasetInput(
            Dataset(name=path, digest=md5[:36], source_type="dvc", source=json.dumps({"path": path, "md5": md5})),
            [InputTag("mlflow.data.context", "input")],
        )
        for path, md5 in sorted(inputs.items())
    ]
    if datasets:
        mlflow.log_inputs(run_id, datasets)


def _log_files(mlflow: Any, run_id: str, outputs: Mapping[str, str]) -> None:
    """Plots, pages and the gate's report; never the data itself, which DVC holds."""
    for path in map(Path, outputs):
        for folder in ("plots", "data-docs"):
            if (path / folder).is_dir():
                mlflow.log_artifacts(run_id, str(path / folder), folder)
        for file in sorted(
            [*path.glob("*.md"), *path.glob("*.html"), *path.glob("gate.json"), *path.glob("chain.json")]
        ):
            mlflow.log_artifact(run_id, str(file))


def _flat(section: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(section, dict) and section:
        for key, value in section.items():
            yield from _flat(value, f"{prefix}.{key}" if prefix else str(key))
    elif prefix:
        yield prefix, section


def _name(words: str) -> str:
    """The words with only the characters that MLflow allows in a name."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w\-. :/]", " ", words)).strip()[:240]


def commit_id() -> str:
    """The commit that is checked out, with `+changes` where the tree differs; empty outside git."""
    try:
        sha = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        dirty = subprocess.run(
            ["git", "status", "--porcelain", "--", "stages", "flows", "params.yaml", "dvc.yaml"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
    return sha + ("+changes" if dirty else "")


def record_alone(node: str) -> None:
    """Record a node that `dvc repro` ran by hand; an MLflow that does not answer is one line, not a failure."""
    try:
        observation = json.loads((OBSERVED / f"{node}.json").read_text(encoding="utf-8"))
        params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
        run = NodeRun(
            node,
            title_of(node),
            "executed",
            _lineage_of_command(node, params),
            observation["counts"],
            observation["used"],
        )
        mlflow = client()
        record(mlflow, experiment(mlflow, experiment_name(params)), run, None, commit_id())
    except Exception as error:  # an observer must not fail what it observes
        log.warning("%s: not recorded in MLflow (%s); the output is complete.", node, error)


def title_of(node: str) -> str:
    """The node's name in words, from `dvc.yaml`; a matrix node's parts are filled in."""
    stages = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    stage, _, key = node.partition("@")
    entry = stages.get(stage, {})
    title = str(entry.get("meta", {}).get("title", stage))
    parts = key.split("-", len(entry.get("matrix", {})) - 1) if key else []
    for axis, value in zip(entry.get("matrix", {}), parts, strict=False):
        title = title.replace(f"${{item.{axis}}}", value)
    return title


def _lineage_of_command(node: str, params: dict[str, Any]) -> NodeLineage:
    """Inputs and outputs from this process's own command line: `--out` is written, every other path is read."""
    pairs = list(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
    inputs = {path: dvc_md5(Path(path)) for name, path in pairs if name != "--out" and Path(path).exists()}
    outputs = {path: dvc_md5(Path(path)) for name, path in pairs if name == "--out"}
    section = node.split("@")[0]
    return NodeLineage(inputs, outputs, {}, {section: params.get(section)})
