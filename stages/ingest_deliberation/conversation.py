"""What a source hands over, before participants are made pseudonymous: the one shape that all sources share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RawStatement:
    """A statement as the platform exports it."""

    id: int
    text: str
    language: str
    moderated: int  # -1 out, 0 not looked at, 1 in
    author: str  # the platform's own id; empty where it does not tell


@dataclass(frozen=True)
class Conversation:
    """A whole deliberation with the platform's own participant ids: it stays in memory and is never written."""

    platform: str
    topic: str
    description: str
    url: str
    statements: tuple[RawStatement, ...]
    votes: Mapping[tuple[str, int], int]  # (participant, statement id) -> 1 agree, -1 disagree, 0 pass
    sign_convention: str  # in words: which sign means agree, and how that is known
    quirks: Mapping[str, int]  # what was looked for in the export -> how often it was found
