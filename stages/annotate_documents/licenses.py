"""By what right: a document's licence as an SPDX expression with its evidence, or unclear.

A manifest beside the documents (`licenses.csv`: source, license, url, evidence) says what was read at the source; it
counts before what a document's own column says. Words that are no SPDX expression ("public domain", "see repo") are
unclear: a person reads the source and writes the manifest's line. `LicenseRef-…` names are kept as they are.
"""

from __future__ import annotations

import csv
import functools
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.errors import Trouble

COLUMNS = ("source", "license", "url", "evidence")
REFERENCE = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")
UNCLEAR = ""
PARSING = (
    threading.Lock()
)  # the parser builds its automaton when first used, and a second thread would walk it half-built
SHOWN = 80  # characters of a licence's words in the evidence


@dataclass(frozen=True)
class License:
    """What is known of the right to use a text; `expression` is empty where that is unclear."""

    expression: str
    evidence: str


def read_manifest(path: Path) -> dict[str, License]:
    """Source -> licence; an absent file says nothing. Raises Trouble where a line is not SPDX or a source comes twice."""
    manifest: dict[str, License] = {}
    if not path.exists():
        return manifest
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise Trouble(f"{path} lacks the column {', '.join(missing)}; wanted {', '.join(COLUMNS)}: add it.")
        for number, row in enumerate(reader, start=2):
            expression = spdx(row["license"] or "")
            if not expression:
                raise Trouble(
                    f"{path}, line {number}: license is {(row['license'] or '')[:SHOWN]!r}; wanted an SPDX expression"
                    " such as CC-BY-4.0, or LicenseRef-NAME for the source's own terms: mend the line."
                )
            if row["source"] in manifest:
                raise Trouble(f"{path}, line {number}: {row['source']!r} is there a second time; keep one line.")
            told = " ".join(filter(None, (row["evidence"], row["url"])))
            manifest[row["source"]] = License(expression, told or "the manifest")
    return manifest


def understood(rows: Iterable[tuple[str, str]], manifest: Mapping[str, License]) -> Iterator[License]:
    """The licence of each document, given its source and its own licence words."""
    for source, words in rows:
        yield manifest.get(source) or _from_words(words)


@functools.lru_cache(maxsize=4096)
def _from_words(words: str) -> License:
    expression = spdx(words)
    if expression:
        return License(expression, "the document's own licence field")
    said = " ".join(words.split())
    return License(UNCLEAR, f"no SPDX expression: {said[:SHOWN]!r}" if said else "no licence is named")


def spdx(words: str) -> str:
    """The expression in SPDX's own spelling; empty where it is none. Names are those of the SPDX list."""
    from license_expression import ExpressionError, ExpressionParseError

    references = sorted(set(REFERENCE.findall(words)))
    try:
        with PARSING:
            parsed = _spdx_with(tuple(references)).parse(words, validate=True)
    except (ExpressionError, ExpressionParseError):
        return UNCLEAR
    return "" if parsed is None else str(parsed.render())


@functools.lru_cache(maxsize=64)
def _spdx_with(references: tuple[str, ...]) -> Any:
    """SPDX's list, and the names that its LicenseRef- syntax leaves to the user."""
    from license_expression import LicenseSymbol, Licensing, get_spdx_licensing

    listed = get_spdx_licensing()
    if not references:
        return listed
    return Licensing([*listed.known_symbols.values(), *(LicenseSymbol(name) for name in references)])
