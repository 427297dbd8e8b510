"""A run in MLflow for people who do not program: one parent with the story, one child per node, executed or reused.

An observer: when MLflow stops answering in the middle of a run, the nodes go on and the run says so at its end.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.graph import Node
from flows.reproduce import Outcome
from stages import tracking

WAITING = "SCHEDULED"  # of MLflow's words the one for a run that goes on later
WAITS_FOR = "waits for"

log = logging.getLogger("commons")


class Recorder:
    """Writes one parent run and its children; `lost` names what MLflow did not take.

    A flow run that waited for people goes on in the parent that it left waiting.
    """

    def __init__(self, params: Mapping[str, Any], name: str, flow_run: str) -> None:
        self._params = params
        self._flow_run = flow_run
        self._recorded: set[str] = set()  # nodes that the parent has already from before the wait
        self._guard = threading.Lock()  # nodes end in several threads; SQLite takes one writer
        self._mlflow: Any = None
        self.experiment_id = ""
        self.run_id = ""
        self.lost: list[str] = []
        self._commit = tracking.commit_id()
        self._try("the run", lambda: self._open(name))

    def _open(self, name: str) -> None:
        self._mlflow = tracking.client()
        self.experiment_id = tracking.experiment(self._mlflow, tracking.experiment_name(self._params))
        self._close_abandoned()
        if self._go_on():
            return
        workspace = str(Path.cwd().name)
        tags = {"mlflow.runName": name, "commit": self._commit, "workspace": workspace, "kind": "run"}
        tags |= {"flow run": self._flow_run}
        made = self._mlflow.create_run(self.experiment_id, run_name=name, tags=tags)
        self.run_id = made.info.run_id

    def _go_on(self) -> bool:
        """Take up the parent that this flow run left waiting for people; False where there is none."""
        query = f"attributes.status = '{WAITING}' and tags.kind = 'run' and tags.`flow run` = '{self._flow_run}'"
        waiting = self._mlflow.search_runs([self.experiment_id], filter_string=query)
        if not waiting:
            return False
        self.run_id = waiting[0].info.run_id
        self._mlflow.update_run(self.run_id, status="RUNNING")
        self._mlflow.delete_tag(self.run_id, WAITS_FOR)
        query = f"tags.mlflow.parentRunId = '{self.run_id}' and attributes.status = 'FINISHED'"
        children = self._mlflow.search_runs([self.experiment_id], filter_string=query)
        self._recorded = {child.data.tags["node"] for child in children}
        return True

    def _close_abandoned(self) -> None:
        """Mark runs of this workspace that a kill left open (this process holds the workspace's lock)."""
        query = f"attributes.status = 'RUNNING' and tags.kind = 'run' and tags.workspace = '{Path.cwd().name}'"
        for run in self._mlflow.search_runs([self.experiment_id], filter_string=query):
            self._mlflow.set_terminated(run.info.run_id, "KILLED")

    def node(self, node: Node, outcome: Outcome) -> None:
        """Record a node as a child of the run, once where a wait lies between making and reusing it."""
        if outcome.how == "reused" and node.name in self._recorded:
            return
        run = tracking.NodeRun(node.name, node.title, outcome.how, outcome.lineage, outcome.counts, outcome.used)
        self._try(
            node.name,
            lambda: tracking.record(self._mlflow, self.experiment_id, run, self.run_id, self._commit),
        )

    def wait(self, title: str, story: str) -> None:
        """Leave the parent waiting for people's decisions at the node of that title."""
        self.tag(WAITS_FOR, title)
        self.finish(WAITING, story, {}, [])

    def finish(self, status: str, story: str, numbers: Mapping[str, float], pages: Sequence[tuple[str, Path]]) -> None:
        """Close the parent: its description, headline numbers and pages (folder in MLflow, file or folder here)."""

        def close() -> None:
            for name, value in numbers.items():
                self._mlflow.log_metric(self.run_id, tracking._name(name), value)
            for place, path in pages:
                log_path = self._mlflow.log_artifacts if path.is_dir() else self._mlflow.log_artifact
                log_path(self.run_id, str(path), place)
            drawn = f"![The pipeline](get-artifact?path=pipeline%2Fpipeline.png&run_uuid={self.run_id})"
            self._mlflow.set_tag(self.run_id, "mlflow.note.content", f"{story}\n\n{drawn}")
            self._mlflow.set_terminated(self.run_id, status)

        self._try("the run's summary", close)

    def tag(self, name: str, value: str) -> None:
        """Set a tag of the parent run."""
        self._try(f"the tag {name}", lambda: self._mlflow.set_tag(self.run_id, name, value))

    def register(self, model: str, source: str, version: str, release: str) -> None:
        """Register the released model once per release and move the alias `released` to it."""
        self._try("the registered model", lambda: self._register(model, source, version, release))

    def _register(self, model: str, source: str, version: str, release: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._mlflow.create_registered_model(
                model, description="Taught by the ratified constitution; see the release."
            )
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = self._mlflow.search_model_versions(f"name = '{model}' and tags.release = '{release}'")
        tags = {"release": release, "constitution version": version}
        made = found[0] if found else self._mlflow.create_model_version(model, source, run_id=self.run_id, tags=tags)
        self._mlflow.set_registered_model_alias(model, "released", made.version)

    def _try(self, what: str, act: Callable[[], Any]) -> None:
        if self._mlflow is None and self.lost:
            self.lost.append(what)
            return
        try:
            with self._guard:
                act()
        except Exception as error:  # an observer must not fail what it observes
            log.debug("MLflow did not take %s", what, exc_info=True)
            self.lost.append(f"{what} ({type(error).__name__})" if not self.lost else what)

    def address(self) -> str:
        """The parent run's page below the MLflow server's root, in the mode for stakeholders."""
        return f"/#/experiments/{self.experiment_id}/runs/{self.run_id}?workflowType=machine_learning"
