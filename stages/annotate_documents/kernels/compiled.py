"""The compiled inner loops, over plain arrays; each is called by the module that explains it, and tested against slow Python.

All of them stand in this one file because numba's cache notices a change in the file of a function, not in those that the
function calls. Hashes are 64-bit polynomials (h * ODD + next, by overflow) whose bits MurmurHash3's finaliser then spreads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio
MIX_1, MIX_2, SHIFT = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53), np.uint64(33)
LETTER, WORD, SENSITIVE, SEVERAL = 1, 3, 4, 8  # of code_points.py; WORD: a letter or digit
NOT_ASCII = 1
LONGEST_FOLD = 96  # bytes, more than any one character folds to (18 characters: U+FDFA)


def compiled(function: F) -> F:
    """Compile on first use, without the interpreter's lock; kept on disk where a folder is writable."""
    return _compiled(function)


def inner(function: F) -> F:
    """Compile what only compiled functions call: without the entry from Python, whose own compilation is spared."""
    return _compiled(function, no_cpython_wrapper=True)


def _compiled(function: F, **options: bool) -> F:
    options |= {"nogil": True, "no_cfunc_wrapper": True}  # nothing here is called from C
    try:
        return numba.njit(cache=True, error_model="numpy", **options)(function)
    except RuntimeError:  # "no locator available": neither __pycache__ nor the user's cache can be written
        return numba.njit(error_model="numpy", **options)(function)


@inner
def mixed(value: Any) -> Any:
    """Spread the bits of a 64-bit number."""
    value = (value ^ (value >> SHIFT)) * MIX_1
    value = (value ^ (value >> SHIFT)) * MIX_2
    return value ^ (value >> SHIFT)


@inner
def _decoded(data: Any, place: Any, end: Any) -> Any:
    """The character that begins at `place` (not ASCII) and where the next begins; broken bytes are 0, a separator."""
    lead = np.int64(data[place])
    if lead < 0xE0:
        size, point = 2, lead & 0x1F
    elif lead < 0xF0:
        size, point = 3, lead & 0x0F
    else:
        size, point = 4, lead & 0x07
    if lead < 0xC0 or place + size > end:
        return 0, place + 1
    for step in range(1, size):
        point = (point << 6) | (np.int64(data[place + step]) & 0x3F)
    return (point if point <= 0x10FFFF else 0), place + size


@inner
def _folded_character(data: Any, at: Any, end: Any, kinds: Any, folds: Any, several: Any, codes: Any) -> Any:
    """Fold the character at `at` (not ASCII) into `codes`, a letter with bit 32 set, 0 for what parts words; gives (count, next, kind)."""
    point, at = _decoded(data, at, end)
    kind, entry = np.int64(kinds[point]), np.int64(folds[point])
    if not kind & SEVERAL:
        codes[0] = (entry | (kind & LETTER) << 32) if kind & WORD else 0
        return 1, at, kind
    count = several[entry]
    for part in range(count):
        sort = np.int64(several[entry + 2 + 2 * part])
        codes[part] = (np.int64(several[entry + 1 + 2 * part]) | (sort & LETTER) << 32) if sort & WORD else 0
    return count, at, kind


@inner
def _encoded(out: Any, place: Any, point: Any) -> Any:
    """Write a character in UTF-8; gives how many bytes it has."""
    if point < 0x80:
        out[place] = point
        return 1
    size = 2 if point < 0x800 else (3 if point < 0x10000 else 4)
    out[place] = (0xC0 if size == 2 else (0xE0 if size == 3 else 0xF0)) | (point >> (6 * (size - 1)))
    for step in range(1, size):
        out[place + step] = 0x80 | ((point >> (6 * (size - 1 - step))) & 0x3F)
    return size


