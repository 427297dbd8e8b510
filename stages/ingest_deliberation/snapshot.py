"""Take a pinned snapshot of a deliberation on the network, so that what is read stays the same.

A snapshot that was interrupted grows on in `.<folder>.partial` when it is taken again; it takes its name when whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from stages.errors import Trouble
from stages.ingest_deliberation import fetch_files, fetch_pages, pinned
from stages.ingest_deliberation.polite import Manners, Polite, check_url

SOURCES = ("polis", "decidim", "decidim_api")
MAX_MIB = 1024


def take(
    url: str,
    folder: Path,
    source: str = "",
    components: Sequence[str] = (),
    *,
    manners: Manners | None = None,
    max_mib: int = MAX_MIB,
    say: Callable[[str], None] = print,
) -> str:
    """Fetch what is at `url` into `folder`; returns the source that reads it (recognised where it is not given)."""
    check_url(url)
    source = source or recognise(url)
    if source not in SOURCES:
        raise Trouble(f"No source named '{source}' can be fetched; known: {', '.join(SOURCES)}.")
    for number in components:
        if not re.fullmatch("[1-9][0-9]{0,9}", number):
            raise Trouble(f"--component {number[:20]!r} is no component's number; wanted one such as 12.")
    folder = folder.absolute()
    if folder.is_file():
        raise Trouble(f"{folder} is a file; wanted the name of a new folder.")
    if folder.exists() and any(folder.iterdir()):
        _refuse_other(folder, source)
        say(f"{folder} is whole already and stays as it is; remove it to fetch again.")
        return source
    manners = manners or Manners()
    polite = Polite(manners, say)
    if source == fetch_pages.SOURCE:
        fetch_pages.fetch(url, folder, components, polite, manners, say)
    else:
        errand = fetch_files.Errand(polite, manners, say, max_mib << 20)
        fetch_files.fetch(url, folder, source, components, errand)
    return source


def recognise(url: str) -> str:
    """Which source an address belongs to, by its look; raises Trouble where that tells nothing."""
    path = urlsplit(url).path.lower()
    if path.rstrip("/").endswith("/api") or re.search(r"/(processes|assemblies)/.+/f/\d+", path):
        return "decidim_api"
    if "open-data" in path or path.endswith("proposals.csv"):
        return "decidim"
    if path.endswith(("comments.csv", ".zip")) or "reportexport" in path:
        return "polis"
    raise Trouble(f"{url[:80]} does not tell which platform it is; give --source: {', '.join(SOURCES)}.")


def _refuse_other(folder: Path, source: str) -> None:
    if not (folder / pinned.DESCRIPTION).exists():
        raise Trouble(f"{folder} is there and is no snapshot; wanted a new or empty folder: name another one.")
    about = pinned.verify(folder, needed=True)
    if about.get("source") != source:
        raise Trouble(f"{folder} is a snapshot of {about.get('source')}; wanted {source}: name another folder.")
