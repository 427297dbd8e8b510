"""Read documents in a process of their own: reading is mostly Python, of which a process runs one thread at a time.

The reader sends its batches through a pipe, and waits where they are not taken; then what it could not read, or the error
that stopped it. It ends by itself when nobody is there to take the next batch.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Generator, Sequence
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

import pyarrow as pa

from stages.annotate_documents import readers
from stages.annotate_documents.formats import Reading
from stages.annotate_documents.problems import Problems
from stages.annotate_documents.sources import Source
from stages.errors import Trouble

NO_MORE = b""  # after the last batch


def read(sources: Sequence[Source], reading: Reading) -> Generator[pa.Table, None, None]:
    """What `readers.read` gives, read elsewhere; all problems are counted when the last batch was taken."""
    batches, end = Pipe(duplex=False)
    with batches:
        with end:
            process = _start(end, sources, reading._replace(problems=reading.problems.anew()))
        try:
            while content := batches.recv_bytes():
                yield pa.ipc.open_stream(content).read_all()
            last = batches.recv()
        except EOFError:
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


def _start(end: Connection, sources: Sequence[Source], reading: Reading) -> subprocess.Popen[bytes]:
    here = str(Path(__file__).parents[2])  # `stages` must be importable there as here
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(end.fileno())],
        stdin=subprocess.PIPE, pass_fds=[end.fileno()], env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert process.stdin
    with process.stdin as stdin:
        pickle.dump((sources, reading), stdin)
    return process


def _send_all(end: Connection, sources: Sequence[Source], reading: Reading) -> None:
    last: Problems | Exception = reading.problems
    try:
        for batch in readers.read(sources, reading):
            end.send_bytes(_as_stream(batch))
    except BrokenPipeError:
        return
    except Exception as error:
        if not isinstance(error, Trouble):
            error.add_note("".join(traceback.format_exception(error)))
        last = error
    end.send_bytes(NO_MORE)
    end.send(last)


def _as_stream(batch: pa.Table) -> pa.Buffer:
    """A batch without the rest of what it is a slice of."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_table(batch)
    return sink.getvalue()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this
    with Connection(int(sys.argv[1]), readable=False) as end:
        _send_all(end, *pickle.load(sys.stdin.buffer))  # noqa: S301 – from the process that started this one
