"""Everything that is counted while documents are decided on: the figures of the report, the card and the gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from stages.curate_corpus.rules import ORDER

KEPT = "kept"


@dataclass
class Right:
    """By what right documents of one source under one licence are kept."""

    documents: int = 0
    characters: int = 0
    evidence: str = ""
    url: str = ""  # of one of them, the smallest
    retrieved: str = ""  # the latest


@dataclass
class Tally:
    """Counts of documents, unless a name says otherwise."""

    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # source, language, rule or KEPT
    characters_read: Counter[tuple[str, str]] = field(default_factory=Counter)  # source, language
    characters_kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)  # kind, rule or KEPT
    alone: Counter[tuple[str, str]] = field(
        default_factory=Counter
    )  # rule, language: breaks it, whatever else it breaks
    idle: Counter[tuple[str, str]] = field(default_factory=Counter)  # the same for rules that are switched off
    rights: dict[tuple[str, str], Right] = field(default_factory=dict)  # source, licence chosen
    licenses: Counter[tuple[str, str]] = field(default_factory=Counter)  # expression as understood, rule or KEPT
    masked: Counter[str] = field(default_factory=Counter)  # spans by kind, in kept documents
    masked_documents: int = 0
    opt_outs: Counter[tuple[str, str]] = field(default_factory=Counter)  # verdict, rule or KEPT
    captured: tuple[str, str] = ("", "")  # first and last day of captures
    contaminated: Counter[tuple[str, str]] = field(default_factory=Counter)  # benchmark, rule or KEPT
    stand_ins: int = 0  # kept because the representative of their cluster was dropped

    def by(self, choose: Callable[[str, str, str], str]) -> dict[str, Counter[str]]:
        """Documents by a source, language or the like, and in it by outcome."""
        counts: dict[str, Counter[str]] = {}
        for (source, language, outcome), number in self.outcomes.items():
            counts.setdefault(choose(source, language, outcome), Counter())[outcome] += number
        return counts

    @property
    def by_source(self) -> dict[str, Counter[str]]:
        """Source -> outcome -> documents."""
        return self.by(lambda source, language, outcome: source)

    @property
    def by_language(self) -> dict[str, Counter[str]]:
        """Language -> outcome -> documents."""
        return self.by(lambda source, language, outcome: language)

    @property
    def totals(self) -> Counter[str]:
        """Outcome -> documents."""
        counts: Counter[str] = Counter()
        for (_, _, outcome), number in self.outcomes.items():
            counts[outcome] += number
        return counts

    @property
    def read(self) -> int:
        """All documents."""
        return self.totals.total()

    @property
    def kept(self) -> int:
        """Documents that stay."""
        return self.totals[KEPT]

    @property
    def dropped(self) -> dict[str, int]:
        """Rule -> documents, in the order of the rules, only those that dropped any."""
        totals = self.totals
        return {rule: totals[rule] for rule in ORDER if totals[rule]}


def share(counts: Mapping[str, int], name: str) -> float:
    """The share of one name in all."""
    total = sum(counts.values())
    return counts.get(name, 0) / total if total else 0.0
