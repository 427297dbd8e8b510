"""The compiled look for places where personal data could stand: '@', numbers, IBAN and tax-code shapes, addresses.

Only these places are read by the patterns and validators of `personal_data.py`; a law of a megabyte has a few dozen of them.
Whatever a few bytes and a check digit can refuse is refused here, so that texts made to be costly are not. A place may be
named in vain, but none where something stands is left out. Every look behind or ahead is bounded, so that the time grows with
the text and nothing else. Digits are ASCII digits.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.annotate_documents import pii_context
from stages.annotate_documents.kernels.compiled import compiled
from stages.annotate_documents.kernels.words import utf8

AT, IBAN, TAX_CODE, DOTTED, COLONS, NUMBER = range(1, 7)
COLUMNS = TEXT, KIND, START, END, FLAGS, RUN = range(6)  # of a site; RUN: where the number's run of digits begins
FEWEST_DIGITS = 6  # of a phone number in Andorra
IBAN_CHECK = 97
TAX_CODE_CHARACTERS = 16  # codice fiscale
LONGEST_ADDRESS = 45  # characters of an IPv6 address
WIDEST_GAP = 3  # separators between two digits of one number: ") " or " - "
MOST_GROUPS = 15  # of one number: the digits of the longest telephone number (E.164), one by one
MOST_DIGITS = 20  # more than any number that is sought
# As in pii_context: numba's cache notices no change in another file.
LOOK_BEHIND, LOOK_AHEAD, DIGITS_BETWEEN = 64, 24, 2
NEAR = 4 * LOOK_BEHIND  # bytes: what was found so far before a place is a placeholder beside it

# Flags of a number: what it could be, and what is known of its place.
ID, ID_BY_WORD, CARD, PAIRS, ABROAD, PHONE, BEHIND = (1 << bit for bit in range(7))
FIRST, LIKE_DATE = 1 << 7, 1 << 8  # among the first two of its run; the run is a date unless a letter follows
# Flags of a number or an address: a word that may be the one is near; an address that needs none.
SAYS_PHONE, SAYS_ID, SAYS_ADDRESS, CLEAR = (1 << bit for bit in range(9, 13))
SAYS = 9  # the first of these bits: pii_context's PHONE_BIT, ID_BIT and ADDRESS_BIT, shifted
ANYTHING = ID | ID_BY_WORD | CARD | PAIRS | ABROAD | PHONE | BEHIND | FIRST
IBAN_LENGTHS = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "UA": 29, "VA": 22,
}  # SWIFT IBAN registry  # fmt: skip
PAIRS_SIZES = 2164802  # groups of 2 2 2 2 2 digits, five bits each, as France's telephone numbers
BELGIAN_SIZES = 2164834  # 2 2 2 3 2
FOUR_FOUR_FOUR, FOUR_SIX = 4228, 134  # how a card's number begins
DNI_LETTERS = np.frombuffer(b"TRWAGMYFPDXBNJZSQVHLCKE", np.uint8)


def sites(texts: Any) -> NDArray[np.int64]:
    """Rows of COLUMNS, in characters, by text and in the order in which they are met."""
    data, offsets = utf8(texts)
    room = len(data) // 2000 + 64  # ten times what laws have
    while True:
        out = np.empty((room, len(COLUMNS)), np.int64)
        count = find(data, offsets, iban_lengths(), pii_context.beginnings(), out)
        if count <= room:
            return out[:count]
        room = count


def sites_of(text: str) -> NDArray[np.int64]:
    """The sites of one text."""
    return sites(pa.array([text], pa.large_string()))


@functools.cache
def iban_lengths() -> NDArray[np.int64]:
    """The length of an IBAN by the two letters of its country, five bits each."""
    lengths = np.zeros(1024, np.int64)
    for country, length in IBAN_LENGTHS.items():
        lengths[(ord(country[0]) & 31) << 5 | ord(country[1]) & 31] = length
    return lengths


def interesting() -> NDArray[np.bool_]:
    """By byte: whether the finder stops at it (digits, '@' and ':')."""
    stops = np.zeros(256, np.bool_)
    stops[list(b"0123456789@:")] = True
    return stops


STOPS = interesting()


@compiled
def find(data: Any, offsets: Any, iban_lengths: Any, beginnings: Any, out: Any) -> int:
    """Write the sites of all texts as far as there is room; gives how many there are."""
    count = 0
    for text in range(len(offsets) - 1):
        first, end = offsets[text], offsets[text + 1]
        place, colons_end = first, first
        # Characters are counted up to `counted`; what was met so far may reach to `touched`.
        counted, characters, touched, iban_end = first, 0, first - NEAR - 1, first - NEAR
        while place < end:
            byte = data[place]
            if not STOPS[byte]:
                place += 1
                continue
            if byte == 64:
                reach = _domain(data, first, place, end)
                if reach:
                    characters, counted = characters + _between(data, counted, place), place
                    count = _put(out, count, text, AT, characters, characters + 1, 0, characters)
                    touched = max(touched, reach)
                place += 1
                continue
            if byte == 58:
                flags = -1
                if place >= colons_end:
                    start, stop = _colons(data, first, place, end)
                    colons_end = stop
                    flags = _v6(data, first, start, stop, end) if start < stop else -1
                    while stop > start and data[stop - 1] == 46:
                        stop -= 1
                    if flags >= 0:
                        flags |= _said(data, first, start, beginnings)
                        if flags or start - touched <= NEAR:
                            characters, counted = characters + _between(data, counted, start), start
                            size = stop - start  # ASCII
                            count = _put(out, count, text, COLONS, characters, characters + size, flags, characters)
                            touched = max(touched, stop)
                # The minutes of a time are no part of the number that follows: 12:30:45 192.0.2.1
                place = max(place + 1, colons_end) if _is_time(data, first, place, end) and flags < 0 else place + 1
                continue
            digits, groups, stop, dotted = _run(data, place, end)
            if place > first and _letter(data[place - 1]):
                before = _token_start(data, first, place)
                length = _iban(data, before, place, end, iban_lengths) if place - before == 2 else 0
                kind = IBAN if length else 0
                if not kind and place - before >= 6 and _is_tax_code(data, before, end):
                    kind, length = TAX_CODE, TAX_CODE_CHARACTERS
                if kind:
                    characters, counted = characters + _between(data, counted, before), before
                    size = _between(data, before, before + length)
                    count = _put(out, count, text, kind, characters, characters + size, 0, characters)
                    touched = max(touched, before + length)
                    iban_end = before + length if kind == IBAN else iban_end
            if dotted:
                flags = _v4(data, first, place, place + dotted, end)
                if flags >= 0:
                    flags |= _said(data, first, place, beginnings)
                    if flags or place - touched <= NEAR:
                        characters, counted = characters + _between(data, counted, place), place
                        count = _put(out, count, text, DOTTED, characters, characters + dotted, flags, characters)
                        touched = max(touched, place + dotted)
            if digits >= FEWEST_DIGITS:
                dated = _date(data, place, stop, end, groups)
                if dated != 1:
                    begin, run, run_end = place, -1, -1
                    word_behind = _word_behind(data, stop, end)
                    for number in range(groups):
                        beside = 0 < begin - iban_end <= 3 * WIDEST_GAP
                        if number == 0 or beside or _blank_before(data, begin):
                            is_first, left = number < 2 or beside, groups - number
                            flags = _number(data, first, begin, stop, end, is_first, left, word_behind)
                            if not is_first:
                                flags &= ~ID_BY_WORD
                            if flags:
                                if is_first:
                                    flags |= (FIRST if number < 2 else 0) | _said(data, first, begin, beginnings)
                                sure = flags & (ID | CARD | PAIRS | ABROAD | BEHIND)
                                said = (flags & SAYS_PHONE and flags & PHONE) or (
                                    flags & SAYS_ID and flags & ID_BY_WORD
                                )
                                if sure or said or begin - touched <= NEAR:
                                    if run < 0:
                                        characters, counted = characters + _between(data, counted, place), place
                                        run, run_end = characters, characters + _between(data, place, stop)
                                    characters, counted = characters + _between(data, counted, begin), begin
                                    flags |= LIKE_DATE if dated else 0
                                    count = _put(out, count, text, NUMBER, characters, run_end, flags, run)
                                    touched = max(touched, stop)
                        if number + 1 < groups:
                            begin = _next_group(data, begin, stop)
            place = stop
    return count


@compiled
def _put(out: Any, count: int, text: int, kind: int, start: int, end: int, flags: int, run: int) -> int:
    if count < len(out):
        row = out[count]
        row[0], row[1], row[2], row[3], row[4], row[5] = text, kind, start, end, flags, run
    return count + 1


@compiled
def _between(data: Any, start: int, end: int) -> int:
    """How many characters stand from one place to another; negative where the other is before it."""
    count = 0
    for place in range(min(start, end), max(start, end)):
        count += data[place] & 0xC0 != 0x80
    return count if start <= end else -count


@compiled
def _digit(byte: int) -> bool:
    return 48 <= byte <= 57


@compiled
def _letter(byte: int) -> bool:
    return 65 <= (byte & 0xDF) <= 90 and byte < 0x80


@compiled
def _alphanumeric(byte: int) -> bool:
    return _digit(byte) or _letter(byte)


@compiled
def _word_sign(byte: int) -> bool:
    return _digit(byte) or _letter(byte) or byte == 95


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
    """From a digit on: how many digits and groups stand in one run, where it ends, the length of the d.d.d.d that it is, or 0."""
    begin, digits, group, groups, points, only_points, last = place, 0, 0, 0, 0, True, place
    while True:
        while place < end and _digit(data[place]):
            digits += 1
            group += 1
            place += 1
        groups += 1
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
    return digits, groups, last, dotted


@compiled
def _next_group(data: Any, place: int, stop: int) -> int:
    while place < stop and _digit(data[place]):
        place += 1
    while place < stop and not _digit(data[place]):
        place += 1
    return place


@compiled
def _blank_before(data: Any, place: int) -> bool:
    """Whether the separator before a group within a run lets a number begin: no point or hyphen."""
    byte = data[place - 1]
    if byte < 0x80:
        return byte == 32 or byte == 40 or byte == 47
    return byte != 0x91 and byte != 0x93  # the last byte of a hyphen or dash


@compiled
def _date(data: Any, place: int, stop: int, end: int, groups: int) -> int:
    """Whether a run is a date or a year's number (1), not (0), or only if no letter follows (2): personal_data.DATE."""
    if groups < 2 or groups > 3:
        return 0
    sizes, dashes, same, sign, size = 0, 0, True, 0, 0
    for at in range(place, stop):
        byte = data[at]
        if _digit(byte):
            size += 1
            if size > 4:
                return 0
            continue
        if size:
            sizes, size = sizes * 8 + size, 0
            same &= sign == 0 or sign == byte
            sign = byte
            dashes += byte == 0xE2
            if byte != 0xE2 and not 45 <= byte <= 47:
                return 0
        elif (byte != 0x80 and byte != 0x93) or data[at - 1] < 0x80:  # another separator, or an odd dash
            return 0
    sizes = sizes * 8 + size
    if groups == 2:
        fits = sign != 46 and (sizes & 7 == 4 or sizes >> 3 == 4)
    else:
        one, two, three = sizes >> 6, (sizes >> 3) & 7, sizes & 7
        fits = (
            not dashes
            and two <= 2
            and ((one <= 2 and (three == 4 or three == 2)) or (one == 4 and three <= 2 and same))
        )
    if not fits or (stop < end and _letter(data[stop])):
        return 0
    return 2 if stop < end and data[stop] >= 0x80 else 1


