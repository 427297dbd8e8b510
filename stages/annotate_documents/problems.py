"""Count what could not be read, by file and reason, with the first place of each; or stop at the first."""

from __future__ import annotations

from typing import Any, NamedTuple

from stages.errors import Trouble

SHOWN = 160  # characters of what was found


class Place(NamedTuple):
    """Where something is wrong: a file, and a line or row of it (empty for the whole file)."""

    file: str
    within: str = ""

    def __str__(self) -> str:
        return f"{self.file}, {self.within}" if self.within else self.file


class Problems:
    """Problems counted by (file, reason); `lost` counts the documents known to be lost by them.

    A reason that is about one document loses one; where a file breaks off, nobody knows how many were behind.
    """

    def __init__(self, stop: bool = False) -> None:
        self._stop = stop
        self._counts: dict[tuple[str, str], int] = {}
        self._first: dict[tuple[str, str], tuple[str, str]] = {}

    def add(self, place: Place, reason: str, found: str = "", documents: int = 1, harmless: bool = False) -> None:
        """Count a problem of `documents` documents (0: a file's, of unknown size); stops the run where that is asked.

        Nothing is lost by a harmless one, so that it never stops the run.
        """
        found = " ".join(found.split())[:SHOWN]
        if self._stop and not harmless:
            told = f" ({found})" if found else ""
            raise Trouble(f"{place}: {reason}{told}; mend or remove it, or set annotate_documents.on_error to skip.")
        key = (place.file, reason)
        self._counts[key] = self._counts.get(key, 0) + documents
        self._first.setdefault(key, (place.within, found))

    def documents(self) -> int:
        """How many documents are known to be lost."""
        return sum(self._counts.values())

    def by_reason(self) -> dict[str, int]:
        """Documents lost by reason, sorted; 0 where a file broke off and nobody knows."""
        reasons: dict[str, int] = {}
        for (_, reason), count in sorted(self._counts.items()):
            reasons[reason] = reasons.get(reason, 0) + count
        return dict(sorted(reasons.items()))

    def listed(self) -> list[dict[str, Any]]:
        """One entry per file and reason, with the first place and what was found there."""
        return [
            {
                "file": file,
                "reason": reason,
                "documents": count,
                "first": self._first[file, reason][0],
                "found": self._first[file, reason][1],
            }
            for (file, reason), count in sorted(self._counts.items())
        ]
