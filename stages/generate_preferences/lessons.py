"""Check each revision and make it a preference pair, or drop it with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stages.generate_preferences.inputs import DroppedLesson, Taught
from stages.generate_preferences.parameters import Parameters
from stages.overlap import Overlaps
from stages.records import PreferencePair, Revision


class Lessons(NamedTuple):
    """What is taught, and what was left out with its reason; sorted by id."""

    revisions: list[Revision]
    pairs: list[PreferencePair]
    dropped: list[DroppedLesson]


def make_lessons(taught: Taught, params: Parameters, benchmarks: Overlaps) -> Lessons:
    """The good revisions and their pairs; none holds an item of a benchmark, which would teach the answer."""
    good: list[Revision] = []
    dropped = list(taught.dropped)
    seen: dict[tuple[str, str, str], str] = {}
    for revision in sorted(taught.revisions, key=lambda revision: revision.id):
        problem = problem_of(revision, params)
        key = (_folded(revision.prompt), _folded(revision.revision), _folded(revision.initial))
        if problem is None and seen.setdefault(key, revision.id) != revision.id:
            problem = ("duplicate pair", f"the texts of {seen[key]}", "a pair not taught before")
        if problem is None:
            problem = benchmark_item(revision, benchmarks)
        if problem is None:
            good.append(revision)
        else:
            dropped.append(_drop(revision, *problem))
    return Lessons(good, [pair_of(revision) for revision in good], sorted(dropped, key=lambda lesson: lesson.id))


def problem_of(revision: Revision, params: Parameters) -> tuple[str, str, str] | None:
    """The first rule that a revision breaks: its name, what was found and what was wanted; None if it is good."""
    if revision.language not in params.languages:
        return "language", revision.language, f"one of {', '.join(params.languages)}"
    for field in ("prompt", "initial", "revision"):
        if not getattr(revision, field).strip():
            return "empty", f"the {field} has no text", "a text"
    if _folded(revision.initial) == _folded(revision.revision):
        return "no-op revision", "the revision repeats the first answer", "a changed answer"
    ratio = length_ratio(revision)
    if not params.min_length_ratio <= ratio <= params.max_length_ratio:
        return "length ratio", f"{ratio:.2f}", f"{params.min_length_ratio} to {params.max_length_ratio}"
    return None


def benchmark_item(revision: Revision, benchmarks: Overlaps) -> tuple[str, str, str] | None:
    """The rule that a revision breaks where one of its texts holds a benchmark's words; None where none does."""
    for text in (revision.prompt, revision.initial, revision.revision):
        for hit in benchmarks.hits(text):
            return "benchmark item", f"{hit.how} of {hit.benchmark} {hit.item}", "no words of an item that measures"
    return None


def length_ratio(revision: Revision) -> float:
    """Characters of the revised answer to those of the first: far from 1, a model learns length, not content."""
    return len(revision.revision.strip()) / len(revision.initial.strip())


def pair_of(revision: Revision) -> PreferencePair:
    """The revised answer preferred to the first."""
    return PreferencePair(
        id=revision.id,
        language=revision.language,
        principle_ids=revision.principle_ids,
        kind=revision.kind,
        prompt=revision.prompt,
        chosen=revision.revision,
        rejected=revision.initial,
        teacher=revision.teacher,
    )


def taught_principles(pairs: Sequence[PreferencePair]) -> set[str]:
    """The principles that at least one pair teaches."""
    return {principle for pair in pairs for principle in pair.principle_ids}


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _drop(revision: Revision, rule: str, value: str, wanted: str) -> DroppedLesson:
    return DroppedLesson(
        id=revision.id,
        language=revision.language,
        principle_ids=revision.principle_ids,
        rule=rule,
        value=value,
        wanted=wanted,
    )