@compiled
def _word_behind(data: Any, place: int, end: int) -> bool:
    """Whether a word of pii_context.PHONE_BEHIND may stand behind a run, perhaps in brackets."""
    for _ in range(2):
        steps = 0
        while place < end and steps < LOOK_AHEAD and (data[place] == 32 or data[place] == 0xC2 or data[place] == 0xA0):
            place += 1
            steps += 1
        if place < end and not _letter(data[place]):
            place += 3 if data[place] == 0xE2 else 1
    if place + 1 >= end or not _letter(data[place]):
        return False
    one, two = data[place] | 0x20, data[place + 1] | 0x20
    if one == 116 or one == 99:  # tel, cellulare
        return two == 101 or two >= 0x80
    if one == 102:  # fax, fixe
        return two == 97 or two == 105
    if one == 109:  # mobile, mugikorra
        return two == 111 or two == 117 or two >= 0x80
    return (one == 112 and (two == 104 or two == 111)) or (one == 119 and two == 104) or (one == 104 and two == 97)


@compiled
def _said(data: Any, first: int, place: int, beginnings: Any) -> int:
    """The flags of the words that may stand before a place, by their first three letters, with hardly a digit between."""
    flags, digits, characters = 0, 0, 0
    at = place
    while at > first and characters < LOOK_BEHIND and digits <= DIGITS_BETWEEN:
        at -= 1
        byte = data[at]
        characters += byte & 0xC0 != 0x80
        glued = at > first and (_word_sign(data[at - 1]) or data[at - 1] >= 0x80)
        if _digit(byte):
            start = at
            while start > first and at - start < MOST_DIGITS and _digit(data[start - 1]):
                start -= 1
            inside = start > first and (_letter(data[start - 1]) or data[start - 1] == 95 or data[start - 1] >= 0x80)
            characters += at - start
            digits += 0 if inside else at - start + 1
            at = start
        elif _letter(byte) and (not glued or data[at - 1] >= 0x80):
            two = _sort(data[at + 1])
            three = _sort(data[at + 2]) if 0 < two < 27 and at + 2 < place else 0
            flags |= beginnings[((byte & 0x1F) * 28 + two) * 28 + three]
    return flags << SAYS


