"""Apply the decisions that people took on the draft.

    python -m stages.ratify_constitution --draft data/constitution/draft \\
        --decisions data/sample/decisions.yaml --out data/constitution/ratified
"""

from __future__ import annotations

from pathlib import Path

from stages import gate
from stages.artifact import new_folder, write_json, write_text
from stages.constitution import read_constitution, validate
from stages.errors import Trouble
from stages.node import arguments, run
from stages.params import load
from stages.ratify_constitution import expectations, exports, soundness
from stages.ratify_constitution.charter import charter
from stages.ratify_constitution.parameters import Parameters
from stages.ratify_constitution.ratification import Ratification, ratified
from stages.records import Constitution


def main() -> str:
    """Read, check, apply, write; return the counts in words."""
    args = arguments(
        __doc__,
        draft="folder written by draft_constitution",
        decisions="YAML or CSV file with one decision per drafted principle",
        out="folder to write",
    )
    load("ratify_constitution", Parameters)
    draft = read_constitution(args.draft / "constitution.json")
    result = ratified(args.decisions, draft)
    _refuse_unsound(args.decisions, result.constitution)
    with new_folder(args.out) as folder:
        write(folder, result, draft)
        drafted = [principle.id for principle in draft.principles]
        gate.enforce(folder, expectations.tables(result.constitution), expectations.expected(drafted))
    return in_words(result, len(draft.principles))


def _refuse_unsound(path: Path, constitution: Constitution) -> None:
    problems = soundness.problems(constitution)
    if problems:
        raise Trouble(f"{path} and the draft make no sound constitution: {problems[0]} ({len(problems)} in all).")


def write(folder: Path, result: Ratification, draft: Constitution) -> None:
    """The constitution as record, as charter and in other projects' formats."""
    content = result.constitution.model_dump(mode="json")
    validate(content, folder / "constitution.json")
    write_json(folder / "constitution.json", content)
    write_text(folder / "constitution.md", charter(result.constitution))
    for name in exports.names():
        adapter = exports.adapter(name)
        if adapter.FILE:
            write_text(folder / "exports" / adapter.FILE, adapter.export(result.constitution))
    write_json(folder / "metrics.json", measure(result, len(draft.principles)))


def measure(result: Ratification, drafted: int) -> dict[str, int]:
    """Numbers by their name in words."""
    principles = result.constitution.principles
    changes = [amendment.change for amendment in result.constitution.amendments]
    return {
        "principles drafted": drafted,
        "principles accepted": result.counts.get("accept", 0),
        "principles reworded": result.counts.get("reword", 0),
        "principles merged into another": result.counts.get("merge", 0),
        "principles rejected": result.counts.get("reject", 0),
        "principles in the constitution": len(principles),
        "principles flagged as contradicting another": sum(bool(principle.conflicts) for principle in principles),
        "statements behind the constitution": sum(len(principle.statement_ids) for principle in principles),
        "languages of the constitution": len(result.constitution.languages),
        "translations": sum(len(principle.texts) - 1 for principle in principles),
        "translations left out because the text was reworded": result.outdated_translations,
        "decisions on principles that are not in the draft": len(result.not_in_draft),
        "decisions with ballots": sum(bool(p.decision and p.decision.ballots) for p in principles)
        + sum(bool(decision.ballots) for decision in result.constitution.declined),
        "principles added since the version before": changes.count("added"),
        "principles reworded since the version before": changes.count("reworded"),
        "principles removed since the version before": changes.count("removed"),
    }


def in_words(result: Ratification, drafted: int) -> str:
    """The counts for the log, with the decisions that found no principle."""
    decided = ", ".join(f"{name} {count}" for name, count in sorted(result.counts.items()))
    words = f"ratified {len(result.constitution.principles)} of {drafted} drafted principles ({decided})"
    if result.constitution.parent:
        words += f"; {len(result.constitution.amendments)} amendments of {result.constitution.parent.version}"
    if result.not_in_draft:
        words += (
            f"; {len(result.not_in_draft)} decisions on principles not in the draft: {', '.join(result.not_in_draft)}"
        )
    return words


if __name__ == "__main__":
    run(main)
