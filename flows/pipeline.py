"""The Prefect flow `commons`, built from `dvc.yaml`: one task per node, independent nodes at the same time.

    python -m flows.pipeline [NODE…]

Adding a stage never touches this file. DVC is the only cache; Prefect keeps order, retries, logs and time.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows import environment

if __name__ == "__main__":  # before Prefect is imported: it reads the API's address then, and the command finds one
    from flows.commands import main

    main(["run", *sys.argv[1:]])

environment.prepare()

from prefect import flow, get_run_logger, task  # noqa: E402
from prefect.artifacts import (  # noqa: E402
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE  # noqa: E402
from prefect.concurrency.sync import concurrency  # noqa: E402
from prefect.context import FlowRunContext  # noqa: E402
from prefect.exceptions import Pause  # noqa: E402
from prefect.futures import wait  # noqa: E402
from prefect.runtime import flow_run  # noqa: E402
from prefect.task_runners import ThreadPoolTaskRunner  # noqa: E402
from prefect.tasks import exponential_backoff  # noqa: E402

from flows import picture, ratification, servers, summary  # noqa: E402
from flows.graph import Node, and_behind, check_inputs, open_repo, read_graph, with_needed  # noqa: E402
from flows.recorder import Recorder  # noqa: E402
from flows.reproduce import NodeFailed, Outcome, reproduce, stop_all  # noqa: E402
from flows.slots import Slots, urgency  # noqa: E402
from stages.errors import Trouble  # noqa: E402
from stages.lineage import NodeLineage  # noqa: E402
from stages.params import read_file  # noqa: E402
from stages.tracking import HOME  # noqa: E402

GPU_LIMIT = "commons-gpu"
TRANSIENT_RETRIES = 3


class RunFailed(Trouble):
    """Some node did not finish; the message is for the terminal and for Prefect's state."""


class Interrupted(RunFailed):
    """The run was stopped; what is done is kept."""


@dataclass
class Run:
    """One run: what it does, where it stands and whom it tells."""

    nodes: list[Node]
    recorder: Recorder
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    done: dict[str, Outcome] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    stopping: bool = False
    progress: Any = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.slots = Slots(os.cpu_count() or 1)
        self.urgency = urgency(self.nodes)

    def finished(self, node: Node, outcome: Outcome) -> None:
        """Count a node as done and show it."""
        with self._guard:
            self.done[node.name] = outcome
            count, total = len(self.done), len(self.nodes)
            seconds = f"{outcome.used['seconds']:.0f} s" if outcome.how == "executed" else "reused"
            words = outcome.counts or node.title
            print(f"[{count:>2}/{total}] {node.name}: {words} ({seconds})", flush=True)
        if not servers.prefect_is_silent():
            with contextlib.suppress(Exception):  # the progress bar is a courtesy
                update_progress_artifact(self.progress, progress=100 * count / total)


def _is_transient(task: Any, run: Any, state: Any) -> bool:
    try:
        state.result()
    except NodeFailed as failure:
        return failure.transient
    except BaseException:
        return False
    return False


@task(
    task_run_name="{name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=TRANSIENT_RETRIES,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_condition_fn=_is_transient,
)
def reproduce_node(name: str, run: Run) -> None:
    """Bring one node up to date through DVC."""
    node = next(node for node in run.nodes if node.name == name)
    log = get_run_logger()
    with run.slots.taken(run.urgency[name]), _pool(node):
        if run.stopping:
            raise NodeFailed(name, "not started", transient=False)
        say = functools.partial(_say, log, run, name)
        try:
            outcome = reproduce(name, run.id, say)
        except NodeFailed as failure:
            run.failed[name] = str(failure)
            raise
    run.failed.pop(name, None)
    run.finished(node, outcome)
    run.recorder.node(node, outcome)


def _say(log: Any, run: Run, name: str, line: str) -> None:
    """A node's line: to Prefect always; to the terminal where it is progress (its last line comes with the count)."""
    log.info(line)
    if not line.startswith(f"{name}: ") and not line.startswith(f"{name.partition('@')[0]}: ") and line.strip():
        print(f"        {name}: {line.strip()[:160]}", flush=True)


@contextlib.contextmanager
def _pool(node: Node) -> Iterator[None]:
    """One GPU job at a time on this machine; without a GPU the places of the machine are limit enough."""
    if node.pool == "gpu" and has_gpu():
        with concurrency(GPU_LIMIT, occupy=1):
            yield
    else:
        yield


def has_gpu() -> bool:
    """Whether this machine has an NVIDIA GPU (asked without importing torch, which takes 2 s)."""
    return Path("/dev/nvidia0").exists()


@flow(
    name="commons",
    flow_run_name=lambda: f"Run of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    description="From a deliberation's votes to a verifiable release; built from dvc.yaml.",
    task_runner=ThreadPoolTaskRunner(max_workers=256),  # threads wait cheaply; Slots limits
    persist_result=False,
    retries=0,
)
def commons(nodes: list[str] | None = None) -> None:
    """Bring the named nodes (default: all) and what they need up to date."""
    wanted = nodes or []
    graph = read_graph(open_repo())
    chosen = with_needed(graph, wanted) if wanted else graph
    people = ratification.find(chosen)
    check_inputs(graph, chosen, [str(people.decisions)] if people else [])
    run = start(chosen)
    with _stop_on_signal(run):
        futures: dict[str, Any] = {}
        if people is None or _decided(run, people, futures):
            _submit(run, run.nodes, futures)
        wait(list(futures.values()))
    finish(run)


