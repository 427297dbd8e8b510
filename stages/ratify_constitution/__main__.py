"""Apply the decisions that people took on the draft.

    python -m stages.ratify_constitution --draft data/constitution/draft \\
        --decisions data/sample/decisions.yaml --out data/constitution/ratified
"""

from __future__ import annotations

from stages import gate
from stages.artifact import new_folder, read_json, read_jsonl, write_json, write_jsonl, write_text
from stages.errors import Trouble
from stages.node import arguments, run
from stages.params import load
from stages.ratify_constitution import expectations
from stages.ratify_constitution.charter import charter
from stages.ratify_constitution.decisions import check, read_decisions
from stages.ratify_constitution.parameters import Parameters
from stages.ratify_constitution.ratification import Ratification, ratify
from stages.records import Principle, RejectedStatement


def main() -> str:
    """Read, check, apply, write; return the counts in words."""
    args = arguments(
        __doc__,
        draft="folder written by draft_constitution",
        decisions="YAML file with one decision per drafted principle",
        out="folder to write",
    )
    load("ratify_constitution", Parameters)
    about = read_json(args.draft / "draft.json")
    draft = list(read_jsonl(args.draft / "principles.jsonl", Principle))
    decisions = read_decisions(args.decisions)
    check(args.decisions, decisions, [principle.id for principle in draft])
    result = ratify(draft, decisions, about["question"])
    if not result.constitution.principles:
        raise Trouble(
            f"{args.decisions} accepts none of {len(draft)} principles; wanted at least one: draft or decide again."
        )
    with new_folder(args.out) as folder:
        write_json(folder / "constitution.json", result.constitution)
        write_text(
            folder / "constitution.md", charter(result.constitution, draft, about["simulated"], decisions.quorum)
        )
        # what was not adopted travels with the constitution: a teacher may need it, and so may a reader
        write_jsonl(folder / "rejected.jsonl", read_jsonl(args.draft / "rejected.jsonl", RejectedStatement))
        write_json(folder / "metrics.json", measure(result, len(draft)))
        gate.enforce(folder, expectations.tables(result.constitution), expectations.expected([p.id for p in draft]))
    return in_words(result, len(draft))


def measure(result: Ratification, drafted: int) -> dict[str, int]:
    """Numbers by their name in words."""
    principles = result.constitution.principles
    return {
        "principles drafted": drafted,
        "principles accepted": result.counts.get("accept", 0),
        "principles reworded": result.counts.get("reword", 0),
        "principles merged into another": result.counts.get("merge", 0),
        "principles rejected": result.counts.get("reject", 0),
        "principles in the constitution": len(principles),
        "statements behind the constitution": sum(len(principle.statement_ids) for principle in principles),
        "languages of the constitution": len(result.constitution.languages),
        "decisions on principles that are not in the draft": len(result.not_in_draft),
    }


def in_words(result: Ratification, drafted: int) -> str:
    """The counts for the log, with the decisions that found no principle."""
    decided = ", ".join(f"{name} {count}" for name, count in sorted(result.counts.items()))
    words = f"ratified {len(result.constitution.principles)} of {drafted} drafted principles ({decided})"
    if result.not_in_draft:
        words += (
            f"; {len(result.not_in_draft)} decisions on principles not in the draft: {', '.join(result.not_in_draft)}"
        )
    return words


if __name__ == "__main__":
    run(main)
