"""Which licences may enter the corpus, and what each asks of those who pass the texts on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from stages.records import Document

WEB_ADDRESS = re.compile(r"https?://[^\s<>|\\`]+")

ATTRIBUTION = "name the author or publisher, link the licence and say what was changed"
SHARE_ALIKE = "pass adaptations on under the same licence"
KEEP_NOTICE = "keep the copyright and licence notice"
NOTHING = "nothing is asked; naming the source is good practice"
ASK_THE_SOURCE = "not a standard licence: read the source's own terms"

# SPDX id -> what it asks. Read from the licence texts; a summary for people, not legal advice.
OBLIGATIONS = {
    "CC0-1.0": (NOTHING,),
    "PDDL-1.0": (NOTHING,),
    "Unlicense": (NOTHING,),
    "CC-BY-3.0": (ATTRIBUTION,),
    "CC-BY-4.0": (ATTRIBUTION,),
    "CC-BY-SA-3.0": (ATTRIBUTION, SHARE_ALIKE),
    "CC-BY-SA-4.0": (ATTRIBUTION, SHARE_ALIKE),
    "ODC-By-1.0": (ATTRIBUTION,),
    "ODbL-1.0": (ATTRIBUTION, SHARE_ALIKE),
    "etalab-2.0": ("name the producer and the date of the last update",),
    "OGL-UK-3.0": ("name the information provider and link the licence",),
    "DL-DE-BY-2.0": ("name the provider, the licence with its address and the data set's address",),
    "MIT": (KEEP_NOTICE,),
    "Apache-2.0": (KEEP_NOTICE, "say what was changed"),
}


def choose_license(expression: str, allowed: Sequence[str]) -> str | None:
    """The allowed licence that the expression offers, spelt as in `allowed`; None where it offers none.

    Of alternatives (`A OR B`) the first allowed one is taken; `A AND B` binds to both and is not taken apart.
    """
    known = {name.casefold(): name for name in allowed}
    for alternative in expression.split(" OR "):
        if chosen := known.get(alternative.strip().strip("()").strip().casefold()):
            return chosen
    return None


def attribution(documents: Sequence[Document]) -> str:
    """The Markdown list of sources with their licence, number of documents and obligations."""
    counts = Counter((document.source, document.license) for document in documents)
    addresses: dict[tuple[str, str], str] = {}
    for document in documents:
        if document.url:
            key = (document.source, document.license)
            addresses[key] = min(addresses.get(key, document.url), document.url)
    lines = [
        "# Sources of the corpus",
        "",
        "Whoever passes the corpus on, or a model taught with it, keeps this list.",
        "Each document's own address is in `documents.jsonl`.",
        "",
        "| source | licence (SPDX) | documents | what the licence asks | for instance |",
        "|---|---|---|---|---|",
    ]
    for (source, license), count in sorted(counts.items()):
        asked = "; ".join(OBLIGATIONS.get(license, (ASK_THE_SOURCE,)))
        cells = [escape_markdown(cell) for cell in (source or "(not named)", license, f"{count:,}", asked)]
        lines.append("| " + " | ".join([*cells, _link(addresses.get((source, license), ""))]) + " |")
    return "\n".join(lines)


def _link(address: str) -> str:
    """A web address as a link; anything else is only text."""
    return f"<{address}>" if WEB_ADDRESS.fullmatch(address) else escape_markdown(address)


def escape_markdown(text: str) -> str:
    """The text as text in a Markdown table: names of sources are data, never markup."""
    escaped = "".join("\\" + character if character in r"\`*_[]|~" else character for character in text)
    return " ".join(escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
