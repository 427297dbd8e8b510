"""Find out which sign means agree: people agree with what they wrote themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stages.ingest_deliberation.conversation import VoteTable
from stages.ingest_deliberation.latest_votes import places

# Polis stores agree as -1 and its exports turn the sign, but not all versions did. In the open conversations that
# were checked, authors' votes on their own statements were +1 or 0 in at least 90 of 100 cases once turned.
ENOUGH_OWN_VOTES = 5
CLEAR_SHARE = 0.8


@dataclass(frozen=True)
class Sign:
    """How a vote's number is read; `known` is False where the authors' own votes could not tell."""

    agree: int  # 1 or -1
    known: bool
    plus: int  # authors' own votes with +1
    minus: int  # authors' own votes with -1

    def in_words(self) -> str:
        """The convention and its evidence, for the record."""
        counts = f"authors voted +1 on {self.plus} and -1 on {self.minus} of their own statements"
        if not self.known:
            return f"agree is +1 (assumed, as Polis documents it; {counts}, too few or too mixed to tell)"
        if self.agree == 1:
            return f"agree is +1 ({counts})"
        return f"agree is -1 in the export and was turned to +1 ({counts})"


def detect(votes: VoteTable, authors: Mapping[int, str]) -> Sign:
    """The sign convention of one table of votes; `authors` are the participants who wrote each statement."""
    own = own_votes(votes, authors)
    plus, minus = int(np.count_nonzero(own == 1)), int(np.count_nonzero(own == -1))
    known = plus + minus >= ENOUGH_OWN_VOTES and max(plus, minus) >= CLEAR_SHARE * (plus + minus)
    return Sign(agree=-1 if known and minus > plus else 1, known=known, plus=plus, minus=minus)


def own_votes(votes: VoteTable, authors: Mapping[int, str]) -> NDArray[np.int8]:
    """The votes of authors on their own statements."""
    place = {participant: number for number, participant in enumerate(votes.participants)}
    wrote = {statement: place[author] for statement, author in authors.items() if author in place}
    if not wrote:
        return np.empty(0, np.int8)
    statements = np.array(sorted(wrote), np.int64)
    author = np.array([wrote[statement] for statement in sorted(wrote)], np.int64)
    found = places(statements, votes.statement)
    return votes.vote[(statements[found] == votes.statement) & (author[found] == votes.participant)]


def turned(votes: VoteTable, sign: Sign) -> VoteTable:
    """The votes with agree as +1."""
    return votes if sign.agree == 1 else replace(votes, vote=-votes.vote)
