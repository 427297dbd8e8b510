"""Tell which language each document is written in, and how much of it reads as another one, offline.

The model is the one that py3langid carries, restricted to the languages of the project and those they are taken for: that is
what tells Galician from Portuguese and Spanish, and Occitan from Catalan. Its answers are py3langid's own.
"""

from __future__ import annotations

import functools
import hashlib
import math
import unicodedata
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.annotate_documents.kernels.kept import kept
from stages.annotate_documents.kernels.words import utf8
from stages.errors import Trouble

LANGUAGE = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("declared", pa.string()),
        pa.field("identified", pa.string()),  # "" where nothing could be read
        pa.field("probability", pa.float32()),
        pa.field("other_share", pa.float32()),  # of the characters in lines that are long enough to be read
    ]
)
BLOCK_LINES = 50_000  # lines held at once, so that one document of a gigabyte needs no more memory
BLOCK_DOCUMENTS = 10_000
LONGEST_BYTES = 4096  # what is read of one line or sample at most: py3langid's verdict does not change any more
PLACES = 5  # decimals of a probability, so that another processor's exp() gives the same bytes


class Reading(NamedTuple):
    """How much is read."""

    sample_characters: int = 300  # from a document's beginning, for its verdict: 4,000 tell no better
    line_characters: int = 30  # shorter lines are not judged: names, headings, numbers
    line_bytes: int = 32  # read of a line first; all of it where that reads as another language than the document
    line_probability: float = 0.9  # from here on a line counts as written in the other language


class Automaton(NamedTuple):
    """States are numbers of a row and a seat, as language_walk.py explains."""

    start: np.uint32
    moves: NDArray[np.uint32]  # next state by (row, byte)
    first: NDArray[np.uint32]  # place in feature_of of each row's first seat
    feature_of: NDArray[np.uint32]


class Model(NamedTuple):
    """py3langid's automaton and scores, restricted to some languages, as arrays that compiled code reads."""

    names: NDArray[np.str_]  # of the languages
    start: NDArray[np.uint32]  # of the automaton, alone
    moves: NDArray[np.uint32]
    first: NDArray[np.uint32]
    feature_of: NDArray[np.uint32]
    tables: NDArray[np.float32]  # scores by block of columns, feature (the last one: none) and column
    logs: NDArray[np.float32]  # log(1 + k)
    prior: NDArray[np.float32]
    labels: NDArray[np.int64]  # of each column of the scores: two scripts of one language share a label


class Verdicts(NamedTuple):
    """By text: the number of the language (-1: nothing was read) and its probability."""

    best: NDArray[np.int64]
    probability: NDArray[np.float64]


@functools.lru_cache(maxsize=4)
def load_model(languages: tuple[str, ...], confusable: tuple[str, ...] = ()) -> Model:
    """py3langid's model, restricted to the declared languages and those they could be taken for."""
    from stages.annotate_documents import language_walk as walk

    wanted = sorted({*languages, *confusable})
    code = [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in (__file__, walk.__file__)]
    return kept(Model, (metadata.version("py3langid"), wanted, code), functools.partial(_built, wanted))


