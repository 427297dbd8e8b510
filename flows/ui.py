"""Open the two pages that people look at: MLflow (what was decided and what changed) and Prefect (how the run went)."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from flows.environment import MLFLOW_PORT, PREFECT_PORT
from flows.servers import START_SECONDS, answers, start_prefect
from stages.errors import Trouble
from stages.node import die_with_parent
from stages.tracking import HOME


def show() -> int:
    """Start both servers on loopback, say where to look, and stay until Ctrl-C."""
    uri = os.environ["MLFLOW_TRACKING_URI"]
    _refuse_taken_ports(uri)
    mlflow = None if uri.startswith("http") else _start_mlflow(uri)
    prefect = start_prefect(PREFECT_PORT, with_ui=True)
    try:
        root = uri if mlflow is None else f"http://127.0.0.1:{MLFLOW_PORT}"
        _wait([f"{root}/health", f"http://127.0.0.1:{PREFECT_PORT}/api/health"], [mlflow, prefect])
        _mark(f"http://127.0.0.1:{PREFECT_PORT}/api")
        print(_directions(root), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            while prefect.poll() is None and (mlflow is None or mlflow.poll() is None):
                time.sleep(0.5)
    finally:
        _mark("")
        for process in (mlflow, prefect):
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
    return 0


def _refuse_taken_ports(uri: str) -> None:
    ports = [PREFECT_PORT] if uri.startswith("http") else [MLFLOW_PORT, PREFECT_PORT]
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise Trouble(
                    f"Port {port} of this machine is taken; stop the program that listens there, then run again."
                )


def _start_mlflow(uri: str) -> subprocess.Popen[bytes]:
    from stages.tracking import client

    client()  # makes the database where there is none, so that the page opens on an empty list
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--host", "127.0.0.1"]
    command += [
        "--port",
        str(MLFLOW_PORT),
        "--workers",
        "1",
        "--artifacts-destination",
        str((HOME / "mlartifacts").absolute()),
    ]
    with (HOME / "mlflow-server.log").open("ab") as output:
        return subprocess.Popen(
            command,
            env={**os.environ, "MLFLOW_TRACKING_URI": ""},
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )


def _wait(urls: list[str], processes: list[subprocess.Popen[bytes] | None]) -> None:
    end = time.monotonic() + START_SECONDS
    while not all(answers(url, 1.0) for url in urls):
        if time.monotonic() > end or any(p is not None and p.poll() is not None for p in processes):
            raise Trouble(
                "A server did not start; its words are in .commons/mlflow-server.log and .commons/prefect/server.log."
            )
        time.sleep(0.3)


def _mark(url: str) -> None:
    """Tell runs of this project that this Prefect server is theirs."""
    marker = Path(os.environ["PREFECT_HOME"]) / "server.url"
    marker.write_text(url, encoding="utf-8")


def _directions(mlflow: str) -> str:
    last = HOME / "last-run.txt"
    page = last.read_text(encoding="utf-8").strip() if last.exists() else "/?workflowType=machine_learning"
    release = Path("data/release/index.html")
    return "\n".join(
        [
            f"What was decided and what changed:  {mlflow}{page}",
            f"How the runs went:                  http://127.0.0.1:{PREFECT_PORT}/runs",
            f"The release page:                   {release.absolute().as_uri() if release.exists() else 'not made yet'}",
            "Ctrl-C ends both.",
        ]
    )
