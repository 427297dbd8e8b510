"""Decide on every document by the rules and write the corpus, in two passes: over the attributes, then over the texts.

The first pass needs no text: it finds each document's first reason, and what only all documents together can tell
(who stands for a cluster, which are beyond the largest number per language). The second goes shard by shard and writes.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.curate_corpus import clusters, rules
from stages.curate_corpus.attributes import DOCUMENTS, Coded, Judged, Rows, shard_numbers
from stages.curate_corpus.counting import count
from stages.curate_corpus.decision_log import DECISIONS, decisions
from stages.curate_corpus.masking import Span, mask
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.rules import MAXIMUM, NEAR_DUPLICATE, ORDER, Finding
from stages.curate_corpus.sample import Sample, first_64_bits
from stages.curate_corpus.shard import STAYS, Shard
from stages.curate_corpus.tally import Tally
from stages.errors import Trouble

CORPUS = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.large_string()),
        *((name, pa.string()) for name in ("language", "source", "url", "license", "title", "kind", "retrieved")),
    ]
)
FEW_WORDS = ["language", "source", "license", "kind", "retrieved"]  # columns that a dictionary makes smaller
ROW_GROUP_BYTES = 8_000_000  # of text: what a reader holds at once


class Verdicts(NamedTuple):
    """What the first pass found: of each document in all shards the place of its rule in ORDER, or STAYS."""

    codes: NDArray[np.int8]
    superfluous: clusters.Superfluous


class Mixed(NamedTuple):
    """What was written, in numbers, and a sample of what was kept for the gates (no texts)."""

    tally: Tally
    sample: pa.Table


def decide(attributes: Path, params: Parameters) -> Verdicts:
    """The first pass."""
    shards = shard_numbers(attributes)
    heads = clusters.represented(attributes, shards, params.duplicates.min_jaccard)
    codes, groups, candidates = [], [], []
    sources: set[str] = set()
    start = 0
    for judged in (Judged(attributes, number) for number in shards):
        spoken = rules.languages_of(judged, params)
        code = _first_broken(rules.findings(judged, spoken, params), len(judged))
        copies = clusters.copies(judged, params.duplicates.min_jaccard)
        groups.append(clusters.members(judged, start, code == STAYS, _license_ranks(judged, params), copies, heads))
        sources.update(judged.coded(DOCUMENTS, "source").words)
        if params.max_documents_per_language is not None:
            candidates.append(_lots(judged, spoken, code, start, params))
        codes.append(code)
        start += len(code)
    _check_removals(params, sources)
    all_codes = np.concatenate(codes)
    superfluous = clusters.superfluous(groups)
    all_codes[superfluous.places] = ORDER.index(NEAR_DUPLICATE)
    if params.max_documents_per_language is not None:
        _apply_maximum(all_codes, candidates, params.max_documents_per_language)
    return Verdicts(all_codes, superfluous)


def _check_removals(params: Parameters, sources: set[str]) -> None:
    """A withdrawal that names no source that was read is a misspelt one: the texts would stay."""
    for removal in params.remove:
        if removal.source not in sources:
            near = difflib.get_close_matches(removal.source, sorted(sources), n=1)
            known = [*near, *(source for source in sorted(sources) if source not in near)]
            raise Trouble(
                f"curate_corpus.remove names the source {removal.source!r}, which no document has; sources:"
                f" {', '.join(known[:5])}{', …' if len(known) > 5 else ''}: write it as there, or take the line out."
            )


def _first_broken(found: Sequence[Finding], size: int) -> NDArray[np.int8]:
    code = np.full(size, STAYS, np.int8)
    for finding in reversed(found):
        code[finding.broken] = ORDER.index(finding.rule)
    return code


def _license_ranks(judged: Judged, params: Parameters) -> NDArray[np.int32]:
    rank = {name: place for place, name in enumerate(params.licenses)} | {"": len(params.licenses)}
    expressions = judged.coded("license", "license")
    return expressions.numbers(lambda expression: rank[rules.chosen_license(expression, params.licenses)])


Lots = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint64]]


def _lots(judged: Judged, spoken: Coded, code: NDArray[np.int8], start: int, params: Parameters) -> Lots:
    """Of each document of a wanted language that may stay its place, the language's number and its lot."""
    number = {language: place for place, language in enumerate(params.languages)}
    languages = spoken.numbers(lambda language: number.get(language, -1))
    rows = np.flatnonzero((languages >= 0) & (code == STAYS))
    return rows + start, languages[rows], first_64_bits(judged.ids.take(rows).to_pylist())