@compiled
def _sort(byte: int) -> int:
    """A letter's number, 27 for any that is not ASCII, 0 for what is none."""
    return 27 if byte >= 0x80 else (byte & 0x1F if _letter(byte) else 0)


@compiled
def _domain(data: Any, first: int, place: int, end: int) -> int:
    """How far what stands behind an '@' may be a domain; 0 where it is none, or nobody stands before the '@'."""
    if place == first or place + 3 >= end:
        return 0
    byte = data[place - 1]
    local = _word_sign(byte) or byte >= 0x80 or byte == 46 or byte == 37 or byte == 43 or byte == 45 or byte == 39
    if not local or not (_alphanumeric(data[place + 1]) or data[place + 1] >= 0x80):
        return 0
    ends, at = False, place + 1
    while at < end and (_word_sign(data[at]) or 45 <= data[at] <= 46 or data[at] >= 0x80):
        if data[at] == 46 and at + 2 < end:
            ends |= (_letter(data[at + 1]) or data[at + 1] >= 0x80) and (_letter(data[at + 2]) or data[at + 2] >= 0x80)
        at += 1
    return at if ends else 0


@compiled
def _token_start(data: Any, first: int, place: int) -> int:
    """Where the ASCII letters right before a digit begin; `place` where more than a tax code's, or more, stands before them."""
    start = place
    while start > first and place - start < TAX_CODE_CHARACTERS and _letter(data[start - 1]):
        start -= 1
    glued = start > first and (_word_sign(data[start - 1]) or data[start - 1] >= 0x80)
    return place if glued else start


