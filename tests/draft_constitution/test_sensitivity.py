"""The draft is made again without the flagged and without each group, and the differences are told."""

from __future__ import annotations

import numpy as np

from stages.draft_constitution.consensus import measure
from stages.draft_constitution.integrity import BURST, IDENTICAL, LATE, STRAIGHT, Integrity
from stages.draft_constitution.opinion_groups import find_groups
from stages.draft_constitution.selection import select
from stages.draft_constitution.sensitivity import table
from stages.draft_constitution.votes import matrix
from stages.records import Statement
from tests.draft_constitution.planted import columns, crowd, with_params

PARAMS = with_params(threshold=0.5, groups=2, stability_runs=1, separation_runs=0)
ABOUT = {"kind": "votes", "platform": "polis", "license": "CC0-1.0"}


def flagged(**accounts: tuple[str, ...]) -> Integrity:
    flags = {kind: accounts.get(kind.split()[0], ()) for kind in (IDENTICAL, STRAIGHT, BURST, LATE)}
    return Integrity(flags, (), 0, 0, 0)


def test_what_only_flagged_accounts_carried_goes_with_them() -> None:
    rows, _ = crowd((40, 30))
    honest = sorted({person for person, _, _ in rows})
    statement = 20  # the one on which nobody is sure: a third agree
    fakes = [f"zz{n:02d}" for n in range(60)]
    majority = {s: 1 if sum(v for _, t, v in rows if t == s) > 0 else -1 for s in range(20)}
    rows += [(fake, s, v) for fake in fakes for s, v in (majority | {statement: 1}).items()]
    votes = matrix(*columns(rows), known=range(21))
    statements = [Statement(id=n, text=f"Énoncé {n}", language="fr", moderated=1, author="") for n in range(21)]
    grouping = find_groups(votes, np.ones(21, dtype=bool), PARAMS)
    draft = select(statements, measure(votes, grouping.labels, 0.95), votes, grouping.labels, PARAMS, ABOUT)
    found = table(statements, votes, grouping, draft, flagged(identical=tuple(fakes), burst=tuple(fakes[:1])), PARAMS)
    assert [(s.kind, s.name, s.left_out) for s in found[:3]] == [
        ("flagged", "without all flagged accounts", 60),
        ("flag", "without accounts flagged as 'burst'", 1),
        ("flag", "without accounts flagged as 'identical votes'", 60),
    ]
    without = found[0]
    assert without.participants == len(honest)
    assert without == found[2].__class__(**{**found[2].__dict__, "kind": "flagged", "name": without.name})
    before = {p.id for p in draft.principles}
    after = (before - set(without.removed)) | set(without.added)
    assert {"p000", "p001", "p002", "p003"} <= after  # what everybody agrees on stays
    assert without.principles == len(after)
    assert without.overlap == round(len(before & after) / len(before | after), 6)
    groups = [s for s in found if s.kind == "group"]
    assert [s.name for s in groups] == [f"without opinion group {name}" for name in grouping.sizes]
    assert [s.left_out for s in groups] == list(grouping.sizes.values())
    assert any(s.added for s in groups)  # without one side, what the other side wants would come


def test_nobody_flagged_changes_nothing() -> None:
    rows, _ = crowd((20, 20))
    votes = matrix(*columns(rows), known=range(21))
    statements = [Statement(id=n, text=f"Enunciado {n}", language="es", moderated=1, author="") for n in range(21)]
    grouping = find_groups(votes, np.ones(21, dtype=bool), PARAMS)
    draft = select(statements, measure(votes, grouping.labels, 0.95), votes, grouping.labels, PARAMS, ABOUT)
    first = table(statements, votes, grouping, draft, flagged(), PARAMS)[0]
    assert (first.left_out, first.added, first.removed, first.overlap) == (0, (), (), 1.0)
