"""Run one function over the names of many shards: in this process by Daft, or on a cluster by Daft on Ray.

The function reads and writes Arrow and Parquet itself, in a folder that every worker reaches; the engine only says where
and when it runs. So the bytes are the same whatever the engine, and another engine is another function of this file.
"""

from __future__ import annotations

import functools
import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from pathlib import Path
from typing import Any

from stages.errors import Trouble

Work = Callable[[str], str]
AHEAD = 2  # names for each worker that are worked on or wait, in this process


def run(work: Work, names: Iterable[str], engine: str, workers: int, ray_address: str | None = None) -> Iterator[str]:
    """Call `work` on every name, `workers` at a time; yields what each returned, as they end.

    In this process work begins with the first name, and no more names are asked for than `AHEAD` for each worker before
    some have ended; a cluster is given all names at once.
    """
    if engine == "ray":
        if given := list(names):
            daft = _on_ray(workers, ray_address)
            yield from _called(daft, daft.from_pydict({"name": given}).into_partitions(len(given)), work)
        return
    running: set[Future[str]] = set()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for name in names:
                running.add(pool.submit(_here, work, name))
                if len(running) >= AHEAD * workers:
                    ended, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (one.result() for one in ended)
            yield from (one.result() for one in as_completed(running))
        finally:
            pool.shutdown(cancel_futures=True)


def _here(work: Work, name: str) -> str:
    """The work on one name by Daft in this process; its runner can be named only once."""
    with _starting:
        os.environ["DAFT_RUNNER"] = "native"
        daft = _daft()
        daft.get_or_create_runner()
    number = next(_numbers)
    _in_this_process[number] = work
    try:
        (done,) = _called(daft, daft.from_pydict({"name": [name]}), functools.partial(_by_number, number))
    finally:
        del _in_this_process[number]
    return done


# Work by number: Daft pickles every function, to see whether it could, and what the work holds may be large.
_in_this_process: dict[int, Work] = {}
_numbers = itertools.count()
_starting = threading.Lock()  # modules that import each other are not for two threads at once


def _by_number(number: int, name: str) -> str:
    return _in_this_process[number](name)


def _called(daft: Any, frame: Any, work: Work) -> Iterator[str]:
    def each(names: Any) -> list[str]:
        return [work(name) for name in names.to_arrow().to_pylist()]

    function = daft.func.batch(return_dtype=daft.DataType.string(), batch_size=1)(each)
    for batch in frame.select(function(daft.col("name")).alias("done")).to_arrow_iter():
        yield from batch.column(0).to_pylist()


def _daft() -> Any:
    """Import Daft, which else would send its usage home; its own progress bars would fill the node's log."""
    os.environ["DO_NOT_TRACK"] = "true"
    os.environ["DAFT_ANALYTICS_ENABLED"] = "0"
    os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
    logging.getLogger("tracing.span").setLevel(logging.WARNING)  # says each step of a plan at INFO
    import daft

    return daft


def _on_ray(workers: int, address: str | None) -> Any:
    """Daft on the Ray cluster at `address`, or on one of this machine alone; always with Ray's token."""
    daft = _daft()
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        import ray
    except ImportError:
        raise Trouble("engine is ray, but Ray is not installed; install the extra: pip install '.[cluster]'.") from None
    if not ray.is_initialized():
        here = str(Path(__file__).parents[2])  # `stages` must be importable there as here
        environment = {"env_vars": {"PYTHONPATH": here, "DO_NOT_TRACK": "true", "DAFT_ANALYTICS_ENABLED": "0"}}
        told: dict[str, Any] = {"address": address} if address else {"num_cpus": workers, "include_dashboard": False}
        ray.init(runtime_env=environment, log_to_driver=False, configure_logging=False, **told)
    daft.set_runner_ray(noop_if_initialized=True)
    return daft