@compiled
def fold(
    data: Any, offsets: Any, ascii: Any, pairs: Any, kinds: Any, folds: Any, several: Any, codes: Any, out: Any, out_ends: Any,
    hashes: Any, characters: Any, letters: Any, word_ends: Any, sensitive: Any,
) -> Any:  # fmt: skip
    """Fold texts into words with one space between; False where `out` is too small.

    Places are unsigned, which spares a test for negative ones at every byte (twice the speed).
    """
    one, two, six, zero = np.uint64(1), np.uint64(2), np.uint64(6), np.uint64(0)
    place, word, last = zero, zero, offsets[-1]
    for document in range(len(offsets) - 1):
        at, end, text = np.uint64(offsets[document]), np.uint64(offsets[document + 1]), place
        begin, code, letter, more, marked = place, zero, np.uint8(0), zero, 0
        while at < end:
            byte = ascii[data[at]]
            if byte > NOT_ASCII:
                out[place] = byte
                place += one
                at += one
                code = code * ODD + np.uint64(byte)
                letter |= byte
                continue
            if byte == 0:
                at += one
                if place != begin:
                    hashes[word], characters[word], letters[word] = mixed(code), place - begin - more, letter >= 64
                    out[place] = 32
                    place += one
                    word += one
                    begin, code, letter, more = place, zero, np.uint8(0), zero
                continue
            if 0xC0 <= data[at] < 0xE0 and at + one < end:  # most accented letters: two bytes that fold to two
                pair = pairs[
                    ((np.uint64(data[at]) & np.uint64(31)) << six) | (np.uint64(data[at + one]) & np.uint64(63))
                ]
            else:
                pair = zero
            if pair:
                out[place], out[place + one] = pair >> np.uint64(8), pair & np.uint64(255)
                code = (code * ODD + (pair >> np.uint64(8))) * ODD + (pair & np.uint64(255))
                place += two
                at += two
                more += one
                letter |= np.uint8(64)
            else:
                count, after, kind = _folded_character(data, np.int64(at), np.int64(end), kinds, folds, several, codes)
                at = np.uint64(after)
                marked |= kind & SENSITIVE
                for part in range(count):
                    if codes[part]:
                        size = _encoded(out, np.int64(place), codes[part] & 0x1FFFFF)
                        for step in range(size):
                            code = code * ODD + np.uint64(out[place + np.uint64(step)])
                        place += np.uint64(size)
                        more += np.uint64(size - 1)
                        letter |= np.uint8((codes[part] >> 32) << 6)
                    elif place != begin:
                        hashes[word], characters[word], letters[word] = mixed(code), place - begin - more, letter >= 64
                        out[place] = 32
                        place += one
                        word += one
                        begin, code, letter, more = place, zero, np.uint8(0), zero
                # ASCII never grows: only here can the text run over.
                if np.int64(place) + (last - after) + 2 * LONGEST_FOLD > len(out):
                    return False
        if place != begin:
            hashes[word], characters[word], letters[word] = mixed(code), place - begin - more, letter >= 64
            word += one
        elif place > text:
            place -= one  # the space after the last word
        sensitive[document] = marked > 0
        out_ends[document + 1], word_ends[document + 1] = place, word
    return True


@compiled
def run_hashes(hashes: Any, words: Any, runs: Any) -> None:
    """The hash of so many words in a row, from every place on; word by word for all places, so that many are computed at once."""
    for place in range(len(runs)):
        runs[place] = np.uint64(words)
    for step in range(words):
        for place in range(len(runs)):
            runs[place] = runs[place] * ODD + hashes[place + step]
    for place in range(len(runs)):
        runs[place] = mixed(runs[place])


@inner
def _lower(least: Any, runs: Any, size: Any, factors: Any, terms: Any) -> None:
    """Lower each minimum to that of its permutation of the runs."""
    for row in range(len(factors)):
        factor, term, minimum = factors[row], terms[row], least[row]
        for place in range(size):
            value = np.uint32(factor * (runs[place] ^ term))
            minimum = value if value < minimum else minimum
        least[row] = minimum


CHUNK = 2048  # runs: they stay in the processor's nearest cache while every permutation goes over them
LANES = 32  # runs that are permuted at once; a rest of fewer would go one by one


