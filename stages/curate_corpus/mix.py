"""Decide on every document by the rules and write the corpus, in two passes: over the attributes, then over the texts.

The first pass needs no text: it finds each document's first reason, and what only all documents together can tell
(who stands for a cluster, which are beyond the largest number per language). The second goes shard by shard and writes.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.curate_corpus import clusters, rules
from stages.curate_corpus.attributes import Judged, read_judged, read_texts, shard_numbers
from stages.curate_corpus.masking import Span, mask, residual
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.rules import DUPLICATE, MAXIMUM, NEAR_DUPLICATE, ORDER, Finding, Told
from stages.curate_corpus.tally import KEPT, Right, Tally
from stages.errors import Trouble

STAYS = -1
CORPUS = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.large_string()),
        *((name, pa.string()) for name in ("language", "source", "url", "license", "title", "kind", "retrieved")),
    ]
)
DECISION = pa.struct([("rule", pa.string()), ("value", pa.string()), ("threshold", pa.string())])
DECISIONS = pa.schema(
    [
        ("id", pa.string()),
        ("kept", pa.bool_()),
        ("rule", pa.string()),
        ("value", pa.string()),
        ("threshold", pa.string()),
        ("also", pa.list_(DECISION)),
    ]
)


class Verdicts(NamedTuple):
    """What the first pass found: of each document in all shards the place of its rule in ORDER, or STAYS."""

    codes: NDArray[np.int8]
    superfluous: clusters.Superfluous


class Mixed(NamedTuple):
    """What was written, in numbers, and a sample of what was kept for the gates (no texts)."""

    tally: Tally
    sample: list[dict[str, Any]]


def decide(attributes: Path, params: Parameters) -> Verdicts:
    """The first pass."""
    shards = shard_numbers(attributes)
    heads = clusters.represented(attributes, shards, params.duplicates.min_jaccard)
    codes, groups, candidates = [], [], []
    sources: set[str] = set()
    start = 0
    for judged in (read_judged(attributes, number) for number in shards):
        code = _first_broken(rules.findings(judged, params), judged.documents.num_rows)
        copies = _copies(judged, params)
        groups.append(clusters.members(judged, start, code == STAYS, _license_ranks(judged, params), copies, heads))
        sources.update(judged.documents["source"].to_pylist())
        if params.max_documents_per_language is not None:
            candidates.append(_lots(judged, rules.languages_of(judged, params), start, params))
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


def _copies(judged: Judged, params: Parameters) -> NDArray[np.bool_]:
    copies = clusters.is_copy(judged.tables["duplicates"], params.duplicates.min_jaccard)
    flags: NDArray[np.bool_] = copies.to_numpy()
    return flags


def _license_ranks(judged: Judged, params: Parameters) -> NDArray[np.int32]:
    rank = {name: place for place, name in enumerate(params.licenses)} | {"": len(params.licenses)}
    chosen = (rules.chosen_license(e, params.licenses) for e in judged.words("license", "license"))
    return np.fromiter((rank[name] for name in chosen), np.int32)


Lots = tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.uint64]]


def _lots(judged: Judged, spoken: Sequence[str], start: int, params: Parameters) -> Lots:
    """Of each document of a wanted language its place, the language's number and the first 64 bits of its id's sha256."""
    number = {language: place for place, language in enumerate(params.languages)}
    ids = judged.documents["id"].to_pylist()
    rows = [row for row, language in enumerate(spoken) if language in number]
    hashes = [int.from_bytes(hashlib.sha256(ids[row].encode()).digest()[:8], "big") for row in rows]
    return (
        np.array(rows, np.int64) + start,
        np.array([number[spoken[row]] for row in rows], np.int16),
        np.array(hashes, np.uint64),
    )


def _apply_maximum(codes: NDArray[np.int8], lots: Sequence[Lots], most: int) -> None:
    """Of what stays in each language, only so many with the smallest hashes go on."""
    places, languages, hashes = (np.concatenate(columns) for columns in zip(*lots, strict=True))
    stays = codes[places] == STAYS
    for language in np.unique(languages):
        mine = np.flatnonzero(stays & (languages == language))
        beyond = mine[np.argsort(hashes[mine], kind="stable")][most:]
        codes[places[beyond]] = ORDER.index(MAXIMUM)


def write(attributes: Path, folder: Path, params: Parameters, verdicts: Verdicts) -> Mixed:
    """The second pass: fill the folder with the corpus, what was dropped and every decision; return the counts."""
    tally, sample = Tally(), _Sample(params.gates.sample, int((verdicts.codes == STAYS).sum()))
    start = 0
    with _Files(folder) as files:
        for number in shard_numbers(attributes):
            judged = read_judged(attributes, number)
            end = start + judged.documents.num_rows
            shard = _Shard(judged, params, verdicts, start)
            files.decisions(shard)
            texts, masked = _masked_texts(attributes, shard)
            files.corpus(shard, texts)
            count(tally, shard, texts, masked)
            sample.take(shard, texts)
            start = end
    return Mixed(tally, sample.rows)


class _Shard:
    """One shard with the decision on each of its documents."""

    def __init__(self, judged: Judged, params: Parameters, verdicts: Verdicts, start: int) -> None:
        self.judged, self.params = judged, params
        self.ids: list[str] = judged.documents["id"].to_pylist()
        self.sources: list[str] = judged.documents["source"].to_pylist()
        self.spoken = rules.languages_of(judged, params)
        self.stated: list[str] = judged.words("license", "license")
        self.licenses = [rules.chosen_license(e, params.licenses) for e in self.stated]
        self.codes = verdicts.codes[start : start + len(self.ids)]
        self.kept: list[int] = np.flatnonzero(self.codes == STAYS).tolist()
        self.stand_ins = verdicts.superfluous.between(start, start + len(self.ids))
        self.own = rules.findings(judged, params)
        self.copies = _copies(judged, params)
        self.exact = judged.column("duplicates", "exact")

    def rule(self, row: int) -> str:
        """The rule that drops a document, or KEPT."""
        code = int(self.codes[row])
        if code == STAYS:
            return KEPT
        rule = ORDER[code]
        return DUPLICATE if rule == NEAR_DUPLICATE and self.is_exact(row) else rule

    def is_exact(self, row: int) -> bool:
        """Whether a superfluous document has the very words of the one that represents its cluster."""
        return bool(self.copies[row]) and bool(self.exact[row])

    def all_told(self) -> dict[int, list[tuple[str, Told]]]:
        """Of each dropped document every rule that it breaks, in order, with what was found and wanted."""
        told: dict[int, list[tuple[str, Told]]] = {row: [] for row in np.flatnonzero(self.codes != STAYS).tolist()}
        for finding in self.own:
            for row in np.flatnonzero(finding.broken).tolist():
                told[row].append((finding.rule, finding.tell(row)))
        alike = self.copies & (self.codes != STAYS) & (self.codes != ORDER.index(MAXIMUM))
        for row in np.flatnonzero(alike).tolist():
            told[row].append((DUPLICATE if self.is_exact(row) else NEAR_DUPLICATE, self._like(row)))
        most = self.params.max_documents_per_language
        for row in np.flatnonzero(self.codes == ORDER.index(MAXIMUM)).tolist():
            told[row].append(
                (MAXIMUM, ("beyond the limit by the hash of its id", f"at most {most} in {self.spoken[row]}"))
            )
        return told

    def _like(self, row: int) -> Told:
        table = self.judged.tables["duplicates"]
        representative = table["representative"][row].as_py()
        stays = self.stand_ins.get(row, representative)
        jaccard = table["jaccard"][row].as_py()
        value = f"same words as {representative}" if self.exact[row] else f"Jaccard {jaccard:.2f} to {representative}"
        if stays != representative:
            value += f", which another rule dropped; {stays} stays for both"
        if self.exact[row]:
            return value, "words that no kept text has"
        return value, f"below {self.params.duplicates.min_jaccard:g} to every kept text"


class _Files:
    """The files that grow shard by shard."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> _Files:
        self._stack = ExitStack()
        (self._folder / "corpus").mkdir(parents=True)
        self._documents = self._open("documents.jsonl")
        self._dropped = self._open("dropped.jsonl")
        self._decisions = self._stack.enter_context(
            pq.ParquetWriter(self._folder / "decisions.parquet", DECISIONS, compression="zstd")
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _open(self, name: str) -> IO[str]:
        return self._stack.enter_context((self._folder / name).open("w", encoding="utf-8", newline="\n"))

    def decisions(self, shard: _Shard) -> None:
        """Add the decision on every document, and a line for each that was dropped."""
        told = shard.all_told()
        rows: list[tuple[Any, ...]] = []
        for row, id in enumerate(shard.ids):
            if row not in told:
                rows.append((id, True, "", "", "", []))
                continue
            (rule, (value, wanted)), *others = told[row]
            rows.append(
                (id, False, rule, value, wanted, [{"rule": r, "value": v, "threshold": w} for r, (v, w) in others])
            )
            self._line(
                self._dropped,
                id=id, source=shard.sources[row], language=shard.spoken[row], rule=rule, value=value, wanted=wanted,
            )  # fmt: skip
        columns = zip(*rows, strict=True) if rows else ([] for _ in DECISIONS)
        self._decisions.write_table(pa.table([list(column) for column in columns], schema=DECISIONS))

    def corpus(self, shard: _Shard, texts: Sequence[str]) -> None:
        """Add the kept documents, as Parquet and as lines of `Document`."""
        if not shard.kept:
            return
        table = shard.judged.documents.take(shard.kept)
        about = {name: table[name].to_pylist() for name in table.column_names}
        about["language"] = [shard.spoken[row] for row in shard.kept]
        about["license"] = [shard.licenses[row] for row in shard.kept]
        about["text"] = texts
        part = self._folder / "corpus" / f"part-{shard.judged.number:05}.parquet"
        pq.write_table(pa.table([about[name] for name in CORPUS.names], schema=CORPUS), part, compression="zstd")
        edge = ("id", "text", "language", "source", "url", "license", "title")
        for values in zip(*(about[name] for name in edge), strict=True):
            self._line(self._documents, **dict(zip(edge, values, strict=True)))

    @staticmethod
    def _line(file: IO[str], **record: str) -> None:
        """As `artifact.write_jsonl` does, without a record's check: the columns' types are known."""
        file.write(json.dumps(record, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n")


def _masked_texts(attributes: Path, shard: _Shard) -> tuple[list[str], list[Counter[str]]]:
    """The texts of a shard's kept documents without their personal data, and what was masked in each that had any."""
    if not shard.kept:
        return [], []
    texts: list[str] = read_texts(attributes, shard.judged.number).take(shard.kept).to_pylist()
    spans: dict[str, list[Span]] = {}
    for span in shard.judged.tables["personal_data"].to_pylist():
        spans.setdefault(span["id"], []).append(Span(span["start"], span["end"], span["kind"]))
    counts = []
    for place, row in enumerate(shard.kept):
        if found := spans.get(shard.ids[row]):
            texts[place], masked = mask(texts[place], found)
            counts.append(masked)
    return texts, counts


class _Sample:
    """Rows on kept documents for the gates: all, or where they are too many, those with the smallest hashes of their id."""

    def __init__(self, most: int, kept: int) -> None:
        self.rows: list[dict[str, Any]] = []
        self._below = 2**64 if kept <= most else 2**64 * most // kept

    def take(self, shard: _Shard, texts: Sequence[str]) -> None:
        """Add a shard's."""
        verdicts = shard.judged.words("opt_out", "verdict")
        contaminated = set(shard.judged.tables["contamination"]["id"].to_pylist())
        broken = next(finding.broken for finding in shard.own if finding.rule == rules.CONTAMINATION)
        for text, row in zip(texts, shard.kept, strict=True):
            digest = hashlib.sha256(shard.ids[row].encode()).digest()
            if int.from_bytes(digest[:8], "big") < self._below:
                self.rows.append(
                    {
                        "id": shard.ids[row],
                        "text sha256": hashlib.sha256(text.encode()).hexdigest(),
                        "license": shard.licenses[row],
                        "language": shard.spoken[row],
                        "source": shard.sources[row],
                        "opt-out verdict": verdicts[row],
                        "characters": len(text),
                        "residual personal data": residual(text),
                        "benchmark overlaps": int(shard.ids[row] in contaminated and bool(broken[row])),
                    }
                )


def count(tally: Tally, shard: _Shard, texts: Sequence[str], masked: Sequence[Counter[str]]) -> None:
    """Add a shard to the counts."""
    outcomes = [shard.rule(row) for row in range(len(shard.ids))]
    tally.outcomes.update(zip(shard.sources, shard.spoken, outcomes, strict=True))
    tally.kinds.update(zip(shard.judged.documents["kind"].to_pylist(), outcomes, strict=True))
    tally.licenses.update(zip(shard.stated, outcomes, strict=True))
    tally.opt_outs.update(zip(shard.judged.words("opt_out", "verdict"), outcomes, strict=True))
    read = shard.judged.column("quality", "characters").tolist()
    kept = {row: len(text) for row, text in zip(shard.kept, texts, strict=True)}
    for row, key in enumerate(zip(shard.sources, shard.spoken, strict=True)):
        tally.characters_read[key] += read[row]
        tally.characters_kept[key] += kept.get(row, 0)
    for rule, rows, idle in _all_broken(shard):
        (tally.idle if idle else tally.alone).update((rule, shard.spoken[row]) for row in rows)
    _count_rights(tally, shard, kept)
    _count_captures(tally, shard)
    hits = {(hit["id"], hit["benchmark"]) for hit in shard.judged.tables["contamination"].to_pylist()}
    of = dict(zip(shard.ids, outcomes, strict=True))
    tally.contaminated.update((benchmark, of[id]) for id, benchmark in hits)
    tally.stand_ins += int((shard.copies & (shard.codes == STAYS)).sum())
    tally.masked_documents += len(masked)
    for counts in masked:
        tally.masked.update(counts)


def _all_broken(shard: _Shard) -> Iterator[tuple[str, list[int], bool]]:
    """Every rule with the rows that break it, and whether it is switched off."""
    for finding in shard.own:
        yield finding.rule, np.flatnonzero(finding.broken).tolist(), False
    yield DUPLICATE, np.flatnonzero(shard.copies & shard.exact).tolist(), False
    yield NEAR_DUPLICATE, np.flatnonzero(shard.copies & ~shard.exact).tolist(), False
    for finding in rules.idle_findings(shard.judged, shard.params):
        yield finding.rule, np.flatnonzero(finding.broken).tolist(), True


def _count_rights(tally: Tally, shard: _Shard, characters: Mapping[int, int]) -> None:
    evidence = shard.judged.words("license", "evidence")
    urls, retrieved = (shard.judged.documents[name].to_pylist() for name in ("url", "retrieved"))
    for row in shard.kept:
        right = tally.rights.setdefault((shard.sources[row], shard.licenses[row]), Right())
        right.documents += 1
        right.characters += characters[row]
        right.evidence = min(filter(None, (right.evidence, evidence[row])), default="")
        right.url = min(filter(None, (right.url, urls[row])), default="")
        right.retrieved = max(right.retrieved, retrieved[row])


def _count_captures(tally: Tally, shard: _Shard) -> None:
    days = [day for day in shard.judged.words("opt_out", "captured") if day]
    if days:
        tally.captured = (min([*filter(None, [tally.captured[0]]), *days]), max(tally.captured[1], *days))
