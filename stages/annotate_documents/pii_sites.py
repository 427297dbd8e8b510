"""The compiled look for places where personal data could stand: '@', digit runs, IBAN and tax-code shapes, addresses.

Only these places are read by the patterns and validators of `personal_data.py`; a law of a megabyte has a few hundred of them.
Every look behind or ahead is bounded, so that the time grows with the text and nothing else. Digits are ASCII digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.annotate_documents.kernels.compiled import compiled
from stages.annotate_documents.kernels.words import utf8

AT, NUMBER, DOTTED, IBAN, TAX_CODE, COLONS = range(1, 7)
FEWEST_DIGITS = 6  # of a phone number in Andorra
FEWEST_IBAN = 15  # characters (Norway)
TAX_CODE_CHARACTERS = 16  # codice fiscale
LONGEST_ADDRESS = 45  # characters of an IPv6 address
WIDEST_GAP = 3  # separators between two digits of one number: ") " or " - "


def sites(texts: Any) -> NDArray[np.int64]:
    """Rows of (text, kind, start, end), in characters, in the order of their ends."""
    data, offsets = utf8(texts)
    room = len(data) // 500 + 64  # four times what laws have
    while True:
        out = np.empty((room, 4), np.int64)
        count = find(data, offsets, out)
        if count <= room:
            return out[:count]
        room = count


def sites_of(text: str) -> list[tuple[int, int, int]]:
    """(kind, start, end) of one text."""
    found = sites(pa.array([text], pa.large_string()))
    return [(kind, start, end) for _, kind, start, end in found.tolist()]


@compiled
def find(data: Any, offsets: Any, out: Any) -> int:
    """Write the sites of all texts as far as there is room; gives how many there are."""
    count = 0
    for text in range(len(offsets) - 1):
        first, end = offsets[text], offsets[text + 1]
        place, counted, characters, colons_end = first, first, 0, first
        while place < end:
            byte = data[place]
            kind, start, stop = 0, place, place + 1
            if 48 <= byte <= 57:
                digits, stop, dotted = _run(data, place, end)
                before = _token_start(data, first, place)
                iban = before < place and _is_iban(data, before, place, end)
                token_end = _token_end(data, before, end) if before < place else place
                tax_code = before < place and token_end - before == TAX_CODE_CHARACTERS
                if iban or tax_code:
                    characters += _characters(data, counted, before)
                    counted = before
                    count = _put(out, count, text, IBAN if iban else TAX_CODE, characters, token_end - before)
                if dotted:
                    characters += _characters(data, counted, place)
                    counted = place
                    count = _put(out, count, text, DOTTED, characters, dotted)
                if digits >= FEWEST_DIGITS:
                    kind = NUMBER
            elif byte == 64:
                kind = AT if place > first and place + 1 < end else 0
            elif byte == 58 and place >= colons_end:
                start, stop = _colons(data, first, place, end)
                colons_end = stop
                if start < stop:
                    kind = COLONS
                stop = max(stop, place + 1)
            if kind:
                begin = max(start, counted)
                characters += _characters(data, counted, begin)
                counted = begin
                if start < begin:  # an address that begins with digits that were counted already
                    count = _put(out, count, text, kind, characters - (begin - start), stop - start)
                else:
                    count = _put(out, count, text, kind, characters, _characters(data, start, stop))
            # Colons do not end a number: 2001:db8::1 is looked at from its first colon, which stands behind a run of digits.
            place = stop if kind != COLONS else place + 1
    return count


@compiled
def _put(out: Any, count: int, text: int, kind: int, start: int, size: int) -> int:
    if count < len(out):
        out[count, 0], out[count, 1], out[count, 2], out[count, 3] = text, kind, start, start + size
    return count + 1


@compiled
def _characters(data: Any, start: int, end: int) -> int:
    count = 0
    for place in range(start, end):
        count += data[place] & 0xC0 != 0x80
    return count


@compiled
def _digit(byte: int) -> bool:
    return 48 <= byte <= 57


@compiled
def _alphanumeric(byte: int) -> bool:
    return 48 <= byte <= 57 or 65 <= (byte & 0xDF) <= 90


@compiled
def _separator(data: Any, place: int, end: int) -> int:
    """How many bytes a separator of digits has here: blank, point, hyphen, slash, bracket, narrow or unbreakable ones; 0: none."""
    byte = data[place]
    if byte == 32 or 45 <= byte <= 47 or byte == 40 or byte == 41:
        return 1
    if byte == 0xC2 and place + 1 < end and data[place + 1] == 0xA0:
        return 2
    if byte == 0xE2 and place + 2 < end and data[place + 1] == 0x80:
        last = data[place + 2]
        return 3 if last == 0x89 or last == 0x91 or last == 0x93 or last == 0xAF else 0
    return 0


@compiled
def _run(data: Any, place: int, end: int) -> Any:
    """From a digit on: how many digits stand in one run, where it ends, and the length of the d.d.d.d that is all of it, or 0."""
    begin, digits, group, points, only_points, last = place, 0, 0, 0, True, place
    while True:
        while place < end and _digit(data[place]):
            digits += 1
            group += 1
            place += 1
        only_points &= group <= 3
        last = place
        gap = 0
        while place < end and gap <= WIDEST_GAP:
            size = _separator(data, place, end)
            if size == 0:
                break
            place += size
            gap += 1
        if gap == 0 or gap > WIDEST_GAP or place >= end or not _digit(data[place]):
            break
        if gap == 1 and data[place - 1] == 46:
            points += 1
        elif points >= 3:  # 192.0.2.1 - 192.0.2.9: two runs
            break
        else:
            only_points = False
        group = 0
    dotted = last - begin if points == 3 and only_points else 0
    return digits, last, dotted


@compiled
def _token_start(data: Any, first: int, place: int) -> int:
    """Where the ASCII letters right before a digit begin; `place` where none do, or where more stands before them."""
    start = place
    while start > first and place - start < TAX_CODE_CHARACTERS and _alphanumeric(data[start - 1]):
        start -= 1
    glued = start > first and (_alphanumeric(data[start - 1]) or data[start - 1] >= 0x80 or data[start - 1] == 95)
    return place if glued else start


@compiled
def _token_end(data: Any, place: int, end: int) -> int:
    start = place
    while place < end and place - start <= TAX_CODE_CHARACTERS and _alphanumeric(data[place]):
        place += 1
    return place


@compiled
def _is_iban(data: Any, start: int, place: int, end: int) -> bool:
    """Two letters, two digits and enough letters and digits after them, with at most one separator between two."""
    if place - start != 2 or place + 1 >= end or _digit(data[start]) or _digit(data[start + 1]):
        return False
    if not _digit(data[place + 1]):
        return False
    seen, gap = 4, 0
    place += 2
    while place < end and seen < FEWEST_IBAN and gap <= 1:
        if _alphanumeric(data[place]):
            seen, gap = seen + 1, 0
            place += 1
        else:
            size = _separator(data, place, end)
            if size == 0:
                break
            place += size
            gap += 1
    return seen >= FEWEST_IBAN


@compiled
def _in_address(byte: int) -> bool:
    return _digit(byte) or 65 <= (byte & 0xDF) <= 70 or byte == 58 or byte == 46


@compiled
def _colons(data: Any, first: int, place: int, end: int) -> Any:
    """The hexadecimal groups with colons around this colon; (place, place) where they are no address."""
    start, stop, colons, double = place, place, 0, False
    while start > first and place - start < 5 and _in_address(data[start - 1]):
        start -= 1
    while stop < end and stop - start <= LONGEST_ADDRESS and _in_address(data[stop]):
        if data[stop] == 58:
            colons += 1
            double |= stop > first and data[stop - 1] == 58
        stop += 1
    if colons < 2 or not (double or colons >= 6):
        return stop, stop
    return start, stop
