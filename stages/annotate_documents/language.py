"""Tell which language each document is written in, and how much of it reads as another one, offline.

The model is the one that py3langid carries, restricted to the languages of the project and those they are taken for: that is
what tells Galician from Portuguese and Spanish, and Occitan from Catalan. Its answers are py3langid's own.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

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
COLUMNS = 16  # of the scores are added at once by language_walk.py
PLACES = 5  # decimals of a probability, so that another processor's exp() gives the same bytes


class Reading(NamedTuple):
    """How much is read."""

    sample_characters: int = 500  # of a document, from its beginning, for its verdict
    line_characters: int = 30  # shorter lines are not judged: names, headings, numbers
    line_bytes: int = 64  # read of a line first; all of it where that reads as another language than the document
    line_probability: float = 0.9  # from here on a line counts as written in the other language


class Model(NamedTuple):
    """py3langid's automaton and scores, as arrays that compiled code reads."""

    names: tuple[str, ...]
    labels: NDArray[np.int64]  # of each column of the scores: two scripts of one language share a label
    rows: NDArray[np.uint32]  # next state by (row, byte)
    base: NDArray[np.uint32]  # first entry of each state's row
    feature_of: NDArray[np.uint32]  # by state
    table: NDArray[np.float32]  # scores by feature and column, and one empty row
    prior: NDArray[np.float32]
    steps: NDArray[np.float32]  # log(1 + k) - log(k)


class Verdicts(NamedTuple):
    """By text: the number of the language (-1: nothing was read) and its probability."""

    best: NDArray[np.int64]
    probability: NDArray[np.float64]


@functools.lru_cache(maxsize=4)
def load_model(languages: tuple[str, ...], confusable: tuple[str, ...] = ()) -> Model:
    """py3langid's model (1 s to load), restricted to the declared languages and those they could be taken for."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    wanted = sorted({*languages, *confusable})
    if unknown := [code for code in wanted if code not in whole.labels]:
        raise Trouble(
            f"Language identification does not know {', '.join(unknown)}; it knows {', '.join(whole.labels)}: "
            "take it out of the parameters `languages` or `confusable`."
        )
    whole.set_languages(wanted)
    outputs = np.asarray(whole.tk_output, np.int64)
    features, columns = whole.nb_ptc.shape
    table = np.zeros((features + 1, math.ceil(columns / COLUMNS) * COLUMNS), np.float32)
    table[:-1, :columns] = whole.nb_ptc
    prior = np.zeros(table.shape[1], np.float32)
    prior[:columns] = whole.nb_pc
    times = np.arange(LONGEST_BYTES + 2, dtype=np.float64)
    return Model(
        names=tuple(whole.labels),
        labels=np.array([whole.labels.index(name) for name in whole.nb_classes], np.int64),
        rows=np.asarray(whole.tk_nextmove, np.uint32),
        base=np.asarray(whole.tk_row, np.uint32) << np.uint32(8),
        feature_of=np.where(outputs < 0, features, outputs).astype(np.uint32),
        table=table,
        prior=prior,
        steps=np.diff(np.log1p(times)).astype(np.float32),
    )


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
    data, offsets = utf8(_composed(pa.array(texts, pa.large_string())))
    sample = _samples(data, offsets, max(map(len, texts), default=0), model)
    return [
        (_name(model, number), probability)
        for number, probability in zip(sample.best.tolist(), sample.probability.tolist(), strict=True)
    ]


def _part(documents: pa.Table, model: Model, reading: Reading) -> pa.Table:
    data, offsets = utf8(_composed(documents["text"]))
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
    return model.names[number] if number >= 0 else ""


def _composed(texts: Any) -> Any:
    """The same texts in NFC, as py3langid reads them; most are already, and their bytes say so."""
    from stages.annotate_documents import language_walk as walk

    data, offsets = utf8(texts)
    doubtful = np.zeros(len(offsets) - 1, np.bool_)
    walk.may_not_be_nfc(data, offsets, doubtful)
    composed: dict[int, str] = {}
    for place in np.flatnonzero(doubtful).tolist():
        text = texts[place].as_py() or ""
        if not unicodedata.is_normalized("NFC", text):
            composed[place] = unicodedata.normalize("NFC", text)
    if not composed:
        return texts
    return pa.array([composed.get(place, text) for place, text in enumerate(texts.to_pylist())], pa.large_string())


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
    mine = own[lines.owners]
    heads = _whole_characters(data, lines.starts, np.minimum(lines.ends, lines.starts + reading.line_bytes))
    first = _identified(data, lines.starts, heads, lines.capitals, model)
    doubtful = np.flatnonzero((first.best != mine) & (first.best >= 0) & (mine >= 0))
    rest = lines.of(doubtful)
    whole = _identified(data, rest.starts, rest.ends, rest.capitals, model)
    differs = np.zeros(len(mine), np.bool_)
    differs[doubtful] = (whole.best != mine[doubtful]) & (whole.probability >= reading.line_probability)
    return differs


def _whole_characters(data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ends moved back to where a character begins, at most three bytes."""
    if not len(data):
        return ends
    for _ in range(3):
        inside = (ends < len(data)) & (ends > starts) & (data[np.minimum(ends, len(data) - 1)] & 0xC0 == 0x80)
        ends = ends - inside
    return ends


def _identified(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    capitals: NDArray[np.bool_],
    model: Model,
) -> Verdicts:
    """What data[starts:ends] are written in; those all in capitals are read in small letters, as by py3langid."""
    ends = _whole_characters(data, starts, np.minimum(ends, starts + LONGEST_BYTES))
    verdicts = _walked(data, starts, ends, model)
    places = np.flatnonzero(capitals & (verdicts.best >= 0))
    spoken = [_in_small_letters(bytes(data[starts[place] : ends[place]])) for place in places]
    changed = [number for number, text in enumerate(spoken) if text is not None]
    small = [text for text in spoken if text is not None]
    bounds = np.cumsum([0, *map(len, small)])
    again = _walked(np.frombuffer(b"".join(small), np.uint8), bounds[:-1], bounds[1:], model)
    verdicts.best[places[changed]] = again.best
    verdicts.probability[places[changed]] = again.probability
    return verdicts


def _in_small_letters(utf8_text: bytes) -> bytes | None:
    text = utf8_text.decode("utf-8", "replace")
    if not text.isupper():
        return None
    return unicodedata.normalize("NFC", text.lower()).encode("utf-8")[:LONGEST_BYTES]


def _walked(data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], model: Model) -> Verdicts:
    from stages.annotate_documents import language_walk as walk

    best, probability = np.full(len(starts), -1, np.int64), np.zeros(len(starts))
    if len(data):
        automaton = (model.rows, model.base, model.feature_of, model.table, model.steps, model.prior, model.labels)
        walk.identify(data, np.ascontiguousarray(starts), np.ascontiguousarray(ends), *automaton, best, probability)
    return Verdicts(best, np.round(probability, PLACES))