@compiled
def _is_tax_code(data: Any, start: int, end: int) -> bool:
    """Sixteen letters and digits, letters where a codice fiscale has nothing else."""
    if start + TAX_CODE_CHARACTERS > end:
        return False
    for number in range(TAX_CODE_CHARACTERS):
        byte = data[start + number]
        if not _alphanumeric(byte) or ((number < 6 or number == 8 or number == 11 or number == 15) and _digit(byte)):
            return False
    after = start + TAX_CODE_CHARACTERS
    return after == end or not _alphanumeric(data[after])


@compiled
def _iban(data: Any, start: int, place: int, end: int, lengths: Any) -> int:
    """How many bytes the IBAN has that begins with two letters and two digits, by its country's length and check digits, or 0."""
    length = lengths[((data[start] & 0x1F) << 5) | (data[start + 1] & 0x1F)]
    if not length or place + 1 >= end or not _digit(data[place + 1]):
        return 0
    rest, seen, at = 0, 4, place + 2
    while seen < length:
        if at < end and not _alphanumeric(data[at]):
            at += _separator(data, at, end)
        if at >= end or not _alphanumeric(data[at]):
            return 0
        rest = _carried(rest, data[at])
        seen += 1
        at += 1
    for before in range(start, start + 4):
        rest = _carried(rest, data[before])
    return at - start if rest == 1 and (at == end or not _alphanumeric(data[at])) else 0


