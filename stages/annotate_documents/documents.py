"""The one record of a document that readers yield and every judgement reads."""

from __future__ import annotations

import pyarrow as pa

# "" where a source does not tell.
DOCUMENT = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("text", pa.large_string()),
        pa.field("language", pa.string()),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("license", pa.string()),
        pa.field("title", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("retrieved", pa.string()),
    ]
)
