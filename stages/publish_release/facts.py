"""What the card and the page tell, read from the bundled artifacts: no number in a document has another source."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages import corpus
from stages.artifact import read_json, read_jsonl
from stages.errors import Trouble
from stages.metrics import METRICS
from stages.publish_release import layout
from stages.publish_release.chain import Chain, WithheldFile
from stages.publish_release.evidence import Evidence, read_evidence
from stages.records import (
    Comparison,
    Constitution,
    PreferencePair,
    RejectedStatement,
    Statement,
    VoteCount,
)


@dataclass(frozen=True)
class Facts:
    """The content of the documents."""

    deliberation: Mapping[str, Any]
    draft: Mapping[str, Any]  # draft.json: how groups were found and how many statements were rejected for what
    groups: Mapping[str, int]  # opinion group -> people
    seeds: frozenset[int]  # statements that the organisers wrote to begin with
    drafted: Constitution
    evidence: Evidence  # what the draft's folder tells beside it
    withheld: tuple[WithheldFile, ...]  # personal files, not published
    constitution: Constitution
    base: Mapping[str, Any]  # origin.json of the base model
    documents: Mapping[str, int]  # language -> kept documents
    document_licences: Mapping[str, int]
    corpus_obligations: Mapping[str, Any]  # what the documents' licences ask
    dropped: Mapping[str, int]  # rule -> dropped documents
    pairs: Mapping[str, int]  # language -> training pairs
    teachers: Mapping[str, int]  # teacher -> training pairs
    comparisons: tuple[Comparison, ...]
    benchmarks: Mapping[str, Mapping[str, Any]]  # name -> benchmark.json

    @property
    def simulated(self) -> bool:
        """Whether the deliberation was made by a program."""
        return bool(self.deliberation["simulated"])

    @property
    def rejected(self) -> tuple[RejectedStatement, ...]:
        """The statements that were not drafted."""
        return self.drafted.rejected

    @property
    def base_name(self) -> str:
        """The base model's hub id, or the name it was given."""
        return str(self.base.get("hub_id") or self.base.get("local") or "a local model")

    @property
    def base_licence(self) -> str:
        """The base model's licence as an SPDX expression."""
        return str(self.base["license"])

    @property
    def confidence(self) -> float:
        """The confidence of the intervals (the lowest, should benchmarks differ)."""
        return min(float(about["settings"]["confidence"]) for about in self.benchmarks.values())

    def overall(self) -> list[Comparison]:
        """One row for each benchmark's metric, over all its items."""
        return [
            row
            for row in self.comparisons
            if {row.language, row.category, row.group, row.polarity, row.principle_id} == {"all"}
        ]

    def by_principle(self) -> list[Comparison]:
        """Principle by principle, each benchmark's main metric, and every other metric that got better or worse."""
        order = [item.id for item in self.constitution.principles]
        rows = [row for row in self.comparisons if row.principle_id in order]
        main = {(row.principle_id, row.benchmark): row.metric for row in sorted(rows, key=_report_order, reverse=True)}
        told = [row for row in rows if row.metric == main[row.principle_id, row.benchmark] or row.verdict in CHANGED]
        return sorted(told, key=lambda row: order.index(row.principle_id))

    def in_detail(self) -> list[Comparison]:
        """All other rows: by language, by category, and principles' further metrics within noise."""
        told = {id(row) for row in (*self.overall(), *self.by_principle())}
        return [row for row in self.comparisons if id(row) not in told]

    def minority_views(self, most: int) -> list[RejectedStatement]:
        """Rejected statements that one opinion group supports most and another does not, the widest gap first."""
        apart = [(gap(item.votes), item) for item in self.rejected if item.scores is not None and item.text]
        wide = [(width, item) for width, item in apart if width >= MINORITY_GAP]
        return [item for _, item in sorted(wide, key=lambda pair: (-pair[0], pair[1].statement_id))[:most]]


CHANGED = ("better", "worse")
MINORITY_GAP = 0.25  # between the groups' agree shares: below it the groups do not really disagree
FEWEST_VOTES = 5  # a group that cast fewer votes on a statement has no view that could be told


def _report_order(row: Comparison) -> int:
    """The place of the row's metric in reports; the first one that a benchmark has is its main one."""
    return list(METRICS).index(row.metric) if row.metric in METRICS else len(METRICS)


def gap(votes: Mapping[str, VoteCount]) -> float:
    """The widest difference between two opinion groups' shares of agreement."""
    shares = [count.agree / total(count) for count in votes.values() if total(count) >= FEWEST_VOTES]
    return max(shares) - min(shares) if len(shares) > 1 else 0.0


def total(count: VoteCount) -> int:
    """All votes of a group on a statement."""
    return count.agree + count.disagree + count.passed


def read_facts(release: Path, base: Path, benchmarks: Sequence[str]) -> Facts:
    """Read everything from the bundled copies, but the base model's origin, which is not bundled."""
    statements = release / layout.DELIBERATION / "statements.jsonl"
    constitution = _ratified(release / layout.RATIFIED / "constitution.json")
    documents = release / layout.CORPUS
    pairs = list(read_jsonl(release / layout.PREFERENCES / "pairs.jsonl", PreferencePair))
    return Facts(
        deliberation=read_json(release / layout.DELIBERATION / "deliberation.json"),
        draft=read_json(release / layout.DRAFT / "draft.json"),
        groups=_group_sizes(release / layout.DRAFT / "groups.csv"),
        seeds=frozenset(item.id for item in read_jsonl(statements, Statement) if item.seed),
        evidence=read_evidence(release / layout.DRAFT),
        withheld=Chain.model_validate(read_json(release / layout.CHAIN)).withheld,
        drafted=Constitution.model_validate(read_json(release / layout.DRAFT / "constitution.json")),
        constitution=constitution,
        base=read_json(base / "origin.json"),
        documents=_counted(corpus.count_documents(documents, "language")),
        document_licences=_counted(corpus.count_documents(documents, "license")),
        corpus_obligations=read_json(documents / "obligations.json"),
        dropped=_counted(corpus.count_dropped(documents)),
        pairs=_counted(pair.language for pair in pairs),
        teachers=_counted(pair.teacher for pair in pairs),
        comparisons=tuple(
            Comparison.model_validate(row) for row in read_json(release / layout.COMPARISON / "comparisons.json")
        ),
        benchmarks={
            name: read_json(release / layout.SCORES / "tuned" / name / "benchmark.json") for name in benchmarks
        },
    )


def _ratified(path: Path) -> Constitution:
    """The constitution; raises Trouble where people did not decide on it."""
    constitution = Constitution.model_validate(read_json(path))
    undecided = [item.id for item in constitution.principles if item.decision is None]
    if constitution.status != "ratified" or undecided:
        found = f"no decision on {undecided[0]}" if undecided else f"the status '{constitution.status}'"
        raise Trouble(f"{path.name} has {found}; wanted a ratified constitution: run ratify_constitution.")
    return constitution


def _counted(names: Iterable[str] | Mapping[str, int]) -> dict[str, int]:
    """Counts, the most frequent first."""
    return dict(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))


def _group_sizes(path: Path) -> dict[str, int]:
    with path.open(encoding="utf-8", newline="") as file:
        return dict(sorted(Counter(row["group"] for row in csv.DictReader(file) if row["group"]).items()))
