"""Find opinion groups, score the consensus on every statement and select the principles.

python -m stages.draft_constitution --deliberation data/deliberation --out data/constitution/draft
"""

from __future__ import annotations

from stages import gate
from stages.artifact import new_folder
from stages.draft_constitution import expectations
from stages.draft_constitution.drafting import Drafted, draft
from stages.draft_constitution.material import read_material
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.writing import write
from stages.errors import Trouble
from stages.node import arguments, run
from stages.params import load


def main() -> str:
    """Read, draft, check, write; return the counts in words."""
    args = arguments(__doc__, deliberation="folder written by ingest_deliberation", out="folder to write")
    params = load("draft_constitution", Parameters)
    material = read_material(args.deliberation)
    drafted = draft(material, params)
    refuse_empty(drafted, params)
    with new_folder(args.out) as folder:
        write(folder, material, drafted, params)
        gate.enforce(folder, expectations.tables(material, drafted), expectations.expected(material, drafted, params))
    return in_words(drafted)


def refuse_empty(drafted: Drafted, params: Parameters) -> None:
    """Nothing follows from a draft without principles."""
    if drafted.constitution.principles:
        return
    best = max((r.scores.lower_bound for r in drafted.constitution.rejected if r.scores), default=0.0)
    raise Trouble(
        f"no statement has the support of every group (the best: {best:.2f}); wanted more than"
        f" {params.threshold} from at least {params.min_exposure:.0%} of participants:"
        " ask more people, or lower draft_constitution.threshold and say so in public."
    )


def in_words(drafted: Drafted) -> str:
    """The counts of a draft in one line."""
    constitution, found = drafted.constitution, drafted.found
    codes = [rejected.code for rejected in constitution.rejected]
    reasons = ", ".join(f"{code} {codes.count(code)}" for code in sorted(set(codes)))
    total = len(constitution.principles) + len(codes)
    words = f"drafted {len(constitution.principles)} principles of {total} statements ({reasons or 'none left out'})"
    if found is None:
        return words
    groups = ", ".join(f"{name} {size:,}" for name, size in found.grouping.sizes.items())
    return f"{words}; groups: {groups or 'none'}; {found.grouping.verdict}"


if __name__ == "__main__":
    run(main)