def _submit(run: Run, nodes: Sequence[Node], futures: dict[str, Any]) -> None:
    """Start the nodes, each as soon as those it needs are done."""
    for node in nodes:
        if node.name not in futures:
            before = [futures[name] for name in node.after if name in futures]
            futures[node.name] = reproduce_node.submit(node.name, run, wait_for=before)


def _decided(run: Run, people: ratification.Ratification, futures: dict[str, Any]) -> bool:
    """Start what needs no decision; whether people's decisions let the rest follow. A run of a deployment asks them."""
    later = and_behind(run.nodes, people.node.name)
    _submit(run, [node for node in run.nodes if node not in later], futures)
    wait([futures[name] for name in people.node.after])
    if run.stopping or any(name not in run.done for name in people.node.after):
        return True  # the node is told in the usual way that what it needs failed
    problem = people.problem()
    if problem and _of_deployment():
        wait(list(futures.values()))
        _ask(run, people)
        problem = people.problem()
    if problem:
        run.failed[people.node.name] = problem
    return problem is None


def _of_deployment() -> bool:
    """Whether Prefect can run this flow again after people have answered."""
    context = FlowRunContext.get()
    return bool(context and context.flow_run and context.flow_run.deployment_id)


def _ask(run: Run, people: ratification.Ratification) -> None:
    """Let people decide; where the flow run is suspended for that, leave the run in order."""
    create_markdown_artifact(markdown=people.page(), key="draft", description="What people decide on")
    try:
        people.ask()
    except Pause:
        run.recorder.wait(people.node.title, summary.story(run.nodes, run.done, None))
        print(
            f"waiting for people: {people.node.title}; {len(run.done)} of {len(run.nodes)} nodes are done.", flush=True
        )
        raise


def start(nodes: list[Node]) -> Run:
    """Open the run in MLflow and Prefect."""
    servers.check_mlflow()
    if any(node.pool == "gpu" for node in nodes) and has_gpu():
        _make_gpu_limit()
    params = read_file()
    recorder = Recorder(params, f"Run of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", flow_run=str(flow_run.id))
    run = Run(nodes, recorder)
    run.progress = create_progress_artifact(progress=0.0, key="progress", description="Nodes done")
    return run


def _make_gpu_limit() -> None:
    """One place in Prefect for the GPU; a killed run's place is free again when its lease ends (minutes)."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(GPU_LIMIT, limit=1)


@contextlib.contextmanager
def _stop_on_signal(run: Run) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop the nodes, so that the run can end in order and be continued."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        run.stopping = True
        print("stopping: finished nodes are kept …", flush=True)
        threading.Thread(target=stop_all, daemon=True).start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def finish(run: Run) -> None:
    """Close the run: scorecard in Prefect, story in MLflow, the registered model; raises RunFailed."""
    missing = [node.name for node in run.nodes if node.name not in run.done]
    status = "FINISHED" if not missing else ("KILLED" if run.stopping else "FAILED")
    for name, line in run.failed.items():
        node = next(node for node in run.nodes if node.name == name)
        unknown = NodeLineage({}, {}, {}, {})  # dvc.lock tells of the node's last success
        run.recorder.node(node, Outcome("failed", line, {}, unknown))
    told = summary.read() if not missing else None
    picture.draw(run.nodes, run.done, HOME / "pipeline.png")
    story = summary.story(run.nodes, run.done, told)
    if not servers.prefect_is_silent():
        create_markdown_artifact(markdown=story, key="scorecard", description="What was decided and what changed")
    if told:
        run.recorder.tag("mlflow.runName", told.run_name)
        run.recorder.tag("release", told.release)
        run.recorder.tag("constitution version", told.version)
        run.recorder.register(
            summary.REGISTERED_MODEL, Path("models/tuned").absolute().as_uri(), told.version, told.release
        )
    pages = [("pipeline", HOME / "pipeline.png"), *(summary.pages() if told else [])]
    run.recorder.finish(status, story, told.numbers if told else {}, pages)
    _write_last(run)
    if missing:
        raise (Interrupted if run.stopping else RunFailed)(_failure_words(run, missing))


def _write_last(run: Run) -> None:
    """Leave where this run can be looked at, for `commons ui` and the summary."""
    (HOME / "last-run.txt").write_text(run.recorder.address() + "\n", encoding="utf-8")
    if run.recorder.lost:
        lost = ", ".join(run.recorder.lost[:4])
        raise RunFailed(
            f"All outputs are complete, but MLflow did not take {lost}; wanted a server that answers: start it and "
            "run `commons run --record`."
        )


def _failure_words(run: Run, missing: Sequence[str]) -> str:
    if run.stopping:
        return f"Interrupted; {len(run.done)} of {len(run.nodes)} nodes are done and kept: run again to continue."
    name, line = next(iter(run.failed.items()), (missing[0], "did not start"))
    return line if line.startswith(name.partition("@")[0]) else f"{name}: {line}"
