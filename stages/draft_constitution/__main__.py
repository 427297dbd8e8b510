"""Find opinion groups, score the consensus on every statement and select the principles.

python -m stages.draft_constitution --deliberation data/deliberation --out data/constitution/draft
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stages import gate
from stages.artifact import new_folder, read_json, read_jsonl, write_csv, write_json, write_jsonl
from stages.draft_constitution import consensus, expectations, plots, report
from stages.draft_constitution.opinion_groups import Grouping, find_groups
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.selection import Draft, select
from stages.draft_constitution.votes import read_votes
from stages.errors import Trouble
from stages.node import arguments, run
from stages.params import load
from stages.records import Statement


def main() -> str:
    """Read, group, measure, select, check, write; return the counts in words."""
    args = arguments(__doc__, deliberation="folder written by ingest_deliberation", out="folder to write")
    params = load("draft_constitution", Parameters)
    about = read_json(args.deliberation / "deliberation.json")
    statements = sorted(read_jsonl(args.deliberation / "statements.jsonl", Statement), key=lambda s: s.id)
    votes = read_votes(args.deliberation / "votes.csv", [s.id for s in statements])
    grouping = find_groups(votes, np.array([s.moderated != -1 for s in statements]), params)
    measured = consensus.measure(votes, grouping.labels, params.confidence)
    draft = select(statements, measured, params)
    _refuse_empty(draft, params)
    described = report.describe(about, grouping, draft, params)
    with new_folder(args.out) as folder:
        write_jsonl(folder / "principles.jsonl", draft.principles)
        write_jsonl(folder / "rejected.jsonl", draft.rejected)
        write_csv(folder / "groups.csv", ["participant", "group"], sorted(grouping.labels.items()))
        write_json(folder / "draft.json", described)
        write_json(folder / "metrics.json", report.measure(grouping, draft, described))
        _draw(folder / "plots", grouping, draft, params, about["simulated"])
        _check(folder, draft, grouping, params, statements)
    reasons = ", ".join(f"{kind} {count}" for kind, count in described["rejected"].items())
    groups = ", ".join(f"{name} {size}" for name, size in grouping.sizes.items())
    return f"drafted {len(draft.principles)} principles of {len(statements)} statements ({reasons}); groups: {groups}"


def _refuse_empty(draft: Draft, params: Parameters) -> None:
    if draft.principles:
        return
    best = max((r.scores.lower_bound for r in draft.rejected if r.scores), default=0.0)
    raise Trouble(
        f"no statement has the support of every group (the best: {best:.2f}); wanted more than"
        f" {params.threshold} from at least {params.min_exposure:.0%} of participants:"
        " ask more people, or lower draft_constitution.threshold and say so in public."
    )


def _draw(folder: Path, grouping: Grouping, draft: Draft, params: Parameters, simulated: bool) -> None:
    plots.opinion_groups(folder / "opinion-groups.png", grouping, simulated)
    plots.consensus(folder / "consensus.png", draft.principles, params.threshold, simulated)


def _check(folder: Path, draft: Draft, grouping: Grouping, params: Parameters, statements: Sequence[Statement]) -> None:
    moderated_out = [s.id for s in statements if s.moderated == -1]
    suites = expectations.expected(params, [s.id for s in statements], moderated_out)
    gate.enforce(folder, expectations.tables(draft, grouping), suites)


if __name__ == "__main__":
    run(main)
