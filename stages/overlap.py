"""Find where a text holds a benchmark's items: runs of eight words, and short items as a whole.

The words of a text, the items of a folder and what counts as an overlap are said here once; the corpus looks them up by
compiled code (`stages/annotate_documents/contamination.py`), prompts and training pairs by `Overlaps`.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stages.errors import Trouble

RUN_WORDS = 8  # of 13 words, the customary length, half of all CrowS-Pairs sentences have not as many
LEAST_WORDS = 4  # a shorter item is everybody's phrase
WORD = re.compile(r"[^\W_]+")  # what `str.isalnum` takes, as \w does, but for "_"
RUN, WHOLE = "8-gram", "whole item"

# What a model is shown or asked, by the names that benchmarks give it; numbers and case after the name do not count.
TEXT_FIELDS = (
    "context",
    "ambiguous_context",
    "disambiguous_context",
    "question",
    "question_negative_stereotype",
    "question_non_negative",
    "prompt",
    "prompt_a",
    "prompt_b",
    "user_prompt",
    "text",
    "sentence",
    "sentence1",
    "sentence2",
    "sent_more",
    "sent_less",
    "chosen",
    "rejected",
    "template",
    "template_masked",
    "raw",
    "premise",
    "hypothesis",
    "passage",
    "input",
    "instruction",
    "query",
    "story",
)
# Answers to choose from ("It cannot be known") are everybody's phrases too: only their runs of eight words count.
OPTION_FIELDS = (
    "right",
    "wrong",
    "referral",
    "helpful",
    "refusal",
    "ans0",
    "ans1",
    "ans2",
    "ans3",
    "options",
    "choices",
    "endings",
    "answers",
    "answer",
    "output",
    "target",
    "completion",
    "response",
)
ID_FIELDS = ("item_id", "id", "example_id", "instance_id", "sentid")
LINE_SUFFIXES = (".txt", ".dev", ".test")  # WinoBias' files, read where a folder has no others
SUFFIXES = (".jsonl", ".jsonl.gz", ".json", ".csv", ".tsv", ".parquet")


class Item(NamedTuple):
    """One text of a benchmark's item."""

    benchmark: str
    item: str
    text: str
    option: bool = False


class Hit(NamedTuple):
    """An item found in a text, how, and at how many places. Of items that share a run, the first has it."""

    benchmark: str
    item: str
    how: str
    runs: int


def fold(text: str) -> str:
    """The text with compatibility forms and case folded away (NFKC, then full case folding)."""
    return unicodedata.normalize("NFKC", text).casefold()


def words_of(text: str) -> list[str]:
    """The words of a text: runs of Unicode letters and digits of the folded text."""
    return WORD.findall(fold(text))


class Keys(NamedTuple):
    """What to look for: runs of RUN_WORDS words, and whole short items, each with the first item that has it."""

    runs: dict[tuple[str, ...], tuple[str, str]]
    wholes: dict[tuple[str, ...], tuple[str, str]]


def keys_of(items: Iterable[Item]) -> Keys:
    """The runs and whole items to look for, whatever order the items come in."""
    keys = Keys({}, {})
    for benchmark, item, text, option in sorted(items):
        words = tuple(words_of(text))
        for start in range(len(words) - RUN_WORDS + 1):
            keys.runs.setdefault(words[start : start + RUN_WORDS], (benchmark, item))
        if LEAST_WORDS <= len(words) < RUN_WORDS and not option:
            keys.wholes.setdefault(words, (benchmark, item))
    return keys


class Overlaps:
    """Look texts up, one by one, in plain Python (1 MB/s: for prompts and lessons, not for a corpus)."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._keys = keys_of(items)
        self._lengths = sorted({len(words) for words in self._keys.wholes})

    def hits(self, text: str) -> list[Hit]:
        """The items that a text holds, in order of benchmark, item and how."""
        words = tuple(words_of(text))
        found: Counter[tuple[str, str, str]] = Counter()
        for length, keys, how in (
            (RUN_WORDS, self._keys.runs, RUN),
            *((n, self._keys.wholes, WHOLE) for n in self._lengths),
        ):
            for start in range(len(words) - length + 1):
                if (first := keys.get(words[start : start + length])) is not None:
                    found[(*first, how)] += 1
        return [Hit(*key, runs) for key, runs in sorted(found.items())]


def read_items(folder: Path, benchmarks: Sequence[str] | None = None) -> list[Item]:
    """The texts of all item files below a folder: a folder per benchmark by its name (all of them where none is named)."""
    names = benchmarks if benchmarks is not None else sorted(path.name for path in folder.iterdir() if path.is_dir())
    if not names:
        raise Trouble(f"{folder} holds no folder of items; wanted one per benchmark, named after it.")
    return [item for name in names for item in _benchmark_items(folder / name)]


def _benchmark_items(folder: Path) -> list[Item]:
    every = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [path for path in every if path.name.lower().endswith(SUFFIXES)]
    items = [item for file in files for item in _file_items(file, folder)]
    items = items or [item for file in every if file.suffix.lower() in LINE_SUFFIXES for item in _lines(file, folder)]
    if not items:
        raise Trouble(f"{folder} holds no texts of items; wanted some in *{', *'.join(SUFFIXES)}, or lines of text.")
    return items


def _lines(path: Path, folder: Path) -> Iterator[Item]:
    """Every line of a file of text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return
    name = path.relative_to(folder).as_posix()
    yield from (Item(folder.name, f"{name}:{number}", line, option=True) for number, line in enumerate(lines) if line)


def _file_items(path: Path, folder: Path) -> Iterator[Item]:
    relative = path.relative_to(folder).as_posix()
    name = next(relative[: -len(suffix)] for suffix in SUFFIXES if relative.lower().endswith(suffix))
    for number, row in enumerate(_rows(path)):
        own = next((str(row[field]) for field in ID_FIELDS if row.get(field) not in (None, "")), str(number))
        item = f"{name}:{own}"
        fields = {str(field).strip().lower(): value for field, value in row.items()}
        known = not fields.keys().isdisjoint(TEXT_FIELDS)
        for field, value in fields.items():
            if field in TEXT_FIELDS:
                yield from (Item(folder.name, item, text) for text in _texts(value))
            elif field in OPTION_FIELDS or not known:  # of fields with unknown names, all; only long runs count
                yield from (Item(folder.name, item, text, option=True) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    """The strings in a value: itself, or those of a list or of a chat's messages."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for part in value.values() for text in _texts(part))
    elif isinstance(value, list | tuple):
        yield from (text for part in value for text in _texts(part))


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of one item file as mappings; other JSON than objects has no fields and is no item."""
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            import pyarrow.parquet as pq

            yield from (row for batch in pq.ParquetFile(path).iter_batches() for row in batch.to_pylist())
        elif name.endswith((".csv", ".tsv")):
            with path.open(encoding="utf-8-sig", newline="") as lines:
                yield from csv.DictReader(lines, delimiter="\t" if name.endswith(".tsv") else ",", restkey="")
        else:
            yield from (row for row in _json_values(path) if isinstance(row, Mapping))
    except (ValueError, OSError, EOFError, csv.Error) as error:
        raise Trouble(f"{path} cannot be read as items ({' '.join(str(error).split())}); mend or remove it.") from None


def _json_values(path: Path) -> list[Any]:
    content = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    if path.name.lower().endswith(".json"):
        whole = json.loads(content)
        return whole if isinstance(whole, list) else [whole]
    return [json.loads(line) for line in content.splitlines() if line.strip()]
