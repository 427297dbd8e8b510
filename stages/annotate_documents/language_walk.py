"""The compiled loops of language identification: py3langid's automaton over bytes, several texts at a time.

One step of the automaton waits for memory (30 ns) and needs the step before it; eight texts walked side by side wait together,
which is four times as fast. All loops stand in this one file because numba's cache sees changes in a function's own file only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stages.annotate_documents.kernels.compiled import compiled

LANES = 8  # texts walked side by side; 4 and 16 measured the same
COLUMNS = 16  # languages whose scores are added at once; language.py pads to a multiple
NOBODY = 1 << 60  # steps left in a lane that has no text
LINE_FEED, SPACE = 10, 32


@compiled
def may_not_be_nfc(data: Any, offsets: Any, out: Any) -> None:
    """Which texts hold a byte of a character that NFC could change: none of Latin script without combining marks."""
    for document in range(len(offsets) - 1):
        found = False
        for place in range(offsets[document], offsets[document + 1]):
            byte = data[place]
            if byte < 0xCC:
                continue
            greek_or_marks = byte == 0xCC or byte == 0xCD or byte == 0xCE
            # E2 80 to E2 82 are dashes, quotes and currencies; but E2 80 80 and 81 are blanks that NFC replaces.
            sign = byte == 0xE2 and place + 2 < len(data) and (data[place + 1] in (0x81, 0x82))
            sign |= byte == 0xE2 and place + 2 < len(data) and data[place + 1] == 0x80 and data[place + 2] > 0x81
            if greek_or_marks or (byte >= 0xD2 and not sign):
                found = True
                break
        out[document] = found


@compiled
def heads(data: Any, offsets: Any, most: int, ends: Any, capitals: Any) -> None:
    """Where the first `most` characters of each text end, and whether they have no small ASCII letter."""
    for document in range(len(offsets) - 1):
        place, end, characters = offsets[document], offsets[document + 1], 0
        small = False
        while place < end:
            byte = data[place]
            if byte & 0xC0 != 0x80:
                if characters == most:
                    break
                characters += 1
            small |= 97 <= byte <= 122
            place += 1
        ends[document], capitals[document] = place, not small


@compiled
def lines(
    data: Any, offsets: Any, cursor: Any, fewest: int, owners: Any, starts: Any, ends: Any, sizes: Any, capitals: Any
) -> int:
    """Fill the arrays with lines of at least `fewest` characters, from the cursor (document, place) on; gives how many.

    ASCII blanks around a line do not belong to it. Fewer lines than the arrays hold: there are no more.
    """
    count, document, place = 0, cursor[0], cursor[1]
    while document < len(offsets) - 1:
        end = offsets[document + 1]
        while place < end:
            if count == len(owners):
                cursor[0], cursor[1] = document, place
                return count
            start, last, size, characters, small = -1, -1, 0, 0, False
            while place < end and data[place] != LINE_FEED:
                byte = data[place]
                place += 1
                if byte > SPACE and start < 0:
                    start = place - 1
                size += start >= 0 and byte & 0xC0 != 0x80
                small |= 97 <= byte <= 122
                if byte > SPACE:
                    last, characters = place, size
            place += 1
            if characters >= fewest:
                owners[count], starts[count], ends[count] = document, start, last
                sizes[count], capitals[count] = characters, not small
                count += 1
        document += 1
        if document < len(offsets):
            place = offsets[document]
    cursor[0], cursor[1] = document, place
    return count


@compiled
def _add_sixteen(features: Any, size: int, table: Any, steps: Any, counts: Any, scores: Any) -> None:
    """Add sixteen columns, written out: sums with a name of their own stay in registers, which is twice as fast as a loop.

    The k-th time a feature is seen adds log(1 + k) - log(k) times its row, so that one pass does it.
    """
    sum_0, sum_1, sum_2, sum_3 = scores[0], scores[1], scores[2], scores[3]
    sum_4, sum_5, sum_6, sum_7 = scores[4], scores[5], scores[6], scores[7]
    sum_8, sum_9, sum_10, sum_11 = scores[8], scores[9], scores[10], scores[11]
    sum_12, sum_13, sum_14, sum_15 = scores[12], scores[13], scores[14], scores[15]
    for place in range(size):
        feature = np.uint64(features[place])
        count = counts[feature]
        counts[feature] = count + np.uint32(1)
        weight = steps[np.uint64(count)]
        sum_0 += weight * table[feature, 0]
        sum_1 += weight * table[feature, 1]
        sum_2 += weight * table[feature, 2]
        sum_3 += weight * table[feature, 3]
        sum_4 += weight * table[feature, 4]
        sum_5 += weight * table[feature, 5]
        sum_6 += weight * table[feature, 6]
        sum_7 += weight * table[feature, 7]
        sum_8 += weight * table[feature, 8]
        sum_9 += weight * table[feature, 9]
        sum_10 += weight * table[feature, 10]
        sum_11 += weight * table[feature, 11]
        sum_12 += weight * table[feature, 12]
        sum_13 += weight * table[feature, 13]
        sum_14 += weight * table[feature, 14]
        sum_15 += weight * table[feature, 15]
    scores[0], scores[1], scores[2], scores[3] = sum_0, sum_1, sum_2, sum_3
    scores[4], scores[5], scores[6], scores[7] = sum_4, sum_5, sum_6, sum_7
    scores[8], scores[9], scores[10], scores[11] = sum_8, sum_9, sum_10, sum_11
    scores[12], scores[13], scores[14], scores[15] = sum_12, sum_13, sum_14, sum_15
    for place in range(size):
        counts[np.uint64(features[place])] = np.uint32(0)


@compiled
def _score(features: Any, size: int, table: Any, steps: Any, counts: Any, scores: Any) -> bool:
    """Add log(1 + how often) times its row of every feature; gives whether there was one. Leaves `counts` as it was: zero.

    The last row stands for "no feature".
    """
    nothing = np.uint64(len(table) - 1)
    found = False
    for place in range(size):
        found |= np.uint64(features[place]) != nothing
    if not found:
        return False
    for first in range(0, table.shape[1], COLUMNS):
        _add_sixteen(features, size, table[:, first : first + COLUMNS], steps, counts, scores[first : first + COLUMNS])
    return True


@compiled
def _decide(scores: Any, size: int, labels: Any, shares: Any) -> Any:
    """The most probable label and its probability: softmax over scores / sqrt(bytes), as py3langid has it."""
    scale = 1.0 / np.sqrt(float(max(size, 1)))
    highest, total = -np.inf, 0.0
    for column in range(len(labels)):
        highest = max(highest, scores[column] * scale)
    shares[:] = 0.0
    for column in range(len(labels)):
        share = np.exp(scores[column] * scale - highest)
        shares[labels[column]] += share
        total += share
    best = np.argmax(shares)
    return best, shares[best] / total


@compiled
def identify(
    data: Any, starts: Any, ends: Any, rows: Any, base: Any, feature_of: Any, table: Any, steps: Any, prior: Any,
    labels: Any, best: Any, probability: Any,
) -> None:  # fmt: skip
    """The label of each text data[starts:ends] and its probability; -1 and 0 where no feature was seen."""
    texts, longest = len(starts), np.int64(0)
    for text in range(texts):
        longest = max(longest, ends[text] - starts[text])
    features = np.empty((LANES, longest + 1), np.uint32)
    counts = np.zeros(len(table), np.uint32)
    scores, shares = np.empty(table.shape[1], np.float32), np.empty(len(labels), np.float64)
    place, walked = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    left, text_of = np.full(LANES, NOBODY), np.full(LANES, -1, np.int64)
    state, following, finished = np.zeros(LANES, np.uint32), 0, 0
    while finished < texts:
        for lane in range(LANES):
            if text_of[lane] < 0 and following < texts:
                text_of[lane], place[lane] = following, starts[following]
                left[lane] = ends[following] - starts[following]
                state[lane], walked[lane] = 0, 0
                following += 1
        together = left.min()
        for step in range(together):
            for lane in range(LANES):
                at = place[lane] + step if text_of[lane] >= 0 else 0
                state[lane] = rows[np.uint64(base[state[lane]]) + np.uint64(data[at])]
                features[lane, (walked[lane] + step) if text_of[lane] >= 0 else 0] = feature_of[state[lane]]
        for lane in range(LANES):
            text = text_of[lane]
            if text < 0:
                continue
            place[lane] += together
            walked[lane] += together
            left[lane] -= together
            if left[lane] == 0:
                scores[:] = prior
                if _score(features[lane], walked[lane], table, steps, counts, scores):
                    best[text], probability[text] = _decide(scores, walked[lane], labels, shares)
                else:
                    best[text], probability[text] = -1, 0.0
                text_of[lane], left[lane] = -1, NOBODY
                finished += 1
