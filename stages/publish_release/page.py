"""The public page: one HTML file per language that needs no network, no script and no other file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages import pages
from stages.artifact import read_json
from stages.metrics import METRICS
from stages.publish_release import charts, layout
from stages.publish_release.draft_view import DraftView
from stages.publish_release.facts import MINORITY_GAP, Facts, total
from stages.publish_release.manifest import ReleasedFile
from stages.publish_release.parameters import Parameters
from stages.records import Comparison, Decision, Principle, VoteCount

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

HERE = Path(__file__).parent
MOST_MINORITY_VIEWS = 10
VERDICTS = ("better", "worse", "equivalent", "within noise", "too few items")


@cache
def strings(language: str) -> dict[str, str]:
    """The page's words in one language; a word without translation stays English."""
    english: dict[str, str] = read_json(HERE / "strings" / "en.json")
    return english | read_json(HERE / "strings" / f"{language}.json")


def page_name(language: str, languages: Sequence[str]) -> str:
    """The first language is index.html, the others index.<language>.html."""
    return layout.PAGE if language == languages[0] else f"index.{language}.html"


def render(facts: Facts, params: Parameters, files: Sequence[ReleasedFile], language: str) -> str:
    """The whole page. Texts of citizens are escaped where they are put in, and are never read as a template."""
    view = View(facts, params, tuple(files), language)
    css, css_hash = pages.inline(HERE / "templates" / "page.css")
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            view=view,
            draft=DraftView(view),
            facts=facts,
            params=params,
            t=view.say,
            css=css,
            css_hash=css_hash,
        )
    )


@cache
def environment() -> Environment:
    """Jinja over the release page's template."""
    return pages.environment(HERE / "templates")


