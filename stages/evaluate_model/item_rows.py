"""Read the rows of item files; what does not fit is told in one line: benchmark, file, row and the way out."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel

from stages.artifact import read_jsonl
from stages.errors import Trouble

R = TypeVar("R", bound=BaseModel)


def _written(text: str) -> str:
    if not text.strip():
        raise ValueError("there is nothing in it")
    return text


Text = Annotated[str, AfterValidator(_written)]


def records(benchmark: str, path: Path, record: type[R]) -> Iterator[R]:
    """Yield the lines of a JSON Lines file; raises Trouble that names the benchmark, the file and the line."""
    try:
        yield from read_jsonl(path, record)
    except Trouble as error:
        raise Trouble(f"{benchmark}: {error}") from None


def table(benchmark: str, path: Path, wanted: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row of a table (commas or tabs, as its header has them) with the place to name in a message.

    The unnamed first column of some published files has the name ''. Raises Trouble where a wanted column is missing
    or empty, or where a row has more fields than the header.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            rows = csv.DictReader(file, delimiter="\t" if "\t" in header else ",", strict=True)
            _columns(benchmark, path, rows.fieldnames or (), wanted)
            for row in rows:
                place = f"{benchmark}: {path}, line {rows.line_num}"
                yield place, _checked(place, row, wanted)
    except csv.Error as error:
        raise Trouble(
            f"{benchmark}: {path}, line {rows.line_num}: {error}; wanted {_kind(path)}: mend its quotation marks."
        ) from None
    except FileNotFoundError:
        raise Trouble(f"{benchmark}: {path} is missing; wanted a table there: check the path.") from None
    except UnicodeDecodeError as error:
        raise Trouble(f"{benchmark}: {path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None


def _kind(path: Path) -> str:
    return f"the format of a {path.suffix.lstrip('.').upper() or 'CSV'} file"


def _columns(benchmark: str, path: Path, found: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in found]
    if missing and len(found) == 1 and ";" in found[0]:
        raise Trouble(f"{benchmark}: the columns of {path} are separated by ';'; save it with commas or tabs.")
    if missing:
        raise Trouble(
            f"{benchmark}: {path} has no column {', '.join(missing)} (found: {', '.join(found) or 'none'}); "
            f"wanted {', '.join(wanted)}: name the columns so."
        )


def _checked(place: str, row: Mapping[str | None, str | None], wanted: Sequence[str]) -> dict[str, str]:
    if None in row:
        raise Trouble(f"{place}: more fields than the header names; put texts with commas in quotation marks.")
    empty = [name for name in wanted if not (row.get(name) or "").strip()]
    if empty:
        raise Trouble(f"{place}: nothing in {', '.join(empty)}; wanted {', '.join(wanted)}: fill or remove the row.")
    return {str(name): value or "" for name, value in row.items()}


def distinct(place: str, texts: Sequence[str]) -> None:
    """Raise Trouble where two texts to choose from are the same but for blanks and case."""
    plain = [" ".join(text.casefold().split()) for text in texts]
    repeated = next((text for text, folded in zip(texts, plain, strict=True) if plain.count(folded) > 1), None)
    if repeated is not None:
        raise Trouble(f"{place}: {repeated[:60]!r} stands twice to choose from; wanted different texts: mend the row.")


def differ(*texts: str) -> None:
    """As `distinct`, inside a record: raises ValueError, to which the reader adds the place."""
    try:
        distinct("", texts)
    except Trouble as error:
        raise ValueError(str(error).removeprefix(": ")) from None


def check_sum(benchmark: str, path: Path, wanted: str | None, required: bool = False) -> None:
    """Raise Trouble where a file that the user supplies is not the one that was named; `required`: must be named."""
    if not path.is_file():
        raise Trouble(f"{benchmark}: {path} is missing; wanted a file there: check evaluate_model.options.{benchmark}.")
    if wanted is None and not required:
        return
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if wanted != found:
        stated = f"not {wanted}" if wanted else "and none is stated"
        raise Trouble(
            f"{benchmark}: the sha256 of {path} is {found}, {stated}; if this is the file that is meant, write its "
            f"sha256 in evaluate_model.options.{benchmark}.sha256."
        )
