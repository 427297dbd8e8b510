"""Look for what must never be published: secrets, and paths that tell of someone's machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stages.artifact import read_json
from stages.publish_release import layout

SECRETS = {
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{20,}"),
    "an AWS key id": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a bearer token": re.compile(r"\bBearer\s+[A-Za-z0-9._~+/=-]{20,}"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>]+:[^\s/:@\"'<>]+@"),
}
PLACE = re.compile(
    r"(?<![\w.:/<>~*-])(?:/(?:home|root|tmp|Users|mnt|opt|var|srv|work|scratch|workspace)/[\w.-]+|[A-Za-z]:\\\\?(?:Users|Temp)\b)"
)
TEXT_SUFFIXES = (".csv", ".html", ".jinja", ".json", ".jsonl", ".md", ".svg", ".txt", ".yaml")
# In free text of documents, and in a vocabulary, a path is somebody's example and tells of no machine of ours.
FREE_TEXT = (layout.CORPUS + "/", f"{layout.MODEL}/tokenizer", f"{layout.MODEL}/vocab", f"{layout.MODEL}/merges")


@dataclass(frozen=True)
class Finding:
    """Where something was found that must not be published; the secret itself is not repeated."""

    path: str
    line: int
    what: str


def scan(folder: Path, paths: Iterable[str]) -> Iterator[Finding]:
    """Yield what is found in the text files and in the texts of tables, and what tells of single persons."""
    for path in paths:
        yield from _personal(folder, path)
        if path.endswith(TEXT_SUFFIXES):
            with (folder / path).open(encoding="utf-8", errors="replace") as file:
                yield from scan_lines(path, file)
        if path.endswith(".parquet"):
            yield from scan_lines(path, _rows(folder / path))


def _rows(path: Path) -> Iterator[str]:
    """The words of each row of a table, as one line."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=1024):
            columns = [
                c.to_pylist() for c in batch.columns if pa.types.is_large_string(c.type) or pa.types.is_string(c.type)
            ]
            yield from ("\n".join(filter(None, row)) for row in zip(*columns, strict=True))


def _personal(folder: Path, path: str) -> Iterator[Finding]:
    """Files, and one list, by which people could be recognised."""
    if path in layout.PERSONAL:
        yield Finding(path, 1, layout.PERSONAL[path])
    if path == layout.REPRESENTATION and read_json(folder / path).get("weights"):
        # People with one weight declared the same of themselves.
        yield Finding(path, 1, "a weight for each participant")


def scan_lines(path: str, lines: Iterable[str]) -> Iterator[Finding]:
    """Yield what is found in the lines of one file."""
    for number, line in enumerate(lines, start=1):
        yield from (Finding(path, number, what) for what, pattern in SECRETS.items() if pattern.search(line))
        if not path.startswith(FREE_TEXT) and PLACE.search(line):
            yield Finding(path, number, "an absolute path")
