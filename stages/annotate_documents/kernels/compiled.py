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
    try:
        return numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # "no locator available": neither __pycache__ nor the user's cache can be written
        return numba.njit(nogil=True, error_model="numpy")(function)


@compiled
def mixed(value: Any) -> Any:
    """Spread the bits of a 64-bit number."""
    value = (value ^ (value >> SHIFT)) * MIX_1
    value = (value ^ (value >> SHIFT)) * MIX_2
    return value ^ (value >> SHIFT)


@compiled
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


@compiled
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


@compiled
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
    data: Any, offsets: Any, ascii: Any, pairs: Any, kinds: Any, folds: Any, several: Any, out: Any, out_ends: Any,
    hashes: Any, characters: Any, letters: Any, word_ends: Any, sensitive: Any,
) -> Any:  # fmt: skip
    """Fold texts into words with one space between; False where `out` is too small.

    Places are unsigned, which spares a test for negative ones at every byte (twice the speed).
    """
    one, two, six, zero = np.uint64(1), np.uint64(2), np.uint64(6), np.uint64(0)
    codes = np.zeros(LONGEST_FOLD, np.int64)
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
def run_hash(hashes: Any, start: Any, words: Any) -> Any:
    """The hash of so many words in a row."""
    code = np.uint64(words)
    for place in range(start, start + words):
        code = code * ODD + hashes[place]
    return mixed(code)


@compiled
def _run_hashes(hashes: Any, words: Any, runs: Any) -> None:
    """`run_hash` from every place on, word by word for all places, so that many are computed at once."""
    runs[:] = np.uint64(words)
    for step in range(words):
        for place in range(len(runs)):
            runs[place] = runs[place] * ODD + hashes[place + step]
    for place in range(len(runs)):
        runs[place] = mixed(runs[place])


@compiled
def runs_of(hashes: Any, words: Any) -> Any:
    """The sorted, distinct hashes of a text's runs of words; a shorter text is one run."""
    width = min(words, len(hashes))
    runs = np.empty(len(hashes) - width + 1, dtype=np.uint64)
    _run_hashes(hashes, width, runs)
    runs.sort()
    count = 1
    for place in range(1, len(runs)):
        if runs[place] != runs[place - 1]:
            runs[count] = runs[place]
            count += 1
    return runs[:count]


CHUNK = 2048  # runs, 16 KB: they stay in the processor's nearest cache while every permutation goes over them


@compiled
def _lower(least: Any, runs: Any, factors: Any, terms: Any) -> None:
    """Lower each minimum to that of its permutation of the runs."""
    for row in range(len(factors)):
        factor, term, minimum = factors[row], terms[row], least[row]
        for place in range(len(runs)):
            value = factor * (runs[place] ^ term)
            minimum = value if value < minimum else minimum
        least[row] = minimum


