"""Recognise national identity numbers of people in ES, FR, DE, IT, PT, BE, NL, LU, IE, AT and AD by shape and check digits.

A number whose shape and check digits leave little to chance counts by itself; the others only beside a word that names them.
Companies' numbers (CIF, SIREN, most NRT) are not personal data.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable
from typing import NamedTuple

from stdnum import luhn, verhoeff
from stdnum.ad import nrt

Check = Callable[[str], bool]
NOT_ZERO = frozenset("123456789")  # all zeros pass every check
NEITHER_LETTER_NOR_DIGIT = re.compile(r"[\W_]")
GAP = r"[ .\u00a0\u202f-]?"


class Shape(NamedTuple):
    """How one kind of number is written, what proves it, and whether a word must stand beside it."""

    name: str
    first: frozenset[int]  # how many digits can stand in a row at its beginning
    pattern: re.Pattern[str]
    holds: Check
    needs_word: bool


def _standard(module: str) -> Check:
    """The check of python-stdnum, imported now: its modules import each other in circles, which threads must not enter at once."""
    is_valid: Check = importlib.import_module(f"stdnum.{module}").is_valid
    return functools.lru_cache(maxsize=4096)(is_valid)


def _nuss(number: str) -> bool:
    """Spain's social security number: two digits for the province, eight or ten, and mod 97 (Order of 7 July 1997)."""
    digits = re.sub(r"\D", "", number)
    if len(digits) != 12 or not 1 <= int(digits[:2]) <= 66:
        return False
    province, serial, check = int(digits[:2]), int(digits[2:10]), int(digits[10:])
    whole = province * 10_000_000 + serial if serial < 10_000_000 else int(digits[:10])
    return whole % 97 == check


def _luxembourg(number: str) -> bool:
    """Matricule: birth date, three digits, then a Luhn and a Verhoeff digit, both over the first eleven."""
    day_exists = "1850" <= number[:4] <= "2100" and 1 <= int(number[4:6]) <= 12 and 1 <= int(number[6:8]) <= 31
    return day_exists and luhn.is_valid(number[:12]) and verhoeff.is_valid(number[:11] + number[12])


def _andorra(number: str) -> bool:
    """A resident's (F) or non-resident's (E) number; it has no check digit."""
    return number[0] in "EF" and bool(nrt.is_valid(number))


def _shape(name: str, first: set[int], pattern: str, holds: Check, needs_word: bool = False) -> Shape:
    return Shape(
        name, frozenset(first), re.compile(pattern.replace("~", GAP) + r"(?![\w@]|[.,/-]\d)"), holds, needs_word
    )


# Patterns begin at the first digit, but where letters come first; each is of bounded length. "~": one separator or none.
DIGITS_FIRST = (
    _shape("ES DNI", {1, 2, 8}, r"(?:\d{8}|\d{1,2}\.\d{3}\.\d{3})[ \u00a0]?-?[ \u00a0]?[A-Za-z]", _standard("es.dni")),
    _shape("ES NUSS", {2}, r"\d\d/\d{7,8}/\d\d", _nuss),
    _shape("ES NUSS", {2, 10, 12}, r"\d\d[ /-]?\d{8}[ /-]?\d\d", _nuss, needs_word=True),
    _shape(
        "FR NIR",
        {1, 3, 5, 6, 7, 10, 13, 15},
        r"[1-478]~\d\d~\d\d~(?:\d\d|2[ABab])~\d{3}~\d{3}~\d\d",
        _standard("fr.nir"),
    ),
    _shape("PT CC", {8, 9, 10, 11, 12}, r"\d{8}[ -]?\d[ -]?[A-Z0-9]{2}\d", _standard("pt.cc")),
    _shape("PT NIF", {3, 6, 9}, r"\d{3}[ .]?\d{3}[ .]?\d{3}", _standard("pt.nif"), needs_word=True),
    _shape("BE NN", {2}, r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", _standard("be.nn")),
    _shape("BE NN", {2, 4, 6, 9, 11}, r"\d\d~\d\d~\d\d~\d{3}~\d\d", _standard("be.nn"), needs_word=True),
    _shape("NL BSN", {3, 4, 9}, r"\d{9}|\d{4}\.\d\d\.\d{3}|\d{3} \d{3} \d{3}", _standard("nl.bsn"), needs_word=True),
    _shape("DE IdNr", {2, 5, 8, 11}, r"\d\d ?\d{3} ?\d{3} ?\d{3}", _standard("de.idnr"), needs_word=True),
    _shape("AT VNR", {4, 10}, r"\d{4}[ -]?\d{6}", _standard("at.vnr"), needs_word=True),
    _shape("LU matricule", {13}, r"\d{13}", _luxembourg),
    _shape("IE PPS", {7}, r"\d{7}[A-W][A-IW]?", _standard("ie.pps")),
    _shape("IE PPS", {7}, r"\d{7} ?[A-Wa-w][A-IWa-iw]?", _standard("ie.pps"), needs_word=True),
)
LETTERS_FIRST = (
    _shape("ES NIE", {7}, r"[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]", _standard("es.nie")),
    _shape("AD NRT", {6}, r"[EF]-\d{6}-[A-Z]", _andorra),
    _shape("AD NRT", {6}, r"[EF][ -]?\d{6}[ -]?[A-Z]", _andorra, needs_word=True),
)
CODICE_FISCALE = re.compile(
    r"[A-Za-z]{6}[0-9LMNP-Vlmnp-v]{2}[A-Za-z][0-9LMNP-Vlmnp-v]{2}[A-Za-z][0-9LMNP-Vlmnp-v]{3}[A-Za-z]"
)
is_codice_fiscale = _standard("it.codicefiscale")


def end_of_national_id(
    text: str, start: int, in_a_row: int, shapes: tuple[Shape, ...], has_word: Callable[[], bool]
) -> int | None:
    """Where the national id that begins at `start`, with so many digits in a row, ends, or None."""
    for shape in shapes:
        if in_a_row not in shape.first:
            continue
        match = shape.pattern.match(text, start)
        if match and (not shape.needs_word or has_word()) and _is_proven(shape, match.group().upper()):
            return match.end()
    return None


def _is_proven(shape: Shape, written: str) -> bool:
    compact = NEITHER_LETTER_NOR_DIGIT.sub("", written)
    return bool(NOT_ZERO.intersection(compact)) and shape.holds(compact)
