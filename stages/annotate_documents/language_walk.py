"""The compiled loops of language identification: py3langid's automaton over bytes, several texts at a time.

One step of the automaton waits for memory (20 ns) and needs the step before it; eight texts walked side by side wait together.
They are copied onto a sheet of eight lanes first, one after the other, so that the walk has no ends of texts to look for.
A state is written as the number of its row of moves, times 256, plus its seat among the states that share the row: the
next move stands at that number without the seat, plus the byte, so that a step reads memory once. All loops stand in this
one file because numba's cache sees changes in a function's own file only. Places are unsigned, which spares a test for
negative ones at every byte.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stages.annotate_documents.kernels.compiled import compiled

LANES = 8  # walked side by side, written out in _walk
LANE_BYTES = 5000  # no power of two, so that lanes do not displace each other in the cache
END = 0xFF  # after each text, leads back to the start: no UTF-8 text holds it
TOGETHER = 8  # features added at once, written out in _add
COLUMNS = 16  # of the scores, in one row of a table
SEATS = 256  # states that may share a row
ROW = np.uint32(0xFFFFFF00)  # a state without its seat
LINE_FEED, SPACE = 10, 32


@compiled
def may_not_be_nfc(data: Any, offsets: Any, out: Any) -> None:
    """Which texts hold a byte of a character that NFC could change: none of Latin script without combining marks."""
    for document in range(len(offsets) - 1):
        begin, end, highest = np.uint64(offsets[document]), np.uint64(offsets[document + 1]), np.uint8(0)
        for place in range(begin, end):  # most texts end here, at 7 bytes a nanosecond
            highest = max(highest, data[place])
        out[document] = highest >= 0xCC and _has_doubtful(data, begin, end)


@compiled
def _has_doubtful(data: Any, begin: Any, end: Any) -> bool:
    for place in range(begin, end):
        byte = data[place]
        if byte < 0xCC:
            continue
        greek_or_marks = byte == 0xCC or byte == 0xCD or byte == 0xCE
        # E2 80 to E2 82 are dashes, quotes and currencies; but E2 80 80 and 81 are blanks that NFC replaces.
        sign = byte == 0xE2 and place + 2 < len(data) and (data[place + 1] in (0x81, 0x82))
        sign |= byte == 0xE2 and place + 2 < len(data) and data[place + 1] == 0x80 and data[place + 2] > 0x81
        if greek_or_marks or (byte >= 0xD2 and not sign):
            return True
    return False


@compiled
def _count(data: Any, begin: Any, end: Any) -> Any:
    """How many characters stand in data[begin:end], and whether one is a small ASCII letter."""
    characters, small = 0, False
    for place in range(np.uint64(begin), np.uint64(end)):
        byte = data[place]
        characters += byte & 0xC0 != 0x80
        small |= 97 <= byte <= 122
    return characters, small


@compiled
def heads(data: Any, offsets: Any, most: int, ends: Any, capitals: Any) -> None:
    """Where the first `most` characters of each text end, and whether they have no small ASCII letter."""
    for document in range(len(offsets) - 1):
        place, end, room, small = offsets[document], offsets[document + 1], most, False
        while room > 0 and place < end:  # as many bytes hold at most as many characters
            characters, found = _count(data, place, min(place + room, end))
            place, room, small = min(place + room, end), room - characters, small | found
        while place < end and data[place] & 0xC0 == 0x80:
            place += 1
        ends[document], capitals[document] = place, not small


@compiled
def whole_characters(data: Any, starts: Any, ends: Any, most: int) -> Any:
    """Ends at most `most` bytes after the starts and then moved back, by at most three bytes, to where a character begins."""
    cut = np.empty(len(ends), np.int64)
    for text in range(len(ends)):
        end = min(ends[text], starts[text] + most)
        for _ in range(3):
            if starts[text] < end < len(data) and data[end] & 0xC0 == 0x80:
                end -= 1
        cut[text] = end
    return cut


@compiled
def lines(
    data: Any, offsets: Any, cursor: Any, fewest: int, owners: Any, starts: Any, ends: Any, sizes: Any, capitals: Any
) -> int:
    """Fill the arrays with lines of at least `fewest` characters, from the cursor (document, place) on; gives how many.

    ASCII blanks around a line do not belong to it. Fewer lines than the arrays hold: there are no more.
    """
    one, count, document, place = np.uint64(1), 0, cursor[0], np.uint64(cursor[1])
    while document < len(offsets) - 1:
        end = np.uint64(offsets[document + 1])
        while place < end:
            if count == len(owners):
                cursor[0], cursor[1] = document, place
                return count
            start = place
            while place < end and data[place] != LINE_FEED:
                place += one
            last = place
            place += one
            while start < last and data[start] <= SPACE:
                start += one
            while start < last and data[last - one] <= SPACE:
                last -= one
            if last - start < np.uint64(fewest):
                continue
            characters, small = _count(data, start, last)
            if characters >= fewest:
                owners[count], starts[count], ends[count] = document, start, last
                sizes[count], capitals[count] = characters, not small
                count += 1
        document += 1
        if document < len(offsets):
            place = np.uint64(offsets[document])
    cursor[0], cursor[1] = document, place
    return count


@compiled
def _fill(data: Any, starts: Any, ends: Any, text: int, sheet: Any, places: Any) -> Any:
    """Write texts on the sheet, from `text` on: from left to right, each with its END, and as many as have room.

    Gives the first text that has none and how much of the lanes is used. `places` says where each begins, lane by lane.
    """
    one, width, used = np.uint64(1), sheet.shape[1], np.int64(0)
    for lane in range(LANES):
        at = np.uint64(0)
        while text < len(starts) and at + np.uint64(ends[text] - starts[text]) < np.uint64(width):
            places[text] = np.uint64(lane * width) + at
            for place in range(np.uint64(starts[text]), np.uint64(ends[text])):
                sheet[lane, at] = data[place]
                at += one
            sheet[lane, at] = END
            at += one
            text += 1
        if np.int64(at) > used:
            used = np.int64(at)
    return text, used


@compiled
def _walk(sheet: Any, used: int, moves: Any, start: Any, visited: Any) -> None:
    """The state after each byte of each lane: written out, since only states with a name of their own stay in registers."""
    state_0 = state_1 = state_2 = state_3 = state_4 = state_5 = state_6 = state_7 = start
    for step in range(np.uint64(used)):
        state_0 = moves[np.uint64(state_0 & ROW) + np.uint64(sheet[0, step])]
        state_1 = moves[np.uint64(state_1 & ROW) + np.uint64(sheet[1, step])]
        state_2 = moves[np.uint64(state_2 & ROW) + np.uint64(sheet[2, step])]
        state_3 = moves[np.uint64(state_3 & ROW) + np.uint64(sheet[3, step])]
        state_4 = moves[np.uint64(state_4 & ROW) + np.uint64(sheet[4, step])]
        state_5 = moves[np.uint64(state_5 & ROW) + np.uint64(sheet[5, step])]
        state_6 = moves[np.uint64(state_6 & ROW) + np.uint64(sheet[6, step])]
        state_7 = moves[np.uint64(state_7 & ROW) + np.uint64(sheet[7, step])]
        visited[0, step], visited[1, step], visited[2, step], visited[3, step] = state_0, state_1, state_2, state_3
        visited[4, step], visited[5, step], visited[6, step], visited[7, step] = state_4, state_5, state_6, state_7


@compiled
def _features(visited: Any, first: Any, feature_of: Any, logs: Any, counts: Any, features: Any, weights: Any) -> Any:
    """The different features of the visited states and what each weighs; gives how many. Leaves `counts` as it was: zero.

    A feature seen k times weighs log(1 + k). The last feature stands for "none" and is left out, here and there without a
    branch; what is missing to a multiple of TOGETHER is filled with it.
    """
    one, nothing, seen, different = np.uint64(1), np.uint32(len(counts) - 1), np.uint64(0), np.uint64(0)
    for place in range(np.uint64(len(visited))):
        state = visited[place]
        feature = feature_of[np.uint64(first[np.uint64(state >> np.uint32(8))] + (state & np.uint32(0xFF)))]
        features[seen] = feature
        seen += np.uint64(feature != nothing)
    for place in range(seen):
        counts[np.uint64(features[place])] += np.uint16(1)
    for place in range(seen):
        feature = np.uint64(features[place])
        count = counts[feature]
        features[different], weights[different] = feature, logs[np.uint64(count)]
        counts[feature] = np.uint16(0)
        different += one if count > 0 else np.uint64(0)
    for place in range(different, different + np.uint64(TOGETHER)):
        features[place], weights[place] = nothing, 0.0
    return different


@compiled
def _add(features: Any, weights: Any, size: int, table: Any, scores: Any) -> None:
    """Add its weight times its row of the table for every feature.

    Eight features at a time, in the order of the text: the loop over columns is what the compiler makes wide, if it does not
    know their number, and scores then wait for their own sums an eighth of the times (three times as fast as one by one).
    """
    for place in range(np.uint64(0), np.uint64(size), np.uint64(TOGETHER)):
        feature_0, weight_0 = np.uint64(features[place + np.uint64(0)]), weights[place + np.uint64(0)]
        feature_1, weight_1 = np.uint64(features[place + np.uint64(1)]), weights[place + np.uint64(1)]
        feature_2, weight_2 = np.uint64(features[place + np.uint64(2)]), weights[place + np.uint64(2)]
        feature_3, weight_3 = np.uint64(features[place + np.uint64(3)]), weights[place + np.uint64(3)]
        feature_4, weight_4 = np.uint64(features[place + np.uint64(4)]), weights[place + np.uint64(4)]
        feature_5, weight_5 = np.uint64(features[place + np.uint64(5)]), weights[place + np.uint64(5)]
        feature_6, weight_6 = np.uint64(features[place + np.uint64(6)]), weights[place + np.uint64(6)]
        feature_7, weight_7 = np.uint64(features[place + np.uint64(7)]), weights[place + np.uint64(7)]
        for column in range(np.uint64(len(scores))):
            scores[column] = (
                scores[column]
                + weight_0 * table[feature_0, column]
                + weight_1 * table[feature_1, column]
                + weight_2 * table[feature_2, column]
                + weight_3 * table[feature_3, column]
                + weight_4 * table[feature_4, column]
                + weight_5 * table[feature_5, column]
                + weight_6 * table[feature_6, column]
                + weight_7 * table[feature_7, column]
            )


@compiled
def _highest(scores: Any, columns: int) -> Any:
    """Where the highest score stands (np.argmax, which looks for what is no number, takes longer than all else here)."""
    best = 0
    for column in range(1, columns):
        best = column if scores[column] > scores[best] else best
    return best


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
    data: Any, starts: Any, ends: Any, start: Any, moves: Any, first: Any, feature_of: Any, tables: Any, logs: Any,
    prior: Any, labels: Any, weighed: bool, best: Any, probability: Any,
) -> None:  # fmt: skip
    """The label of each text data[starts:ends] and, if it is to be weighed, its probability; -1 and 0 where no feature was seen."""
    longest = np.int64(0)
    for text in range(len(starts)):
        if ends[text] - starts[text] > longest:
            longest = ends[text] - starts[text]
    width: Any = max(LANE_BYTES, longest + 1)
    sheet, visited = np.full((LANES, width), END, np.uint8), np.empty((LANES, width), np.uint32)
    places, counts = np.empty(len(starts), np.uint64), np.zeros(tables.shape[1], np.uint16)
    features, weights = np.empty(longest + TOGETHER, np.uint32), np.empty(longest + TOGETHER, np.float32)
    scores, shares = np.empty(len(prior), np.float32), np.empty(len(labels), np.float64)
    states = visited.reshape(-1)
    begun = 0
    while begun < len(starts):
        following, used = _fill(data, starts, ends, begun, sheet, places)
        _walk(sheet, used, moves, start[0], visited)
        for text in range(begun, following):
            size = ends[text] - starts[text]
            seen = states[places[text] : places[text] + np.uint64(size)]
            best[text], probability[text] = -1, 0.0
            different = _features(seen, first, feature_of, logs, counts, features, weights)
            if different:
                scores[:] = prior
                for block in range(len(tables)):
                    _add(features, weights, different, tables[block], scores[block * COLUMNS : (block + 1) * COLUMNS])
                if weighed:
                    best[text], probability[text] = _decide(scores, size, labels, shares)
                else:
                    best[text] = labels[_highest(scores, len(labels))]
        begun = following