@compiled
def band_keys(hashes: Any, word_ends: Any, words: Any, factors: Any, terms: Any, rows: Any, keys: Any) -> None:
    """The MinHash of each text's runs under each permutation, its rows hashed into one key per band."""
    least, runs = np.empty(len(factors), dtype=np.uint64), np.empty(CHUNK, dtype=np.uint64)
    for document in range(len(word_ends) - 1):
        begin, end = word_ends[document], word_ends[document + 1]
        width = min(words, end - begin)
        least[:] = np.uint64(0xFFFFFFFFFFFFFFFF)
        for first in range(begin, end - width + 1, CHUNK):
            size = min(CHUNK, end - width + 1 - first)
            _run_hashes(hashes[first : first + size + width - 1], width, runs[:size])
            _lower(least, runs[:size], factors, terms)
        for band in range(len(factors) // rows):
            code = np.uint64(band + 1)
            for row in range(band * rows, (band + 1) * rows):
                code = mixed(code * ODD + least[row])
            keys[band, document] = code


@compiled
def jaccard(first: Any, second: Any) -> Any:
    """The share of two sorted sets' members that both have."""
    at, other, common = 0, 0, 0
    while at < len(first) and other < len(second):
        a, b = first[at], second[other]
        common += a == b
        at += a <= b
        other += b <= a
    return common / (len(first) + len(second) - common)


@compiled
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


@compiled
def _cleared(table: Any, entries: Any) -> Any:
    """Clear as much of a table as so many entries need, half of it free; gives the shift that picks a slot."""
    bits = 3
    while 1 << bits < 2 * entries:
        bits += 1
    table[: 1 << bits] = 0
    return np.uint64(64 - bits)


SHORTEST_RUN, FIRST_COVERED, LONGEST_RUN = 2, 5, 10  # Gopher (Rae et al. 2021, table A1): top 2..4, duplicate 5..10


@compiled
def _repeats(hashes: Any, begin: Any, size: Any, space: Any, top: Any, covered: Any) -> None:
    """Add to `top` and `covered`, by length of run, the characters of one stretch of words.

    A run repeats only where both runs of one word less in it do: each length looks only at what the shorter one left.
    """
    table, keys, firsts, counts, active, sums = space
    one, left = np.uint64(1), size - np.uint64(1)
    for word in range(left):
        keys[word], active[word] = hashes[begin + word] * ODD + hashes[begin + word + one], word
    for length in range(np.uint64(SHORTEST_RUN), np.uint64(LONGEST_RUN + 1)):
        shift, until = _cleared(table, left), np.uint64(0)
        for number in range(left):
            place = np.uint64(active[number])
            if length > SHORTEST_RUN:  # the runs of one word less that begin here and at the next word
                keys[place] = (np.uint64(firsts[place]) << np.uint64(32)) | np.uint64(firsts[place + one])
            first = _first_place(table, shift, keys, place)
            firsts[place] = first
            if first == place:
                counts[place] = 1
                continue
            counts[first] += 1
            if length >= FIRST_COVERED:
                covered[length] += sums[place + length] - sums[max(place, until)]
                until = place + length
        most, share, kept, before = 1, 0, np.uint64(0), size
        for number in range(left):
            place = np.uint64(active[number])
            count = counts[firsts[place]]
            if count == 1:
                continue
            if length < FIRST_COVERED and count >= most:
                run = (sums[place + length] - sums[place]) * count
                share = max(share, run) if count == most else run
                most = count
            if before + one == place:
                active[kept] = before
                kept += one
            before = place
        top[length] += min(share, sums[size])
        left = kept
        if left < 2:
            return


@compiled
def repetition(hashes: Any, characters: Any, word_ends: Any, stretch: Any, top: Any, covered: Any) -> None:
    """Characters of the top and of repeated runs per text, by length of run; longer texts in stretches of words."""
    longest = 2
    for document in range(len(word_ends) - 1):
        longest = max(longest, word_ends[document + 1] - word_ends[document])
    longest = min(longest, stretch)
    table, keys = np.empty(4 * longest + 8, dtype=np.uint32), np.empty(longest, dtype=np.uint64)
    firsts, counts = np.empty(longest + 1, dtype=np.uint32), np.empty(longest, dtype=np.int32)
    active, sums = np.empty(longest, dtype=np.uint32), np.zeros(longest + 1, dtype=np.int64)
    space = (table, keys, firsts, counts, active, sums)
    for document in range(len(word_ends) - 1):
        for begin in range(word_ends[document], word_ends[document + 1], stretch):
            size = min(stretch, word_ends[document + 1] - begin)
            for place in range(size):
                sums[place + 1] = sums[place] + characters[begin + place]
            if size > SHORTEST_RUN:
                _repeats(hashes, np.uint64(begin), np.uint64(size), space, top[document], covered[document])


@compiled
def word_counts(
    hashes: Any,
    characters: Any,
    letters: Any,
    word_ends: Any,
    languages: Any,
    stops: Any,
    lorem: Any,
    ipsum: Any,
    out: Any,
) -> None:
    """Per text: characters of words, words with a letter, different stop words of its language, "lorem ipsum" or not."""
    mask = np.uint64(stops.shape[1] - 1)
    for document in range(len(word_ends) - 1):
        language = languages[document]
        total, with_letter, found, filler = 0, 0, np.uint64(0), 0
        before = np.uint64(0)
        for word in range(word_ends[document], word_ends[document + 1]):
            code = hashes[word]
            total += characters[word]
            with_letter += letters[word]
            filler |= (code == ipsum) & (before == lorem)
            before = code
            if language >= 0:
                slot = code & mask
                while stops[language, slot, 0] != 0:
                    if stops[language, slot, 0] == code:
                        found |= stops[language, slot, 1]
                        break
                    slot = (slot + np.uint64(1)) & mask
        distinct = 0
        while found:
            found &= found - np.uint64(1)
            distinct += 1
        out[document, 0], out[document, 1], out[document, 2] = total, with_letter, distinct if language >= 0 else -1
        out[document, 3] = filler


@compiled
def _blank(byte: Any) -> Any:
    return byte == 32 or 9 <= byte <= 13


@compiled
def _line_hash(data: Any, eights: Any, begin: Any, end: Any) -> Any:
    """The hash of some bytes, eight at a time (`eights[i]` are those from i on), the last eight overlapping."""
    code, at, eight = np.uint64(end - begin), begin, np.uint64(8)
    if at + eight > end:
        while at < end:
            code = code * ODD + np.uint64(data[at])
            at += np.uint64(1)
        return mixed(code)
    while at + eight < end:
        code = (code ^ eights[at]) * ODD
        code ^= code >> np.uint64(32)
        at += eight
    return mixed((code ^ eights[end - eight]) * ODD)


@compiled
def _last_character(data: Any, begin: Any, end: Any) -> Any:
    """The line's last character."""
    place = end - 1
    while place > begin and (data[place] & 0xC0) == 0x80:
        place -= 1
    if data[place] < 0x80:
        return np.int64(data[place])
    point, _ = _decoded(data, place, end)
    return point


# What is looked at in a text's bytes: what a rule counts, and where lines and characters end.
BREAK, NUMBER_SIGN, BRACE, DOT, ELLIPSIS = 1, 2, 3, 4, 5


@compiled
def _characters(data: Any, begin: Any, end: Any) -> Any:
    count = 0
    for place in range(begin, end):  # no branch: many bytes at once
        count += (data[place] & 0xC0) != 0x80
    return count


@compiled
def _scanned(data: Any, begin: Any, end: Any, classes: Any, stops: Any, lengths: Any, out: Any) -> Any:
    """Count signs into `out`, and write where each line stops and how many characters it has; gives how many lines."""
    lines, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    line_begin, dots_end = begin, begin
    for at in range(begin, end):
        kind = classes[data[at]]
        if kind == 0:
            continue
        if kind == BREAK:
            stops[lines], lengths[lines] = at, _characters(data, line_begin, at)
            line_begin = at + one
            lines += one
        elif kind == DOT:
            if at >= dots_end and at + two < end and data[at + one] == 46 and data[at + two] == 46:
                out[10] += 1
                dots_end = at
                while dots_end < end and data[dots_end] == 46:
                    dots_end += one
        elif kind == ELLIPSIS:
            out[10] += at + two < end and data[at + one] == 0x80 and data[at + two] == 0xA6
        elif kind == NUMBER_SIGN:
            out[9] += 1
        else:
            out[11] += 1
    stops[lines], lengths[lines] = end, _characters(data, line_begin, end)
    return np.int64(lines + one)


@compiled
def text_counts(
    data: Any, eights: Any, offsets: Any, classes: Any, opens: Any, closes: Any, short: Any, most: Any, out: Any
) -> None:
    """Per text, of lines that are not blank: how many, bullets, ellipses, short, terminal, repeated; characters of lines
    and of repeated ones; of the text: characters, '#', ellipses (three dots or more in a row, or the sign), '{'.

    `opens` and `closes` tell by code point below their length what is a bullet and what may end a sentence.
    """
    table, codes = np.empty(4 * most + 8, dtype=np.uint32), np.empty(most, dtype=np.uint64)
    stops, lengths = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    for document in range(len(offsets) - 1):
        at, end, kept, counts = offsets[document], offsets[document + 1], np.uint64(0), out[document]
        lines = _scanned(data, np.uint64(at), np.uint64(end), classes, stops, lengths, counts)
        counts[8] = lines - 1
        shift = _cleared(table, lines)
        for line in range(lines):
            begin, after, length = at, stops[line], lengths[line]
            at = after + 1
            counts[8] += length
            while begin < after and _blank(data[begin]):
                begin, length = begin + 1, length - 1
            while after > begin and _blank(data[after - 1]):
                after, length = after - 1, length - 1
            if begin == after:
                continue
            last, opening = _last_character(data, begin, after), np.int64(data[begin])
            if opening >= 0x80:
                opening, _ = _decoded(data, begin, after)
            dots = after - begin >= 3 and last == 46 and data[after - 2] == 46 and data[after - 3] == 46
            codes[kept] = _line_hash(data, eights, np.uint64(begin), np.uint64(after))
            repeated = _first_place(table, shift, codes, kept) != kept
            kept += np.uint64(1)
            counts[0] += 1
            counts[1] += opening < len(opens) and opens[opening]
            counts[2] += dots or last == 0x2026
            counts[3] += length <= short
            counts[4] += last < len(closes) and closes[last]
            counts[5] += repeated
            counts[6] += length
            counts[7] += length * repeated


AT, DIGITS, IBAN, DOTTED, COLONS = 1, 2, 4, 8, 16  # bits of personal_flags
FEWEST_DIGITS, WIDEST_GAP = 7, 3  # a Spanish NIE has seven digits; three bytes hold ") (", "T10A" or a narrow space


@compiled
def personal_flags(data: Any, offsets: Any, out: Any) -> None:
    """Per text, which shapes of personal data its bytes leave possible."""
    for document in range(len(offsets) - 1):
        begin, end = offsets[document], offsets[document + 1]
        flags, digits, last_digit, dotted, in_a_row = 0, 0, -1000, 0, 0
        colons, last_colon = 0, -1000
        for place in range(begin, end):
            byte = np.int64(data[place])
            if byte - 48 >= 0 and byte - 48 <= 9:
                if place - last_digit > WIDEST_GAP + 1:
                    digits = 0
                in_a_row = in_a_row + 1 if last_digit == place - 1 else 1
                if in_a_row == 1 and not (place - 2 >= begin and last_digit == place - 2 and data[place - 1] == 46):
                    dotted = 0
                if in_a_row == 1:
                    dotted += 1
                    flags |= DOTTED * (dotted >= 4)
                digits += 1
                last_digit = place
                flags |= DIGITS * (digits >= FEWEST_DIGITS)
                if in_a_row == 2 and place - 3 >= begin:
                    inside = place - 4 >= begin and (_letter(data[place - 4]) or 48 <= data[place - 4] <= 57)
                    flags |= IBAN * (_letter(data[place - 3]) and _letter(data[place - 2]) and not inside)
            elif byte == 64:
                flags |= AT
            elif byte == 58:
                if place - last_colon > 5:
                    colons = 0
                colons += 1
                last_colon = place
                flags |= COLONS * (colons >= 2)
        out[document] = flags


@compiled
def _letter(byte: Any) -> Any:
    return 65 <= (byte & 0xDF) <= 90


@compiled
def _value(keys: Any, values: Any, key: Any) -> Any:
    """What an open-addressing table (0: free) holds under a key, or -1."""
    mask = np.uint64(len(keys) - 1)
    slot = key & mask
    while keys[slot] != 0:
        if keys[slot] == key:
            return values[slot]
        slot = (slot + np.uint64(1)) & mask
    return -1


@compiled
def fill(keys: Any, values: Any, new_keys: Any, new_values: Any) -> None:
    """Enter keys; the first value of a key stays."""
    mask = np.uint64(len(keys) - 1)
    for number in range(len(new_keys)):
        key = new_keys[number]
        slot = key & mask
        while keys[slot] != 0 and keys[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        if keys[slot] == 0:
            keys[slot], values[slot] = key, new_values[number]


@compiled
def _may_hold(bits: Any, key: Any) -> Any:
    """A bit for the key's upper half: most keys are not in the table, and the bits stay in the processor's cache."""
    place = (key >> np.uint64(32)) & np.uint64(len(bits) * 64 - 1)
    return (bits[place >> np.uint64(6)] >> (place & np.uint64(63))) & np.uint64(1)


@compiled
def mark(bits: Any, keys: Any) -> None:
    """Set the bit of each key."""
    for key in keys:
        place = (key >> np.uint64(32)) & np.uint64(len(bits) * 64 - 1)
        bits[place >> np.uint64(6)] |= np.uint64(1) << (place & np.uint64(63))


@compiled
def item_hits(
    hashes: Any, word_ends: Any, run: Any, least: Any, bits: Any, keys: Any, values: Any,
    head_bits: Any, head_keys: Any, head_lengths: Any, documents: Any, items: Any, wholes: Any,
) -> Any:  # fmt: skip
    """Write (text, item, whole or run) per place where an item is found; gives how many, also where they did not fit."""
    found = 0
    runs, heads = np.empty(len(hashes), dtype=np.uint64), np.empty(len(hashes), dtype=np.uint64)
    _run_hashes(hashes, run, runs[: max(len(hashes) - run + 1, 0)])
    _run_hashes(hashes, least, heads[: max(len(hashes) - least + 1, 0)])
    for document in range(len(word_ends) - 1):
        begin, end = word_ends[document], word_ends[document + 1]
        for start in range(begin, end - least + 1):
            if start + run <= end:
                key = runs[start]
                if _may_hold(bits, key):
                    item = _value(keys, values, key)
                    if item >= 0:
                        if found < len(items):
                            documents[found], items[found], wholes[found] = document, item, 0
                        found += 1
            head = heads[start]
            if not _may_hold(head_bits, head):
                continue
            lengths = _value(head_keys, head_lengths, head)  # one bit per length of the items that begin so
            if lengths < 0:
                continue
            for length in range(least, run):
                if (lengths >> length) & 1 and start + length <= end:
                    item = _value(keys, values, run_hash(hashes, start, length))
                    if item >= 0:
                        if found < len(items):
                            documents[found], items[found], wholes[found] = document, item, 1
                        found += 1
    return found