@compiled
def _carried(rest: int, byte: int) -> int:
    if _digit(byte):
        return (rest * 10 + byte - 48) % IBAN_CHECK
    return (rest * 100 + (byte & 0x1F) + 9) % IBAN_CHECK  # A is 10


@compiled
def _in_address(byte: int) -> bool:
    return _digit(byte) or 65 <= (byte & 0xDF) <= 70 or byte == 58 or byte == 46


@compiled
def _is_time(data: Any, first: int, place: int, end: int) -> bool:
    """Whether a digit stands before a colon and two behind it."""
    if place == first or place + 2 >= end or not (_digit(data[place - 1]) and _digit(data[place + 1])):
        return False
    return _digit(data[place + 2]) and (place + 3 >= end or not _digit(data[place + 3]))


@compiled
def _stands_alone(data: Any, first: int, start: int, stop: int, end: int) -> bool:
    """Whether neither a word nor a number goes on before or behind an address."""
    if start > first:
        byte = data[start - 1]
        if _word_sign(byte) or byte == 45 or byte == 46 or byte == 58:
            return False
    if stop >= end:
        return True
    byte = data[stop]
    decimal = (byte == 46 or byte == 44) and stop + 1 < end and _digit(data[stop + 1])
    return not (_word_sign(byte) or byte == 64 or decimal)


@compiled
def _v4(data: Any, first: int, start: int, stop: int, end: int) -> int:
    """CLEAR where four numbers are an address even without a word, 0 where a word must say so, -1 where they are none."""
    if not _stands_alone(data, first, start, stop, end):
        return -1
    part, size, parts, largest, large, hundreds, one, two = 0, 0, 0, 0, 0, 0, 0, 0
    for place in range(start, stop + 1):
        if place < stop and _digit(data[place]):
            part, size = part * 10 + data[place] - 48, size + 1
            continue
        if part > 255 or (size > 1 and data[place - size] == 48):
            return -1
        one, two = part if parts == 0 else one, part if parts == 1 else two
        largest, large = max(largest, part), large + (part > 40)
        hundreds += parts > 0 and part >= 100
        part, size, parts = 0, 0, parts + 1
    private = one == 10 or (one == 172 and 16 <= two <= 31) or (one == 192 and two == 168)
    return CLEAR if largest >= 100 and (private or (large >= 2 and one > 0 and hundreds < 3)) else 0


