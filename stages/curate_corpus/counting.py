"""Add a shard to the counts, column by column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.curate_corpus import rules
from stages.curate_corpus.attributes import DOCUMENTS, Coded, Flags
from stages.curate_corpus.rules import DUPLICATE, NEAR_DUPLICATE
from stages.curate_corpus.shard import Shard
from stages.curate_corpus.tally import Right, Tally


def count(tally: Tally, shard: Shard, characters: NDArray[np.int64]) -> None:
    """Count a shard's documents; `characters` are those of the kept texts as they are written, 0 of the others."""
    judged, outcomes = shard.judged, shard.outcomes
    _add(tally.outcomes, shard.sources, shard.spoken, outcomes)
    _add(tally.kinds, judged.coded(DOCUMENTS, "kind"), outcomes)
    _add(tally.licenses, shard.stated, outcomes)
    _add(tally.opt_outs, judged.coded("opt_out", "verdict"), outcomes)
    read = judged.numbers("quality", "characters").astype(np.int64)
    for source, language, was_read, is_kept in _groups(
        [shard.sources, shard.spoken], {"read": read, "kept": characters}, [("read", "sum"), ("kept", "sum")]
    ):
        tally.characters_read[source, language] += was_read
        tally.characters_kept[source, language] += is_kept
    for rule, broken, idle in _all_broken(shard):
        languages = np.bincount(shard.spoken.codes[broken], minlength=len(shard.spoken.words))
        for place in np.flatnonzero(languages).tolist():
            (tally.idle if idle else tally.alone)[rule, shard.spoken.words[place]] += int(languages[place])
    _count_rights(tally, shard, characters)
    _count_captures(tally, shard)
    _count_contaminated(tally, shard)
    tally.stand_ins += int((shard.copies & shard.kept).sum())


def _add(counts: Counter[Any], *columns: Coded) -> None:
    """Add how often each combination of words stands in a row."""
    for *words, number in _groups(columns, {}, [([], "count_all")]):
        counts[tuple(words)] += number


def _groups(columns: Any, values: dict[str, Any], asked: list[Any]) -> Iterator[list[Any]]:
    """For each combination of words, the words and what is asked of its rows, in the order of the first row."""
    keys = {str(place): column.array for place, column in enumerate(columns)}
    groups = pa.table(keys | values).group_by(list(keys), use_threads=False).aggregate(asked)
    for row in groups.to_pylist():
        yield list(row.values())


def _all_broken(shard: Shard) -> Iterator[tuple[str, Flags, bool]]:
    """Every rule with the rows that break it, and whether it is switched off."""
    for finding in shard.own:
        yield finding.rule, finding.broken, False
    yield DUPLICATE, shard.exact, False
    yield NEAR_DUPLICATE, shard.copies & ~shard.exact, False
    for finding in rules.idle_findings(shard.judged, shard.spoken, shard.params):
        yield finding.rule, finding.broken, True


def _count_rights(tally: Tally, shard: Shard, characters: NDArray[np.int64]) -> None:
    rows = np.flatnonzero(shard.kept)
    about = shard.about(rows)
    values = {
        "evidence": _or_null(shard.judged.coded("license", "evidence").at(rows)),
        "url": _or_null(about["url"]),
        "retrieved": about["retrieved"],
        "characters": characters[rows],
    }
    asked = [([], "count_all"), ("characters", "sum"), ("evidence", "min"), ("url", "min"), ("retrieved", "max")]
    chosen = [Coded(column.words, column.codes[rows]) for column in (shard.sources, shard.licenses)]
    for source, license, documents, total, evidence, url, retrieved in _groups(chosen, values, asked):
        right = tally.rights.setdefault((source, license), Right())
        right.documents += documents
        right.characters += total
        right.evidence = min(filter(None, (right.evidence, evidence)), default="")
        right.url = min(filter(None, (right.url, url)), default="")
        right.retrieved = max(right.retrieved, retrieved or "")


def _or_null(words: pa.Array) -> pa.Array:
    """Nothing where a word is empty: the smallest is looked for among the others."""
    return pc.if_else(pc.equal(words, ""), None, words)


def _count_captures(tally: Tally, shard: Shard) -> None:
    captured = shard.judged.coded("opt_out", "captured")
    days = [captured.words[place] for place in np.unique(captured.codes).tolist()]
    if days := [day for day in days if day]:
        tally.captured = (min([*filter(None, [tally.captured[0]]), *days]), max(tally.captured[1], *days))


def _count_contaminated(tally: Tally, shard: Shard) -> None:
    """Of every benchmark the documents that hold its items, each once."""
    rows = shard.judged.rows_of("contamination")
    benchmarks = shard.judged.coded("contamination", "benchmark")
    pairs = {(row, place) for row, place in zip(rows.tolist(), benchmarks.codes.tolist(), strict=True) if row >= 0}
    outcomes = shard.outcomes
    tally.contaminated.update((benchmarks.words[at], outcomes.words[outcomes.codes[row]]) for row, at in pairs)
