"""The node as a whole: from the places where documents lie to the folder of attribute tables."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from stages import gate
from stages.annotate_documents import expectations, formats, readers
from stages.annotate_documents.annotate import setting
from stages.annotate_documents.judging import Kept, judge_all, write_tables
from stages.annotate_documents.metrics import Counted, count, metrics
from stages.annotate_documents.parameters import Parameters
from stages.annotate_documents.problems import Problems
from stages.annotate_documents.shards import shards
from stages.annotate_documents.sources import MANIFEST, Source, address, find_sources, read_beside
from stages.artifact import new_folder, write_json
from stages.errors import Trouble

MEGABYTE = 1_000_000


def annotate_all(
    inputs: Sequence[str | Path],
    captures: Path | None,
    benchmarks: Path | None,
    out: Path,
    params: Parameters,
    keep_work: bool = False,
) -> str:
    """Write the attribute tables of all documents to `out`; returns the counts in words.

    Finished shards lie in `.<name>.work` beside `out` until all is done, so that a killed run can go on; with `keep_work`
    they stay, for the one who calls to remove.
    """
    problems = Problems(stop=params.on_error == "stop")
    reading = formats.Reading(params.columns, int(params.max_document_megabytes * MEGABYTE), problems)
    sources = _sources(inputs, params)
    given = setting(params, captures, benchmarks, _manifest(inputs))
    work = out.absolute().with_name(f".{out.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    kept = judge_all(
        shards(readers.read(sources, reading), int(params.shard_megabytes * MEGABYTE)), work, given, params
    )
    if not kept:
        raise Trouble(_nothing(inputs, problems))
    with new_folder(out) as folder:
        write_tables(kept, folder, work, given)
        counted = count(folder, params.gate_rows)
        write_json(folder / "metrics.json", metrics(counted, problems))
        write_json(folder / "sources.json", counted.by_source.to_pylist())
        write_json(folder / "errors.json", problems.listed())
        tables = expectations.tables(counted, problems)
        gate.enforce(folder, tables, expectations.expected(params))
    if not keep_work:
        shutil.rmtree(work)
    return _in_words(kept, counted, problems, len(sources))


def _sources(inputs: Sequence[str | Path], params: Parameters) -> list[Source]:
    if params.hugging_face:
        from stages.annotate_documents.hub import hub_sources

        return hub_sources(params.hugging_face)
    found: list[Source] = []
    for path in inputs:
        prefix = f"{Path(address(path)).name}/" if len(inputs) > 1 else ""
        found += find_sources(path, params.files, formats.READERS, prefix)
    return found


def _manifest(inputs: Sequence[str | Path]) -> bytes | None:
    """The licence manifests beside the inputs, as one."""
    found = [content for path in inputs if (content := read_beside(path, MANIFEST)) is not None]
    if not found:
        return None
    first, *others = found
    lines = [first.rstrip(b"\n"), *(rest.rstrip(b"\n") for other in others if (rest := other.partition(b"\n")[2]))]
    return b"\n".join(lines) + b"\n"


def _nothing(inputs: Sequence[str | Path], problems: Problems) -> str:
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in problems.by_reason().items())
    where = ", ".join(map(address, inputs))
    return f"{where}: no document could be read ({reasons or 'the files are empty'}); wanted at least one."


def _in_words(kept: Sequence[Kept], counted: Counted, problems: Problems, files: int) -> str:
    documents = sum(shard.documents for shard in kept)
    megabytes = sum(shard.text_bytes for shard in kept) / MEGABYTE
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in problems.by_reason().items())
    left = f"; left out {reasons}" if reasons else ""
    return f"judged {documents:,} documents ({megabytes:,.1f} MB) of {files:,} files in {len(kept)} shards{left}"