@compiled
def _colons(data: Any, first: int, place: int, end: int) -> Any:
    """The hexadecimal groups with colons around this colon; (end, end) where they are no address."""
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


@compiled
def _v6(data: Any, first: int, start: int, stop: int, end: int) -> int:
    """As `_v4`; what has points in it is left to others to read."""
    while stop > start and data[stop - 1] == 46:
        stop -= 1
    if not _stands_alone(data, first, start, stop, end):
        return -1
    groups, size, longest, doubles, digits, points = 0, 0, 0, 0, 0, False
    for place in range(start, stop):
        byte = data[place]
        if byte == 58:
            doubles += place > start and data[place - 1] == 58
            size = 0
        else:
            points |= byte == 46
            digits += _digit(byte)
            groups += size == 0
            size += 1
            longest = max(longest, size)
    begins = data[start] == 58 and data[start + 1] != 58
    ends = data[stop - 1] == 58 and data[stop - 2] != 58
    whole = groups == 8 if doubles == 0 else groups < 8
    if not points and (doubles > 1 or longest > 4 or begins or ends or not whole):
        return -1
    return CLEAR if groups >= 3 and digits else 0


@compiled
def _number(
    data: Any, first: int, begin: int, stop: int, end: int, is_first: bool, left: int, word_behind: bool
) -> int:
    """What the number that begins with this group of a run could be; `left` groups of the run are not read yet."""
    lettered = _letter_first(data, first, begin)
    before = data[begin - 1] if begin > first else 32
    if not lettered and (_word_sign(before) or before == 35 or before == 64):
        return 0
    plus = _plus_before(data, first, begin)
    flags, place, digits, value, groups, sizes, single, same, cut, sign = (
        0, begin, 0, 0, 0, 0, True, True, False, 0,
    )  # fmt: skip
    while True:
        start = place
        while place < end and _digit(data[place]):
            digits += 1
            if digits >= MOST_DIGITS:
                return flags
            if digits < 19:
                value = value * 10 + data[place] - 48
            place += 1
        groups += 1
        sizes = sizes * 32 + place - start if groups < 7 else -1
        following = data[place] if place < end else 32
        ends = not (_word_sign(following) or following == 64)
        if (following == 46 or following == 44) and place + 1 < end and _digit(data[place + 1]):
            ends = False
        if single:
            flags |= _id(data, begin, place, end, digits, value, sizes, groups, sign, lettered)
            if ends and same and groups < 5 and _card(digits, value, sizes, groups):
                flags |= CARD
        if ends and groups == 5 and same and sizes == PAIRS_SIZES and data[begin] == 48:
            flags |= PAIRS
        if ends and not cut and place <= stop:
            if is_first and FEWEST_DIGITS <= digits <= 12:
                flags |= PHONE
            if 8 <= digits <= 17 and (
                data[begin] != 48 if plus else is_first and data[begin] == 48 and data[begin + 1] == 48
            ):
                flags |= ABROAD
            if place == stop and word_behind and left <= MOST_GROUPS and FEWEST_DIGITS <= digits <= 12:
                flags |= BEHIND
        if groups == MOST_GROUPS:
            return flags
        # A national id or a card may go on where the run ends: 85.07.30-033.28 after another point.
        gap, bracket, follows = 0, False, following
        while gap < WIDEST_GAP and place < end:
            size = _separator(data, place, end)
            if size == 0:
                break
            bracket |= data[place] == 40 or data[place] == 41
            place += size
            gap += 1
        if gap == 0 or place >= end or not _digit(data[place]):
            return flags
        cut |= gap > 2 and not bracket
        single &= gap == 1
        same &= gap == 1 and (groups == 1 or follows == sign)
        if cut and not single:
            return flags
        if groups == 1:
            sign = follows


