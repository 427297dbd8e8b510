"""Read documents in a process of their own: reading is mostly Python, of which a process runs one thread at a time.

The reader sends its batches through a pipe, as one Arrow stream, and waits where they are not taken; then what it could not
read, or the error that stopped it. It ends by itself when nobody is there to take the next batch.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from stages.annotate_documents import readers
from stages.annotate_documents.documents import DOCUMENT
from stages.annotate_documents.formats import Reading
from stages.annotate_documents.problems import Problems
from stages.annotate_documents.sources import Source
from stages.errors import Trouble


def read(sources: Sequence[Source], reading: Reading) -> Generator[pa.Table, None, None]:
    """What `readers.read` gives, read elsewhere; all problems are counted when the last batch was taken."""
    receiving, sending = os.pipe()
    with os.fdopen(receiving, "rb") as pipe:
        try:
            process = _start(sending, sources, reading._replace(problems=reading.problems.anew()))
        finally:
            os.close(sending)
        try:
            for batch in pa.ipc.open_stream(pipe):
                yield pa.Table.from_batches([batch])
            last: Problems | Exception = pickle.load(pipe)  # noqa: S301 – from the process started here
        except (EOFError, OSError, pa.ArrowException):
            raise Trouble(
                f"The process that reads the documents ended early ({process.wait()}); was it stopped, or memory short?"
                " Run again: finished shards stay."
            ) from None
        finally:
            process.kill()
            process.wait()
    if isinstance(last, Exception):
        raise last
    reading.problems.add_all(last)


def _start(pipe: int, sources: Sequence[Source], reading: Reading) -> subprocess.Popen[bytes]:
    here = str(Path(__file__).parents[2])  # `stages` must be importable there as here
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(pipe)],
        stdin=subprocess.PIPE, pass_fds=[pipe], env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert process.stdin
    with process.stdin as stdin:
        pickle.dump((sources, reading), stdin)
    return process


class _WithoutPandas(importlib.abc.MetaPathFinder):
    """pyarrow would import pandas, for 0.7 s, only to see that no list is one of its series."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "pandas":
            raise ImportError("Reading is done without pandas.")


def _send(pipe: BinaryIO, sources: Sequence[Source], reading: Reading) -> None:
    last: Problems | Exception = reading.problems
    with pa.ipc.new_stream(pipe, DOCUMENT) as stream:
        try:
            for batch in readers.read(sources, reading):
                stream.write_table(batch)
        except Exception as error:
            if not isinstance(error, Trouble):
                error.add_note("".join(traceback.format_exception(error)))
            last = error
    pickle.dump(last, pipe)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this
    sys.meta_path.insert(0, _WithoutPandas())
    with contextlib.suppress(BrokenPipeError), os.fdopen(int(sys.argv[1]), "wb") as pipe:
        _send(pipe, *pickle.load(sys.stdin.buffer))  # noqa: S301 – from the process that started this one
