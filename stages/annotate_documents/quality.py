"""Count what the quality rules of Gopher, C4 and FineWeb look at, as numbers; which number is too high is for the mix to say.

Sources: Gopher (Rae et al. 2021, table A1 and section A1.1), C4 (Raffel et al. 2020, section 2.2), FineWeb (Penedo et al.
2024, section 3.6). Words are those of `stages/overlap.py`; lines end at a line feed, are stripped of ASCII blanks, and count
where anything is left.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.annotate_documents.kernels import compiled
from stages.annotate_documents.kernels.words import Piece, Words, pieces, utf8, word_hash

SHARES = (
    "symbol_word_ratio",
    "alpha_word_share",
    "bullet_line_share",
    "ellipsis_line_share",
    "short_line_share",
    "terminal_line_share",
    "duplicate_line_share",
    "duplicate_line_character_share",
    "top_2gram_share",
    "top_3gram_share",
    "top_4gram_share",
    "duplicate_5gram_share",
    "duplicate_6gram_share",
    "duplicate_7gram_share",
    "duplicate_8gram_share",
    "duplicate_9gram_share",
    "duplicate_10gram_share",
)
QUALITY = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("characters", pa.int32()),
        pa.field("words", pa.int32()),
        pa.field("mean_word_length", pa.float32()),
        *(pa.field(name, pa.float32()) for name in SHARES),
        pa.field("stop_words", pa.int32()),  # different ones; -1 where the language has no list here
        pa.field("curly_brackets", pa.int32()),
        pa.field("lorem_ipsum", pa.bool_()),
    ]
)
SHORT_LINE = 30  # characters (FineWeb)
BULLETS = "•‣◦▪■●–—-*·"
TERMINALS = ".!?…\"'»”’。！？"
STRETCH = 1 << 20  # words: a longer text's repetitions are counted in stretches, so that memory stays bounded

# Gopher asks for two of eight English ones; these are as common in theirs.
STOP_WORDS = {
    "en": "the be to of and that have with",
    "es": "de la que el en y los con",
    "fr": "de la et le les des que est",
    "ca": "de la que el i els amb és",
    "eu": "eta da du ez dira bat hau den",
    "gl": "de que o a e do da non",
    "oc": "de la que lo e los amb es",
    "de": "der die und das in den mit nicht",
    "it": "di e che la il per non con",
    "pt": "de que o a e do da para",
    "nl": "de het een van en in dat niet",
}


def measure(documents: pa.Table) -> pa.Table:
    """The quality table of documents with `id`, `text` and `language`."""
    return pa.concat_tables([QUALITY.empty_table(), *(quality(piece) for piece in pieces(documents))])


def quality(piece: Piece) -> pa.Table:
    """The quality table of one piece."""
    words = piece.words
    counts = _word_counts(words, piece.documents["language"])
    top, covered = repetition(words)
    lines = _text_counts(piece.documents["text"])
    number, total = np.diff(words.word_ends), counts[:, 0]
    line_shares = [_share(lines[:, column], lines[:, 0]) for column in range(1, 6)]
    shares = [
        _share(np.maximum(lines[:, 9], lines[:, 10]), number),
        _share(counts[:, 1], number),
        *line_shares,
        _share(lines[:, 7], lines[:, 6]),
        *(_share(top[:, length], total) for length in (2, 3, 4)),
        *(_share(covered[:, length], total) for length in range(5, 11)),
    ]
    columns = [
        piece.documents["id"],
        lines[:, 8].astype(np.int32),
        number.astype(np.int32),
        _share(total, number),
        *shares,
        counts[:, 2].astype(np.int32),
        lines[:, 11].astype(np.int32),
        counts[:, 3].astype(np.bool_),
    ]
    return pa.table(columns, schema=QUALITY)


def repetition(words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By text and length of run: the characters of the most frequent run's occurrences, and those of repeated runs.

    Characters are those of words. The most frequent run counts where it occurs twice, the longest of equally frequent ones;
    a repeated run is one that was there before, and a character in two of them counts once.
    """
    top = np.zeros((len(words), compiled.LONGEST_RUN + 1), np.int64)
    covered = np.zeros_like(top)
    compiled.repetition(words.hashes, words.characters, words.word_ends, STRETCH, top, covered)
    return top, covered


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float32]:
    return (part / np.maximum(whole, 1)).astype(np.float32)


def _text_counts(texts: Any) -> NDArray[np.int64]:
    """What `text_counts` counts in lines and signs, a row per text."""
    data, offsets = utf8(texts)
    # The eight bytes from every place on, as one number: overlapping views, no copy.
    eights = np.ndarray((max(len(data) - 7, 0),), np.dtype("<u8"), data, strides=(1,))
    out = np.zeros((len(offsets) - 1, 12), np.int64)
    most = int(np.diff(offsets).max(initial=0)) + 1  # lines: memory is only taken where it is written
    compiled.text_counts(data, eights, offsets, _classes(), _points(BULLETS), _points(TERMINALS), SHORT_LINE, most, out)
    return out


@functools.cache
def _classes() -> NDArray[np.uint8]:
    classes = np.zeros(256, np.uint8)
    classes[[ord("\n"), ord("#"), ord("{"), ord("."), 0xE2]] = (
        compiled.BREAK,
        compiled.NUMBER_SIGN,
        compiled.BRACE,
        compiled.DOT,
        compiled.ELLIPSIS,
    )
    return classes


@functools.cache
def _points(characters: str) -> NDArray[np.bool_]:
    """By code point, whether it is one of the characters."""
    table = np.zeros(0x10000, bool)
    table[[ord(character) for character in characters]] = True
    return table


def _word_counts(words: Words, languages: Any) -> NDArray[np.int64]:
    names, stops, lorem, ipsum = _known_words()
    out = np.zeros((len(words), 4), np.int64)
    which = np.array([names.get(language, -1) for language in languages.to_pylist()], np.int64)
    compiled.word_counts(
        words.hashes, words.characters, words.letters, words.word_ends, which, stops, lorem, ipsum, out
    )
    return out


@functools.cache
def _known_words() -> tuple[dict[str, int], NDArray[np.uint64], np.uint64, np.uint64]:
    """Languages by number, their stop words as small hash tables (hash, bit), and "lorem ipsum"."""
    stops = np.zeros((len(STOP_WORDS), 64, 2), np.uint64)
    for language, listed in enumerate(STOP_WORDS.values()):
        for bit, word in enumerate(listed.split()):
            code = int(word_hash(word))
            slot = code % 64
            while stops[language, slot, 0]:
                slot = (slot + 1) % 64
            stops[language, slot] = code, 1 << bit
    names = {language: number for number, language in enumerate(STOP_WORDS)}
    return names, stops, word_hash("lorem"), word_hash("ipsum")