@compiled
def _letter_first(data: Any, first: int, begin: int) -> bool:
    """Whether a letter of Spain's or Andorra's ids for foreigners stands before the digits: X1234567L, F-123456-Z."""
    for back in range(1, 3):
        if begin - back < first:
            break
        byte = data[begin - back]
        if 88 <= (byte & 0xDF) <= 90 or byte == 69 or byte == 70:
            return True
    return False


@compiled
def _plus_before(data: Any, first: int, begin: int) -> bool:
    at = begin - 1
    if at >= first and data[at] == 40:
        at -= 1
    if at >= first and data[at] == 32:
        at -= 1
    elif at > first and data[at] == 0xA0 and data[at - 1] == 0xC2:
        at -= 2
    return at >= first and data[at] == 43


@compiled
def _id(
    data: Any, begin: int, place: int, end: int, digits: int, value: int, sizes: int, groups: int, sign: int, lettered: bool,
) -> int:  # fmt: skip
    """Whether a national id may end with this group, or with letters behind it, and whether it needs a word."""
    following = data[place] if place < end else 32
    flags = 0
    if lettered and groups == 1 and (digits == 6 or digits == 7) and _tail(data, place, end):
        flags |= ID
    if digits == 6 and (following & 0xDF == 65 or following & 0xDF == 66):  # Corsica
        flags |= ID
    if digits == 8 and (groups == 1 or (groups == 3 and sign == 46)):
        letter = _tail(data, place, end)
        if letter and letter == DNI_LETTERS[value % 23]:
            flags |= ID
    if digits == 7 and groups == 1:
        if 65 <= following <= 87:
            flags |= ID
        elif _tail(data, place, end):
            flags |= ID_BY_WORD
    if digits == 9 and groups == 1:
        flags |= ID_BY_WORD
    if (digits == 9 or digits == 10) and _tail(data, place, end):  # the letters of Portugal's card
        flags |= ID
    if _word_sign(following) or following == 64:
        return flags
    if (44 <= following <= 47) and place + 1 < end and _digit(data[place + 1]):
        return flags
    if digits == 13 and groups == 1 and 18 <= value // 100_000_000_000 <= 21:
        flags |= ID
    if digits == 15 and 97 - (value // 100) % 97 == value % 100:
        flags |= ID
    if digits == 12 and groups < 4 and sizes >> (5 * (groups - 1)) >= 8:
        flags |= ID
    if 11 <= digits <= 12 and groups == 3 and sizes >> 10 == 2 and sign == 47:
        flags |= ID
    if sizes == BELGIAN_SIZES and sign == 46:
        flags |= ID
    if 9 <= digits <= 12:
        flags |= ID_BY_WORD
    return flags


@compiled
def _tail(data: Any, place: int, end: int) -> int:
    """The capital of the letter behind digits, with at most a blank, a hyphen and a blank between; 0 for none."""
    for step in range(3):
        if place < end and (data[place] == 45 if step == 1 else data[place] == 32):
            place += 1
        elif step != 1 and place + 1 < end and data[place] == 0xC2 and data[place + 1] == 0xA0:
            place += 2
    return data[place] & 0xDF if place < end and _letter(data[place]) else 0


@compiled
def _card(digits: int, value: int, sizes: int, groups: int) -> bool:
    """Whether digits are written as on a payment card, and their last one is the check digit (Luhn)."""
    if digits < 13:
        return False
    if groups == 4:
        if sizes >> 5 != FOUR_FOUR_FOUR or sizes & 31 > 4:
            return False
    elif groups == 3:
        if sizes >> 5 != FOUR_SIX or not 4 <= sizes & 31 <= 5:
            return False
    elif groups != 1:
        return False
    if digits > 18:  # more than an int64 holds
        return True
    total, number = 0, 0
    while value > 0:
        figure = value % 10 * (1 + (number & 1))
        total += figure - 9 if figure > 9 else figure
        value //= 10
        number += 1
    return total % 10 == 0
