"""The servers a run talks to: a Prefect API of its own where none is named, and a check that named ones answer."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from flows.environment import PREFECT_PORT
from stages.errors import Trouble
from stages.node import die_with_parent

START_SECONDS = 180  # Prefect's own limit for a temporary server, 20 s, is missed on a loaded machine
PATIENCE_SECONDS = 90  # Prefect's client asks again for about 65 s before one of its calls fails
PROBE_SECONDS = 5

_silent = threading.Event()


def answers(url: str, seconds: float = 3.0) -> bool:
    """Whether an http(s) address answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:  # noqa: S310 - the address is the operator's
            return bool(response.status < 400)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def check_mlflow() -> None:
    """Raise Trouble where the MLflow server that the environment names does not answer."""
    uri = os.environ["MLFLOW_TRACKING_URI"]
    if uri.startswith("http") and not answers(f"{uri.rstrip('/')}/health"):
        raise Trouble(
            f"MLflow at {_without_secret(uri)} does not answer; wanted its /health to: start it, or unset "
            "MLFLOW_TRACKING_URI to record in the project's own database. Nothing was run, nothing is lost."
        )


def check_prefect() -> None:
    """Raise Trouble where the Prefect server that the environment names does not answer."""
    url = os.environ.get("PREFECT_API_URL")
    if url and not answers(f"{url.rstrip('/')}/health"):
        raise Trouble(
            f"Prefect at {_without_secret(url)} does not answer; wanted its /health to: start it, or unset "
            "PREFECT_API_URL for a server of this run's own. Nothing was run, nothing is lost."
        )


def _without_secret(url: str) -> str:
    """The address without a user and password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


@contextlib.contextmanager
def prefect_api() -> Iterator[str]:
    """The Prefect API: the one that is named, the one that `commons ui` runs, or one for this run alone.

    Prefect's own temporary server outlives a killed run; this one dies with it.
    """
    named = os.environ.get("PREFECT_API_URL")
    local = f"http://127.0.0.1:{PREFECT_PORT}/api"
    if named or _is_ours(local):
        os.environ["PREFECT_API_URL"] = named or local
        yield os.environ["PREFECT_API_URL"]
        return
    with _own_server() as url:
        os.environ["PREFECT_API_URL"] = url
        try:
            yield url
        finally:
            os.environ.pop("PREFECT_API_URL", None)


def _is_ours(url: str) -> bool:
    """Whether the server on the usual port is the one that `commons ui` of this project started."""
    marker = Path(os.environ["PREFECT_HOME"]) / "server.url"
    return marker.exists() and marker.read_text(encoding="utf-8").strip() == url and answers(f"{url}/health")


def prefect_is_silent() -> bool:
    """Whether Prefect does not answer at present: what is only a courtesy to it is then left out."""
    return _silent.is_set()


@contextlib.contextmanager
def ending_without_prefect(url: str, working: Callable[[], bool]) -> Iterator[None]:
    """End this process where the API stays silent while nothing works; nodes that work or can start go on without it.

    Prefect's client asks for a minute at each of its calls, one after the other, and then ends with a traceback.
    """
    over = threading.Event()
    threading.Thread(target=_watch, args=(url, working, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        _silent.clear()


def _watch(url: str, working: Callable[[], bool], over: threading.Event) -> None:
    needed = time.monotonic()  # when the API answered or a node worked: until then there was reason to wait
    while not over.wait(PROBE_SECONDS):
        # a busy server is slow, a dead one refuses at once
        answered = answers(f"{url.rstrip('/')}/health", seconds=30.0)
        if over.is_set():
            return
        if answered:
            _silent.clear()
        elif not _silent.is_set():
            _silent.set()
            print("Prefect does not answer; the nodes go on without it …", flush=True)
        if answered or working():
            needed = time.monotonic()
        elif time.monotonic() - needed > PATIENCE_SECONDS:
            _leave(url)


def _leave(url: str) -> None:
    """End now: Prefect's threads, which ask for minutes, cannot be interrupted."""
    print(
        f"commons: Prefect at {_without_secret(url)} has not answered for {PATIENCE_SECONDS} s; wanted a server that "
        "lives as long as the run: run the same command again, finished nodes are kept.",
        file=sys.stderr,
        flush=True,
    )
    os._exit(1)


@contextlib.contextmanager
def _own_server() -> Iterator[str]:
    url = f"http://127.0.0.1:{(port := free_port())}/api"
    process = start_prefect(port, with_ui=False)
    try:
        _wait_until_healthy(process, f"{url}/health")
        yield url
        _send_logs()
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


def _send_logs() -> None:
    """Wait until the API has every line of this process: the server ends with the run."""
    if "prefect" in sys.modules:
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogWorker

        APILogWorker.drain_all(timeout=10)
        EventsWorker.drain_all(timeout=10)


def start_prefect(port: int, with_ui: bool) -> subprocess.Popen[bytes]:
    """Start a Prefect server on loopback whose end is this process's end."""
    spec = importlib.util.find_spec("prefect")  # not imported: it would read its settings before the address is known
    assert spec is not None and spec.origin is not None
    home = Path(os.environ["PREFECT_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PREFECT_UI_ENABLED": "1" if with_ui else "0"}
    environment |= {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "PREFECT_LOGGING_SERVER_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(Path(spec.origin).parents[1])]
    command += ["--factory", "prefect.server.api.server:create_app", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("ab") as output:
        return subprocess.Popen(
            [*command, "--log-level", "error", "--timeout-graceful-shutdown", "3"],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C stops the nodes first and the server last
            preexec_fn=die_with_parent,
        )


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if answers(url, seconds=1.0):
            return
        time.sleep(0.2)
    raise Trouble(
        f"The Prefect server did not start within {START_SECONDS} s; its words are in "
        f"{Path(os.environ['PREFECT_HOME']).name}/server.log below .commons: mend what it says and run again."
    )


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
