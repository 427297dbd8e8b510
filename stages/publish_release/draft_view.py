"""What the draft stands on, in the words and drawings of one language: the page's parts on votes and how far to trust them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from stages.publish_release import division, ways
from stages.publish_release.evidence import Margin, Scenario
from stages.records import Gate, Principle

if TYPE_CHECKING:
    from markupsafe import Markup

    from stages.publish_release.page import View

MARGIN_FEW = 0.5  # of the population's share: a value with less among the participants is pointed out
FIGURE = re.compile(r"\d+(?:[.,]\d+)*\s?%?")
QUOTED = re.compile(r"'(.+)'")


@dataclass(frozen=True)
class Said:
    """A text and whether it is in English because the page has no words of its own for it."""

    text: str
    english: bool = False


@dataclass(frozen=True)
class GateRow:
    """A check of quality in one line."""

    check: Said
    found: str
    wanted: Said
    met: bool


@dataclass(frozen=True)
class MarginRow:
    """One declared value beside the census."""

    name: str
    value: str
    census: str
    raw: str
    weighted: str
    people: str
    pointed_out: str


@dataclass(frozen=True)
class ScenarioRow:
    """The draft without some people."""

    without: str
    left_out: str
    principles: str
    come: str
    go: str
    same: str


class DraftView:
    """The facts about the draft; `view` has the language's words and numbers."""

    def __init__(self, view: View) -> None:
        self.view, self.facts, self.say = view, view.facts, view.say
        self.adopted = [principle.id for principle in self.facts.constitution.principles]

    def _percent(self, share: float) -> str:
        return self.say("percent", value=100 * share)

    def _known(self, key: str) -> bool:
        return key in self.view.words

    # --- one principle

    def origin(self, principle: Principle) -> str:
        """Whose words the adopted text is in."""
        origin = principle.texts[principle.language].origin
        if origin == "source" and self.facts.deliberation.get("kind") == "text":
            return self.say("origin.text")
        if origin == "source" and principle.sources[0].statement_id in self.facts.seeds:
            return self.say("origin.seed")
        return self.say(f"origin.{origin}")

    def sources(self, principle: Principle) -> str:
        """The statements behind it, the one it was drafted from first."""
        told = [self.say(f"source.{source.relation}", id=str(source.statement_id)) for source in principle.sources]
        return self.say("card.sources", sources="; ".join(told))

    def sure(self, principle: Principle) -> str:
        """What the votes say at least; empty where the platform publishes no single votes."""
        if principle.scores is None:
            return ""
        key = "card.sure" if len(principle.votes) > 1 else "card.sure.one"
        lower, exposure = (int(100 * share) for share in (principle.scores.lower_bound, principle.scores.exposure))
        return self.say(key, lower=lower, exposure=exposure)

    def translations(self, principle: Principle) -> list[tuple[str, str, str]]:
        """Of other wordings: what kind it is, its language and its text."""
        rows = []
        for language, wording in sorted(principle.texts.items()):
            if language != principle.language:
                name = self.view.words.get(f"in.{language}", language)
                kind = "machine" if wording.origin == "machine" else "human"
                rows.append((self.say(f"card.translation.{kind}", language=name), language, wording.value))
        return rows

    def conflicts(self, principle: Principle) -> list[tuple[str, bool]]:
        """Principles it may contradict, and whether each was adopted (and so can be linked to)."""
        return [(id_, id_ in self.adopted) for id_ in principle.conflicts]

    # --- from statements to principles

    @cached_property
    def _ways(self) -> tuple[ways.Way, ...]:
        return ways.ways(self.facts.drafted, self.facts.constitution)

    def ways(self) -> list[tuple[str, str, int]]:
        """Kind, name and number of statements of each way."""
        return [(way.kind, self.say(way.key), way.count) for way in self._ways]

    def all_statements(self) -> int:
        """How many statements there are in all ways together."""
        return sum(way.count for way in self._ways)

    def ways_drawing(self) -> Markup:
        """The ways as one drawing."""
        drafted = sum(way.count for way in self._ways if way.drafted)
        return ways.draw(
            self._ways,
            [self.say("way.count", name=self.say(way.key), count=way.count) for way in self._ways],
            self.say("way.all", count=self.all_statements()),
            self.say("way.drafted", count=drafted),
            self.say("way.label", count=self.all_statements(), drafted=drafted),
        )

    # --- agreed or divided

    @cached_property
    def places(self) -> division.Places:
        """Where each statement stands."""
        return division.places(self.facts.drafted, self.adopted)

    def division_drawing(self) -> Markup:
        """All statements as marks."""
        one = "" if self.places.groups > 1 else ".one"
        names = ("how", "across", "up", "right", "top")
        return division.draw(self.places, division.Words(*(self.say(f"division.{name}{one}") for name in names)))

    def division_how(self) -> str:
        """How to read it."""
        return self.say("division.how" if self.places.groups > 1 else "division.how.one")

    def division_left_out(self) -> str:
        """How many statements are not drawn, and why; empty where all are."""
        count = self.places.too_few_votes
        return self.say("division.left_out", count=count, fewest=division.FEWEST_VOTES) if count else ""

    # --- how far it can be relied on

    def verdict(self) -> str:
        """Whether the opinion groups can be relied on, in one sentence; empty where the draft does not tell."""
        method = self.facts.drafted.method
        if method is None:
            return ""
        if method.reliable and method.stability_mean is not None and method.stability_lowest is not None:
            mean, lowest = self.view.number(method.stability_mean, 2), self.view.number(method.stability_lowest, 2)
            return self.say("trust.reliable", groups=len(method.groups), mean=mean, lowest=lowest)
        if len(method.groups) > 1:
            return self.say("trust.unreliable", groups=len(method.groups))
        return self.say("trust.one" if method.groups else "trust.none")

    def gates(self) -> list[GateRow]:
        """Every check of quality of the draft."""
        method = self.facts.drafted.method
        return [self._gate(gate) for gate in (method.gates if method else ())]

    def _gate(self, gate: Gate) -> GateRow:
        key = f"gate.{gate.name}"
        check = Said(self.say(key)) if self._known(key) else Said(gate.name, english=True)
        percent = "%" in gate.wanted and gate.value is not None and gate.value <= 1
        if gate.value is None:
            found = self.say(("trust.yes" if gate.passed else "trust.no") if gate.wanted == "yes" else "trust.unknown")
        elif percent:
            found = self._percent(gate.value)
        else:
            found = self.view.number(gate.value, 0 if float(gate.value).is_integer() and gate.value > 1 else 2)
        return GateRow(check, found, self._wanted(gate, f"{key}.wanted"), gate.passed)

    def _wanted(self, gate: Gate, key: str) -> Said:
        """In the page's language where its words have a place for every figure."""
        figures = [self._figure(figure) for figure in FIGURE.findall(gate.wanted)]
        if not self._known(key) or self.view.words[key].count("{") != len(figures):
            return Said(gate.wanted, english=True)
        return Said(self.say(key, **dict(zip("abcd", figures, strict=False))))

    def _figure(self, figure: str) -> str:
        number = figure.rstrip("% ")
        decimals = len(number.partition(".")[2])
        written = self.view.number(float(number.replace(",", "")), decimals)
        return self.say("percent", value=written) if figure.endswith("%") else written

    # --- who is missing

    def margins(self) -> list[MarginRow]:
        """Every declared value that can be compared, an attribute after the other."""
        found = self.facts.evidence.representation
        return [self._margin(margin) for margin in (found.margins if found else ())]

    def _margin(self, margin: Margin) -> MarginRow:
        census = margin.census_share
        pointed_out = ""
        if census and margin.participants == 0:
            pointed_out = self.say("missing.nobody")
        elif census and margin.raw_share is not None and margin.raw_share < MARGIN_FEW * census:
            pointed_out = self.say("missing.few")
        return MarginRow(
            margin.attribute,
            margin.value,
            "–" if census is None else self._percent(census),
            "–" if margin.raw_share is None else self._percent(margin.raw_share),
            "–" if margin.weighted_share is None else self._percent(margin.weighted_share),
            self.say("missing.hidden") if margin.participants is None else self.view.number(margin.participants),
            pointed_out,
        )

    # --- unusual accounts, and what would change

    def flags(self) -> list[tuple[Said, str]]:
        """What accounts are flagged for, and how many."""
        found = self.facts.evidence.integrity
        return [
            (self._flag(one.kind), self.view.number(one.accounts) if one.looked else self.say("accounts.not_looked"))
            for one in (found.findings if found else ())
        ]

    def _flag(self, kind: str) -> Said:
        return Said(self.say(f"flag.{kind}")) if self._known(f"flag.{kind}") else Said(kind, english=True)

    def scenarios(self) -> list[ScenarioRow]:
        """The draft without some of the people."""
        return [self._scenario(scenario) for scenario in self.facts.evidence.sensitivity or ()]

    def _scenario(self, scenario: Scenario) -> ScenarioRow:
        number = self.view.number
        return ScenarioRow(
            self._without(scenario),
            number(scenario.left_out),
            number(scenario.principles),
            ", ".join(scenario.added) or self.say("sensitivity.none"),
            ", ".join(scenario.removed) or self.say("sensitivity.none"),
            self._percent(scenario.overlap),
        )

    def named(self) -> list[tuple[str, str, str]]:
        """Principles that would come or go: id, language and text."""
        texts = {item.id: (item.language, item.text) for item in self.facts.drafted.principles}
        texts |= {f"p{item.statement_id:03d}": (item.language, item.text) for item in self.facts.rejected}
        ids = {id_ for one in self.facts.evidence.sensitivity or () for id_ in (*one.added, *one.removed)}
        return [(id_, *texts[id_]) for id_ in sorted(ids) if id_ in texts]

    def _without(self, scenario: Scenario) -> str:
        quoted = QUOTED.search(scenario.name)
        if scenario.kind == "flag" and quoted:
            return self.say("sensitivity.flag", kind=self._flag(quoted[1]).text)
        if scenario.kind == "group":
            return self.say("sensitivity.group", group=scenario.name.rsplit(" ", 1)[-1])
        return self.say("sensitivity.flagged") if scenario.kind == "flagged" else scenario.name

    def lost(self) -> list[str]:
        """What this kind of deliberation cannot tell, in the words of the node that read it."""
        return [str(item) for item in self.facts.deliberation.get("lost", ())]