@dataclass(frozen=True)
class View:
    """The facts in the words and numbers of one language."""

    facts: Facts
    params: Parameters
    files: tuple[ReleasedFile, ...]
    language: str

    @property
    def words(self) -> dict[str, str]:
        """The page's words."""
        return strings(self.language)

    def say(self, key: str, **values: object) -> str:
        """A string of the page; numbers are written as the language writes them."""
        shown = {
            name: self.number(value) if isinstance(value, (int, float)) else value for name, value in values.items()
        }
        return strings(self.language)[key].format(**shown)

    def number(self, value: float, decimals: int | None = None) -> str:
        """The number with the language's decimal sign; without `decimals`, whole."""
        words = strings(self.language)
        text = f"{value:,.{decimals or 0}f}"
        signs = {",": words["thousands"], ".": words["decimal"], "-": "\N{MINUS SIGN}"}
        return "".join(signs.get(character, character) for character in text)

    def value(self, value: float) -> str:
        """A measured value: three decimals."""
        return self.number(value, 3)

    def change(self, value: float) -> str:
        """A difference, with its sign."""
        return ("+" if value > 0 else "") + self.value(value)

    def size(self, count: int) -> str:
        """Bytes for people."""
        for unit, bytes_, decimals in (("GB", 10**9, 1), ("MB", 10**6, 1), ("kB", 10**3, 0)):
            if count >= bytes_:
                return f"{self.number(count / bytes_, decimals)} {unit}"
        return f"{self.number(count)} B"

    def pages(self) -> list[tuple[str, str, str]]:
        """Language, its own name and its page, for all languages of the release."""
        languages = self.params.page_languages
        return [(code, strings(code)["language"], page_name(code, languages)) for code in languages]

    # --- what was decided

    def draft_of(self, decision: Decision) -> Principle:
        """The draft that was declined."""
        return next(item for item in self.facts.drafted.principles if item.id == decision.principle)

    # --- votes

    def votes_by_group(self, votes: dict[str, VoteCount]) -> list[tuple[str, Markup, str]]:
        """Group, bar and words for each opinion group that voted."""
        if len(votes) == 1:  # one group: everybody who voted often enough
            count = next(iter(votes.values()))
            return [(self.say("votes.everybody"), charts.vote_bar(count, self._told(count)), self._told(count))]
        return [
            (self.say("votes.group", group=group), charts.vote_bar(count, self._label(group, count)), self._told(count))
            for group, count in sorted(votes.items())
        ]

    def _label(self, group: str, count: VoteCount) -> str:
        return self.say("votes.label", group=group, agree=count.agree, passed=count.passed, disagree=count.disagree)

    def _told(self, count: VoteCount) -> str:
        whole = total(count)
        if not whole:
            return self.say("votes.none")
        return self.say(
            "votes.told", agree=round(100 * count.agree / whole), disagree=round(100 * count.disagree / whole)
        )

    def minority_views(self) -> list[Any]:
        """The rejected statements on which the groups differ most."""
        return self.facts.minority_views(MOST_MINORITY_VIEWS)

    def minority_gap(self) -> int:
        """In points, the gap from which groups are said to disagree."""
        return round(100 * MINORITY_GAP)

    def deliberation_link(self) -> str:
        """The address of the deliberation, where it is one that a browser may open safely."""
        url = str(self.facts.deliberation.get("url") or "")
        return url if url.startswith(("https://", "http://")) else ""

    # --- teaching

    def teachers(self) -> list[tuple[str, str]]:
        """Each teacher in words, and its number of pairs."""
        rows = []
        for teacher, pairs in self.facts.teachers.items():
            kind, _, name = teacher.partition(":")
            known = f"teacher.{kind}" in strings(self.language)
            rows.append((self.say(f"teacher.{kind}", name=name) if known else teacher, self.number(pairs)))
        return rows

    # --- measurements

    def verdict_counts(self) -> dict[str, int]:
        """How many of the overall measurements have which verdict."""
        rows = self.facts.overall()
        return {verdict: sum(row.verdict == verdict for row in rows) for verdict in VERDICTS}

    def metric(self, row: Comparison) -> str:
        """The metric in the page's language, else in English."""
        known = METRICS.get(row.metric)
        return strings(self.language).get(f"metric.{row.metric}", known.words if known else row.metric)

    def target(self, row: Comparison) -> str:
        """Where a good model lies, in words."""
        known = METRICS.get(row.metric)
        return self.say(f"target.{known.target}") if known else ""

    def place(self, row: Comparison) -> str:
        """The slice: principle, language and topic where it is not all of them."""
        language = strings(self.language).get(f"in.{row.language}", row.language)
        parts = [row.principle_id, language, row.category.replace("_", " ")]
        return ", ".join(part for part in parts if part != "all")

    def rows(self, rows: Iterable[Comparison]) -> list[tuple[Comparison, Markup]]:
        """Each row with its picture; rows of one metric share their scale."""
        rows = list(rows)
        return [
            (row, charts.before_and_after(row, charts.scale(_alike(row, rows)), self._change_label(row)))
            for row in rows
        ]

    def _change_label(self, row: Comparison) -> str:
        names = ("base", "base_low", "base_high", "tuned", "tuned_low", "tuned_high")
        return self.say("changed.label", **{name: self.value(getattr(row, name)) for name in names})

    def principle(self, row: Comparison) -> Principle:
        """The principle that the row measures."""
        return next(item for item in self.facts.constitution.principles if item.id == row.principle_id)

    def interval(self, low: float, high: float) -> str:
        """An interval in words."""
        return self.say("changed.interval", low=self.value(low), high=self.value(high))

    def told_first(self, verdict: str) -> list[Comparison]:
        """The rows with the verdict that are told in the two boxes: over all questions, and by principle."""
        return [row for row in (*self.facts.overall(), *self.facts.by_principle()) if row.verdict == verdict]

    def count(self, verdict: str) -> int:
        """How many rows of any slice have the verdict."""
        return sum(row.verdict == verdict for row in self.facts.comparisons)

    def unmeasured(self) -> list[str]:
        """Principles that no row of the comparison measures."""
        measured = {row.principle_id for row in self.facts.comparisons}
        return [item.id for item in self.facts.constitution.principles if item.id not in measured]

    def meanings(self) -> list[tuple[str, str, str]]:
        """Name, meaning and caution of each metric that occurs."""
        seen = {row.metric: row for row in self.facts.overall()}
        return [
            (self.metric(row), METRICS[name].meaning, METRICS[name].caution)
            for name, row in seen.items()
            if name in METRICS
        ]

    # --- downloads

    def downloads(self) -> list[tuple[ReleasedFile, str]]:
        """The files most people look for, with what they are."""
        named = {
            f"{layout.RATIFIED}/constitution.json": "file.constitution",
            f"{layout.DELIBERATION}/statements.jsonl": "file.statements",
            f"{layout.DELIBERATION}/votes.csv": "file.votes",
            f"{layout.DRAFT}/constitution.json": "file.rejected",
            f"{layout.PREFERENCES}/pairs.jsonl": "file.pairs",
            f"{layout.CORPUS}/report.html": "file.corpus_report",
            f"{layout.CORPUS}/attribution.md": "file.attribution",
            f"{layout.CORPUS}/decisions.parquet": "file.decisions",
            f"{layout.COMPARISON}/comparison.html": "file.comparison_page",
            f"{layout.COMPARISON}/comparisons.json": "file.comparisons",
            layout.CHAIN: "file.chain",
        }
        files = {file.path: file for file in self.files}
        rows = [(file, self.say("file.model")) for file in self.files if file.path.endswith(".safetensors")]
        rows += [(files[path], self.say(key)) for path, key in named.items() if path in files]
        rows += [(file, self.say("file.documents")) for file in self.files if file.path.startswith(layout.DOCUMENTS)]
        return rows + [(file, self._items_told(file.path)) for file in self.files if file.path.endswith("/items.jsonl")]

    def _items_told(self, path: str) -> str:
        _, model, benchmark, _ = path.split("/")
        return self.say("file.items", model=model, benchmark=benchmark)


def _alike(row: Comparison, rows: Sequence[Comparison]) -> list[Comparison]:
    return [other for other in rows if (other.benchmark, other.metric) == (row.benchmark, row.metric)]
