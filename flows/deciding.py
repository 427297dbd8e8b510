"""`commons ratify`: people's decisions on the draft, asked in a terminal or taken from a spreadsheet's table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stages.constitution import fingerprint, read_constitution
from stages.errors import Trouble
from stages.ratify_constitution import versions
from stages.ratify_constitution.amendments import find_constitution
from stages.ratify_constitution.decisions import Decisions, Entry, Previous, parse, read_decisions
from stages.ratify_constitution.draft_page import notes
from stages.ratify_constitution.interview import Interview, head
from stages.ratify_constitution.ratification import apply
from stages.ratify_constitution.writing import write_decisions, write_template
from stages.records import Constitution

INCOMPLETE = 3


def act(options: argparse.Namespace) -> int:
    """Write the template, take the table or hold the interview."""
    folder, out = _places(options)
    draft = read_constitution(folder / "constitution.json")
    if draft.status != "draft":
        raise Trouble(f"{folder} holds a constitution that is {draft.status}; wanted a draft: name its folder.")
    known = read_decisions(out) if out.exists() else None
    previous = known.previous if known else None
    if options.amends:
        previous, amended = _previous(options.amends)
        draft = draft.model_copy(update={"title": amended.title, "question": amended.question})  # what is suggested
    if options.template:
        return _template(options.template, draft, known, previous, folder)
    if options.from_csv:
        return _from_table(options.from_csv, out, draft, known, previous)
    return _interview(out, draft, known, previous, folder)


def _places(options: argparse.Namespace) -> tuple[Path, Path]:
    if options.draft and (options.out or options.template):
        return options.draft, options.out or options.template.with_suffix(".yaml")
    from flows import environment, ratification
    from flows.graph import open_repo, read_graph

    environment.prepare()
    people = ratification.find(read_graph(open_repo()))
    if people is None:
        raise Trouble(f"dvc.yaml has no node {ratification.NODE}; wanted --draft DIR and --out FILE: name them.")
    return options.draft or people.draft, options.out or people.decisions


def _previous(path: Path) -> tuple[Previous, Constitution]:
    """What the decisions file keeps of the version before, and that version."""
    file = find_constitution(path)
    constitution = read_constitution(file)
    texts = {principle.id: principle.text for principle in constitution.principles}
    previous = Previous(version=constitution.version, sha256=fingerprint(file), principles=texts)
    return previous, constitution


def _template(path: Path, draft: Constitution, known: Decisions | None, previous: Previous | None, folder: Path) -> int:
    if path.suffix.lower() != ".csv":
        raise Trouble(f"Found the name {path}; wanted one that ends in .csv: spreadsheets open that.")
    if path.exists():
        raise Trouble(f"{path} is there already; wanted a new file, so that nobody's answers are lost: name another.")
    if known is None and previous:
        version, question = _likely(previous), draft.question
        known = Decisions(title=draft.title, version=version, question=question, previous=previous, decisions=())
    elif known:
        known = known.model_copy(update={"previous": previous})
    write_template(path, draft, known, notes(draft, folder))
    print(f"{path}: {len(draft.principles)} principles to decide on. Then: commons ratify --from-csv {path}")
    return 0


def _likely(previous: Previous | None) -> str:
    return versions.next_version(previous.version, ["reworded"]) if previous else versions.FIRST


def _from_table(table: Path, out: Path, draft: Constitution, known: Decisions | None, previous: Previous | None) -> int:
    given = read_decisions(table)
    merged = given.model_copy(
        update={
            "previous": given.previous or previous,
            "question": given.question or (known.question if known else ""),
            "decisions": (*_with_translations(given, known), *_others(given, known)),
        }
    )
    apply(table, merged, draft)
    write_decisions(out, merged, draft)
    print(f"{out}: {len(merged.decisions)} decisions from {table}. Next: commons run")
    return 0


def _with_translations(given: Decisions, known: Decisions | None) -> list[Entry]:
    """A table has no place for translations: those that the file has already stay with what is still adopted."""
    before = {entry.principle: entry for entry in known.decisions} if known else {}
    return [
        entry.model_copy(update={"translations": before[entry.principle].translations})
        if entry.principle in before and entry.decision == "accept" and before[entry.principle].decision == "accept"
        else entry
        for entry in given.decisions
    ]


def _others(given: Decisions, known: Decisions | None) -> list[Entry]:
    """Decisions that the file has and the table does not speak of."""
    spoken_of = {entry.principle for entry in given.decisions}
    return [entry for entry in known.decisions if entry.principle not in spoken_of] if known else []


def _interview(out: Path, draft: Constitution, known: Decisions | None, previous: Previous | None, folder: Path) -> int:
    if not sys.stdin.isatty():
        raise Trouble(
            "Standard input is not a terminal; wanted one to ask people in: run this in a terminal, or fill in the"
            " table of `commons ratify --template FILE.csv` and take it with --from-csv FILE.csv."
        )
    try:
        decisions = known or parse(out, head(draft, input, _likely(previous)))
    except (EOFError, KeyboardInterrupt):
        print("\nStopped; nothing was written.")
        return INCOMPLETE
    decisions = decisions.model_copy(update={"previous": previous})
    write_decisions(out, decisions, draft)
    talk = Interview(
        out, draft, notes(draft, folder), decisions, ask=input, say=_say,
        save=lambda answered: write_decisions(out, answered, draft), by=decisions.by,
    )  # fmt: skip
    print(f"{talk.left()} of {len(draft.principles)} principles wait for a decision; each answer is kept in {out}.")
    complete = talk.hold()
    if complete:
        write_decisions(out, talk.decisions, draft)
        print(f"\n{out} is complete. Next: commons run")
        return 0
    print(f"\n{talk.left()} principles wait for a decision; the others are kept in {out}: run this again to go on.")
    return INCOMPLETE


def _say(text: str) -> None:
    """Print without what a terminal would obey: citizens wrote it."""
    print("".join(c if c.isprintable() or c == "\n" else " " for c in text))
