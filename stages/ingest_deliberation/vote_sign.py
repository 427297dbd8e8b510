"""Find out which sign means agree: people agree with what they wrote themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


def detect(votes: Mapping[tuple[str, int], int], authors: Mapping[int, str]) -> Sign:
    """The sign convention of one table of votes."""
    own = [vote for (participant, statement), vote in votes.items() if authors.get(statement) == participant]
    plus, minus = own.count(1), own.count(-1)
    known = plus + minus >= ENOUGH_OWN_VOTES and max(plus, minus) >= CLEAR_SHARE * (plus + minus)
    return Sign(agree=-1 if known and minus > plus else 1, known=known, plus=plus, minus=minus)


def turned(votes: Mapping[tuple[str, int], int], sign: Sign) -> dict[tuple[str, int], int]:
    """The votes with agree as +1."""
    return {key: vote * sign.agree for key, vote in votes.items()}
