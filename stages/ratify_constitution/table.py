"""The decisions as a table for a spreadsheet: written for an assembly's secretary to fill in, and read back.

Lines that begin with `#` say what holds for the whole file (`# title`, then the value in the next cell); then a header
and one line per principle. Columns for reading only (the drafted text, its votes) are not read back.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.artifact import read_text
from stages.errors import Trouble

LONGEST_CELL = 131_072  # characters
FACTS = ("title", "version", "question", "by", "date", "quorum", "present", "yes", "no", "abstain")
PREVIOUS_FACTS = ("previous version", "previous sha256")
BALLOTS = ("yes", "no", "abstain")
COLUMNS = ("principle", "decision", "reason", "by", "text", "into", *BALLOTS, "previous")
FOR_READING = ("language", "drafted", "votes", "look at")
NEEDED = ("principle", "decision", "reason")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet may run what begins like this
SHIELD = "'"

Rows = Iterator[tuple[int, list[str]]]


def shielded(cell: str) -> str:
    """The cell's text such that no spreadsheet takes it for a formula."""
    return SHIELD + cell if cell.startswith(FORMULA) else cell


def _unshielded(cell: str) -> str:
    return cell[1:] if cell.startswith(SHIELD) and cell[1:].startswith(FORMULA) else cell


def write_table(path: Path, facts: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> None:
    """Write a table to fill in, whole or not at all."""
    columns = [*COLUMNS[:6], *BALLOTS, *FOR_READING]
    if any("previous" in row for row in rows):
        columns.append("previous")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # as spreadsheets write it
    for name in (*FACTS, *PREVIOUS_FACTS):
        if name in FACTS or name in facts:
            writer.writerow([f"# {name}", shielded(facts.get(name, ""))])
    writer.writerow(columns)
    writer.writerows([shielded(row.get(column, "")) for column in columns] for row in rows)
    replace(path, "\ufeff" + text.getvalue())  # the mark tells spreadsheets that it is UTF-8


def replace(path: Path, text: str) -> None:
    """Write the file under another name, then give it its own: whoever reads it sees the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_table(path: Path) -> dict[str, Any]:
    """The table's content in the shape of the YAML file; raises Trouble with file and line where it is broken."""
    rows = _rows(path, read_text(path).removeprefix("\ufeff"))
    facts, header = _facts(path, rows)
    entries, before = [], {}
    for line, cells in rows:
        if not any(cells):
            continue
        if any(cells[len(header) :]):
            raise Trouble(f"{path}, line {line}: found {len(cells)} cells; wanted {len(header)}: quote the commas.")
        row = dict(zip(header, cells, strict=False))
        if row.get("previous"):
            before[row["principle"]] = row["previous"]
        if row.get("decision"):
            entries.append(_entry(row))
    return _content(facts, entries, before)


def _rows(path: Path, text: str) -> Rows:
    """Line number and cells; comma or semicolon, whichever the header's line has more of."""
    header = next((line for line in text.lower().splitlines() if "principle" in line and "decision" in line), "")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    csv.field_size_limit(LONGEST_CELL)  # of the whole process: another reader may have raised it
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [_unshielded(cell.strip()) for cell in cells]
    except csv.Error as error:
        raise Trouble(f"{path}, line {reader.line_num}: {error}; mend the quotes of that line.") from None


def _facts(path: Path, rows: Rows) -> tuple[dict[str, str], list[str]]:
    """What holds for the whole file, and the header that follows."""
    facts: dict[str, str] = {}
    for line, cells in rows:
        first = cells[0] if cells else ""
        if first.startswith("#"):
            name, _, value = first.lstrip("# ").partition(":")
            name = name.strip().lower()
            if name not in (*FACTS, *PREVIOUS_FACTS):
                known = ", ".join((*FACTS, *PREVIOUS_FACTS))
                raise Trouble(f"{path}, line {line}: found '# {name}'; wanted one of: {known}.")
            facts[name] = value.strip() or next((cell for cell in cells[1:] if cell), "")
        elif any(cells):
            return facts, _header(path, line, cells)
    raise Trouble(f"{path} has no line with the columns {', '.join(NEEDED)}; write it: `commons ratify --template`.")


def _header(path: Path, line: int, cells: Sequence[str]) -> list[str]:
    header = [cell.lower() for cell in cells]
    while header and not header[-1]:
        header.pop()
    unknown = [name for name in header if name not in (*COLUMNS, *FOR_READING)]
    missing = [name for name in NEEDED if name not in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    problem = (
        f"no column '{missing[0]}'" if missing else f"the column '{(unknown or twice)[0]}'" if unknown or twice else ""
    )
    if problem:
        raise Trouble(f"{path}, line {line}: found {problem}; wanted once each: {', '.join(COLUMNS)}.")
    return header


def _entry(row: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {name: row[name] for name in ("principle", "reason", "by") if name in row}
    entry["decision"] = row["decision"].lower()
    entry |= {name: row[name] for name in ("text", "into") if row.get(name)}
    return entry | _ballots(row)


def _ballots(cells: Mapping[str, str]) -> dict[str, Any]:
    given = {name: cells[name] for name in BALLOTS if cells.get(name)}
    return {"ballots": given} if given else {}


def _content(facts: Mapping[str, str], entries: list[dict[str, Any]], before: dict[str, str]) -> dict[str, Any]:
    content: dict[str, Any] = {
        name: facts[name] for name in ("title", "version", "question", "by", "date") if facts.get(name)
    }
    if facts.get("quorum") or facts.get("present"):
        content["quorum"] = {"wanted": facts.get("quorum", ""), "present": facts.get("present", "")}
    content |= _ballots(facts)
    if before or any(facts.get(name) for name in PREVIOUS_FACTS):
        content["previous"] = {
            "version": facts.get("previous version", ""),
            "sha256": facts.get("previous sha256", ""),
            "principles": before,
        }
    return content | {"decisions": entries}
