"""A Ray cluster of two workers on this machine, as tests and the benchmark of curation need one."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil


@contextlib.contextmanager
def cluster(python: Path, place: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A head and another node on this machine, one CPU each, with a token; gives the address and what to set.

    Ended by their own processes, since others may run Ray too.
    """
    port = _free_port()
    temporary = Path(tempfile.mkdtemp(prefix="ray-"))  # a socket's path must be short
    environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}
    ray = [str(python), "-c", "from ray.scripts.scripts import main; main()", "start", "--block", "--num-cpus=1"]
    ray += ["--disable-usage-stats", "--object-store-memory=200000000"]
    head = [
        "--head",
        f"--port={port}",
        "--include-dashboard=false",
        f"--temp-dir={temporary}",
        "--node-ip-address=127.0.0.1",
    ]
    told = {**os.environ, "DO_NOT_TRACK": "true", "RAY_USAGE_STATS_ENABLED": "0", **environment}
    started: list[subprocess.Popen[bytes]] = []
    try:
        for more in (head, [f"--address=127.0.0.1:{port}", "--node-ip-address=127.0.0.1"]):
            log = (place / "ray.log").open("a")
            started.append(
                subprocess.Popen([*ray, *more], env=told, start_new_session=True, stdout=log, stderr=subprocess.STDOUT)
            )
            log.close()
            _wait_for(port, started[-1])
        yield f"127.0.0.1:{port}", environment
    finally:
        for process in reversed(started):
            below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.terminate()
            process.wait(30)
            for left in below:
                with contextlib.suppress(psutil.Error):
                    left.kill()
        shutil.rmtree(temporary, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            time.sleep(15)  # the port opens before the node has joined
            return
        time.sleep(0.5)
    raise RuntimeError(f"Ray did not start on port {port}; wanted it within {seconds:.0f} s.")
