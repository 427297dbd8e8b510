"""`commons constitution`: what a version changes, the constitution in other formats, and whether a file is sound."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

FORMATS = "list, critique, articles, markdown, jsonld"  # named here because reading the adapters takes a while


def add(commands: Any) -> None:
    """The command's words."""
    parser = commands.add_parser("constitution", help="compare, export or check constitutions")
    kinds = parser.add_subparsers(required=True, metavar="WHAT")

    diff = kinds.add_parser("diff", help="what the second changes, as an amendment reads")
    diff.add_argument("before", type=Path, help="a constitution.json, or a release's folder")
    diff.add_argument("after", type=Path, help="the same")
    diff.add_argument("--json", action="store_true", help="machine-readable")
    diff.set_defaults(act=_diff)

    export = kinds.add_parser("export", help="write it to standard output in another format")
    export.add_argument("constitution", type=Path, help="a constitution.json, or a release's folder")
    export.add_argument("--as", dest="form", required=True, metavar="FORMAT", help=FORMATS)
    export.set_defaults(act=_export)

    check = kinds.add_parser("check", help="its schema, version, sources and decisions")
    check.add_argument("constitution", type=Path, help="a constitution.json, or a release's folder")
    check.set_defaults(act=_check)


def _diff(options: argparse.Namespace) -> int:
    from stages.constitution import read_constitution
    from stages.ratify_constitution import difference
    from stages.ratify_constitution.amendments import find_constitution

    before, after = (read_constitution(find_constitution(path)) for path in (options.before, options.after))
    if options.json:
        _say(json.dumps(difference.as_content(before, after), ensure_ascii=False, indent=2, sort_keys=True))
    else:
        _say(difference.in_words(before, after))
    return 0


def _export(options: argparse.Namespace) -> int:
    from stages.constitution import read_constitution
    from stages.ratify_constitution import exports
    from stages.ratify_constitution.amendments import find_constitution

    constitution = read_constitution(find_constitution(options.constitution))
    _say(exports.adapter(options.form).export(constitution))
    return 0


def _check(options: argparse.Namespace) -> int:
    from stages.artifact import read_json
    from stages.constitution import read_constitution, validate
    from stages.ratify_constitution import soundness
    from stages.ratify_constitution.amendments import find_constitution

    path = find_constitution(options.constitution)
    validate(read_json(path), path)
    constitution = read_constitution(path)
    problems = soundness.problems(constitution)
    for problem in problems:
        print(f"{path}: {_plain(problem)}.", file=sys.stderr)
    if problems:
        return 1
    _say(
        f"{path}: sound. Version {constitution.version} ({constitution.status}), {len(constitution.principles)} principles"
        f" on {sum(len(p.sources) for p in constitution.principles)} statements."
    )
    return 0


def _say(text: str) -> None:
    print(_plain(text))


def _plain(text: str) -> str:
    """Without what a terminal would obey: citizens wrote it."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)
