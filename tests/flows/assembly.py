"""A small project in which people decide: a draft, the real node of ratification, and a node after it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from stages.artifact import write_json
from tests.conftest import OWN, make_toy
from tests.ratify_constitution.drafted import draft

PIPELINE = """stages:
  draft:
    cmd: exec python -m copy_folder --source source --out data/draft
    deps: [source]
    params: [draft]
    outs: [data/draft]
    meta: {title: Draft it}
  aside:
    cmd: exec python -m toy --source source.txt --out data/aside
    deps: [source.txt]
    params: [aside]
    outs: [data/aside]
    meta: {title: Needs no decision}
  ratify_constitution:
    cmd: >-
      exec python -m stages.ratify_constitution --draft data/draft --decisions ${ratify_constitution.decisions}
      --out data/ratified
    deps: [data/draft, "${ratify_constitution.decisions}"]
    params: [ratify_constitution]
    outs: [data/ratified]
    meta: {title: Ratify it}
  last:
    cmd: exec python -m copy_folder --source data/ratified --out data/last
    deps: [data/ratified]
    params: [last]
    outs: [data/last]
    meta: {title: Teach it}
"""
COPY = '''"""A node that hands on what it reads."""
import shutil
from stages.artifact import new_folder
from stages.node import arguments, run

def main() -> str:
    args = arguments(__doc__, source="input", out="output")
    with new_folder(args.out) as folder:
        shutil.copytree(args.source, folder, dirs_exist_ok=True)
    return "1 folder"

if __name__ == "__main__":
    run(main)
'''


def make_assembly(project: Path) -> Path:
    """The project; the two first principles of the draft are drafted, nothing is decided yet."""
    make_toy(project)
    (project / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    (project / "copy_folder.py").write_text(COPY, encoding="utf-8")
    (project / "params.yaml").write_text(
        "draft: {}\naside: {}\nlast: {}\nratify_constitution: {decisions: decisions.yaml}\n", encoding="utf-8"
    )
    write_json(project / "source" / "constitution.json", draft(principles=draft().principles[:2]))
    return project


def environment(**more: str) -> dict[str, str]:
    """Of a command that a user starts in the project."""
    return {**{name: value for name, value in os.environ.items() if name not in OWN}, **more}


class Prefect:
    """A real server on loopback with the project's database, `commons serve`, and what the UI asks of the API."""

    def __init__(self, project: Path, port: int) -> None:
        self.project = project
        self.url = f"http://127.0.0.1:{port}/api"
        self.port = port
        self.processes: list[psutil.Popen] = []
        self.environment = environment(
            PREFECT_API_URL=self.url,
            PREFECT_HOME=str(project / ".commons/prefect"),
            PREFECT_RUNNER_POLL_FREQUENCY="1",
            PREFECT_SERVER_ANALYTICS_ENABLED="false",
            DO_NOT_TRACK="true",
        )

    def start(self) -> None:
        """Start both and wait until they answer."""
        Path(self.environment["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
        server = ["uvicorn", "--factory", "prefect.server.api.server:create_app", "--port", str(self.port)]
        self._start("server.log", *server, "--log-level", "error")
        self._wait(lambda: httpx.get(f"{self.url}/health").status_code == 200)
        self._start("serve.log", "flows.commands", "serve")
        self._wait(lambda: "Serving" in (self.project / "serve.log").read_text(encoding="utf-8"))

    def _start(self, log: str, *command: str) -> None:
        with (self.project / log).open("w") as output:
            process = psutil.Popen(
                [sys.executable, "-m", *command],
                cwd=self.project,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)

    def _wait(self, done: Any, seconds: float = 240) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if found := done():
                    return found
            except httpx.TransportError:
                pass
            if not all(process.is_running() for process in self.processes):
                break
            time.sleep(0.2)
        logs = "".join(path.read_text(encoding="utf-8") for path in sorted(self.project.glob("serve*.log")))
        raise AssertionError(f"waited in vain, at most {seconds} s: {logs}")

    def kill(self) -> None:
        """End server and worker as a power cut would."""
        for process in self.processes:
            for child in [*process.children(recursive=True), process]:
                child.kill()
            process.wait()
        self.processes.clear()

    def call(self, method: str, path: str, **content: Any) -> Any:
        """What the API answers; asked again, as Prefect's own client does, where SQLite is busy with a writer (503)."""

        def answered() -> httpx.Response | None:
            response = httpx.request(method, f"{self.url}/{path}", timeout=60, **content)
            return None if response.status_code == 503 else response

        response = self._wait(answered)
        response.raise_for_status()
        return response.json()

    def run_deployment(self) -> str:
        """Start a run as the UI's button does; its id."""
        deployment = self._wait(lambda: self.call("POST", "deployments/filter", json={}))[0]
        return str(self.call("POST", f"deployments/{deployment['id']}/create_flow_run", json={})["id"])

    def state(self, run: str) -> dict[str, Any]:
        """The flow run's state."""
        state: dict[str, Any] = self.call("GET", f"flow_runs/{run}")["state"]
        return state

    def wait_for(self, run: str, name: str, after: str = "") -> dict[str, Any]:
        """Wait for a state of that name that is not the state with the id `after`."""

        def reached() -> dict[str, Any] | None:
            state = self.state(run)
            assert state["name"] == name or state["type"] not in ("FAILED", "CRASHED", "COMPLETED"), state
            return state if state["name"] == name and state["id"] != after else None

        found: dict[str, Any] = self._wait(reached)
        return found

    def asked(self, run: str, state: dict[str, Any], what: str) -> str:
        """The form's schema or description, as the UI reads it."""
        key = state["state_details"]["run_input_keyset"][what]
        return str(self.call("GET", f"flow_runs/{run}/input/{key}"))

    def answer(self, run: str, **given: Any) -> dict[str, Any]:
        """Submit the form."""
        found: dict[str, Any] = self.call("POST", f"flow_runs/{run}/resume", json={"run_input": given})
        return found


@contextmanager
def prefect(project: Path, port: int) -> Iterator[Prefect]:
    """The servers of a test, which end with it."""
    servers = Prefect(project, port)
    try:
        yield servers
    finally:
        servers.kill()
