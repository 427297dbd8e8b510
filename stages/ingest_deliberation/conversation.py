"""What a source hands over, before participants are made pseudonymous: the one shape that all sources share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

# votes: agree, disagree and pass of every participant; approval: only who liked what (and comments for or against);
# counts: only how many supported what; text: an existing charter, on which nobody voted.
Kind = Literal["votes", "approval", "counts", "text"]


@dataclass(frozen=True)
class RawStatement:
    """A statement as the platform exports it."""

    id: int
    text: str
    language: str
    moderated: int  # -1 out, 0 not looked at, 1 in
    author: str  # the platform's own id; empty where it does not tell
    seed: bool = False  # written by the organisers to begin with
    supports: int | None = None  # kind "counts": how many supported it
    translations: Mapping[str, tuple[str, bool]] = field(default_factory=dict)  # language -> (text, by a machine)
    label: str = ""  # kind "text": number and title of its article, e.g. "1.2 Privacy"


@dataclass(frozen=True)
class VoteTable:
    """Every participant's latest vote on each statement they saw, as four columns of equal length.

    participants: the platform's own ids, in the order of the export's participant table (all of them, also those
    without a vote); participant: index into it, shape (votes,); statement: statement id; vote: 1 agree, -1 disagree,
    0 pass; minute: whole minutes since the deliberation's first vote, None where the export does not tell.
    """

    participants: tuple[str, ...]
    participant: NDArray[np.int32]
    statement: NDArray[np.int64]
    vote: NDArray[np.int8]
    minute: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.vote)


NO_VOTES = VoteTable((), np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int8))


@dataclass(frozen=True)
class Conversation:
    """A whole deliberation with the platform's own participant ids: it stays in memory and is never written."""

    platform: str
    topic: str
    description: str
    url: str
    statements: tuple[RawStatement, ...]
    votes: VoteTable
    sign_convention: str  # in words: which sign means agree, and how that is known
    quirks: Mapping[str, int]  # what was looked for in the export -> how often it was found
    kind: Kind = "votes"
    lost: tuple[str, ...] = ()  # guarantees that this kind of source cannot give, in words
    attributes: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # participant -> declared attribute -> value
    census: Mapping[str, Mapping[str, float]] = field(
        default_factory=dict
    )  # attribute -> value -> share of the people, 0 to 1
    inputs: Mapping[str, str] = field(default_factory=dict)  # file of the export -> sha256
