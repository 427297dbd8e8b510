"""What a run has to tell, in words: for the terminal, for Prefect's scorecard and for the MLflow run's description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.graph import Node
from flows.reproduce import Outcome
from stages.artifact import read_json, read_text

RELEASE = Path("data/release")
COMPARISON = Path("data/comparison")
CONSTITUTION = Path("data/constitution/ratified/constitution.json")
SHOWN_PRINCIPLES = 5
REGISTERED_MODEL = "commons-assistant"


@dataclass(frozen=True)
class Told:
    """What a finished run says of itself."""

    release: str
    version: str
    simulated: bool
    question: str
    principles: list[str]
    headline: list[str]
    worse: list[str]
    worse_in_parts: int
    scorecard: str
    numbers: dict[str, float]

    @property
    def run_name(self) -> str:
        """The run in plain words."""
        return f"Constitution {self.version}: {len(self.principles)} principles, release {self.release}"


def read() -> Told | None:
    """What the outputs say; None where this pipeline has no release."""
    if not (RELEASE / "manifest.json").exists():
        return None
    manifest, changes = read_json(RELEASE / "manifest.json"), read_json(COMPARISON / "summary.json")
    constitution = read_json(CONSTITUTION)
    return Told(
        release=manifest["release"],
        version=constitution["version"],
        simulated=manifest["simulated"],
        question=constitution["question"],
        principles=[f"{p['id']}  {p['texts'][p['language']]['value']}" for p in constitution["principles"]],
        headline=changes["headline"],
        worse=changes["also_worse"],
        worse_in_parts=len(changes["worse_in_parts"]),
        scorecard=read_text(COMPARISON / "scorecard.md"),
        numbers=_headline_numbers(read_json(COMPARISON / "metrics.json"), changes["headline"]),
    )


def _headline_numbers(metrics: dict[str, Any], headline: Sequence[str]) -> dict[str, float]:
    """The numbers that the headlines tell, before and after: a few for the run's page, all of them for the comparison's."""
    told = [line.split(",")[0] for line in headline]  # "bbq: bias in ambiguous questions"
    return {
        name: float(value)
        for name, value in metrics.items()
        if name.endswith(("before", "after")) and any(name.startswith(words) for words in told)
    }


def pages() -> list[tuple[str, Path]]:
    """What the MLflow run carries: (folder there, file or folder here); the release page in every language first."""
    return [*(("release", page) for page in sorted(RELEASE.glob("index*.html"))), ("comparison", COMPARISON)]


def closing() -> str:
    """The end of a run for the terminal: what was decided, what changed, where it lies and how to look at it."""
    told = read()
    if told is None:
        return "Look at the runs: commons ui"
    more = len(told.principles) - SHOWN_PRINCIPLES
    simulated = " (simulated participants)" if told.simulated else ""
    lines = [
        "",
        f"Decided{simulated}: {told.question}",
        *(f"  {principle}" for principle in told.principles[:SHOWN_PRINCIPLES]),
        f"  … and {more} more in data/constitution/ratified/constitution.md" if more > 0 else "",
        "",
        "Changed, base → tuned, with intervals:",
        *(f"  {line}" for line in told.headline),
        *(f"  Also worse: {line}" for line in told.worse),
        f"  Worse in {told.worse_in_parts} parts (a language or a kind of item): see {COMPARISON}/scorecard.md"
        if told.worse_in_parts
        else "",
        "",
        f"Release {told.release}: {RELEASE}/ (open {RELEASE}/index.html)",
        f"Check it:  commons verify {RELEASE}",
        "Look at it: make ui  (MLflow and Prefect on this machine)",
    ]
    return "\n".join(line for previous, line in zip(["x", *lines], lines, strict=False) if line or previous)


def story(nodes: Sequence[Node], done: Mapping[str, Outcome], told: Told | None) -> str:
    """The run as Markdown: the scorecard, what was decided, and the pipeline's picture with what each node did."""
    parts = [_decided(told), told.scorecard] if told else []
    return "\n\n".join([*parts, _picture(nodes, done)])


def _decided(told: Told) -> str:
    who = "**These participants are simulated: a demonstration, not a public decision.**\n\n" if told.simulated else ""
    principles = "\n".join(f"- {_plain(text)}" for text in told.principles)
    return (
        f"{who}# {_plain(told.question)}\n\nRelease `{told.release}`, constitution {told.version}, "
        f"{len(told.principles)} principles:\n\n{principles}"
    )


def _plain(text: str) -> str:
    """Citizens' text in Markdown: no markup of its own."""
    entities = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{letter}" if letter in "\\`*_[]|~#!" else letter for letter in entities)


def _picture(nodes: Sequence[Node], done: Mapping[str, Outcome]) -> str:
    """The pipeline as a table in the order it runs: MLflow and Prefect draw no diagrams in Markdown."""
    rows = [
        f"| {node.title} | {', '.join(_titles(nodes, node)) or '–'} | {_did(done.get(node.name))} |" for node in nodes
    ]
    return "\n".join(["# The pipeline", "| step | builds on | in this run |", "|---|---|---|", *rows])


def _titles(nodes: Sequence[Node], node: Node) -> list[str]:
    """The steps that a step builds on; a matrix (the measurements) is named once."""
    by_name = {other.name: other for other in nodes}
    before = [by_name[name] for name in node.after if name in by_name]
    return list(dict.fromkeys(other.title if other.name == other.stage else "all measurements" for other in before))


def _did(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not done"
    return f"{outcome.how}: {_plain(outcome.counts)}" if outcome.counts else outcome.how
