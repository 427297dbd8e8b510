"""The words of `commons ratify`; what it does is in flows/deciding.py, which takes longer to import."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """The command's words."""
    ratify = commands.add_parser("ratify", help="decide on the drafted principles, in a terminal or from a table")
    ratify.add_argument("--draft", type=Path, metavar="DIR", help="the drafted constitution (default: the pipeline's)")
    ratify.add_argument("--out", type=Path, metavar="FILE", help="decisions file (default: the one params.yaml names)")
    ratify.add_argument("--amends", type=Path, metavar="FILE", help="the ratified constitution that this one amends")
    how = ratify.add_mutually_exclusive_group()
    how.add_argument("--template", type=Path, metavar="FILE", help="write a table (.csv) to fill in with a spreadsheet")
    how.add_argument("--from-csv", type=Path, metavar="FILE", help="take the decisions from a filled-in table")
    ratify.set_defaults(act=_act)


def _act(options: argparse.Namespace) -> int:
    from flows.deciding import act

    return act(options)
