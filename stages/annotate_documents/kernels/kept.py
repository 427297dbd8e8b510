"""Arrays that take longer to build than to read, kept on disk where numba keeps its compiled code."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np

Arrays = TypeVar("Arrays", bound=tuple[Any, ...])  # a NamedTuple of arrays


def kept(kind: type[Arrays], depends: Any, build: Callable[[], Arrays]) -> Arrays:
    """What `build` gives, read-only: from disk where it was built before with all that it `depends` on as it is now.

    Of one kind the newest is kept. Where the folder cannot be written, nothing is.
    """
    place = Path(numba.config.CACHE_DIR or Path(__file__).with_name("__pycache__"))
    folder = place / f"{kind.__name__}-{hashlib.sha256(repr(depends).encode()).hexdigest()[:32]}"
    try:
        return _read(kind, folder)
    except (OSError, ValueError):  # not there, or damaged
        arrays = build()
    try:
        _write(arrays, folder)
        for other in place.glob(f"{kind.__name__}-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        return _read(kind, folder)  # mapped: processes share it, and its rows lie as lines of the processor's cache do
    except (OSError, ValueError):
        for array in arrays:
            array.flags.writeable = False  # all loops would be compiled once more for arrays that can be written to
        return arrays


def _read(kind: type[Arrays], folder: Path) -> Arrays:
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    return kind(*(np.asarray(np.load(folder / f"{field}.npy", mmap_mode="r")) for field in fields))


def _write(arrays: Any, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        for field, array in arrays._asdict().items():
            np.save(partial / f"{field}.npy", array, allow_pickle=False)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
