"""Judge one shard of documents: Arrow in, the attribute tables out, by nothing but the shard and what is known beforehand."""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from stages.annotate_documents.parameters import Parameters
from stages.annotate_documents.sources import MANIFEST
from stages.errors import Trouble

LICENSE = pa.schema([pa.field(name, pa.string()) for name in ("id", "license", "evidence")])
OPT_OUT = pa.schema([pa.field(name, pa.string()) for name in ("id", "verdict", "evidence", "captured")])
TOXICITY = pa.schema([pa.field("id", pa.string()), pa.field("score", pa.float32())])
SCORED_AT_ONCE = 256
SIGNATURES = "signatures"  # for finding duplicates; no table of the output

# Packages that the tables' content depends on.
JUDGES = ("numpy", "pyarrow", "py3langid", "python-stdnum", "phonenumbers", "license-expression", "protego")


class Setting(NamedTuple):
    """All that a judgement depends on beside the documents, small enough to be sent to every worker."""

    params: str  # the section as JSON
    captures: str
    benchmarks: str
    manifest: str  # a file's content, empty where there is none


class Known(NamedTuple):
    """What is loaded once per process."""

    params: Parameters
    near: Any
    model: Any
    benchmarks: Any
    manifest: Any
    captures: Any
    find_names: Any  # None where no plug-in is named
    toxicity: Any