def _built(wanted: list[str]) -> Model:
    """The model from py3langid's own file (1 s)."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    from stages.annotate_documents import language_walk as walk

    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    if unknown := [code for code in wanted if code not in whole.labels]:
        raise Trouble(
            f"Language identification does not know {', '.join(unknown)}; it knows {', '.join(whole.labels)}: "
            "take it out of the parameters `languages` or `confusable`."
        )
    whole.set_languages(wanted)
    outputs = np.asarray(whole.tk_output, np.int64)
    features, columns = whole.nb_ptc.shape
    scores = np.zeros((features + 1, math.ceil(columns / walk.COLUMNS) * walk.COLUMNS), np.float32)
    scores[:-1, :columns] = whole.nb_ptc
    prior = np.zeros(scores.shape[1], np.float32)
    prior[:columns] = whole.nb_pc
    automaton = _seated(
        np.asarray(whole.tk_nextmove, np.uint32).reshape(-1, 256),
        np.asarray(whole.tk_row, np.int64),
        np.where(outputs < 0, features, outputs),
        np.exp(scores[:, :columns]).sum(axis=1),
    )
    # The features, too, in the order of the states; "none" stays the last.
    known, firsts = np.unique(automaton.feature_of, return_index=True)
    known = known[np.argsort(firsts)]
    order = np.append(known[known != features], features)
    number = np.zeros(features + 1, np.uint32)
    number[order] = np.arange(len(order))
    return Model(
        names=np.array(whole.labels),
        start=np.array([automaton.start]),
        moves=automaton.moves,
        first=automaton.first,
        feature_of=number[automaton.feature_of],
        tables=np.ascontiguousarray(scores[order].reshape(len(order), -1, walk.COLUMNS).swapaxes(0, 1)),
        logs=np.log1p(np.arange(LONGEST_BYTES + 2, dtype=np.float64)).astype(np.float32),
        prior=prior,
        labels=np.array([whole.labels.index(name) for name in whole.nb_classes], np.int64),
    )


def _seated(
    moves: NDArray[np.uint32], row_of: NDArray[np.int64], feature_of: NDArray[np.int64], heat: NDArray[np.float32]
) -> Automaton:
    """States renumbered by row and seat; the rows that these languages visit most stand side by side, as memory likes it.

    `heat` says how likely each feature is; that of the last one, none, is highest, and the states without are indeed visited.
    """
    from stages.annotate_documents.language_walk import END, SEATS

    by_row = np.argsort(row_of, kind="stable")
    seat = np.empty_like(row_of)
    seat[by_row] = _ranks(np.bincount(row_of, minlength=len(moves)))
    # A row that more states share than there are seats stands twice or more.
    rows, row_of = np.unique(row_of * len(row_of) + seat // SEATS, return_inverse=True)
    moves = moves[rows // len(row_of)]
    order = np.argsort(-np.bincount(row_of, heat[feature_of]), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    states = (place[row_of] * SEATS + seat % SEATS).astype(np.uint32)
    seated = states[moves[order]]
    seated[:, END] = states[0]
    return Automaton(
        start=states[0],
        moves=seated.ravel(),
        first=np.searchsorted(np.sort(states), np.arange(len(moves)) * SEATS).astype(np.uint32),
        feature_of=feature_of[np.argsort(states)].astype(np.uint32),
    )


def _ranks(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, … for each size, one after the other."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def table(documents: pa.Table, model: Model, reading: Reading) -> pa.Table:
    """The language table of documents with `id`, `text` and `language`."""
    documents = pa.table(documents)
    parts = [
        _part(documents.slice(start, BLOCK_DOCUMENTS), model, reading)
        for start in range(0, documents.num_rows, BLOCK_DOCUMENTS)
    ]
    return pa.concat_tables([LANGUAGE.empty_table(), *parts])


def identify(texts: Sequence[str], model: Model) -> list[tuple[str, float]]:
    """The language of each text, read whole, and its probability; "" and 0 where nothing could be read."""
    data, offsets = _composed(pa.array(texts, pa.large_string()))
    sample = _samples(data, offsets, max(map(len, texts), default=0), model)
    return [
        (_name(model, number), probability)
        for number, probability in zip(sample.best.tolist(), sample.probability.tolist(), strict=True)
    ]


def _part(documents: pa.Table, model: Model, reading: Reading) -> pa.Table:
    data, offsets = _composed(documents["text"])
    verdicts = _samples(data, offsets, reading.sample_characters, model)
    columns = [
        documents["id"],
        documents["language"],
        pa.array([_name(model, number) for number in verdicts.best.tolist()], pa.string()),
        verdicts.probability.astype(np.float32),
        _other_shares(data, offsets, verdicts.best, model, reading),
    ]
    return pa.table(columns, schema=LANGUAGE)


def _name(model: Model, number: int) -> str:
    return str(model.names[number]) if number >= 0 else ""


def _composed(texts: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of texts in NFC, as py3langid reads them, and their offsets; most are already, and their bytes say so."""
    from stages.annotate_documents import language_walk as walk

    data, offsets = utf8(texts)
    data = _read_only(data)
    doubtful = np.zeros(len(offsets) - 1, np.bool_)
    walk.may_not_be_nfc(data, offsets, doubtful)
    parts, sizes, kept = [], np.diff(offsets), 0
    for place in np.flatnonzero(doubtful):
        text = bytes(data[offsets[place] : offsets[place + 1]]).decode()
        if not unicodedata.is_normalized("NFC", text):
            composed = np.frombuffer(unicodedata.normalize("NFC", text).encode(), np.uint8)
            parts += [data[kept : offsets[place]], composed]
            sizes[place], kept = len(composed), offsets[place + 1]
    if not parts:
        return data, offsets
    return _read_only(np.concatenate([*parts, data[kept:]])), np.concatenate([[0], np.cumsum(sizes)])