@compiled
def band_keys(
    hashes: Any, word_ends: Any, words: Any, factors: Any, terms: Any, rows: Any, least: Any, runs: Any, halves: Any, keys: Any
) -> None:  # fmt: skip
    """The MinHash of each text's runs under each permutation, its rows hashed into one key per band.

    Permutations are of the upper 32 bits of a run's hash: twice as many at once as of 64, and two runs in a thousand millions
    that agree by chance change no minimum that matters.
    """
    for document in range(len(word_ends) - 1):
        begin, end = word_ends[document], word_ends[document + 1]
        width = words if words < end - begin else end - begin
        for row in range(len(factors)):
            least[row] = np.uint32(0xFFFFFFFF)
        first, last = begin, end - width + 1
        while first < last:
            size = CHUNK if last - first > CHUNK else last - first
            run_hashes(hashes[first:], width, runs[:size])
            for place in range(size):
                halves[place] = runs[place] >> np.uint64(32)
            full = (size + LANES - 1) // LANES * LANES
            for place in range(size, full):
                halves[place] = halves[0]  # once more changes no minimum
            _lower(least, halves, full, factors, terms)
            first += CHUNK
        for band in range(len(factors) // rows):
            code = np.uint64(band + 1)
            for row in range(band * rows, (band + 1) * rows):
                code = mixed(code * ODD + np.uint64(least[row]))
            keys[band, document] = code


OWNER_BITS = np.uint64(20)  # of a run's number, for its text: more texts than a piece can have


@compiled
def owned_runs(hashes: Any, word_ends: Any, words: Any, runs: Any) -> int:
    """The number of each text's runs of so many words: the text's own, then the upper bits of the hash; gives how many.

    A text of fewer words is one run.
    """
    count = 0
    for document in range(len(word_ends) - 1):
        begin, end = word_ends[document], word_ends[document + 1]
        width = words if words < end - begin else end - begin
        found = runs[count : count + (end - begin - width + 1 if width else 0)]
        run_hashes(hashes[begin:end], width, found)
        for place in range(len(found)):
            found[place] = np.uint64(document) << (np.uint64(64) - OWNER_BITS) | found[place] >> OWNER_BITS
        count += len(found)
    return count


@inner
def _jaccard(first: Any, second: Any) -> Any:
    """The share of two sorted sets' members that both have."""
    at, other, common = 0, 0, 0
    while at < len(first) and other < len(second):
        a, b = first[at], second[other]
        common += a == b
        at += a <= b
        other += b <= a
    return common / (len(first) + len(second) - common)


@compiled
def jaccards(members: Any, starts: Any, first: Any, second: Any, out: Any) -> None:
    """The Jaccard similarity of each pair of sorted sets; set i is members[starts[i] : starts[i + 1]]."""
    for pair in range(len(out)):
        a, b = first[pair], second[pair]
        out[pair] = _jaccard(members[starts[a] : starts[a + 1]], members[starts[b] : starts[b + 1]])


@inner
def _first_place(table: Any, shift: Any, keys: Any, place: Any) -> Any:
    """The first place with this place's key, which is entered where it is the first (places are held from 1)."""
    key = keys[place]
    slot = (key * ODD) >> shift
    mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> shift
    while True:
        held = np.uint64(table[slot])
        if held == 0:
            table[slot] = place + np.uint64(1)
            return place
        if keys[held - np.uint64(1)] == key:
            return held - np.uint64(1)
        slot = (slot + np.uint64(1)) & mask


SHORTEST_RUN, FIRST_COVERED, LONGEST_RUN = 2, 5, 10  # Gopher (Rae et al. 2021, table A1): top 2..4, duplicate 5..10


@inner
def _may_repeat(keys: Any, marks: Any, active: Any, left: Any) -> Any:
    """Keep of the active places those whose key others may have; gives how many.

    Two passes without a branch, for which ones cannot be foretold (in a corpus of laws and manuals 34 % of the runs of two words
    are there twice). `marks` holds by some bits of the key: 0 for none, 1 for one, more for several.
    """
    one, bits, kept = np.uint64(1), np.uint64(3), np.uint64(0)
    while one << bits < np.uint64(8) * left:
        bits += one
    for slot in range(one << bits):
        marks[slot] = 0
    shift = np.uint64(64) - bits
    for number in range(left):
        slot = (keys[active[number]] * ODD) >> shift
        marks[slot] = marks[slot] << np.uint8(1) | np.uint8(1)
    for number in range(left):
        place = active[number]
        active[kept] = place
        kept += np.uint64(marks[(keys[place] * ODD) >> shift] > 1)
    return kept


@inner
def _repeats(
    hashes: Any, size: Any, table: Any, marks: Any, keys: Any, firsts: Any, counts: Any, active: Any, sums: Any,
    top: Any, covered: Any,
) -> None:  # fmt: skip
    """Add to `top` and `covered`, by length of run, the characters of one stretch of words.

    A run repeats only where both runs of one word less in it do: each length looks only at what the shorter one left.
    """
    one, left, total = np.uint64(1), size - np.uint64(1), sums[size]
    for word in range(left):
        keys[word], active[word] = hashes[word] * ODD + hashes[word + one], word
    for length in range(np.uint64(SHORTEST_RUN), np.uint64(LONGEST_RUN + 1)):
        if length < FIRST_COVERED:  # most longer ones that are left do repeat
            left = _may_repeat(keys, marks, active, left)
        bits, until = np.uint64(3), np.uint64(0)
        while one << bits < left + left:  # half of the table stays free
            bits += one
        for slot in range(one << bits):
            table[slot] = 0
        shift = np.uint64(64) - bits
        for number in range(left):
            place = np.uint64(active[number])
            first = _first_place(table, shift, keys, place)
            firsts[place] = first
            if first == place:
                counts[place] = 1
                continue
            counts[first] += 1
            if length >= FIRST_COVERED:
                covered[length] += sums[place + length] - sums[until if until > place else place]
                until = place + length
        most, share, kept, before = 1, 0, np.uint64(0), size
        for number in range(left):
            place = np.uint64(active[number])
            count = counts[firsts[place]]
            if count == 1:
                continue
            if length < FIRST_COVERED and count >= most:
                run = (sums[place + length] - sums[place]) * count
                share = share if count == most and share > run else run
                most = count
            active[kept] = before  # goes on where the next word begins such a run too
            kept += np.uint64(before + one == place)
            before = place
        top[length] += share if share < total else total
        left = kept
        if left < 2:
            return
        for number in range(left):  # the runs of one word less that begin here and at the next word
            place = np.uint64(active[number])
            keys[place] = (np.uint64(firsts[place]) << np.uint64(32)) | np.uint64(firsts[place + one])


@compiled
def repetition(
    hashes: Any, characters: Any, word_ends: Any, stretch: Any,
    table: Any, marks: Any, keys: Any, firsts: Any, counts: Any, active: Any, sums: Any, top: Any, covered: Any,
) -> None:  # fmt: skip
    """Characters of the top and of repeated runs per text, by length of run; longer texts in stretches of words."""
    for document in range(len(word_ends) - 1):
        begin, end = word_ends[document], word_ends[document + 1]
        while begin < end:
            size = stretch if stretch < end - begin else end - begin
            sums[0] = 0
            for place in range(size):
                sums[place + 1] = sums[place] + characters[begin + place]
            if size > SHORTEST_RUN:
                _repeats(
                    hashes[begin:], np.uint64(size), table, marks, keys, firsts, counts, active, sums,
                    top[document], covered[document],
                )  # fmt: skip
            begin += stretch


@compiled
def word_counts(
    hashes: Any, characters: Any, letters: Any, word_ends: Any, languages: Any,
    slots: Any, stops: Any, lorem: Any, ipsum: Any, out: Any,
) -> None:  # fmt: skip
    """Per text: characters of words, words with a letter, different stop words of its language, "lorem ipsum" or not.

    `slots` tells by language and a hash's lowest bits the only stop word that may have them: no branch, for every fourth word
    is one.
    """
    mask = np.uint64(slots.shape[1] - 1)
    for document in range(len(word_ends) - 1):
        language = languages[document]
        total, with_letter, found, filler = 0, 0, np.uint64(0), 0
        before = np.uint64(0)
        for word in range(np.uint64(word_ends[document]), np.uint64(word_ends[document + 1])):
            code = hashes[word]
            total += characters[word]
            with_letter += letters[word]
            filler |= (code == ipsum) & (before == lorem)
            before = code
            bit = np.uint64(slots[language, code & mask])
            found |= np.uint64(stops[language, bit] == code) << bit
        distinct = 0
        while found:
            found &= found - np.uint64(1)
            distinct += 1
        counts = out[document]
        counts[0], counts[1], counts[2], counts[3] = total, with_letter, distinct, filler


# What is counted of lines that are not blank, and of the whole text.
LINES, BULLET, ELLIPSIS, SHORT, TERMINAL, REPEATED, CHARACTERS, REPEATED_CHARACTERS = range(8)
TEXT_CHARACTERS, HASH_SIGNS, BRACKETS, ELLIPSES, COUNTED = range(8, 13)
LINE_FEED, HASH_SIGN, BRACKET, DOT, ELLIPSIS_POINT = 10, 35, 123, 46, 0x2026
IS_BULLET, IS_TERMINAL, IS_BLANK, IS_SIGN = (
    1,
    2,
    4,
    8,
)  # bits by code point, or by byte: IS_SIGN where something counted begins
SHORT_LINE = 30  # characters (FineWeb)
BLOCK = 4096  # bytes: the places of signs among them stay in the processor's nearest cache
FIRSTS = np.uint64(0x0101010101010101)  # the lowest bit of eight bytes


@inner
def _line_hash(data: Any, eights: Any, begin: Any, end: Any) -> Any:
    """The hash of some bytes and how many characters they are, eight at a time, the last eight overlapping."""
    code, at, eight, within = end - begin, begin, np.uint64(8), np.uint64(0)
    if at + eight > end:
        while at < end:
            code = code * ODD + np.uint64(data[at])
            within += np.uint64((data[at] & 0xC0) == 0x80)
            at += np.uint64(1)
        return mixed(code), np.int64(end - begin - within)
    while at + eight < end:
        some = eights[at]
        code = (code ^ some) * ODD
        code ^= code >> np.uint64(32)
        within += (((some >> np.uint64(7)) & ~(some >> np.uint64(6)) & FIRSTS) * FIRSTS) >> np.uint64(56)
        at += eight
    some = eights[end - eight]
    code = (code ^ some) * ODD
    some >>= np.uint64(8) * (at + eight - end)  # without the bytes whose characters are counted
    within += (((some >> np.uint64(7)) & ~(some >> np.uint64(6)) & FIRSTS) * FIRSTS) >> np.uint64(56)
    return mixed(code), np.int64(end - begin - within)


@inner
def _point(data: Any, place: Any, end: Any) -> Any:
    """The code point of the character at `place`; 0 above 0xFFFF, or where the bytes are broken."""
    if data[place] < 0x80:
        return np.int64(data[place])
    point, _ = _decoded(data, np.int64(place), np.int64(end))
    return point if point < 0x10000 else 0


@inner
def _count_line(data: Any, eights: Any, begin: Any, end: Any, points: Any, codes: Any, shift: Any, counts: Any) -> None:
    """Count a line, without the blanks on both sides; `codes` has the hashes of the lines before, by their highest bits."""
    one = np.uint64(1)
    counts[TEXT_CHARACTERS] += end - begin
    while begin < end and points[data[begin]] & IS_BLANK:
        begin += one
    while begin < end and points[data[end - one]] & IS_BLANK:
        end -= one
    if begin == end:
        return
    code, characters = _line_hash(data, eights, begin, end)
    last = end - one
    while last > begin and (data[last] & 0xC0) == 0x80:
        last -= one
    point = _point(data, last, end)
    dots = point == DOT and end - begin > 2 and data[last - one] == DOT and data[last - one - one] == DOT
    counts[LINES] += 1
    counts[BULLET] += (points[_point(data, begin, end)] & IS_BULLET) > 0
    counts[ELLIPSIS] += dots or point == ELLIPSIS_POINT
    counts[SHORT] += characters <= SHORT_LINE
    counts[TERMINAL] += (points[point] & IS_TERMINAL) > 0
    counts[CHARACTERS] += characters
    counts[TEXT_CHARACTERS] -= np.int64(end - begin) - characters
    slot = code >> shift
    code |= one  # 0 is a free slot
    while codes[slot] and codes[slot] != code:
        slot = (slot + one) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> shift)
    if codes[slot]:
        counts[REPEATED] += 1
        counts[REPEATED_CHARACTERS] += characters
    codes[slot] = code


