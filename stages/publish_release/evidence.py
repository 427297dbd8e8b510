"""What the draft's folder tells beside the constitution, each part only where its file is there.

The files belong to another node: of each only the fields that the page shows are read, and one that lacks them is
refused in one line rather than left out.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from stages.artifact import read_json
from stages.errors import Trouble

T = TypeVar("T")


class _Part(BaseModel):
    """A part of a foreign file: other fields may be there."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Margin(_Part):
    """How often one declared value occurs among the people, among those who took part, and after weighting."""

    attribute: str
    value: str
    census_share: float | None
    raw_share: float | None  # None, as the next two: it would tell of single people
    weighted_share: float | None
    participants: int | None


class Representation(_Part):
    """How far those who took part resemble the people."""

    margins: tuple[Margin, ...]
    design_effect: float | None
    effective_n: float | None
    undeclared: int
    verdict: str


class Finding(_Part):
    """What one kind of check of the accounts found."""

    kind: str
    looked: bool  # False where the export does not tell what the check needs
    accounts: int


class Integrity(_Part):
    """How many accounts were looked at and flagged; which ones is not told on the page."""

    findings: tuple[Finding, ...]
    judged: int
    not_judged: int
    flagged: int


class Scenario(_Part):
    """The draft made again without some accounts or without one group."""

    kind: str  # "flagged" (all flagged accounts), "flag" (those of one kind) or "group"
    name: str
    left_out: int
    principles: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    overlap: float


@dataclass(frozen=True)
class Evidence:
    """The optional parts; None where the file is not there."""

    opinion_map: str | None  # a picture as a data: address, so that the page needs no other file
    representation: Representation | None
    integrity: Integrity | None
    sensitivity: tuple[Scenario, ...] | None


def read_evidence(draft: Path) -> Evidence:
    """Read what is there."""
    return Evidence(
        opinion_map=_picture(draft / "plots" / "opinion-groups.png"),
        representation=_read(draft / "representation.json", Representation),
        integrity=_read(draft / "integrity.json", Integrity),
        sensitivity=_read(draft / "sensitivity.json", tuple[Scenario, ...]),
    )


def _picture(path: Path) -> str | None:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}" if path.exists() else None


def _read(path: Path, kind: type[T]) -> T | None:
    if not path.exists():
        return None
    try:
        return TypeAdapter(kind).validate_python(_plain(read_json(path)))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise Trouble(
            f"{path}: {place}: {problem['msg']}; wanted it as draft_constitution writes it: run `dvc repro`."
        ) from None


def _plain(content: Any) -> Any:
    """Lists as tuples, as the records hold them."""
    if isinstance(content, list):
        return tuple(_plain(item) for item in content)
    if isinstance(content, Mapping):
        return {key: _plain(value) for key, value in content.items()}
    return content
