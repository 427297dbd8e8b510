"""How long it takes to choose 30 of 300 statements for 100,000 voters, by each proportional method; prints Markdown.

Seconds are those of one processor core, which other work on the machine does not change much; wall time stands beside.

python infra/benchmark_selection.py [--voters 100000] [--statements 300]
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stages.draft_constitution.parameters import Proportional
    from stages.draft_constitution.votes import VoteMatrix

sys.path.insert(0, str(Path(__file__).parents[1]))

PLACES = 30
SEED = 1


def main() -> None:
    """Make a crowd of three opinion groups, then select with each method and print the seconds."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voters", type=int, default=100_000)
    parser.add_argument("--statements", type=int, default=300)
    asked = parser.parse_args()
    print(report(asked.voters, asked.statements))


def report(voters: int, statements: int) -> str:
    """A Markdown table, one line per method."""
    from stages.draft_constitution.rules.approvals import corrected
    from stages.draft_constitution.rules.certificate import certify
    from stages.draft_constitution.rules.proportional import METHODS, committee_of

    votes, labels = crowd(voters, statements)
    lines = [
        f"{voters:,} voters, {statements} statements, {votes.coded.nnz:,} votes, {PLACES} places; seconds of one core",
        "",
        "| method | approvals corrected | set chosen | certificate | together | wall time | EJR+ |",
        "|---|---|---|---|---|---|---|",
    ]
    for method, name in METHODS.items():
        start, moments = time.perf_counter(), [time.process_time()]
        ballots = corrected(votes, labels, votes.statements)
        moments.append(time.process_time())
        rows = committee_of(ballots, PLACES, asked_for(method))
        moments.append(time.process_time())
        found = certify(ballots, [ballots.statements[row] for row in rows], PLACES, "proportional")
        moments.append(time.process_time())
        steps = [after - before for before, after in pairwise(moments)]
        figures = " | ".join(f"{seconds:.2f}" for seconds in [*steps, sum(steps), time.perf_counter() - start])
        lines.append(f"| {name} | {figures} | {'holds' if found.ejr_plus else 'fails'} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return "\n".join([*lines, "", f"Peak memory of the whole process: {peak:,.0f} MiB."])


def asked_for(method: str) -> Proportional:
    """The parameters of one method."""
    from stages.draft_constitution.parameters import Proportional

    return Proportional.model_validate({"method": method, "completion": "phragmen", "floor": 0.5})


def crowd(voters: int, statements: int) -> tuple[VoteMatrix, dict[str, str]]:
    """Three groups; every statement has its own agree rate in each, and was shown to 3 to 40 % of the people."""
    import numpy as np
    from scipy import sparse

    from stages.draft_constitution.votes import VoteMatrix

    draw = np.random.default_rng(SEED)
    group = draw.integers(0, 3, voters)
    rate, shown = draw.uniform(0.45, 0.95, (3, statements)), draw.uniform(0.03, 0.4, statements)
    seen = draw.random((voters, statements), dtype=np.float32) < shown
    agrees = draw.random((voters, statements), dtype=np.float32) < rate[group]
    disagrees = draw.random((voters, statements), dtype=np.float32) < 0.7
    coded = sparse.csr_array(np.where(agrees, 3, np.where(disagrees, 1, 2)).astype(np.int8) * seen)
    people = tuple(f"{number:07d}" for number in range(voters))
    labels = {person: "ABC"[which] for person, which in zip(people, group, strict=True)}
    return VoteMatrix(people, tuple(range(statements)), coded), labels


if __name__ == "__main__":
    main()
