"""Run a node: one milestone line, one-line errors, death with its parent, and an observation for MLflow.

Every `stages/<node>/__main__.py` ends with `run(main)`. What is observed (time, memory, energy) is circumstance:
it lies in `.commons/observed/` for the flow to record, never in an output.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import json
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from stages import energy
from stages.errors import TRANSIENT_EXIT, TransientTrouble, Trouble

OBSERVED = Path(".commons") / "observed"
FLOW_RUN = "COMMONS_FLOW_RUN"  # set by the flow, which then records the node in MLflow itself

FETCHING = ("fetch_base_model", "annotate_documents")  # nodes that fetch from the hub where params.yaml names it

log = logging.getLogger("commons")

# Nothing phones home, and nothing is fetched that the user did not name (fetch_base_model's hub id).
QUIET = {
    "DO_NOT_TRACK": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_OFFLINE": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "TOKENIZERS_PARALLELISM": "false",
    "MPLBACKEND": "Agg",
}


def arguments(doc: str | None, **paths: str) -> argparse.Namespace:
    """Parse `--name PATH` for each name; the value is the help text. All are required, and become Path."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, text in paths.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, required=True, help=text)
    return parser.parse_args()


def run(main: Callable[[], str]) -> None:
    """Run `main`, which returns its counts in words, as a process of the pipeline; exits the process."""
    node = os.environ.get("DVC_STAGE") or Path(sys.argv[0]).parent.name
    die_with_parent()
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if os.environ.get("HF_HUB_OFFLINE") is None and not node.startswith(FETCHING):
        os.environ["HF_HUB_OFFLINE"] = "1"
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # its import alone logs a hundred lines
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # lets `finally` remove partial files
    sys.exit(_observe(node, main))


def _observe(node: str, main: Callable[[], str]) -> int:
    _observation(node).unlink(missing_ok=True)
    used: dict[str, float] = {}
    start = time.monotonic()
    try:
        with energy.measured(used):
            counts = main()
    except Trouble as trouble:
        print(f"{node}: {trouble}", file=sys.stderr)
        return TRANSIENT_EXIT if isinstance(trouble, TransientTrouble) else 2
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(
            f"{node}: no space left on the disk; free some and run again: nothing half-written remains.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print(f"{node}: interrupted; run again to continue.", file=sys.stderr)
        return 130
    log.info("%s: %s", node, counts)
    used["seconds"] = time.monotonic() - start
    used["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _write_observation(node, counts, used)
    return 0


def _observation(node: str) -> Path:
    return OBSERVED / f"{node}.json"


def _write_observation(node: str, counts: str, used: dict[str, float]) -> None:
    """Leave what was observed for the flow; without a flow (`dvc repro`), record the node in MLflow here."""
    OBSERVED.mkdir(parents=True, exist_ok=True)
    observation = {"node": node, "counts": counts, "used": used, "flow_run": os.environ.get(FLOW_RUN, "")}
    partial = _observation(node).with_suffix(".partial")
    partial.write_text(json.dumps(observation), encoding="utf-8")
    partial.rename(_observation(node))
    if "DVC_STAGE" in os.environ and FLOW_RUN not in os.environ:
        from stages import tracking

        tracking.record_alone(node)


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies: a killed DVC would leave a training job behind."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() == 1 and os.environ.get(FLOW_RUN):  # the parent died before it could be watched
            os._exit(137)
