"""Draft from every open Polis conversation and compare the opinion groups with those that the platform recorded.

    python infra/benchmark_conversations.py [FOLDER] [--out FOLDER]

FOLDER (default: ../shared/data/polis) holds one folder per conversation. Each is drafted twice in a process of its own by
`commons draft`: with the number of groups chosen by stability, and with the recorded number. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sklearn.metrics import adjusted_rand_score

HEADER = (
    "| conversation | people | statements | votes | recorded k | k by stability | stability at recorded k (mean, lowest)"
    " | p of separation | relied on | ARI, recorded k | ARI, k by stability | principles | seconds |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Draft each conversation and print a line as it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data/polis"))
    parser.add_argument("--out", type=Path, help="keep the drafts here")
    options = parser.parse_args()
    print(HEADER)
    with tempfile.TemporaryDirectory() as temporary:
        out = options.out or Path(temporary)
        for export in sorted(path for path in options.folder.iterdir() if (path / "comments.csv").exists()):
            print(line(export, out), flush=True)


def line(export: Path, out: Path) -> str:
    """One conversation as a row of the table."""
    recorded = recorded_groups(export / "participants-votes.csv")
    count = len(set(recorded) - {""})
    start = time.monotonic()
    free = draft(export, out / f"{export.name}.free")
    seconds = time.monotonic() - start
    forced = draft(export, out / f"{export.name}.k{count}", "--k", str(count))
    quality, fixed = (json.loads((folder / "quality.json").read_text(encoding="utf-8")) for folder in (free, forced))
    process = json.loads((free / "constitution.json").read_text(encoding="utf-8"))["process"]
    with (free / "statements.csv").open(encoding="utf-8", newline="") as file:
        statements = list(csv.DictReader(file))
    stability = fixed["stability"].get(str(count))
    p = fixed["separation_p"]
    cells = [
        export.name,
        f"{process['participants']:,}",
        len(statements),
        f"{process['votes']:,}",
        count,
        quality["k"],
        f"{stability['mean']:.2f}, {stability['lowest']:.2f}" if stability else "–",
        "–" if p is None else f"{p:.2f}",
        "yes" if fixed["reliable"] else "no",
        f"{agreement(recorded, forced):.3f}",
        f"{agreement(recorded, free):.3f}",
        sum(statement["selected"] == "yes" for statement in statements),
        f"{seconds:.1f}",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def draft(export: Path, out: Path, *more: str) -> Path:
    """Run `commons draft` and return its folder."""
    command = [sys.executable, "-m", "flows.commands", "draft", str(export), "--out", str(out), *more]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out


def recorded_groups(path: Path) -> list[str]:
    """The platform's group of each row of the participant table; empty where it placed nobody."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["group-id"].removesuffix(".0") for row in csv.DictReader(file)]


def agreement(recorded: list[str], drafted: Path) -> float:
    """Adjusted Rand index over the people whom both placed in a group."""
    with (drafted / "participants.csv").open(encoding="utf-8", newline="") as file:
        found = [row["group"] for row in csv.DictReader(file)]
    pairs = [(one, other) for one, other in zip(recorded, found, strict=True) if one and other]
    return float(adjusted_rand_score(*zip(*pairs, strict=True))) if pairs else float("nan")


if __name__ == "__main__":
    main()
