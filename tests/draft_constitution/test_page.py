"""The report is one page without network or script that says what was found, also where little was."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from stages.draft_constitution import page, sankey
from stages.draft_constitution.charts import consensus_and_division
from stages.draft_constitution.drafting import Drafted
from stages.draft_constitution.rules.certificate import Violation
from stages.draft_constitution.standing import held_alone, standings
from stages.records import Constitution
from tests.draft_constitution.looked_at import HOSTILE, about, drafted_of, params, planted

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Reads the page as a browser would: tags, attributes, visible words; refuses what is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def read(html: str) -> tuple[Reader, str]:
    """The parsed page and its words in one line."""
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader, " ".join(" ".join(reader.words).split())


@pytest.fixture(scope="module")
def planted_page() -> str:
    """The page of the planted conversation."""
    material, drafted = planted()
    return page.render(material.about, drafted, params())


def test_texts_of_citizens_are_data_and_carry_their_language(planted_page: str) -> None:
    reader, words = read(planted_page)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert HOSTILE in words  # word for word: neither run nor read as a template
    assert "<b>residents</b>" in words
    languages = {attributes.get("lang") for tag, attributes in reader.tags if tag == "q"}
    assert {"eu", "fr", "ca", "es", "en"} <= languages
    assert "translated by a machine" in words


def test_nothing_is_loaded_and_the_policy_forbids_it(planted_page: str) -> None:
    reader, _ = read(planted_page)
    assert not {tag for tag, _ in reader.tags} & {"img", "link", "iframe", "object", "form", "base"}
    for _, attributes in reader.tags:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    css = re.search(r"<style>(.*?)</style>", planted_page, re.DOTALL)
    assert css
    digest = base64.b64encode(hashlib.sha256(css.group(1).encode()).digest()).decode()
    policy = next(a["content"] for t, a in reader.tags if t == "meta" and a.get("http-equiv"))
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_links_inside_the_page_lead_somewhere(planted_page: str) -> None:
    reader, _ = read(planted_page)
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["href"] for t, a in reader.tags if t == "a"} <= {f"#{id_}" for id_ in ids}


def test_the_page_says_what_was_found(planted_page: str) -> None:
    _, words = read(planted_page)
    assert "SIMULATED." in words
    assert "4 principles were drafted" in words
    assert "Reliable groups: 2" in words
    assert "group A : 30 people" in words.replace("A:", "A :")
    assert "nobody of age: 65+" in words  # who is missing
    assert "age: abroad not known not shown not shown not shown" in words  # two people: too few to publish
    assert "1 taken out by moderators" in words
    for principle in planted()[1].constitution.principles:
        assert principle.selection.reason in words
        for count in principle.votes.values():
            assert f"{count.agree:,} agree, {count.passed:,} pass, {count.disagree:,} disagree" in words


def test_every_gate_is_on_the_page_with_its_verdict(planted_page: str) -> None:
    _, words = read(planted_page)
    gates = planted()[1].gates
    for gate in gates:
        assert gate.name in words
    assert words.count("not passed") >= sum(not gate.passed for gate in gates)
    assert f"{sum(gate.passed for gate in gates)} of {len(gates)}" in words


def test_the_order_of_the_votes_changes_no_byte(planted_page: str) -> None:
    material, drafted = planted(shuffled=True)
    assert page.render(material.about, drafted, params()) == planted_page


def test_everybody_against_everything_is_said_plainly() -> None:
    told, drafted = drafted_of([(f"p{n}", s, -1) for n in range(12) for s in range(5)], "votes")
    _, words = read(page.render(told, drafted, params()))
    assert "No principle was drafted" in words
    assert "No reliable groups: " in words
    assert "0 principles were drafted" in words


@pytest.mark.parametrize("people", [0, 1, 3])
def test_hardly_anybody_still_gives_a_page(people: int) -> None:
    told, drafted = drafted_of([(f"p{n}", s, 1) for n in range(people) for s in range(5)], "votes")
    _, words = read(page.render(told, drafted, params()))
    assert "No reliable groups: " in words


@pytest.mark.parametrize("kind", ["text", "counts"])
def test_without_votes_the_page_says_what_is_lost(kind: str) -> None:
    told, drafted = drafted_of(None, kind, rule="all")
    reader, words = read(page.render(told, drafted, params(rule="all")))
    assert "only counts are published, so nobody knows who agrees" in words
    assert "Nobody's single votes are known" in words
    assert "groups" not in {attributes.get("id") for _, attributes in reader.tags}
    assert "5 principles were drafted" in words


def test_groups_that_do_not_hold_are_never_shown_without_saying_so() -> None:
    material, drafted = planted()
    assert drafted.found
    doubted = replace(drafted.found.grouping, reliable=False, verdict="no reliable groups: stability 0.31; wanted 0.85")
    unsure = replace(drafted, found=replace(drafted.found, grouping=doubted))
    _, words = read(page.render(material.about, unsure, params()))
    assert "The 2 opinion groups shown are NOT reliable" in words
    assert "opinion groups (not reliable)" in words
    assert "The groups on it are not reliable" in words


def test_long_lists_are_cut_and_what_is_left_out_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_CARDS", "MOST_REJECTED", "MOST_DIVIDED", "MOST_HELD_ALONE", "MOST_POINTS", "MOST_DOTS"):
        monkeypatch.setattr(page, name, 2)
    material, drafted = planted()
    reader, words = read(page.render(material.about, drafted, params()))
    rejected = len(drafted.constitution.rejected)
    assert "2 more principles are in constitution.json" in words
    assert f"{rejected - 2} more, with reasons and votes, are in constitution.json" in words
    assert "2 people are drawn, by lot, of 50" in words
    dots = [a for t, a in reader.tags if t == "path" and a.get("class") in ("drafted", "other")]
    assert len(dots) == 2


def test_a_very_long_statement_is_cut_and_the_rest_counted() -> None:
    told, drafted = drafted_of(None, "text", rule="all")
    first = drafted.constitution.principles[0]
    texts = first.texts | {first.language: first.texts[first.language].model_copy(update={"value": "ñ" * 100_000})}
    long = first.model_copy(update={"texts": texts})
    constitution = drafted.constitution.model_copy(update={"principles": (long, *drafted.constitution.principles[1:])})
    html = page.render(told, replace(drafted, constitution=constitution), params(rule="all"))
    assert len(html) < 100_000
    assert "99,400 characters more in constitution.json" in html


def test_conflicts_and_proposals_are_put_to_people() -> None:
    material, drafted = planted()
    one, other = (principle.id for principle in drafted.constitution.principles[:2])
    flagged = drafted.constitution.principles[0].model_copy(update={"conflicts": (other,)})
    constitution = drafted.constitution.model_copy(
        update={"principles": (flagged, *drafted.constitution.principles[1:])}
    )
    html = page.render(material.about, replace(drafted, constitution=constitution), params())
    assert f'<a href="#{other}">{other}</a>' in html
    assert f"{min(one, other)} and {max(one, other)}. People have to decide" in html


def test_people_whom_the_set_leaves_out_are_named_with_the_statement_they_miss() -> None:
    material, drafted = planted()
    certificate = drafted.draft.certificate
    assert certificate
    missed = Violation(statement_id=7, deserved=2, people=28, wanted=25, by_group={"A": 28, "B": 0})
    failed = replace(certificate, ejr_plus=False, counterexample=missed)
    _, words = read(
        page.render(material.about, replace(drafted, draft=replace(drafted.draft, certificate=failed)), params())
    )
    assert "28 people approve statement 7 , Opinion number 7 about the city’s assistant , which was not chosen" in words
    assert "fewer than 2 principles of theirs in the set (group A: 28)" in words
    assert "EJR+ (the stricter test) does not hold" in words


def test_every_statement_is_in_the_sankey_once() -> None:
    constitution = planted()[1].constitution
    stages = sankey.outcomes(constitution)
    assert stages[0] == sankey.Stage("drafted as principles", 4, screened=False, drafted=True)
    assert sum(stage.count for stage in stages) == 22
    assert [stage.name for stage in stages if stage.screened] == ["taken out by moderators"]
    assert sankey.draw((), "nothing") == ""


def test_consensus_lies_right_and_division_up() -> None:
    placed = standings(planted()[1].constitution, min_cell=5)
    assert placed.groups == 2
    assert len(placed.placed) == 21  # all but the moderated one
    shared = [one for one in placed.placed if one.statement_id < 4]
    divisive = [one for one in placed.placed if 4 <= one.statement_id < 20]
    assert min(one.least for one in shared) > 0.7
    assert max(one.apart for one in shared) < 0.3
    assert min(one.apart for one in divisive) > 0.5
    drawn = consensus_and_division(placed, "label")
    assert HOSTILE not in drawn
    assert "&lt;script&gt;" in drawn  # the words one reads when pointing at a mark


def test_statements_with_too_few_votes_of_a_group_are_counted_not_drawn() -> None:
    placed = standings(planted()[1].constitution, min_cell=16)  # group B has 20 people, who saw 7 statements of 10
    assert placed.too_few_votes > 0
    assert len(placed.placed) + placed.too_few_votes == 21


def test_what_one_group_holds_alone_is_its_own_statements() -> None:
    _, drafted = planted()
    assert drafted.found
    bounds = {id_: one.lower_bounds for id_, one in drafted.found.consensus.items()}
    alone = held_alone(drafted.constitution, bounds, min_cell=5)
    assert {view.statement_id for view in alone["A"]} == set(range(4, 12))
    assert {view.statement_id for view in alone["B"]} <= set(range(12, 20))
    assert alone["B"]
    ahead = [view.ahead for view in alone["A"]]
    assert ahead == sorted(ahead, reverse=True)
    assert held_alone(drafted.constitution, {}, min_cell=5) == {}  # nothing is sure


def test_a_real_deliberation_is_not_called_simulated() -> None:
    drafted: Drafted = planted()[1]
    assert isinstance(drafted.constitution, Constitution)
    _, words = read(page.render(about(simulated=False), drafted, params()))
    assert "SIMULATED" not in words
