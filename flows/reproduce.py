"""Reproduce one node through DVC, line by line; the only place that starts DVC.

DVC runs as a child process: its lines can be told apart from those of nodes that run beside it, and a stop reaches
everything it started. It waits for the repository's lock (without that flag a node fails after it finished its work).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flows import words
from stages.errors import TRANSIENT_EXIT
from stages.lineage import NodeLineage, lineage_of
from stages.node import FLOW_RUN, OBSERVED, die_with_parent

DVC_CHATTER = re.compile(
    r"^(\s*$|> |\s+dvc config core|Running stage|Updating lock file|Generating lock file|To track the changes|\s*git add|To enable auto|"
    r"Use `dvc push`|Stage '.*' (didn't change|is cached)|ERROR: failed to reproduce|'.*' didn't change|Verifying|"
    r"WARNING: (stage|Stage|Process '.*' with \(Pid)|Data and pipelines are up to date)"
)


@dataclass(frozen=True)
class Outcome:
    """What became of a node: executed or reused; its counts in words; seconds, memory and energy; what it read and wrote."""

    how: str
    counts: str
    used: dict[str, float]
    lineage: NodeLineage


class NodeFailed(Exception):
    """A node did not finish; the message is its own last line. `transient`: it may pass by itself."""

    def __init__(self, node: str, line: str, transient: bool) -> None:
        super().__init__(line)
        self.node = node
        self.transient = transient


_running: dict[int, subprocess.Popen[str]] = {}
_guard = threading.Lock()


def reproduce(node: str, run_id: str, say: Callable[[str], None]) -> Outcome:
    """Bring the node up to date, passing its lines to `say`; raises NodeFailed."""
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", node]
    lines = _Lines(say)
    with _child(command, {FLOW_RUN: run_id}) as process:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                lines.take(line.rstrip("\n"))
        code = process.wait()
    if code != 0:
        raise NodeFailed(node, lines.reason(), transient=lines.exit_code == TRANSIENT_EXIT)
    return _outcome(node, run_id)


class _Lines:
    """A node's lines without DVC's own; remembers what a failure needs to be told."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last = ""
        self._dvc_error = ""
        self.exit_code = 0

    def take(self, line: str) -> None:
        if line.startswith("ERROR:"):
            self._dvc_error = line.removeprefix("ERROR: ")
            code = re.search(r"exited with (\d+)$", line)
            self.exit_code = int(code.group(1)) if code else 0
        if DVC_CHATTER.match(line):
            return
        self._say(line)
        if not line.startswith("ERROR:"):
            self._last = line

    def reason(self) -> str:
        """The node's own last line, or DVC's where the node did not start."""
        return self._last if self.exit_code else (self._dvc_error or self._last or "stopped without a word")


@contextlib.contextmanager
def _child(command: list[str], extra: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        env={**os.environ, **extra},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # a group of its own, so that stopping it stops the node too
        preexec_fn=die_with_parent,
    )
    with _guard:
        _running[process.pid] = process
    try:
        yield process
    finally:
        with _guard:
            _running.pop(process.pid, None)
        if process.poll() is None:
            _kill(process, signal.SIGKILL)


def any_running() -> bool:
    """Whether a node is being reproduced now."""
    with _guard:
        return bool(_running)


def stop_all(patience_seconds: float = 10.0) -> None:
    """Ask every running node to stop, then make it; safe to call from a signal handler."""
    with _guard:
        processes = list(_running.values())
    for process in processes:
        _kill(process, signal.SIGTERM)
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_seconds)
        _kill(process, signal.SIGKILL)


def _kill(process: subprocess.Popen[str], how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)


def _outcome(node: str, run_id: str) -> Outcome:
    """Executed where the node left an observation of this run; else DVC found its output fit to reuse."""
    entry = words.lock_entry(node)
    file = OBSERVED / f"{node}.json"
    observed = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if observed.get("flow_run") == run_id:
        words.keep(node, entry, observed["counts"])
        return Outcome("executed", observed["counts"], observed["used"], lineage_of(entry))
    return Outcome("reused", words.find(node, entry), {}, lineage_of(entry))
