"""What `commons run` costs over plain `dvc repro` on the same work; a ratio, measured in one go.

    .venv/bin/python infra/benchmark_run.py [--cold]

Up-to-date (default): both on the finished tree, five times each in turn, the median.
--cold: each once in a fresh clone of this commit (minutes each; run it on a quiet machine).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).parent
REPRO = [str(BIN / "dvc"), "repro"]
RUN = [str(BIN / "commons"), "run"]


def seconds(command: list[str], at: Path) -> float:
    """Wall time of the command, which must end well."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    start = time.monotonic()
    subprocess.run(command, cwd=at, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def up_to_date(rounds: int = 5) -> tuple[float, float]:
    """Medians of both commands on this finished tree, in turn."""
    times = [(seconds(REPRO, Path()), seconds(RUN, Path())) for _ in range(rounds)]
    repro, run = zip(*times, strict=True)
    return statistics.median(repro), statistics.median(run)


def cold() -> tuple[float, float]:
    """Both commands, each in a fresh clone with empty caches."""
    return _in_clone(REPRO), _in_clone(RUN)


def _in_clone(command: list[str]) -> float:
    place = Path(tempfile.mkdtemp()) / "clone"
    try:
        subprocess.run(["git", "clone", "--quiet", ".", str(place)], check=True)
        # both start with the databases that set-up makes
        subprocess.run([str(BIN / "python"), "-m", "flows.doctor"], cwd=place, check=True, stdout=subprocess.DEVNULL)
        return seconds(command, place)
    finally:
        shutil.rmtree(place.parent, ignore_errors=True)


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cold", action="store_true")
    repro, run = cold() if parser.parse_args().cold else up_to_date()
    print(f"dvc repro {repro:.1f} s, commons run {run:.1f} s, ratio {run / repro:.2f}")


if __name__ == "__main__":
    main()