def setting(params: Parameters, captures: Path | None, benchmarks: Path | None, manifest: bytes | None) -> Setting:
    """The setting of a run; folders are absolute, so that a worker elsewhere finds them, and may be left out."""
    said, asked = (str(path.absolute()) if path else "" for path in (captures, benchmarks))
    try:
        return Setting(params.model_dump_json(), said, asked, (manifest or b"").decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Trouble(f"{MANIFEST} beside the documents is not UTF-8 (byte {error.start}); save it as UTF-8.") from None


def annotate(documents: pa.Table, known: Known) -> dict[str, pa.Table]:
    """Every attribute table of some documents, and their signatures."""
    from stages.annotate_documents import contamination, duplicates, language, personal_data, quality
    from stages.annotate_documents.kernels.words import pieces

    ids, languages = documents["id"], quality.languages(documents["language"])
    counts, hits, signatures = [], [], []
    for piece in pieces(documents["text"]):  # the words of a text are found once for these three
        counts.append(quality.piece_counts(piece, languages))
        hits.append(contamination.piece_hits(piece, known.benchmarks))
        signatures.append(duplicates.piece_signatures(piece, known.near))
    tables = {
        "quality": quality.table(ids, counts),
        "contamination": contamination.table(ids, known.benchmarks, hits),
        SIGNATURES: duplicates.table(ids, known.near, signatures),
    }
    tables["language"] = language.table(documents, known.model, language.Reading())
    names = known.params.names_plug_in or ""
    tables["personal_data"] = personal_data.table(documents, known.find_names, names)
    if known.toxicity:
        tables["toxicity"] = _toxicity(documents, known.toxicity)
    tables["license"] = _licenses(documents, known)
    tables["opt_out"] = _opt_outs(documents, known)
    return tables


def _toxicity(documents: pa.Table, score: Callable[[Sequence[str]], Sequence[float]]) -> pa.Table:
    """The scores that a plug-in gives, of some texts at a time."""
    scores: list[float] = []
    for batch in documents.select(["text"]).to_batches(max_chunksize=SCORED_AT_ONCE):
        scores += map(float, score(batch.column(0).to_pylist()))
    return pa.table([documents["id"], scores], schema=TOXICITY)


def _licenses(documents: pa.Table, known: Known) -> pa.Table:
    from stages.annotate_documents.licenses import understood

    rows = zip(documents["source"].to_pylist(), documents["license"].to_pylist(), strict=True)
    found = list(understood(rows, known.manifest))
    return pa.table([documents["id"], [f.expression for f in found], [f.evidence for f in found]], schema=LICENSE)


def _opt_outs(documents: pa.Table, known: Known) -> pa.Table:
    from stages.annotate_documents.opt_out import verdicts

    found = list(verdicts(documents["url"].to_pylist(), known.captures, known.params.ai_agents))
    columns = [[f.verdict for f in found], [f.evidence for f in found], [f.captured for f in found]]
    return pa.table([documents["id"], *columns], schema=OPT_OUT)


@functools.lru_cache(maxsize=2)
def load(setting: Setting) -> Known:
    """Load models, benchmarks, captures and the licence manifest."""
    import tempfile

    from stages.annotate_documents import contamination, language
    from stages.annotate_documents.duplicates import Near
    from stages.annotate_documents.licenses import read_manifest
    from stages.annotate_documents.opt_out import read_captures
    from stages.annotate_documents.personal_data import load_names
    from stages.overlap import read_items

    params = Parameters.model_validate_json(setting.params)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MANIFEST
        if setting.manifest:
            path.write_text(setting.manifest, encoding="utf-8")
        manifest = read_manifest(path)
    return Known(
        params,
        Near(**params.near_duplicates.model_dump()),
        language.load_model(params.languages, params.language_identification.confusable),
        contamination.lookup(
            read_items(Path(setting.benchmarks), params.benchmark_names) if setting.benchmarks else ()
        ),
        manifest,
        read_captures(Path(setting.captures)) if setting.captures else {},
        load_names(params.names_plug_in),
        _plug_in(params.toxicity_plug_in),
    )


def _plug_in(name: str | None) -> Any:
    """The function "module:function" that gives the toxicity, 0 to 1, of each of some texts; None where none is named."""
    if not name:
        return None
    module, _, function = name.partition(":")
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise Trouble(
            f"The toxicity plug-in '{name}' cannot be loaded ({error}); wanted 'module:function', of an installed module,"
            " that takes texts and gives a score for each; leave it empty to score none."
        ) from None


# What may change without a document being judged otherwise.
CIRCUMSTANCE = {
    "path", "files", "columns", "hugging_face", "captures", "benchmarks", "on_error", "engine", "ray_address", "workers",
    "max_refused_share", "gate_rows", "license_order", "max_document_megabytes", "shard_megabytes",
}  # fmt: skip


def version(setting: Setting) -> str:
    """A digest of all that a shard's tables depend on beside its documents: code, packages, parameters, captured files."""
    digest = hashlib.sha256()
    params = Parameters.model_validate_json(setting.params).model_dump(mode="json", exclude=CIRCUMSTANCE)
    packages = {name: metadata.version(name) for name in JUDGES}
    digest.update(json.dumps([params, packages, setting.manifest], sort_keys=True).encode())
    here = Path(__file__).parent
    for root in (here, *(Path(folder) for folder in (setting.captures, setting.benchmarks) if folder)):
        for path in sorted(root.rglob("*")):
            if path.is_file() and (root != here or path.suffix == ".py"):
                _add(digest, path.relative_to(root).as_posix(), path)
    _add(digest, "overlap.py", here.parent / "overlap.py")
    return digest.hexdigest()


def _add(digest: Any, name: str, path: Path) -> None:
    with path.open("rb") as file:
        digest.update(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())


def license_ranks(licenses: list[str], order: Mapping[str, int]) -> list[int]:
    """How good each licence is: its place in the order (of A OR B the better, of A AND B the worse); unclear comes last."""
    ranks = {expression: _rank(expression, order) for expression in set(licenses)}
    return [ranks[expression] for expression in licenses]


def _rank(expression: str, order: Mapping[str, int]) -> int:
    last = len(order)
    if not expression:
        return last + 1
    plain = expression.replace("(", " ").replace(")", " ")
    return min(
        max(order.get(name.strip(), last) for name in alternative.split(" AND ")) for alternative in plain.split(" OR ")
    )
