"""`commons compare DIR_A DIR_B`: the paired statistics on any two folders of scores, outside the pipeline.

    commons compare scores/base/bbq scores/tuned/bbq --primary bbq:bias_ambiguous --out /tmp/compared

Each folder holds items.jsonl and benchmark.json of one benchmark (as `commons evaluate` and `commons score` write them),
or a folder of that kind for each of several. A is before, B is after.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.errors import Trouble

if TYPE_CHECKING:
    from stages.compare_models.measured import Measurement
    from stages.records import Comparison

OURS = "comparisons.json"  # a folder that holds it was written by this command (or its node) and may be replaced
ORDER = ("worse", "better", "within noise", "equivalent", "too few items")  # regressions first
LONGEST = 48  # of a cell of the table
DEFAULTS = {"resamples": 2000, "seed": 0, "confidence": 0.95, "min_items": 30}  # for folders that do not tell


def add(commands: Any) -> None:
    """Add the command."""
    compare = commands.add_parser("compare", help="paired statistics on any two folders of scores")
    compare.add_argument("before", type=Path, metavar="DIR_A", help="scores of one model, of one benchmark or several")
    compare.add_argument("after", type=Path, metavar="DIR_B", help="scores of another model on the same items")
    compare.add_argument("--out", type=Path, metavar="DIR", help="write comparisons.json here too")
    compare.add_argument("--primary", metavar="BENCHMARK:METRIC", help="the one result that was named in advance")
    compare.add_argument(
        "--margin", action="append", default=[], metavar="METRIC=SIZE", help="a smaller change does no harm; repeatable"
    )
    compare.add_argument("--permutations", type=int, default=10_000, metavar="N", help="swaps tried (default: 10,000)")
    compare.add_argument("--json", action="store_true", help="machine-readable, instead of the table")
    compare.set_defaults(act=_compare)


def _compare(options: argparse.Namespace) -> int:
    from stages.artifact import new_folder, write_json
    from stages.compare_models.compare import Rules, compare

    if options.permutations < 1000:
        raise Trouble(f"--permutations is {options.permutations}; wanted at least 1000: fewer make no p-value.")
    if options.out:
        _refuse_foreign(options.out)
    measurements = [_measured(name, folders) for name, folders in _benchmarks(options.before, options.after).items()]
    primary = _primary(options.primary, measurements)
    margins = dict(_margin(text) for text in options.margin)
    rows: list[Comparison] = []
    for each in measurements:
        named = (primary[1], "all") if primary and primary[0] == each.benchmark else None
        rows += compare(each, None, Rules(options.permutations, named, margins))
    rows.sort(key=lambda row: ORDER.index(row.verdict))
    content = [row.model_dump(mode="json") for row in rows]
    if options.out:
        with new_folder(options.out.absolute()) as folder:
            write_json(folder / OURS, content)
    print(json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) if options.json else _table(rows))
    return 0


def _refuse_foreign(out: Path) -> None:
    """`--out` is replaced whole: never somebody's other folder."""
    if out.exists() and not (
        out.is_dir() and (not any(out.iterdir()) or {path.name for path in out.iterdir()} == {OURS})
    ):
        raise Trouble(
            f"{out} is there and holds other things; wanted a new folder or an older comparison: name another --out."
        )


def _benchmarks(before: Path, after: Path) -> dict[str, dict[str, Path]]:
    """The folders of each benchmark on both sides; raises Trouble where the sides have others."""
    found = {side: _folders(side) for side in (before, after)}
    if before.resolve() == after.resolve():
        raise Trouble(f"{before} was given twice; wanted the scores of two models.")
    one, other = found[before], found[after]
    if len(one) == len(other) == 1:
        names = {_name(folder) for folder in (*one.values(), *other.values())}
        if len(names) > 1:
            raise Trouble(
                f"{before} is of {_name(*one.values())}, {after} of {_name(*other.values())}; wanted one benchmark."
            )
        return {names.pop(): _sides(*one.values(), *other.values())}
    if one.keys() != other.keys():
        apart = ", ".join(sorted(one.keys() ^ other.keys()))
        raise Trouble(
            f"{before} and {after} do not hold the same benchmarks ({apart} in one only); measure both alike."
        )
    return {name: _sides(one[name], other[name]) for name in one}


def _sides(before: Path, after: Path) -> dict[str, Path]:
    """By the names that messages use."""
    return {str(before): before, str(after): after}


