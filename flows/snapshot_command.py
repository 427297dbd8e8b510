"""`commons snapshot URL FOLDER`: fetch a deliberation from the network once, so that runs read the same bytes ever after.

    commons snapshot https://example.org/processes/ai/f/12/ data/city --source decidim_api

Run the same command again after an interruption: it continues. Afterwards set `ingest_deliberation` in params.yaml.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stages.ingest_deliberation.polite import Manners
from stages.ingest_deliberation.snapshot import MAX_MIB, SOURCES, take


def add(commands: Any) -> None:
    """Add the command."""
    snapshot = commands.add_parser(
        "snapshot", help="fetch a deliberation from a Polis or Decidim server, to be read later"
    )
    snapshot.add_argument(
        "url", metavar="URL", help="https address of an export, of open data, or of a Decidim component"
    )
    snapshot.add_argument("folder", type=Path, metavar="FOLDER", help="folder to make")
    snapshot.add_argument("--source", default="", choices=SOURCES, help="told by the address where it can be")
    snapshot.add_argument(
        "--component", action="append", default=[], metavar="ID", help="Decidim: number; may be repeated"
    )
    snapshot.add_argument(
        "--per-minute", type=int, default=Manners.per_minute, metavar="N", help="requests (default: 100)"
    )
    snapshot.add_argument("--max-mib", type=int, default=MAX_MIB, metavar="N", help="of a download (default: 1024)")
    snapshot.set_defaults(act=_snapshot)


def _snapshot(options: argparse.Namespace) -> int:
    manners = Manners(per_minute=max(1, options.per_minute))
    source = take(
        options.url,
        options.folder,
        options.source,
        options.component,
        manners=manners,
        max_mib=max(1, options.max_mib),
        say=lambda line: print(line, flush=True),
    )
    print(
        f"Done. In params.yaml:\n  ingest_deliberation.source: {source}\n  ingest_deliberation.path: {options.folder}",
        flush=True,
    )
    return 0
