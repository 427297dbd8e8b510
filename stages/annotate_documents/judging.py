"""Read all documents, judge every shard once, find duplicates over all shards; what is finished survives a kill.

This machine judges the shards that were read while it reads the next; a cluster, when all are read and lie where it sees them.
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
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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


def judge_all(shards: Iterable[Shard], work: Path, setting: Setting, params: Parameters) -> list[Kept]:
    """Judge every shard that is not judged yet into the working folder; folders of other documents or judgements are removed."""
    kept: list[Kept] = []
    waiting: dict[str, Kept] = {}
    progress, native = _Progress(), params.engine == "native"

    def unjudged() -> Iterator[str]:
        held, first_held = 0, 0
        ready: list[str] = []
        for shard in _known(shards, work, setting, write=not native):
            kept.append(shard)
            held += shard.table.nbytes if shard.table else 0
            if held > HELD_BYTES:  # from here on each shard's table is let go at once, now also those before it
                kept[first_held:] = [known._replace(table=None) for known in kept[first_held:]]
                first_held = len(kept)
            if shard.judged:
                progress.finished += 1
                continue
            progress.left[str(shard.folder)] = shard.text_bytes
            waiting[str(shard.folder)] = shard if native else shard._replace(table=None)
            ready.append(str(shard.folder))
            if loaded.done() or len(ready) == engine.AHEAD * params.workers:
                loaded.result()
                yield from ready
                ready.clear()
        loaded.result()
        progress.all_read()
        yield from ready

    judge = functools.partial(judge_shard, setting=setting, waiting=waiting)
    with ThreadPoolExecutor(1) as pool:
        loaded = pool.submit(load, setting)  # 2 s, while the first shards are read; says what is wrong before more are
        for folder in engine.run(judge, unjudged(), params.engine, params.workers, params.ray_address):
            if not (Path(folder) / JUDGED).is_dir():
                raise Trouble(
                    f"A worker judged {folder}, but its tables are not there; with ray_address, the output's folder"
                    " must be one that every worker reaches under the same path."
                )
            progress.tell(folder)
    ours = {shard.folder for shard in kept}
    for other in work.iterdir() if kept else ():
        if other.is_dir() and other not in ours:
            shutil.rmtree(other)
    return kept


def _known(shards: Iterable[Shard], work: Path, setting: Setting, write: bool) -> Iterator[Kept]:
    """Every shard with its folder; `write` its documents there at once, and not when it is judged."""
    depends = version(setting)
    for shard in shards:
        folder = work / hashlib.sha256(f"{shard.sha256} {depends}".encode()).hexdigest()[:32]
        folder.mkdir(parents=True, exist_ok=True)
        if write:
            _write_documents(shard.table, folder)
        size = int(shard.table["text"].nbytes)
        log.info(
            "annotate_documents: read shard %d (%s documents, %.0f MB)",
            shard.number, f"{shard.table.num_rows:,}", size / 1e6,
        )  # fmt: skip
        yield Kept(shard.number, folder, shard.table.num_rows, size, shard.table)


def _write_documents(documents: pa.Table, folder: Path) -> None:
    if not (folder / f"{DOCUMENTS}.parquet").exists():
        write_table(documents, folder / f"{DOCUMENTS}.parquet")


def judge_shard(folder: str, setting: Setting, waiting: dict[str, Kept]) -> str:
    """Judge one shard of the working folder, on whatever worker, and take it out of those that wait; returns the folder."""
    place = Path(folder)
    shard = waiting.pop(folder, None)  # a cluster may ask a worker a second time
    if shard is not None and shard.table is not None:
        documents = shard.table
        _write_documents(documents, place)
    else:
        documents = read_shard(place / f"{DOCUMENTS}.parquet")
    partial = place / f".{JUDGED}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name, table in annotate(documents, load(setting)).items():
        if name == SIGNATURES:
            from stages.annotate_documents.duplicates import write_signatures

            write_signatures(table, partial / f"{name}.arrow")
        else:
            write_table(table, partial / f"{name}.parquet")
    shutil.rmtree(place / JUDGED, ignore_errors=True)
    partial.rename(place / JUDGED)
    return folder


class _Progress:
    """Says how far the work is and, once all is read, how long it may take."""

    def __init__(self) -> None:
        self.finished = 0  # judged by an earlier run
        self.left: dict[str, int] = {}  # bytes of text of the shards that are not judged yet
        self._begin, self._said = time.monotonic(), 0.0
        self._shards, self._bytes = 0, 0
        self._all_read = False

    def all_read(self) -> None:
        """No more shards will come."""
        self._all_read = True
        if self.finished:
            of = self.finished + self._shards + len(self.left)
            log.info("annotate_documents: %d of %d shards were judged before", self.finished, of)

    def tell(self, folder: str) -> None:
        """A shard is judged."""
        self._shards += 1
        self._bytes += self.left.pop(folder)
        spent = time.monotonic() - self._begin
        if spent - self._said < PROGRESS_SECONDS and (self.left or not self._all_read):
            return
        self._said = spent
        done, rate = self.finished + self._shards, self._bytes / max(spent, 1e-3)
        if not self._all_read:
            log.info("annotate_documents: judged %d shards (%.1f MB/s), still reading", done, rate / 1e6)
            return
        log.info(
            "annotate_documents: judged %d of %d shards (%.1f MB/s), about %s left",
            done, done + len(self.left), rate / 1e6, _duration(sum(self.left.values()) / rate),
        )  # fmt: skip


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
            shard.folder / JUDGED / f"{SIGNATURES}.arrow",
            np.array(license_ranks(_licenses(shard), order), np.int32),
            functools.partial(getattr, shard, "texts"),
        )
        for shard in kept
    ]
    out.mkdir()
    for shard, table in zip(kept, duplicates.resolve(signed, known.near, scratch, known.params.workers), strict=True):
        write_table(table, out / part_name(shard.number))


def _licenses(shard: Kept) -> list[str]:
    found: list[str] = pq.read_table(shard.folder / JUDGED / "license.parquet", columns=["license"])[
        "license"
    ].to_pylist()
    return found
