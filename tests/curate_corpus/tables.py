"""Write attribute tables as annotate_documents does, from literal rows, so that the mix can be tried alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SHARES = (
    "symbol_word_ratio",
    "alpha_word_share",
    "bullet_line_share",
    "ellipsis_line_share",
    "short_line_share",
    "terminal_line_share",
    "duplicate_line_share",
    "duplicate_line_character_share",
    *(f"top_{n}gram_share" for n in (2, 3, 4)),
    *(f"duplicate_{n}gram_share" for n in range(5, 11)),
)
TEXT, NUMBER, SHARE, FLAG = pa.string(), pa.int32(), pa.float32(), pa.bool_()
SCHEMAS = {
    "documents": {"id": TEXT, "text": pa.large_string()}
    | dict.fromkeys(("language", "source", "url", "license", "title", "kind", "retrieved"), TEXT),
    "language": {"id": TEXT, "declared": TEXT, "identified": TEXT, "probability": SHARE, "other_share": SHARE},
    "quality": {"id": TEXT, "characters": NUMBER, "words": NUMBER, "mean_word_length": SHARE}
    | dict.fromkeys(SHARES, SHARE)
    | {"stop_words": NUMBER, "curly_brackets": NUMBER, "lorem_ipsum": FLAG},
    "personal_data": {"id": TEXT, "kind": TEXT, "start": NUMBER, "end": NUMBER},
    "duplicates": {"id": TEXT, "text_hash": TEXT, "representative": TEXT, "jaccard": SHARE, "exact": FLAG},
    "contamination": {"id": TEXT, "benchmark": TEXT, "item": TEXT, "how": TEXT, "runs": NUMBER},
    "license": {"id": TEXT, "license": TEXT, "evidence": TEXT},
    "opt_out": {"id": TEXT, "verdict": TEXT, "evidence": TEXT, "captured": TEXT},
    "toxicity": {"id": TEXT, "score": SHARE},
}
GOOD_TEXT = "El ple de l’ajuntament aprova l’ordenança, i la publica al butlletí perquè tothom la pugui llegir. "


def document(id: str, **said: Any) -> dict[str, Any]:
    """A document that breaks no rule, but for what is said; attributes are said as `table__column`."""
    text = said.get("text", GOOD_TEXT * 2 + id)
    plain = {
        "documents": {
            "text": text, "language": "ca", "source": "butlletí", "url": f"https://b.example/{id}",
            "license": "CC-BY-4.0", "title": id, "kind": "", "retrieved": "2025-11-03",
        },
        "language": {"declared": said.get("language", "ca"), "identified": said.get("language", "ca"),
                     "probability": 1.0, "other_share": 0.0},
        "quality": {"characters": len(text), "words": 120, "mean_word_length": 5.0, **dict.fromkeys(SHARES, 0.0),
                    "alpha_word_share": 1.0, "terminal_line_share": 1.0, "stop_words": 5, "curly_brackets": 0,
                    "lorem_ipsum": False},
        "duplicates": {"text_hash": id, "representative": id, "jaccard": 1.0, "exact": False},
        "license": {"license": said.get("license", "CC-BY-4.0"), "evidence": "the document's own licence field"},
        "opt_out": {"verdict": "allowed", "evidence": "nothing in robots.txt refuses it", "captured": "2025-11-03"},
    }  # fmt: skip
    for name, value in said.items():
        table, _, column = name.rpartition("__")
        if table in ("spans", "hits"):
            continue
        plain.setdefault(table or "documents", {})[column] = value
    return {table: {"id": id, **row} for table, row in plain.items()}


def write_attributes(
    folder: Path,
    shards: Sequence[Sequence[Mapping[str, Any]]],
    spans: Iterable[tuple[str, str, int, int]] = (),
    hits: Iterable[tuple[str, str, str, str, int]] = (),
) -> Path:
    """Write every table; `spans` are (id, kind, start, end), `hits` (id, benchmark, item, how, runs)."""
    rows_of = {"personal_data": list(spans), "contamination": list(hits)}
    for number, shard in enumerate(shards):
        ids = {document["documents"]["id"] for document in shard}
        for table, columns in SCHEMAS.items():
            rows = [document[table] for document in shard if table in document]
            if table in rows_of:
                rows = [dict(zip(columns, row, strict=True)) for row in rows_of[table] if row[0] in ids]
            elif not rows and shard:
                continue
            path = folder / table / f"part-{number:05}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(list(columns.items()))), path)
    return folder
