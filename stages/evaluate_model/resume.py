"""Finished blocks of items on disk, so that a killed measurement goes on where it was and gives the same bytes.

They lie in `.<name>.items.partial/<digest>/` beside the output; the digest is over the model, the items, the settings
and this code, so that blocks of another measurement are never taken for this one's.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from stages.artifact import read_json, read_jsonl, write_json, write_jsonl
from stages.records import ItemOutcome

CODE = Path(__file__).parent


class Blocks:
    """The working folder of one measurement of one model on one benchmark."""

    def __init__(self, out: Path, what: Mapping[str, Any]) -> None:
        self._all = out.with_name(f".{out.name}.items.partial")
        self._folder = self._all / digest(what)
        if self._all.exists():
            for other in self._all.iterdir():  # of another model or other settings: of no use any more
                if other != self._folder:
                    shutil.rmtree(other, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._count = 0

    def finished(self, number: int) -> bool:
        """Whether block `number` was written whole."""
        return self._notes(number).exists()

    def write(self, number: int, outcomes: Sequence[ItemOutcome], counted: Mapping[str, int]) -> None:
        """Keep a block; its notes, written last, say that it is whole."""
        lines = self._lines(number)
        partial = lines.with_suffix(".writing")
        write_jsonl(partial, outcomes)
        partial.replace(lines)
        partial = self._notes(number).with_suffix(".writing")
        write_json(partial, dict(counted))
        partial.replace(self._notes(number))

    def joined(self, path: Path, blocks: int) -> Counter[str]:
        """Write all blocks in order into one file; return what was counted over them."""
        counted: Counter[str] = Counter()
        with path.open("wb") as whole:
            for number in range(blocks):
                with self._lines(number).open("rb") as part:
                    shutil.copyfileobj(part, whole)
                counted.update(read_json(self._notes(number)))
        return counted

    def remove(self) -> None:
        """Take the working folder away when its content has a better place."""
        shutil.rmtree(self._all, ignore_errors=True)

    def _lines(self, number: int) -> Path:
        return self._folder / f"{number:06d}.jsonl"

    def _notes(self, number: int) -> Path:
        return self._folder / f"{number:06d}.json"


class StoredOutcomes(Sequence[ItemOutcome]):
    """The lines of items.jsonl, read anew each time they are gone through: memory does not grow with their number."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            self._count = sum(1 for _ in file)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ItemOutcome]:
        return read_jsonl(self._path, ItemOutcome)

    @overload
    def __getitem__(self, place: int) -> ItemOutcome: ...
    @overload
    def __getitem__(self, place: slice) -> list[ItemOutcome]: ...
    def __getitem__(self, place: int | slice) -> ItemOutcome | list[ItemOutcome]:
        wanted = range(self._count)[place]
        if isinstance(wanted, int):
            return next(each for number, each in enumerate(self) if number == wanted)
        inside = {number: each for number, each in enumerate(self) if number in wanted}
        return [inside[number] for number in wanted]


def digest(what: Mapping[str, Any]) -> str:
    """Over what decides the outcomes: the given things, this package's code and the versions of what computes."""
    from importlib.metadata import version

    content = {
        "what": what,
        "code": {path.relative_to(CODE).as_posix(): _sha256(path) for path in sorted(CODE.rglob("*.py"))},
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
