"""Read what organisers may lay beside any export: declared attributes, census shares and statement languages.

participants.csv          participant,<attribute>,…   what people declared, by the platform's own participant id
census.csv                attribute,value,share       the shares of the whole population, 0 to 1
statement-languages.csv   comment-id,language         the language each statement was written in
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from stages.errors import Trouble
from stages.ingest_deliberation.clean_text import clean
from stages.ingest_deliberation.inspection import inspect
from stages.ingest_deliberation.read_csv import WHOLE_NUMBER, Row, read_table

PARTICIPANTS, CENSUS, LANGUAGES = "participants.csv", "census.csv", "statement-languages.csv"
SHARES_MAY_MISS = 0.01  # published shares are rounded
# More values than an attribute of groups has: the column rather names single persons, and would be published.
MOST_VALUES = 200
LONGEST_VALUE = 100  # characters

UNKNOWN_PARTICIPANTS = "participants in participants.csv whom the votes do not know (left out)"


@dataclass(frozen=True)
class Sidecars:
    """What the side files say; a file that is not there says nothing."""

    attributes: dict[str, dict[str, str]]  # participant -> attribute -> value; only what was declared
    census: dict[str, dict[str, float]]  # attribute -> value -> share
    languages: dict[int, str]  # statement -> ISO 639-1
    quirks: dict[str, int]
    inputs: dict[str, str]  # file -> sha256


def sidecars(folder: Path, participants: Collection[str]) -> Sidecars:
    """Read the side files in `folder`; `participants` are the ids that the votes know."""
    there = [name for name in (PARTICIPANTS, CENSUS, LANGUAGES) if (folder / name).exists()]
    inputs = {name: inspect(folder / name).sha256 for name in there}
    declared = _attributes(folder / PARTICIPANTS) if PARTICIPANTS in there else {}
    census = _census(folder / CENSUS) if CENSUS in there else {}
    languages = _languages(folder / LANGUAGES) if LANGUAGES in there else {}
    known = frozenset(participants)
    attributes = {person: values for person, values in sorted(declared.items()) if person in known and values}
    quirks = {UNKNOWN_PARTICIPANTS: len(declared.keys() - known)} if PARTICIPANTS in there else {}
    return Sidecars(attributes, census, languages, quirks, inputs)


def same_id(text: str) -> str:
    """An id of the platform as it is compared: without white space around, whole numbers without leading zeros."""
    text = text.strip()
    return str(int(text)) if WHOLE_NUMBER.fullmatch(text) else text


def _attributes(path: Path) -> dict[str, dict[str, str]]:
    header, rows = read_table(path, ("participant",))
    names = {column: clean(column) for column in header if column != "participant"}
    if "" in names.values() or len(set(names.values())) < len(names):
        raise Trouble(f"{path}, line 1: a column has no name, or the name of another; wanted one name per attribute.")
    declared: dict[str, dict[str, str]] = {}
    values: dict[str, set[str]] = {name: set() for name in names.values()}
    for row in rows:
        person = _new_participant(row, declared)
        declared[person] = {name: _value(row, column) for column, name in names.items() if row.values[column].strip()}
        for name, value in declared[person].items():
            values[name].add(value)
            if len(values[name]) > MOST_VALUES:
                raise row.trouble(
                    f"{name[:40]!r} has more than {MOST_VALUES} different values",
                    "an attribute that many people share, such as an age band",
                    "make its groups wider or take the column out",
                )
    return declared


def _new_participant(row: Row, declared: Collection[str]) -> str:
    person = same_id(row.values["participant"])
    if not person:
        raise row.trouble("participant is empty", "the platform's participant id", "mend the line")
    if person in declared:
        raise row.trouble(f"participant {person[:20]!r} is there a second time", "each once", "remove one of the two")
    return person


def _value(row: Row, column: str) -> str:
    value = clean(row.values[column])
    if "@" in value or len(value) > LONGEST_VALUE:
        raise row.trouble(
            f"{column[:40]!r} holds an e-mail address or more than {LONGEST_VALUE} characters",
            "a value that many people share, such as an age band",
            "take personal data out of the file",
        )
    return value


def _census(path: Path) -> dict[str, dict[str, float]]:
    census: dict[str, dict[str, float]] = {}
    for row in read_table(path, ("attribute", "value", "share"))[1]:
        attribute, value = clean(row.values["attribute"]), clean(row.values["value"])
        if not attribute or not value:
            raise row.trouble("attribute or value is empty", "both", "mend the line")
        shares = census.setdefault(attribute, {})
        if value in shares:
            raise row.trouble(f"{attribute[:40]!r}, {value[:40]!r} is there a second time", "each once", "remove one")
        shares[value] = _share(row)
    for attribute, shares in census.items():
        total = math.fsum(shares.values())
        if abs(total - 1) > SHARES_MAY_MISS:
            raise Trouble(
                f"{path}: the shares of {attribute[:40]!r} sum to {total:.3f}; wanted 1 (within {SHARES_MAY_MISS}):"
                " give the shares of the whole population, not per cent."
            )
    return {attribute: dict(sorted(shares.items())) for attribute, shares in sorted(census.items())}


def _share(row: Row) -> float:
    text = row.values["share"].strip()
    if not re.fullmatch(r"[0-9]*\.?[0-9]+(?:[eE]-?[0-9]{1,3})?", text) or not 0 <= float(text) <= 1:
        raise row.trouble(f"share is {text[:40]!r}", "a number from 0 to 1 with a decimal point", "mend the line")
    return float(text)


def _languages(path: Path) -> dict[int, str]:
    languages: dict[int, str] = {}
    for row in read_table(path, ("comment-id", "language"))[1]:
        statement, code = row.integer("comment-id"), row.values["language"].strip()
        if not re.fullmatch("[a-z]{2}", code):
            raise row.trouble(f"language is {code[:20]!r}", "an ISO 639-1 code such as en or eu", "mend the line")
        if statement in languages:
            raise row.trouble(f"comment-id {statement} is there a second time", "each once", "remove one of the two")
        languages[statement] = code
    return languages
