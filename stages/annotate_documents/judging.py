"""Read all documents, judge every shard once, find duplicates over all shards; what is finished survives a kill.

`<work>/<key>/` holds a shard's documents and, once judged, its tables; the key is the digest of its documents and of all
that the judgement depends on. So a run after a kill reads the documents again, but judges only what was not finished.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.annotate_documents import engine
from stages.annotate_documents.annotate import SIGNATURES, Setting, annotate, license_ranks, load, version
from stages.annotate_documents.parameters import Parameters
from stages.annotate_documents.shards import Shard, part_name, read_shard, write_table
from stages.errors import Trouble

log = logging.getLogger(__name__)

DOCUMENTS = "documents"
JUDGED = "judged"
PROGRESS_SECONDS = 10.0
HELD_BYTES = 100_000_000  # a smaller corpus stays in memory from reading to the end


class Kept(NamedTuple):
    """A shard in the working folder."""

    number: int
    folder: Path
    documents: int
    text_bytes: int
    table: pa.Table | None = None  # its documents, where the corpus is small; else they are read again

    @property
    def texts(self) -> pa.ChunkedArray:
        """Its texts."""
        table = read_shard(self.folder / f"{DOCUMENTS}.parquet", ["text"]) if self.table is None else self.table
        return table["text"]

    @property
    def judged(self) -> bool:
        """Whether its tables are there, whole."""
        return (self.folder / JUDGED).is_dir()


def keep(shards: Iterable[Shard], work: Path, setting: Setting) -> list[Kept]:
    """Write every shard's documents into the working folder; folders of other documents or judgements are removed."""
    depends = version(setting)
    kept: list[Kept] = []
    held = 0
    for shard in shards:
        folder = work / hashlib.sha256(f"{shard.sha256} {depends}".encode()).hexdigest()[:32]
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / f"{DOCUMENTS}.parquet").exists():
            write_table(shard.table, folder / f"{DOCUMENTS}.parquet")
        size = int(shard.table["text"].nbytes)
        kept.append(Kept(shard.number, folder, shard.table.num_rows, size, shard.table))
        held += shard.table.nbytes
        if held > HELD_BYTES:
            kept = [known._replace(table=None) for known in kept]
        log.info(
            "annotate_documents: read shard %d (%s documents, %.0f MB)",
            shard.number, f"{shard.table.num_rows:,}", size / 1e6,
        )  # fmt: skip
    if not kept:
        return kept
    ours = {shard.folder for shard in kept}
    for other in work.iterdir():
        if other.is_dir() and other not in ours:
            shutil.rmtree(other)
    return kept


@contextmanager
def loading(setting: Setting) -> Iterator[None]:
    """Load models and compiled code (2 to 3 s) while the documents are read; what is wrong with them is told afterwards."""
    with ThreadPoolExecutor(1) as pool:
        loaded = pool.submit(load, setting)
        yield
        loaded.result()


def judge(kept: Sequence[Kept], setting: Setting, params: Parameters) -> int:
    """Judge the shards that are not judged yet; returns how many were."""
    waiting = [shard for shard in kept if not shard.judged]
    finished = len(kept) - len(waiting)
    if finished:
        log.info("annotate_documents: %d of %d shards were judged before", finished, len(kept))
    load(setting)  # what is wrong with captures or benchmarks is told before anything starts
    sizes = {str(shard.folder): shard.text_bytes for shard in waiting}
    told = _progress(len(kept), finished, sum(sizes.values()))
    held = {
        str(shard.folder): shard.table for shard in waiting if shard.table is not None and params.engine == "native"
    }
    work = functools.partial(judge_shard, setting=setting, held=held)
    done = engine.run(work, list(sizes), params.engine, min(params.workers, max(1, len(waiting))), params.ray_address)
    for folder in done:
        if not (Path(folder) / JUDGED).is_dir():
            raise Trouble(
                f"A worker judged {folder}, but its tables are not there; with ray_address, the output's folder"
                " must be one that every worker reaches under the same path."
            )
        told(sizes[folder])
    return len(waiting)


def judge_shard(folder: str, setting: Setting, held: Mapping[str, pa.Table] | None = None) -> str:
    """Judge one shard of the working folder, on whatever worker; returns the folder. `held` are documents by folder."""
    place = Path(folder)
    documents = held[folder] if held and folder in held else read_shard(place / f"{DOCUMENTS}.parquet")
    partial = place / f".{JUDGED}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name, table in annotate(documents, load(setting)).items():
        if name == SIGNATURES:
            from stages.annotate_documents.duplicates import write_signatures

            write_signatures(table, partial / f"{name}.parquet")
        else:
            write_table(table, partial / f"{name}.parquet")
    shutil.rmtree(place / JUDGED, ignore_errors=True)
    partial.rename(place / JUDGED)
    return folder


def _progress(shards: int, finished: int, text_bytes: int) -> Callable[[int], None]:
    """A function that is told of each judged shard's bytes, and says how far the work is and how long it may take."""
    begin, state = time.monotonic(), {"shards": finished, "bytes": 0, "said": 0.0}

    def tell(size: int) -> None:
        state["shards"] += 1
        state["bytes"] += size
        spent = time.monotonic() - begin
        last = state["shards"] == shards
        if spent - state["said"] < PROGRESS_SECONDS and not last:
            return
        state["said"] = spent
        left = spent / state["bytes"] * (text_bytes - state["bytes"]) if state["bytes"] else 0.0
        log.info(
            "annotate_documents: judged %d of %d shards (%.1f MB/s), about %s left",
            state["shards"], shards, state["bytes"] / 1e6 / max(spent, 1e-3), _duration(left),
        )  # fmt: skip

    return tell


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 100 else f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def write_tables(kept: Sequence[Kept], out: Path, scratch: Path, setting: Setting) -> None:
    """Put every shard's parts into the output (as links to the finished files), and write the duplicates table."""
    for shard in kept:
        tables = (path for path in sorted((shard.folder / JUDGED).iterdir()) if path.stem != SIGNATURES)
        for path in (shard.folder / f"{DOCUMENTS}.parquet", *tables):
            part = out / path.stem / part_name(shard.number)
            part.parent.mkdir(exist_ok=True)
            _link(path, part)
    _write_duplicates(kept, out / "duplicates", scratch, setting)


def _link(path: Path, name: Path) -> None:
    try:
        os.link(path, name)
    except OSError:  # a store without links
        shutil.copyfile(path, name)


def _write_duplicates(kept: Sequence[Kept], out: Path, scratch: Path, setting: Setting) -> None:
    from stages.annotate_documents import duplicates

    known = load(setting)
    order = {name: place for place, name in enumerate(known.params.license_order)}
    signed = [
        duplicates.Shard(
            shard.folder / JUDGED / f"{SIGNATURES}.parquet",
            np.array(license_ranks(_licenses(shard), order), np.int32),
            functools.partial(getattr, shard, "texts"),
        )
        for shard in kept
    ]
    out.mkdir()
    for shard, table in zip(kept, duplicates.resolve(signed, known.near, scratch), strict=True):
        write_table(table, out / part_name(shard.number))


def _licenses(shard: Kept) -> list[str]:
    found: list[str] = pq.read_table(shard.folder / JUDGED / "license.parquet", columns=["license"])[
        "license"
    ].to_pylist()
    return found