def _read_only(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As Arrow's memory is: all loops would be compiled once more for bytes that can be written to."""
    data = data.view()
    data.setflags(write=False)
    return data


def _samples(data: NDArray[np.uint8], offsets: NDArray[np.int64], characters: int, model: Model) -> Verdicts:
    """What the beginnings of the documents are written in."""
    from stages.annotate_documents import language_walk as walk

    ends, capitals = np.zeros(len(offsets) - 1, np.int64), np.zeros(len(offsets) - 1, np.bool_)
    walk.heads(data, offsets, characters, ends, capitals)
    return _identified(data, offsets[:-1], ends, capitals, model)


def _other_shares(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], own: NDArray[np.int64], model: Model, reading: Reading
) -> NDArray[np.float32]:
    judged, other = np.zeros(len(own)), np.zeros(len(own))
    for lines in _line_blocks(data, offsets, reading.line_characters):
        differs = _differs(data, lines, own, model, reading)
        judged += np.bincount(lines.owners, lines.sizes, len(own))
        other += np.bincount(lines.owners, lines.sizes * differs, len(own))
    return (other / np.maximum(judged, 1)).astype(np.float32)


class Lines(NamedTuple):
    """Lines of a block: the document, where the bytes begin and end, characters, and whether all letters may be capitals."""

    owners: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    sizes: NDArray[np.int64]
    capitals: NDArray[np.bool_]

    def of(self, chosen: Any) -> Lines:
        return Lines._make(column[chosen] for column in self)


def _line_blocks(data: NDArray[np.uint8], offsets: NDArray[np.int64], fewest: int) -> Iterator[Lines]:
    from stages.annotate_documents import language_walk as walk

    cursor = np.array([0, offsets[0]], np.int64)
    owners, starts, ends, sizes = np.zeros((4, BLOCK_LINES), np.int64)
    room = Lines(owners, starts, ends, sizes, np.zeros(BLOCK_LINES, np.bool_))
    count = BLOCK_LINES
    while count == BLOCK_LINES:
        count = walk.lines(data, offsets, cursor, fewest, *room)
        yield room.of(slice(0, count))


def _differs(
    data: NDArray[np.uint8], lines: Lines, own: NDArray[np.int64], model: Model, reading: Reading
) -> NDArray[np.bool_]:
    """Which lines surely read as another language than their document; most are settled by their beginning."""
    from stages.annotate_documents import language_walk as walk

    mine = own[lines.owners]
    heads = walk.whole_characters(data, lines.starts, lines.ends, reading.line_bytes)
    first = _identified(data, lines.starts, heads, lines.capitals, model, weighed=False)
    doubtful = np.flatnonzero((first.best != mine) & (first.best >= 0) & (mine >= 0))
    rest = lines.of(doubtful)
    whole = _identified(data, rest.starts, rest.ends, rest.capitals, model)
    differs = np.zeros(len(mine), np.bool_)
    differs[doubtful] = (whole.best != mine[doubtful]) & (whole.probability >= reading.line_probability)
    return differs


def _identified(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    capitals: NDArray[np.bool_],
    model: Model,
    weighed: bool = True,
) -> Verdicts:
    """What data[starts:ends] are written in; those all in capitals are read in small letters, as by py3langid.

    Unless `weighed`, the probabilities stay 0: of short texts, the exponentials take a quarter of the time.
    """
    from stages.annotate_documents import language_walk as walk

    ends = walk.whole_characters(data, starts, ends, LONGEST_BYTES)
    verdicts = _walked(data, starts, ends, model, weighed)
    places = np.flatnonzero(capitals & (starts < ends))
    spoken = [_in_small_letters(bytes(data[starts[place] : ends[place]])) for place in places]
    changed = [number for number, text in enumerate(spoken) if text is not None]
    small = [text for text in spoken if text is not None]
    bounds = np.cumsum([0, *map(len, small)])
    again = _walked(np.frombuffer(b"".join(small), np.uint8), bounds[:-1], bounds[1:], model, weighed)
    verdicts.best[places[changed]] = again.best
    verdicts.probability[places[changed]] = again.probability
    return verdicts


def _in_small_letters(utf8_text: bytes) -> bytes | None:
    text = utf8_text.decode("utf-8", "replace")
    if not text.isupper():
        return None
    return unicodedata.normalize("NFC", text.lower()).encode("utf-8")[:LONGEST_BYTES]


def _walked(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], model: Model, weighed: bool
) -> Verdicts:
    from stages.annotate_documents import language_walk as walk

    best, probability = np.full(len(starts), -1, np.int64), np.zeros(len(starts))
    if len(data):
        starts, ends = np.ascontiguousarray(starts), np.ascontiguousarray(ends)
        walk.identify(data, starts, ends, *model[1:], weighed, best, probability)
    return Verdicts(best, np.round(probability, PLACES))