def _apply_maximum(codes: NDArray[np.int8], lots: Sequence[Lots], most: int) -> None:
    """Of what stays in each language, only so many with the smallest hashes go on."""
    places, languages, hashes = (np.concatenate(columns) for columns in zip(*lots, strict=True))
    stays = codes[places] == STAYS
    for language in np.unique(languages):
        mine = np.flatnonzero(stays & (languages == language))
        beyond = mine[np.argsort(hashes[mine], kind="stable")][most:]
        codes[places[beyond]] = ORDER.index(MAXIMUM)


def write(attributes: Path, folder: Path, params: Parameters, verdicts: Verdicts) -> Mixed:
    """The second pass: fill the folder with the corpus and every decision; return the counts."""
    tally, sample = Tally(), Sample(params.gates.sample, int((verdicts.codes == STAYS).sum()))
    start = 0
    (folder / "corpus").mkdir(parents=True)
    with pq.ParquetWriter(folder / "decisions.parquet", DECISIONS, compression="zstd") as log:
        for number in shard_numbers(attributes):
            judged = Judged(attributes, number)
            end = start + len(judged)
            shard = Shard(judged, params, verdicts.codes[start:end], verdicts.superfluous.between(start, end))
            log.write_table(decisions(shard))
            count(tally, shard, _write_texts(shard, folder / "corpus" / f"part-{number:05}.parquet", tally, sample))
            start = end
    return Mixed(tally, sample.table)


def _write_texts(shard: Shard, path: Path, tally: Tally, sample: Sample) -> NDArray[np.int64]:
    """Write the kept documents of a shard; return the number of characters of each document's text, 0 of dropped ones."""
    spans = _spans(shard)
    characters = np.zeros(len(shard.ids), np.int64)
    with _Part(path) as part:
        for rows, found in shard.judged.texts(shard.kept):
            texts, masked = _masked(rows, found, spans)
            lengths = pc.utf8_length(texts).to_numpy().astype(np.int64)
            characters[rows] = lengths
            part.add(shard, rows, texts)
            sample.take(shard, rows, texts, lengths)
            tally.masked_documents += len(masked)
            for counts in masked:
                tally.masked.update(counts)
    return characters


class _Part:
    """A part of the corpus; written only where documents come, in row groups of like size."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[pa.Table] = []

    def __enter__(self) -> _Part:
        self._stack = ExitStack()
        self._writer: pq.ParquetWriter | None = None
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        with self._stack:
            if kind is None:
                self._flush()

    def add(self, shard: Shard, rows: Rows, texts: pa.Array) -> None:
        """Add kept documents."""
        about = {**shard.about(rows), "text": texts}
        self._waiting.append(pa.table([about[name] for name in CORPUS.names], schema=CORPUS))
        if sum(table["text"].nbytes for table in self._waiting) >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._open().write_table(pa.concat_tables(self._waiting))
            self._waiting.clear()

    def _open(self) -> pq.ParquetWriter:
        if self._writer is None:
            options = {"compression": "zstd", "use_dictionary": FEW_WORDS, "write_statistics": ["id", *FEW_WORDS]}
            self._writer = self._stack.enter_context(pq.ParquetWriter(self._path, CORPUS, **options))
        return self._writer


def _spans(shard: Shard) -> dict[int, list[Span]]:
    """The personal data of kept documents, by row."""
    table, rows = "personal_data", shard.judged.rows_of("personal_data")
    mine = np.flatnonzero((rows >= 0) & shard.kept[rows]) if len(rows) else rows
    columns = (shard.judged.column(table, name).take(mine).to_pylist() for name in ("start", "end", "kind"))
    spans: dict[int, list[Span]] = {}
    for row, *span in zip(rows[mine].tolist(), *columns, strict=True):
        spans.setdefault(row, []).append(Span(*span))
    return spans


def _masked(rows: Rows, texts: pa.Array, spans: dict[int, list[Span]]) -> tuple[pa.Array, list[Counter[str]]]:
    """The texts of some kept documents without their personal data, and what was masked in each that had any."""
    places = [place for place, row in enumerate(rows.tolist()) if row in spans] if spans else []
    if not places:
        return texts, []
    done = [mask(texts[place].as_py(), spans[rows[place]]) for place in places]
    chosen = np.zeros(len(rows), np.bool_)
    chosen[places] = True
    masked = pa.array([text for text, _ in done], texts.type)
    return pc.replace_with_mask(texts, pa.array(chosen), masked), [counts for _, counts in done]
