"""A release as the checks see it, the kinds of answers they give and the words they give them in."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stages.publish_release import layout
from stages.publish_release.chain import Chain
from stages.publish_release.manifest import Manifest
from stages.publish_release.opening import Bundle, Unreadable, Unsafe, safe_name
from stages.records import Constitution, ItemOutcome, Score, Statement

MOST_RESAMPLES = 1_000_000  # a bundle that asks for more would only keep the auditor's machine busy


class Failed(Exception):
    """The answer is no; the message says what was found instead, in words."""


class Release:
    """A bundle with its manifest, chain and fingerprints, each read once and only when a check asks for it."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._digests: dict[str, tuple[int, str, str]] = {}
        self._items: dict[str, list[ItemOutcome]] = {}
        self._recomputed: dict[str, list[Score]] = {}

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest, once its paths are known to stay inside the bundle."""
        manifest = self.bundle.record(layout.MANIFEST, Manifest)
        for file in manifest.files:
            if not safe_name(file.path):
                raise Unsafe(f"The manifest names {file.path!r}, a path that leads out of the bundle; refused.")
        return manifest

    @cached_property
    def chain(self) -> Chain:
        """The chain from the vote to the weights."""
        return self.bundle.record(layout.CHAIN, Chain)

    @cached_property
    def constitution(self) -> Constitution:
        """The ratified constitution."""
        return self.bundle.record(f"{layout.RATIFIED}/constitution.json", Constitution)

    @cached_property
    def draft(self) -> Constitution:
        """The constitution as it was drafted, before people decided."""
        return self.bundle.record(f"{layout.DRAFT}/constitution.json", Constitution)

    @cached_property
    def statements(self) -> dict[int, Statement]:
        """The deliberation's statements by their number."""
        found = self.bundle.records(f"{layout.DELIBERATION}/statements.jsonl", Statement)
        return {statement.id: statement for statement in found}

    def digests(self, path: str) -> tuple[int, str, str]:
        """Size, sha256 and md5 of a file."""
        if path not in self._digests:
            self._digests[path] = self.bundle.digests(path)
        return self._digests[path]

    def items(self, folder: str) -> list[ItemOutcome]:
        """The outcomes in a folder of scores."""
        if folder not in self._items:
            self._items[folder] = list(self.bundle.records(f"{folder}/items.jsonl", ItemOutcome))
        return self._items[folder]

    def recomputed(self, folder: str) -> list[Score]:
        """The scores that follow from the outcomes, by the recorded settings."""
        from stages.scoring import scores_from_items

        if folder not in self._recomputed:
            self._recomputed[folder] = scores_from_items(self.items(folder), **settings_of(self, folder))
        return self._recomputed[folder]

    def below(self, folder: str) -> list[str]:
        """The files of a folder, sorted."""
        return sorted(path for path in self.bundle.sizes if path.startswith(folder + "/"))

    def measured(self) -> list[tuple[str, str]]:
        """Model and benchmark of each folder of scores."""
        parts = [path.split("/") for path in self.below(layout.SCORES)]
        return sorted({(names[1], names[2]) for names in parts if len(names) > 3})


@dataclass(frozen=True)
class Check:
    """A question; `answer` returns the evidence in words, or raises Failed."""

    id: str
    title: str
    answer: Callable[[Release], str]


def table(release: Release, path: str) -> Iterator[dict[str, str]]:
    """The rows of a table."""
    try:
        yield from csv.DictReader(release.bundle.lines(path))
    except csv.Error as error:
        raise Unreadable(f"{path} is not a table ({error})") from None


def settings_of(release: Release, folder: str) -> dict[str, Any]:
    """How the scores were computed, as the evaluation recorded it."""
    recorded = release.bundle.json(f"{folder}/benchmark.json")
    settings = {name: recorded["settings"][name] for name in ("resamples", "seed", "confidence", "min_items")}
    settings["benchmark"] = folder.rsplit("/", 1)[-1]
    if not 0 < settings["resamples"] <= MOST_RESAMPLES:
        raise Unsafe(f"{folder} asks for {settings['resamples']:,} resamples; at most {MOST_RESAMPLES:,} are drawn.")
    return settings


def fail_on(problems: Iterable[str]) -> None:
    """Raise Failed with the first problem and the number of further ones."""
    found = list(problems)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Failed(f"{found[0]}{more}")


def some(names: Sequence[str]) -> str:
    """The first names, and how many there are besides."""
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
