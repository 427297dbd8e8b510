"""Read and write the files between nodes: canonical bytes, whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from stages.errors import Trouble

R = TypeVar("R", bound=BaseModel)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield a folder to fill; it takes the name `out` only when the block ends well.

    A node that is killed leaves `.<name>.partial` beside it, which the next run removes first.
    """
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        _sync(partial)
        if out.exists():
            shutil.rmtree(out)
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _sync(folder: Path) -> None:
    """Flush every file to disk, so that the rename never outlives the content."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with LF line ends and one final newline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")


def write_json(path: Path, content: BaseModel | dict[str, Any] | list[Any]) -> None:
    """Write canonical JSON: keys sorted, UTF-8, two spaces, one final newline."""
    plain = content.model_dump(mode="json") if isinstance(content, BaseModel) else content
    write_text(path, json.dumps(plain, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False))


def read_json(path: Path) -> Any:
    """The file's content; raises Trouble where it is missing or not JSON."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise Trouble(f"{path} is not valid JSON ({error}); make it again with the node that writes it.") from None


def read_text(path: Path) -> str:
    """The file's text; raises Trouble where it is missing or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Trouble(
            f"{path} is missing; wanted a file there: check the path, or run the node that writes it."
        ) from None
    except UnicodeDecodeError as error:
        raise Trouble(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None


def write_jsonl(path: Path, records: Iterable[BaseModel]) -> int:
    """Write one record a line, keys sorted; return how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            line = record.model_dump(mode="json")
            file.write(json.dumps(line, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n")
            count += 1
    return count


def read_jsonl(path: Path, record: type[R]) -> Iterator[R]:
    """Yield the records of a JSON Lines file; raises Trouble with file and line where one does not fit."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _parse_line(path, number, line, record)
    except FileNotFoundError:
        raise Trouble(f"{path} is missing; wanted a JSON Lines file there: check the path.") from None
    except UnicodeDecodeError as error:
        raise Trouble(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None


def _parse_line(path: Path, number: int, line: str, record: type[R]) -> R:
    try:
        return record.model_validate_json(line)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the line"
        raise Trouble(f"{path}, line {number}: {place}: {problem['msg']}; wanted a {record.__name__}.") from None


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> int:
    """Write a table with a header line and LF line ends; return the number of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(list(header))
        for row in rows:
            writer.writerow(list(row))
            count += 1
    return count
