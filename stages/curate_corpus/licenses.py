"""Which licences may enter the corpus, and what each asks of those who pass the texts on."""

from __future__ import annotations

from collections.abc import Sequence

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


def obligations(license: str) -> tuple[str, ...]:
    """What the licence asks, in words."""
    return OBLIGATIONS.get(license, (ASK_THE_SOURCE,))


def asks_share_alike(license: str) -> bool:
    """Whether adaptations must be passed on under the same licence."""
    return SHARE_ALIKE in obligations(license)


def asks_attribution(license: str) -> bool:
    """Whether the source must be named."""
    return NOTHING not in obligations(license)


def address(license: str) -> str:
    """Where SPDX keeps the licence's text; empty for a source's own terms."""
    return "" if license.startswith("LicenseRef-") else f"https://spdx.org/licenses/{license}.html"


def choose_license(expression: str, allowed: Sequence[str]) -> str | None:
    """The allowed licence that the expression offers, spelt as in `allowed`; None where it offers none.

    Of alternatives (`A OR B`) the first allowed one is taken; `A AND B` binds to both and is not taken apart.
    """
    known = {name.casefold(): name for name in allowed}
    for alternative in _alternatives(expression):
        if chosen := known.get(alternative.casefold()):
            return chosen
    return None


def _alternatives(expression: str) -> list[str]:
    """The parts between `OR`, also within brackets around the whole, but not within an `AND`."""
    parts, depth = [""], 0
    for word in expression.replace("(", " ( ").replace(")", " ) ").split():
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word.upper() == "OR" and depth == 0:
            parts.append("")
        else:
            parts[-1] = f"{parts[-1]} {word}".strip()
    if len(parts) > 1:
        return [name for part in parts for name in _alternatives(part)]
    inner = parts[0][2:-2]
    whole = parts[0].startswith("( ") and parts[0].endswith(" )") and _balanced(inner)
    return _alternatives(inner) if whole else parts


def _balanced(words: str) -> bool:
    """Whether no bracket closes before it opens: "A ) AND ( B" was not within one pair."""
    depth = 0
    for character in words:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0
