"""Keep every answer of a teacher on disk as soon as it is there, so that a killed run loses only what was under way.

One JSON object a line, only answers that succeeded; the file is also the record of what the teacher was asked.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self


class RequestCache:
    """Answers by request, in an append-only file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answers: dict[str, dict[str, Any]] = {}
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+b")
        self._read()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def get(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to an equal request, or None."""
        return self._answers.get(key_of(request))

    def put(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
        """Keep an answer; it is on the disk when this returns."""
        assert self._file is not None, "use the cache in a with block"
        key = key_of(request)
        entry = {"key": key, "request": request, "answer": answer}
        self._file.write(json.dumps(entry, ensure_ascii=False, sort_keys=True).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._answers[key] = answer

    def _read(self) -> None:
        """Take in all whole lines; what a kill left of a last one is cut away, or the next would be glued to it."""
        assert self._file is not None
        self._file.seek(0)
        whole = 0
        for line in self._file:
            try:
                entry = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                entry = None
            if isinstance(entry, dict) and "key" in entry and "answer" in entry:
                self._answers[entry["key"]] = entry["answer"]
            if line.endswith(b"\n"):
                whole += len(line)
        self._file.truncate(whole)


def key_of(request: dict[str, Any]) -> str:
    """The sha256 of the request's canonical JSON."""
    canonical = json.dumps(request, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