@inner
def _signs(data: Any, begin: Any, end: Any, points: Any, places: Any) -> Any:
    """Write where signs stand, from `begin` on; gives how many. No branch: which bytes come cannot be foretold."""
    count = np.uint64(0)
    for at in range(end - begin):
        places[count] = at
        count += np.uint64(points[data[begin + at]] >> 3)
    return count


@compiled
def line_counts(data: Any, eights: Any, offsets: Any, points: Any, places: Any, codes: Any, out: Any) -> None:
    """Per text, what the names above say. `eights[i]` are the eight bytes from i on; `codes` is zero."""
    one = np.uint64(1)
    for document in range(len(offsets) - 1):
        counts = out[document]
        begin, end = np.uint64(offsets[document]), np.uint64(offsets[document + 1])
        bits = one
        while one << bits <= ((end - begin) >> one) + one:  # a line has two bytes, the last one
            bits += one
        if document:  # the first finds them zero: a huge text, which is alone, touches only what it needs
            for slot in range(one << bits):
                codes[slot] = 0
        line, dot, row = begin, end, 0
        while begin < end:
            until = begin + np.uint64(BLOCK) if end - begin > BLOCK else end
            number = _signs(data, begin, until, points, places)
            if until == end:
                places[number] = end - begin
                number += one
            for which in range(number):
                place = begin + np.uint64(places[which])
                byte = data[place] if place < end else np.uint8(LINE_FEED)
                if byte == LINE_FEED:
                    _count_line(data, eights, line, place, points, codes, np.uint64(64) - bits, counts)
                    counts[TEXT_CHARACTERS] += place < end
                    line = place + one
                elif byte == DOT:
                    row = row + 1 if place == dot + one else 1
                    dot = place
                    counts[ELLIPSES] += row == 3
                elif byte == HASH_SIGN:
                    counts[HASH_SIGNS] += 1
                elif byte == BRACKET:
                    counts[BRACKETS] += 1
                else:
                    following = end - place > 2 and data[place + one] == 0x80 and data[place + one + one] == 0xA6
                    counts[ELLIPSES] += following  # the three bytes of the sign for dots
            begin = until
