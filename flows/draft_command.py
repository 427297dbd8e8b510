"""`commons draft EXPORT --out DIR`: a draft constitution from any export, outside the pipeline.

    commons draft ../shared/data/polis/vtaiwan.uberx --out /tmp/uberx --k 2

DIR gets participants.csv (one line per row of the export's participant table, in its order: row, participant, group),
statements.csv (votes per group, scores, selected or not and why), constitution.json, quality.json, report.html, plots.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.errors import Trouble

if TYPE_CHECKING:
    from stages.draft_constitution.drafting import Drafted
    from stages.draft_constitution.parameters import Parameters
    from stages.ingest_deliberation.deliberation import Deliberation

DEFAULTS = Path(__file__).parents[1] / "params.yaml"  # what is not said on the command line
OURS = "quality.json"  # a folder that holds it was written by this command and may be replaced


def add(commands: Any) -> None:
    """Add the command."""
    draft = commands.add_parser("draft", help="draft a constitution from any export, outside the pipeline")
    draft.add_argument("export", metavar="EXPORT", help="folder, zip file or https address of a deliberation's export")
    draft.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    draft.add_argument("--source", metavar="NAME", help="polis, decidim, …; found out where it is not given")
    draft.add_argument("--language", default="en", metavar="XX", help="of the statements, ISO 639-1 (default: en)")
    draft.add_argument("--title", metavar="TEXT", help="the question that people were asked (default: the export's)")
    draft.add_argument("--license", default="LicenseRef-unknown", metavar="SPDX", help="of the votes and statements")
    draft.add_argument("--k", type=int, metavar="N", help="number of opinion groups (default: chosen by stability)")
    draft.add_argument("--rule", metavar="RULE", help="threshold, top_n, proportional or all")
    draft.add_argument("--params", type=Path, metavar="FILE", help="YAML laid over params.yaml")
    draft.set_defaults(act=_draft)


def _draft(options: argparse.Namespace) -> int:
    from stages.artifact import new_folder
    from stages.draft_constitution import writing
    from stages.draft_constitution.__main__ import in_words
    from stages.draft_constitution.drafting import draft
    from stages.draft_constitution.material import read_material
    from stages.ingest_deliberation.files import write

    _refuse_foreign(options.out)
    params = _parameters(options)
    with _at_hand(options.export, options.source or "") as path:
        deliberation = _read(path, options)
    counts = deliberation.about["counts"]
    print(
        f"read {counts['votes']:,} votes of {counts['participants']:,} participants on {counts['statements']:,}"
        f" statements; {deliberation.about['sign_convention']}",
        flush=True,
    )
    with new_folder(options.out.absolute()) as folder:
        write(folder / "deliberation", deliberation)
        material = read_material(folder / "deliberation")  # the same way as in the pipeline
        drafted = draft(material, params)
        writing.write(folder, material, drafted, params)
        _write_tables(folder, deliberation, drafted)
    print(
        f"{in_words(drafted)}\nLook at {options.out / 'report.html'}; every check with its value: {options.out / OURS}"
    )
    return 0


def _refuse_foreign(out: Path) -> None:
    """`--out` is replaced whole: never somebody's other folder."""
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / OURS).exists())):
        raise Trouble(
            f"{out} is there and holds other things; wanted a new folder or an older draft: name another --out."
        )


def _parameters(options: argparse.Namespace) -> Parameters:
    from stages.draft_constitution.parameters import Parameters
    from stages.params import parse, read_file

    path = Path("params.yaml") if Path("params.yaml").exists() else DEFAULTS
    section: dict[str, Any] = dict(read_file(path).get("draft_constitution", {}))
    if options.params:
        overlay = read_file(options.params)
        section |= overlay.get("draft_constitution", overlay)
        path = options.params
    said = {"groups": options.k, "rule": options.rule}
    section |= {name: value for name, value in said.items() if value is not None}
    return parse("draft_constitution", section, Parameters, path)


