"""Which statements tell a group apart from the others: representativeness as Polis defines it.

Small et al. 2021, "Polis: scaling deliberation by mapping high dimensional opinion spaces".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.draft_constitution.consensus import Counts, GroupCounts

Floats = NDArray[np.float64]

SIGNIFICANT = 1.2816  # Polis: one-sided 90 % quantile of the normal distribution
SHOWN = 5  # statements per group, as in Polis
DECIMALS = 6


@dataclass(frozen=True)
class Representative:
    """A statement on which a group agrees, or disagrees, more than the others do."""

    statement_id: int
    agrees: bool  # the group agrees with it; False: it disagrees
    votes: int  # of the group on it
    share: float  # who voted so, with one vote for and one against added (Polis: pa, pd)
    share_z: float  # how sure it is that more than half of the group voted so (pat, pdt)
    repness: float  # the group's share over the share of everybody else in a group (ra, rd)
    repness_z: float  # how sure it is that the group's share is the higher one (rat, rdt)
    score: float  # the product of the four, by which Polis ranks
    significant: bool  # both z above 1.2816


@dataclass(frozen=True)
class Figures:
    """The figures of one side (agree or disagree), groups in rows and statements in columns."""

    share: Floats
    share_z: Floats
    repness: Floats
    repness_z: Floats

    @property
    def significant(self) -> NDArray[np.bool_]:
        """More than half of the group, and more than of the others, both surely."""
        return np.asarray((self.share_z > SIGNIFICANT) & (self.repness_z > SIGNIFICANT))

    @property
    def agreed_with(self) -> NDArray[np.bool_]:
        """Surely, or at least by more than half of the group and by more than of the others."""
        return np.asarray((self.share_z > SIGNIFICANT) | ((self.repness > 1) & (self.share > 0.5)))


def representative(counts: GroupCounts) -> dict[str, tuple[Representative, ...]]:
    """At most five statements for each group: the best one to agree with first, then other agreed ones, then disagreed."""
    agree, disagree = figures(counts.agree, counts.cast), figures(counts.disagree, counts.cast)
    side = agree.repness_z >= disagree.repness_z  # each statement counts for one side only
    return {group: _of_group(counts, agree, disagree, side, row) for row, group in enumerate(counts.groups)}


def figures(chosen: Counts, cast: Counts) -> Figures:
    """The figures for the votes of one side, `chosen` of all `cast`; passes are cast and not chosen."""
    others_chosen, others_cast = chosen.sum(axis=0) - chosen, cast.sum(axis=0) - cast
    share = (chosen + 1) / (cast + 2)
    return Figures(
        share=share,
        share_z=2 * np.sqrt(cast + 1) * ((chosen + 1) / (cast + 1) - 0.5),
        repness=share / ((others_chosen + 1) / (others_cast + 2)),
        repness_z=_two_proportions_z(chosen, cast, others_chosen, others_cast),
    )


def _two_proportions_z(chosen: Counts, cast: Counts, others_chosen: Counts, others_cast: Counts) -> Floats:
    """The usual test of two proportions with one added to all four counts; 0 where everybody chose the same (Polis)."""
    ours, n = chosen + 1, cast + 1
    theirs, m = others_chosen + 1, others_cast + 1
    pooled = (ours + theirs) / (n + m)
    spread = np.sqrt(np.clip(pooled * (1 - pooled), 0, None) * (1 / n + 1 / m))
    return np.divide(ours / n - theirs / m, spread, out=np.zeros(spread.shape), where=(pooled < 1) & (spread > 0))


def _of_group(
    counts: GroupCounts, agree: Figures, disagree: Figures, side: NDArray[np.bool_], row: int
) -> tuple[Representative, ...]:
    worth_looking = np.where(side, agree.significant | agree.agreed_with, disagree.significant) & (counts.cast > 0)
    candidates = [
        _described(counts, agree if side[row, column] else disagree, row, int(column), bool(side[row, column]))
        for column in np.flatnonzero(worth_looking[row])
    ]
    found = sorted((c for c in candidates if c.significant), key=lambda c: (-c.score, c.statement_id))
    best = _best_agreed(candidates)
    chosen = ([best] if best else []) + [c for c in found if c != best]
    return tuple(sorted(chosen[:SHOWN], key=lambda c: not c.agrees))  # a stable sort: the best agreed one stays first


def _best_agreed(candidates: list[Representative]) -> Representative | None:
    """The statement the group agrees with most characteristically, also where it is not significant (Polis)."""
    agreed = [c for c in candidates if c.agrees and (c.share_z > SIGNIFICANT or (c.repness > 1 and c.share > 0.5))]
    told_apart = [c for c in agreed if c.repness > 1]
    if told_apart:
        return min(told_apart, key=lambda c: (-c.score, c.statement_id))
    return min(agreed, key=lambda c: (-c.share * c.share_z, c.statement_id), default=None)


def _described(counts: GroupCounts, found: Figures, row: int, column: int, agrees: bool) -> Representative:
    cell = (row, column)
    share, share_z, repness, repness_z = (
        float(table[cell]) for table in (found.share, found.share_z, found.repness, found.repness_z)
    )
    return Representative(
        statement_id=counts.statements[column],
        agrees=agrees,
        votes=int(counts.cast[cell]),
        share=round(share, DECIMALS),
        share_z=round(share_z, DECIMALS),
        repness=round(repness, DECIMALS),
        repness_z=round(repness_z, DECIMALS),
        score=round(share * share_z * repness * repness_z, DECIMALS),
        significant=share_z > SIGNIFICANT and repness_z > SIGNIFICANT,
    )
