"""A node as a process: its one line, its exit code, and what it leaves for the flow to record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def node(tmp_path: Path, body: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a node whose `main` has this body."""
    (tmp_path / "nodes").mkdir(exist_ok=True)
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    code = f"import sys\nfrom stages.errors import *\nfrom stages.node import run\ndef main():\n{lines}\nrun(main)\n"
    (tmp_path / "nodes/try_it.py").write_text(code, encoding="utf-8")
    clean = {key: value for key, value in os.environ.items() if key not in ("DVC_STAGE", "COMMONS_FLOW_RUN")}
    return subprocess.run(
        [sys.executable, "nodes/try_it.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={**clean, "PYTHONPATH": str(ROOT), "COMMONS_FLOW_RUN": "abc", "DVC_STAGE": "try_it", **environment},
    )  # fmt: skip


def test_a_node_says_its_counts_and_leaves_what_was_observed(tmp_path: Path) -> None:
    ended = node(tmp_path, 'return "kept 812 of 1,000 (license 143, duplicate 45)"')
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "try_it: kept 812 of 1,000 (license 143, duplicate 45)\n"
    observed = json.loads((tmp_path / ".commons/observed/try_it.json").read_text(encoding="utf-8"))
    assert observed["flow_run"] == "abc"
    assert set(observed["used"]) == {"seconds", "peak_memory_mib", "energy_kwh", "co2_kg"}
    assert observed["used"]["energy_kwh"] > 0


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ('raise Trouble("Found a; wanted b; do c.")', 2, "try_it: Found a; wanted b; do c.\n"),
        ('raise TransientTrouble("Away; wanted an answer.")', 75, "try_it: Away; wanted an answer.\n"),
        (
            'open("/dev/full", "w").write("x" * 100_000)',
            2,
            "try_it: no space left on the disk; free some and run again",
        ),
        ("raise KeyboardInterrupt", 130, "try_it: interrupted; run again to continue.\n"),
    ],
)
def test_expected_trouble_is_one_line(tmp_path: Path, body: str, code: int, line: str) -> None:
    ended = node(tmp_path, body)
    assert (ended.returncode, ended.stderr.count("\n")) == (code, 1), ended.stderr
    assert ended.stderr.startswith(line)
    assert not (tmp_path / ".commons/observed/try_it.json").exists()


def test_a_surprise_keeps_its_traceback(tmp_path: Path) -> None:
    ended = node(tmp_path, "return 1 / 0")
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr and "ZeroDivisionError" in ended.stderr


@pytest.mark.parametrize("code", ["ES", "XXX", ""])
def test_a_country_that_would_become_the_world_average_is_refused(tmp_path: Path, code: str) -> None:
    ended = node(tmp_path, 'return "done"', COMMONS_COUNTRY=code)
    assert ended.returncode == 2
    assert f"COMMONS_COUNTRY is {code!r}; wanted an ISO 3166-1 alpha-3 code such as FRA" in ended.stderr