@contextmanager
def _at_hand(export: str, source: str) -> Iterator[Path]:
    """The export as a path; an address is fetched into a temporary snapshot first."""
    if "://" not in export:
        if not Path(export).exists():
            raise Trouble(f"{export} is missing; wanted the folder or zip file of an export: check the path.")
        yield Path(export)
        return
    from stages.ingest_deliberation.snapshot import take

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "snapshot"
        take(export, folder, source)
        yield folder


def _read(path: Path, options: argparse.Namespace) -> Deliberation:
    from stages.ingest_deliberation import sources
    from stages.ingest_deliberation.deliberation import pseudonymous
    from stages.ingest_deliberation.parameters import Parameters
    from stages.ingest_deliberation.pseudonyms import key_from, pseudonymiser
    from stages.params import read_file

    source = options.source or sources.recognise(path)
    conversation = sources.read(source, path, options.language)
    salt = read_file(DEFAULTS)["ingest_deliberation"]["salt"]
    key = key_from(salt)
    params = Parameters(
        source=source,
        path=str(path),
        title=options.title or conversation.topic or path.stem,
        license=options.license,
        simulated="SIMULATED" in conversation.topic,
        language=options.language,
        salt=salt,
    )
    return pseudonymous(conversation, pseudonymiser(key), key.in_words, params)


def _write_tables(folder: Path, deliberation: Deliberation, drafted: Drafted) -> None:
    """The tables that somebody without the pipeline works on."""
    from stages.artifact import write_csv, write_json

    labels = drafted.found.grouping.labels if drafted.found else {}
    people = ([row, key, labels.get(key, "")] for row, key in enumerate(deliberation.rows, start=1))
    write_csv(folder / "participants.csv", ["row", "participant", "group"], people)
    groups = list(drafted.found.grouping.sizes) if drafted.found else []
    header, rows = _statement_table(drafted, groups)
    write_csv(folder / "statements.csv", header, rows)
    write_json(folder / OURS, _quality(drafted))


def _statement_table(drafted: Drafted, groups: list[str]) -> tuple[list[str], list[list[Any]]]:
    """One line per statement by id: votes per group, scores, selected or not and why."""
    counted = [f"{group}_{vote}" for group in groups for vote in ("agree", "disagree", "pass")]
    header = ["statement_id", "text", *counted, "gac", "lower_bound", "exposure", "selected", "reason"]
    constitution = drafted.constitution
    lines = [
        (p.statement_ids[0], p.text, p.votes, p.scores, "yes", p.selection.reason) for p in constitution.principles
    ]
    lines += [(r.statement_id, r.text, r.votes, r.scores, "no", r.reason) for r in constitution.rejected]
    rows = []
    for id_, text, votes, scores, selected, reason in sorted(lines, key=lambda line: line[0]):
        counts = [votes[g] for g in groups] if votes else []
        cells: list[Any] = [number for count in counts for number in (count.agree, count.disagree, count.passed)]
        figures: list[Any] = [scores.gac, scores.lower_bound, scores.exposure] if scores else ["", "", ""]
        rows.append([id_, text, *(cells or [""] * len(counted)), *figures, selected, reason])
    return header, rows


def _quality(drafted: Drafted) -> dict[str, Any]:
    """quality.json: the verdict, every gate with its value, and the stability of each number of groups."""
    found = drafted.found
    grouping = found.grouping if found else None
    return {
        "verdict": drafted.constitution.method.verdict if drafted.constitution.method else "",
        "reliable": bool(grouping and grouping.reliable),
        "k": len(grouping.sizes) if grouping else 0,
        "k_chosen": grouping.chosen if grouping else "",
        "stability": {
            str(count): {"mean": one.mean, "lowest": one.lowest, "smallest_group": one.smallest_group}
            for count, one in sorted(grouping.stability.items() if grouping else ())
        },
        "separation_p": grouping.separation_p if grouping else None,
        "gates": [gate.model_dump() for gate in drafted.gates],
    }
