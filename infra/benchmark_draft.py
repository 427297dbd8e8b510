"""What opinion groups and consensus cost, in seconds and memory, beside red-dwarf on the same votes in the same run.

    python infra/benchmark_draft.py [--red-dwarf PYTHON] [--sizes 1000x1000 10000x1000 100000x1000] [--million]
    python infra/benchmark_draft.py --red-dwarf PYTHON --agreement FOLDER

PYTHON is the interpreter of an environment in which red-dwarf 0.4.0 is installed (its own: it is no part of ours).
Each size has synthetic votes with planted opinion groups, the same every time: 5 % of all cells are votes. What is timed
begins with votes.csv and ends with groups, their stability and separation, consensus and representative statements, with
the parameters of params.yaml; of red-dwarf it is its whole Polis pipeline with the number of groups left to it. Every
measurement is a process of its own. --million adds 1,000,000 people x 2,000 statements, 100 million votes (3 GB of disk).
--agreement compares map and representativeness with red-dwarf's on the Polis exports in FOLDER instead.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SIZES = ["1000x1000", "10000x1000", "100000x1000"]
TINY = "400x400"  # done first in each process, so that what is loaded on the way is not taken for the cost of the votes
MILLION = "1000000x2000"
SHARE_VOTED = 0.05
RED_DWARF_UP_TO = 20_000  # people; it compares all with all, which 100,000 would not survive
PLANTED = (0.5, 0.3, 0.2)  # of people in each opinion group
PASSES = 0.1
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main() -> None:
    """Print the table, line by line as it is measured."""
    options = _arguments()
    if options.child:
        print(json.dumps(CHILDREN[options.child](*options.values)))
    elif options.agreement:
        _print_agreement(options.agreement, options.red_dwarf)
    else:
        _print_costs([*options.sizes, *([MILLION] if options.million else [])], options.red_dwarf, options.scratch)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--red-dwarf", metavar="PYTHON", help="interpreter that has red-dwarf")
    parser.add_argument("--sizes", nargs="*", default=SIZES, help="people x statements")
    parser.add_argument("--million", action="store_true", help=f"also {MILLION}")
    parser.add_argument("--agreement", type=Path, metavar="FOLDER", help="folder of Polis exports")
    parser.add_argument("--scratch", type=Path, help="where the synthetic votes are written (default: a temporary one)")
    parser.add_argument("--child", choices=sorted(CHILDREN), help=argparse.SUPPRESS)
    parser.add_argument("values", nargs="*", help=argparse.SUPPRESS)
    return parser.parse_args()


def _print_costs(sizes: list[str], red_dwarf: str | None, scratch: Path | None) -> None:
    print(f"Load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n")
    print(
        "| people x statements | votes | engine | seconds | CPU seconds | reading | map, groups, stability, separation"
        " | scores | CPU us per vote | without resampling | added MB | added MB after reading | peak MB | groups | ARI planted |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            _call(sys.executable, "generate", size, folder)
            _call(sys.executable, "generate", TINY, str(Path(folder) / "tiny"))
            ours = _call(sys.executable, "ours", folder)
            print(_row(size, "democratic-commons", ours), flush=True)
            if red_dwarf and int(size.split("x")[0]) <= RED_DWARF_UP_TO:
                theirs = _call(red_dwarf, "red_dwarf", folder)
                print(_row(size, "red-dwarf 0.4.0", theirs), flush=True)
                print(_ratios(size, ours, theirs), flush=True)
    print(f"\nLoad after: {os.getloadavg()[0]:.1f}.")


def _row(size: str, engine: str, found: dict[str, Any]) -> str:
    cells = [
        size,
        f"{found['votes']:,}",
        engine,
        f"{found['seconds']:.2f}",
        f"{found['cpu']:.2f}",
        *(f"{found[part]:.2f}" for part in ("reading", "grouping", "scoring")),
        *(f"{1e6 * found[part] / found['votes']:.2f}" for part in ("cpu", "cpu_without_resampling")),
        *(f"{found[part]:.0f}" for part in ("added", "added_after_reading", "peak")),
        str(found["groups"]),
        f"{found['ari']:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _ratios(size: str, ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    of = {part: theirs[part] / max(ours[part], 1e-9) for part in ("seconds", "cpu", "added", "added_after_reading")}
    return (
        f"| {size} | | **red-dwarf : democratic-commons** | **{of['seconds']:.1f}x** | **{of['cpu']:.1f}x**"
        f" | | | | | | **{of['added']:.0f}x** | **{of['added_after_reading']:.0f}x** | | | |"
    )


def _call(python: str, child: str, *values: str) -> dict[str, Any]:
    command = [python, "-W", "ignore", str(Path(__file__).resolve()), "--child", child, *values]
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(f"{child} {' '.join(values)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


# --- Below runs in processes of their own; what is measured in another interpreter imports nothing of ours.


def generate(size: str, folder: str) -> dict[str, int]:
    """Write votes.csv as ingest_deliberation does, and the planted groups; a block of people at a time."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    Path(folder).mkdir(exist_ok=True)
    people, statements = map(int, size.split("x"))
    generator = np.random.default_rng(20_240_607)
    agreeing = _agree_rates(generator, statements)
    planted = generator.choice(len(PLANTED), people, p=PLANTED).astype(np.int8)
    np.save(Path(folder) / "planted.npy", planted)
    names = ("participant", "statement_id", "vote", "minute")
    schema = pa.schema(zip(names, (pa.string(), pa.int64(), pa.int8(), pa.int32()), strict=True))
    votes = 0
    with arrow_csv.CSVWriter(Path(folder) / "votes.csv", schema) as file:
        for start in range(0, people, 10_000):
            members = np.arange(start, min(start + 10_000, people))
            rows, columns = np.nonzero(generator.random((len(members), statements), dtype=np.float32) < SHARE_VOTED)
            agrees = generator.random(len(rows)) < agreeing[planted[members[rows]], columns]
            vote = np.where(generator.random(len(rows)) < PASSES, 0, np.where(agrees, 1, -1)).astype(np.int8)
            minute = (generator.integers(0, 40_000, len(members))[rows] + columns // 100).astype(np.int32)
            keys = pa.array([f"{member:016x}" for member in members]).take(pa.array(rows))
            file.write_table(pa.table([keys, pa.array(columns), pa.array(vote), pa.array(minute)], schema=schema))
            votes += len(rows)
    (Path(folder) / "size.json").write_text(json.dumps([people, statements, votes]))
    return {"votes": votes}


def _agree_rates(generator: Any, statements: int) -> Any:
    """Of each planted group on each statement: two in five are shared by all groups, the others divide them."""
    import numpy as np

    rates = generator.beta(0.7, 0.7, (len(PLANTED), statements))
    shared = generator.random(statements) < 0.4
    rates[:, shared] = generator.uniform(0.5, 0.95, np.count_nonzero(shared))
    return rates


def ours(folder: str) -> dict[str, Any]:
    """What draft_constitution does with votes.csv before it selects."""
    import numpy as np

    from stages.draft_constitution.stability import rand_index

    _ours(Path(folder) / "tiny")
    meter, votes, grouping = _ours(Path(folder))
    planted = np.load(Path(folder) / "planted.npy")
    labels = [(planted[int(key, 16)], ord(label) - ord("A")) for key, label in grouping.labels.items()]
    one, other = np.array(labels, dtype=np.int64).T
    return meter.found | {"votes": votes.coded.nnz, "groups": len(grouping.sizes), "ari": rand_index(one, other)}


def _ours(folder: Path) -> tuple[Meter, Any, Any]:
    import numpy as np

    from stages.draft_constitution.consensus import count, measure
    from stages.draft_constitution.opinion_groups import find_groups
    from stages.draft_constitution.parameters import Parameters
    from stages.draft_constitution.representative import representative
    from stages.draft_constitution.votes import read_votes
    from stages.params import load

    params = load("draft_constitution", Parameters, ROOT / "params.yaml")
    statements = json.loads((folder / "size.json").read_text())[1]
    meter = Meter()
    votes = read_votes(folder / "votes.csv", range(statements))
    meter.read()
    with meter.resampling():
        grouping = find_groups(votes, np.ones(statements, dtype=bool), params)
    meter.grouped()
    measure(votes, grouping.labels, params.confidence)
    representative(count(votes, grouping.labels))
    meter.done()
    return meter, votes, grouping


def red_dwarf(folder: str) -> dict[str, Any]:
    """Its Polis pipeline, with the number of groups left to it; scoring is part of it."""
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    _red_dwarf(Path(folder) / "tiny")
    meter, count, result = _red_dwarf(Path(folder))
    planted = np.load(Path(folder) / "planted.npy")
    clusters = result.participants_df["cluster_id"].dropna()
    ari = adjusted_rand_score([planted[int(str(key), 16)] for key in clusters.index], clusters.to_numpy())
    return meter.found | {"votes": count, "groups": int(clusters.nunique()), "ari": float(ari)}


def _red_dwarf(folder: Path) -> tuple[Meter, int, Any]:
    import pandas as pd
    from reddwarf.implementations.polis import run_clustering  # type: ignore[import-not-found]

    meter = Meter()
    table = pd.read_csv(folder / "votes.csv", dtype={"participant": str})
    votes = table.rename(columns={"participant": "participant_id", "minute": "modified"}).to_dict("records")
    meter.read()
    result = run_clustering(votes=votes, random_state=1)
    meter.grouped()
    meter.done()
    return meter, len(votes), result


class Meter:
    """Seconds and memory of one process, from when its libraries are loaded."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}
        self.start, self.cpu_start = time.monotonic(), time.process_time()
        self.before = _resident_mb()

    def read(self) -> None:
        """The votes are in memory."""
        self.found["reading"] = time.monotonic() - self.start
        self.after_reading = _resident_mb()

    def grouped(self) -> None:
        """The groups are known."""
        self.found["grouping"] = time.monotonic() - self.start - self.found["reading"]

    @contextmanager
    def resampling(self) -> Iterator[None]:
        """Count apart what stability and separation take: they look at a limited number of people in any crowd."""
        from stages.draft_constitution import opinion_groups, separation

        self.found["resampling"] = 0.0
        places = [(opinion_groups, "stabilities"), (separation, "of_votes")]
        before = [getattr(module, name) for module, name in places]
        for (module, name), function in zip(places, before, strict=True):
            setattr(module, name, partial(self._clocked, function))
        yield
        for (module, name), function in zip(places, before, strict=True):
            setattr(module, name, function)

    def _clocked(self, function: Any, *values: Any) -> Any:
        start = time.process_time()
        result = function(*values)
        self.found["resampling"] += time.process_time() - start
        return result

    def done(self) -> None:
        """All is measured; memory in MB of 10^6 bytes."""
        seconds = time.monotonic() - self.start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        cpu = time.process_time() - self.cpu_start
        self.found |= {
            "seconds": seconds,
            "cpu": cpu,
            "cpu_without_resampling": cpu - self.found.get("resampling", 0.0),
            "scoring": seconds - self.found["reading"] - self.found["grouping"],
            "peak": peak,
            "added": peak - self.before,
            "added_after_reading": peak - self.after_reading,
        }


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# --- Do the formulas give the same figures?


def _print_agreement(folder: Path, red_dwarf_python: str | None) -> None:
    if red_dwarf_python is None:
        raise SystemExit("--agreement compares with red-dwarf; name its interpreter with --red-dwarf.")
    print(
        "| conversation | people | correlation of the first axis | of the second | representativeness, largest difference | GAC, largest difference |"
    )
    print("|---|---|---|---|---|---|")
    for export in sorted(path.parent for path in folder.glob("*/participants-votes.csv")):
        with tempfile.TemporaryDirectory() as scratch:
            _call(sys.executable, "export_to_table", str(export), scratch)
            _call(red_dwarf_python, "red_dwarf_figures", scratch)
            found = _call(sys.executable, "compared", scratch)
        first, second = found["correlations"]
        cells = [
            export.name,
            str(found["people"]),
            f"{first:.9f}",
            f"{second:.9f}",
            f"{found['repness']:.1e}",
            f"{found['gac']:.1e}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


def export_to_table(export: str, scratch: str) -> dict[str, int]:
    """The matrix of a Polis export as votes.csv, and which statements were moderated out."""
    out = []
    with (Path(export) / "comments.csv").open(encoding="utf-8", newline="") as file:
        moderated = {int(row["comment-id"]): int(row["moderated"]) for row in csv.DictReader(file)}
    with (Path(export) / "participants-votes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            person = f"{int(row['participant']):016x}"
            out += [(person, int(key), vote) for key, vote in row.items() if str(key).isdigit() and vote]
    known = {
        statement: moderated.get(statement, 0) for statement in {s for _, s, _ in out}
    }  # red-dwarf knows no others
    with (Path(scratch) / "votes.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("participant", "statement_id", "vote"), *sorted(out)])
    (Path(scratch) / "statements.json").write_text(json.dumps(sorted(known.items())))
    return {"votes": len(out)}


def red_dwarf_figures(scratch: str) -> dict[str, int]:
    """Where red-dwarf places everybody, its groups, and their figures."""
    import pandas as pd
    from reddwarf.implementations.polis import run_clustering

    table = pd.read_csv(Path(scratch) / "votes.csv", dtype={"participant": str}).assign(modified=0)
    statements = json.loads((Path(scratch) / "statements.json").read_text())
    result = run_clustering(
        votes=table.rename(columns={"participant": "participant_id"}).to_dict("records"),
        mod_out_statement_ids=[statement for statement, moderated in statements if moderated == -1],
        force_group_count=2,
        random_state=1,
    )
    result.participants_df[["x", "y", "cluster_id"]].to_csv(Path(scratch) / "people.csv")
    result.group_comment_stats.reset_index().to_csv(Path(scratch) / "figures.csv", index=False)
    result.statements_df["group-aware-consensus-agree"].to_csv(Path(scratch) / "gac.csv")
    return {"people": len(result.participants_df)}


def compared(scratch: str) -> dict[str, Any]:
    """Our map beside theirs; and our figures for their groups beside theirs."""
    import numpy as np
    import pandas as pd

    from stages.draft_constitution.consensus import count, group_informed_consensus
    from stages.draft_constitution.opinion_map import centred, components, projection
    from stages.draft_constitution.representative import figures
    from stages.draft_constitution.votes import read_votes

    statements = json.loads((Path(scratch) / "statements.json").read_text())
    votes = read_votes(Path(scratch) / "votes.csv", [statement for statement, _ in statements])
    scored = np.array([moderated != -1 for _, moderated in statements])
    matrix = centred(votes, scored)
    points = projection(votes, matrix, scored, components(matrix))
    people = pd.read_csv(Path(scratch) / "people.csv", dtype={"participant_id": str}).set_index("participant_id")
    theirs = people.loc[list(votes.participants), ["x", "y"]].to_numpy()
    clusters = people["cluster_id"].dropna()
    counts = count(votes, {str(key): str(int(cluster)) for key, cluster in clusters.items()})
    table = pd.read_csv(Path(scratch) / "figures.csv")
    differences = []
    for names, side in (("pa pat ra rat", counts.agree), ("pd pdt rd rdt", counts.disagree)):
        own = figures(side, counts.cast)
        for name, values in zip(names.split(), (own.share, own.share_z, own.repness, own.repness_z), strict=True):
            theirs_by_group = table.pivot(index="group_id", columns="statement_id", values=name)
            wanted = theirs_by_group.loc[[int(group) for group in counts.groups], list(counts.statements)].to_numpy()
            differences.append(np.abs(values - wanted).max())
    gac = pd.read_csv(Path(scratch) / "gac.csv").set_index("statement_id").iloc[:, 0].loc[list(counts.statements)]
    return {
        "people": len(people),
        "correlations": [abs(float(np.corrcoef(points[:, axis], theirs[:, axis])[0, 1])) for axis in range(2)],
        "repness": float(np.max(differences)),
        "gac": float(np.abs(group_informed_consensus(counts) - gac.to_numpy()).max()),
    }


CHILDREN = {
    child.__name__: child for child in (generate, ours, red_dwarf, export_to_table, red_dwarf_figures, compared)
}

if __name__ == "__main__":
    main()