def _folders(side: Path) -> dict[str, Path]:
    """The folder itself, or those in it, that hold a benchmark's outcomes; by benchmark."""
    from stages.compare_models.measured import ABOUT, ITEMS

    inside = sorted(side.iterdir()) if side.is_dir() else []
    folders = [folder for folder in (side, *inside) if (folder / ITEMS).is_file()]
    if not folders:
        raise Trouble(f"{side} holds no {ITEMS}; wanted scores as `commons evaluate` or `commons score` write them.")
    missing = [folder for folder in folders if not (folder / ABOUT).is_file()]
    if missing:
        raise Trouble(f"{missing[0]} holds no {ABOUT}, which says how the items were asked; make the scores again.")
    return {_name(folder): folder for folder in folders}


def _name(folder: Path) -> str:
    from stages.artifact import read_json
    from stages.compare_models.measured import ABOUT

    about = read_json(folder / ABOUT)
    return str(about.get("name") or folder.name) if isinstance(about, dict) else folder.name


def _measured(benchmark: str, folders: dict[str, Path]) -> Measurement:
    """Both sides; the scores are made again from the outcomes, whatever a file of scores says."""
    from stages.compare_models.measured import by_cell, measurement, read_alike
    from stages.metrics import METRICS
    from stages.scoring import metrics_of, scores_from_items

    about, items = read_alike(benchmark, folders)
    settings = DEFAULTS | {name: value for name, value in about.get("settings", {}).items() if name in DEFAULTS}
    unknown = [metric for metric in metrics_of(items[0]) if metric not in METRICS]
    if unknown:
        raise Trouble(f"{benchmark}: the metric '{unknown[0]}' has no words; add it to a file in stages/metrics.")
    scores = [by_cell(scores_from_items(side, benchmark, **settings)) for side in items]
    return measurement(benchmark, {**about, "settings": settings}, items, scores)


def _primary(text: str | None, measurements: list[Measurement]) -> tuple[str, str] | None:
    if text is None:
        return None
    benchmark, _, metric = text.rpartition(":")
    known = [
        f"{each.benchmark}:{cell[0]}"
        for each in measurements
        for cell in each.base_scores
        if cell[1:3] == ("all", "all")
    ]
    if text not in known:
        raise Trouble(f"--primary is '{text}'; wanted BENCHMARK:METRIC, one of: {', '.join(dict.fromkeys(known))}.")
    return benchmark, metric


def _margin(text: str) -> tuple[str, float]:
    from stages.metrics import METRICS

    name, _, size = text.rpartition("=")
    try:
        margin = float(size)
    except ValueError:
        margin = 0.0
    if not 0 < margin < float("inf") or name.rpartition(":")[2] not in METRICS:
        raise Trouble(
            f"--margin is '{text}'; wanted METRIC=SIZE or BENCHMARK:METRIC=SIZE, e.g. accuracy_ambiguous=0.05."
        )
    return name, margin


def _table(rows: list[Comparison]) -> str:
    """One line per comparison, regressions first, the columns in line."""
    if not rows:
        return "Nothing to compare: every slice has too few items (min_items in benchmark.json)."
    head = [
        "verdict",
        "what",
        "where",
        "before",
        "after",
        "change",
        "interval",
        "p",
        "detectable",
        "items",
        "templates",
    ]
    lines = [head, *(_line(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    told = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*told, "", *_reading(rows)])


def _line(row: Comparison) -> list[str]:
    from stages.scoring import slice_words

    parts = [slice_words(row.language, row.category), *(name for name in (row.group, row.polarity) if name != "all")]
    what = f"{row.benchmark}: {row.metric}" + (" *" if row.family == "primary" else "")
    return [
        row.verdict,
        what,
        _plain(" - ".join(filter(None, parts)) or "all items"),
        f"{row.base:.3f}",
        f"{row.tuned:.3f}",
        f"{row.difference:+.3f}",
        f"[{row.low:+.3f}, {row.high:+.3f}]",
        f"{row.p_adjusted if row.q_value is None else row.q_value:.4f}",
        "" if row.mde is None else f"{row.mde:.3f}",
        f"{row.items:,}",
        f"{row.clusters:,}",
    ]


def _plain(text: str) -> str:
    """Names from data: one line, no control characters, not too long."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def _reading(rows: list[Comparison]) -> list[str]:
    named = "* named in advance; " if any(row.family == "primary" for row in rows) else ""
    return [
        f"{named}p is adjusted for the number of comparisons of its kind (Holm; languages and groups: Benjamini-Hochberg).",
        "detectable: the true change that would be found four times in five. Within noise does not say that nothing changed.",
    ]
