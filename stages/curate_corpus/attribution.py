"""Who must be named, and what each licence asks: as a list for people, and as obligations for the model card."""

from __future__ import annotations

import re
from typing import Any

from stages.curate_corpus.licenses import address, asks_attribution, asks_share_alike, obligations
from stages.curate_corpus.tally import Tally

WEB_ADDRESS = re.compile(r"https?://[^\s<>|\\`\"]+")


def attribution(tally: Tally) -> str:
    """The Markdown list of sources with their licence, number of documents and obligations."""
    lines = [
        "# Sources of the corpus",
        "",
        "Whoever passes the corpus on, or a model taught with it, keeps this list.",
        "Each document's own address is in the column `url` of `corpus/*.parquet`.",
        "",
        *_share_alike_note(tally),
        "| source | licence (SPDX) | documents | what the licence asks | stated by | latest retrieval | for instance |",
        "|---|---|---|---|---|---|---|",
    ]
    for (source, license), right in sorted(tally.rights.items()):
        asked = "; ".join(obligations(license))
        told = (source or "(not named)", license, f"{right.documents:,}", asked, right.evidence, right.retrieved)
        cells = [escape_markdown(cell) for cell in told]
        lines.append("| " + " | ".join([*cells, link(right.url)]) + " |")
    return "\n".join(lines)


def _share_alike_note(tally: Tally) -> list[str]:
    shared = sorted({license for _, license in tally.rights if asks_share_alike(license)})
    if not shared:
        return ["No licence in it asks that adaptations are passed on under the same licence (share-alike).", ""]
    return [
        f"**Share-alike**: {', '.join(shared)} ask that adaptations are passed on under the same licence."
        " Whether a model is an adaptation of its texts is not settled; say so where it is released.",
        "",
    ]


def obligations_record(tally: Tally) -> dict[str, Any]:
    """The obligations by licence, for the card of a model that was taught with the corpus."""
    licenses: dict[str, dict[str, Any]] = {}
    for (source, license), right in sorted(tally.rights.items()):
        entry = licenses.setdefault(
            license,
            {
                "license": license,
                "address": address(license),
                "asks": list(obligations(license)),
                "share_alike": asks_share_alike(license),
                "attribution": asks_attribution(license),
                "documents": 0,
                "characters": 0,
                "sources": [],
            },
        )
        entry["documents"] += right.documents
        entry["characters"] += right.characters
        entry["sources"].append(source)
    return {
        "licenses": list(licenses.values()),
        "share_alike": any(entry["share_alike"] for entry in licenses.values()),
        "attribution": any(entry["attribution"] for entry in licenses.values()),
        "attribution_list": "attribution.md",
        "documents": tally.kept,
        "documents_with_personal_data_masked": tally.masked_documents,
    }


def link(url: str) -> str:
    """A web address as a link; anything else is only text."""
    return f"<{url}>" if WEB_ADDRESS.fullmatch(url) else escape_markdown(url)


def escape_markdown(text: str) -> str:
    """The text as text in a Markdown table: names of sources are data, never markup."""
    escaped = "".join("\\" + character if character in r"\`*_[]|~" else character for character in text)
    return " ".join(escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
