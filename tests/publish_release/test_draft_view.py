"""The page's parts on the draft: what they tell, that each is left out where its file is, and that nothing is lost."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from conftest import BENCHMARKS, DRAFTED, METHOD, PARAMS, REJECTED, constitution, draft
from test_documents import LANGUAGES, rendered

from stages.errors import Trouble
from stages.publish_release import division, page, ways
from stages.publish_release.draft_view import DraftView
from stages.publish_release.evidence import Evidence, read_evidence
from stages.publish_release.facts import Facts, read_facts
from stages.records import Amendment, Ballots, Gate, Parent, RejectionCode, VoteCount, Wording


@pytest.fixture(scope="session")
def facts(published: Path, workspace: Path) -> Facts:
    return read_facts(published, workspace / "models/base", BENCHMARKS)


def view(facts: Facts, language: str = "en") -> DraftView:
    return DraftView(page.View(facts, PARAMS, (), language))


NOTHING = Evidence(opinion_map=None, representation=None, integrity=None, sensitivity=None)


def test_how_far_the_groups_can_be_relied_on(facts: Facts, published: Path) -> None:
    text = rendered(facts, published).text
    assert "The 2 opinion groups can be relied on." in text
    assert "the likeness is 0.93 on average and 0.88 in the worst draw" in text
    assert "reliable groups: 2 groups, mean adjusted Rand index 0.93" in text  # as the analysis says it


def test_groups_that_cannot_be_relied_on_are_called_so(facts: Facts) -> None:
    def told(**changes: object) -> str:
        method = METHOD.model_copy(update={"reliable": False, **changes})
        return view(replace(facts, drafted=facts.drafted.model_copy(update={"method": method}))).verdict()

    assert told().startswith("The 2 opinion groups cannot be relied on")
    assert told(groups=METHOD.groups[:1]).startswith("The participants do not fall into opinion groups")
    assert told(groups=()).startswith("Nobody’s single votes are known")


def test_every_check_of_quality_is_told_with_value_and_what_was_wanted(facts: Facts) -> None:
    rows = [(row.check.text, row.found, row.wanted.text, row.met) for row in view(facts).gates()]
    assert rows == [
        ("It is known who voted how (under pseudonyms).", "yes", "yes", True),
        (
            "The opinion groups stay the same when other people are drawn (1: always, 0: by chance).",
            "0.93",
            "at least 0.85",
            True,
        ),
        (
            "Share of statements that enough participants voted on.",
            "33 %",
            "at least 50 % of the statements, each by 30 % of the participants",
            False,
        ),
        ("a check that the page does not know", "3", "at least 1", True),
    ]
    basque = view(facts, "eu").gates()
    assert (basque[2].found, basque[2].wanted.english) == ("% 33", False)
    assert (basque[3].check.english, basque[3].wanted.english) == (True, True)  # marked as English for screen readers


def test_a_gate_without_a_value_says_so(facts: Facts) -> None:
    gate = Gate(
        name="those who took part resemble the people", passed=False, value=None, wanted="design effect of at most 2.0"
    )
    method = METHOD.model_copy(update={"gates": (gate,)})
    (row,) = view(replace(facts, drafted=facts.drafted.model_copy(update={"method": method}))).gates()
    assert (row.found, row.wanted.text, row.met) == ("could not be measured", "at most 2.0", False)


def test_who_is_missing_is_pointed_out_and_single_people_are_not(facts: Facts, published: Path) -> None:
    rows = view(facts).margins()
    assert [(row.value, row.pointed_out) for row in rows] == [
        ("<16", "nobody came"), ("16-29", ""), ("30+", ""),
    ]  # fmt: skip
    assert (rows[1].people, rows[1].raw) == ("too few to tell", "–")
    assert (rows[2].census, rows[2].raw, rows[2].people) == ("70 %", "95 %", "19")
    text = rendered(facts, published).text
    assert "it is as if 14 people had taken part instead of 21" in text
    assert "Whether the participants stand for the whole population was not measured." not in text


def test_what_the_votes_do_not_tell_is_not_published(facts: Facts, published: Path) -> None:
    text = rendered(facts, published).text
    assert "such as age or district, and when they voted, is not in this release" in text
    assert "such as age or district" not in rendered(replace(facts, withheld=()), published).text


def test_what_flagged_accounts_would_change(facts: Facts, published: Path) -> None:
    rows = [(row.without, row.left_out, row.come, row.go, row.same) for row in view(facts).scenarios()]
    assert rows == [
        ("all flagged accounts", "2", "p004", "p001", "60 %"),
        ("accounts flagged for: the very same votes as many others", "2", "none", "none", "100 %"),
        ("opinion group B", "10", "p004", "none", "80 %"),
    ]
    assert view(facts).named() == [("p001", "fr", DRAFTED[1].text), ("p004", "ca", REJECTED[0].text)]
    assert [(kind.text, count) for kind, count in view(facts).flags()] == [
        ("the very same votes as many others", "2"),
        ("arrival in a rush of new accounts", "cannot be seen in this data"),
    ]
    page_text = (published / "index.html").read_text(encoding="utf-8")
    assert "a000000000000001" not in page_text  # which accounts are flagged is not told there


def test_every_statement_goes_one_way(facts: Facts) -> None:
    found = ways.ways(draft(), constitution())
    assert {way.key: way.count for way in found} == {
        "way.accept": 2, "way.reword": 1, "way.reject": 1, "code.below_threshold": 1, "code.moderated": 1,
    }  # fmt: skip
    assert view(facts).all_statements() == 6
    drawing = str(view(facts).ways_drawing())
    assert "6 statements" in drawing and "4 drafted" in drawing and "taken out by the moderators: 1" in drawing


def test_a_statement_stands_where_its_votes_put_it() -> None:
    found = division.places(draft(), ["p000", "p001", "p003"])
    stands = {place.statement_id: (place.fate, place.least, place.apart) for place in found.shown}
    assert stands == {
        0: ("adopted", 0.8, 0.0), 1: ("adopted", 0.8, 0.0), 2: ("declined", 0.8, 0.0), 3: ("adopted", 0.8, 0.0),
        4: ("other", 0.0, 1.0),
    }  # fmt: skip
    assert (found.too_few_votes, found.groups) == (0, 2)  # 5 was moderated out, so it has no scores


def test_a_group_with_few_votes_gives_no_place() -> None:
    few = {"A": VoteCount(agree=9, disagree=0, passed=0), "B": VoteCount(agree=4, disagree=0, passed=0)}
    changed = draft().model_copy(update={"principles": (DRAFTED[0].model_copy(update={"votes": few}), *DRAFTED[1:])})
    found = division.places(changed, [])
    assert ([place.statement_id for place in found.shown], found.too_few_votes) == ([1, 2, 3, 4], 1)


def test_with_one_group_up_means_disagreement() -> None:
    alone = {"A": VoteCount(agree=6, disagree=3, passed=1)}
    one = draft().model_copy(update={"principles": (DRAFTED[0].model_copy(update={"votes": alone}),), "rejected": ()})
    found = division.places(one, [])
    assert (found.shown[0].least, found.shown[0].apart, found.groups) == (0.6, 0.3, 1)


def test_words_of_citizens_in_drawings_are_only_words() -> None:
    place = division.Place(3, "<script>alert('{0}')</script>", "adopted", 0.9, 0.1)
    drawing = str(division.draw(division.Places((place,), 0, 2), division.Words(*"abcde")))
    assert "<script" not in drawing and "&lt;script&gt;alert(&#39;{0}&#39;)" in drawing


def test_a_principle_tells_what_it_stands_on(facts: Facts, published: Path) -> None:
    principle = constitution().principles[1]
    merged = principle.sources[0].model_copy(update={"statement_id": 4, "relation": "merged"})
    told = principle.model_copy(
        update={
            "sources": (*principle.sources, merged),
            "conflicts": ("p000", "p002"),
            "texts": {**principle.texts, "eu": Wording(value="Ez badaki, esan dezala.", origin="machine")},
            "decision": principle.decision.model_copy(update={"ballots": Ballots(yes=14, no=1, abstain=2)}),
        }
    )
    changed = constitution().model_copy(update={"principles": (constitution().principles[0], told)})
    outline = rendered(replace(facts, constitution=changed), published)
    text = outline.text
    assert "In a participant’s own words · From statement 1; statement 4, merged into it" in text
    assert "In words that people chose when they decided · From statement 0" in text
    assert "Machine translation, Basque; only the original was adopted: Ez badaki, esan dezala." in text
    assert "Vote on it: 14 for, 1 against, 2 abstained" in text
    assert "Why it was drafted: place 2 of 4" in text
    assert "surely more than 61 % agree; 100 % of all participants voted on it." in text
    assert "#p000" in [link["href"] for link in outline.all("a")]  # adopted: can be gone to
    assert "#p002" not in [link["href"] for link in outline.all("a")]  # declined


def test_words_of_the_organisers_are_called_theirs(facts: Facts) -> None:
    seeded = replace(facts, seeds=frozenset({1}))
    assert view(seeded).origin(DRAFTED[1]).startswith("In the words of the organisers")
    charter = replace(facts, deliberation={**facts.deliberation, "kind": "text"})
    assert view(charter).origin(DRAFTED[1]) == "In the words of the text that was put forward"


def test_who_adopted_it_and_what_changed_since(facts: Facts, published: Path) -> None:
    amended = constitution().model_copy(
        update={
            "parent": Parent(version="1.1.0", sha256="0" * 64),
            "amendments": (
                Amendment(principle="p000", change="reworded", before="A <b>", after="B", reason="clearer"),
            ),
        }
    )
    text = rendered(replace(facts, constitution=amended), published).text
    assert "Adopted by: citizens' assembly, on 2026-05-02" in text
    assert "15 were present, 12 were needed. Vote on the whole: 14 for, 1 against, 0 abstained." in text
    assert "What changed since version 1.1.0 p000 reworded A <b> B clearer" in text


def test_a_deliberation_without_single_votes(facts: Facts, published: Path) -> None:
    """Counts of supports only: no groups, no map, no chart; what is lost is said."""
    item = DRAFTED[1].model_copy(
        update={"votes": {}, "scores": None, "votes_total": VoteCount(agree=312, disagree=0, passed=0)}
    )
    adopted = item.model_copy(update={"decision": constitution().principles[1].decision})
    method = METHOD.model_copy(update={"groups": (), "reliable": False, "stability_mean": None})
    counted = replace(
        facts,
        evidence=NOTHING,
        groups={},
        drafted=draft().model_copy(update={"principles": (item,), "rejected": (), "method": method}),
        constitution=constitution().model_copy(update={"principles": (adopted,), "declined": (), "rejected": ()}),
        deliberation={**facts.deliberation, "kind": "counts", "lost": ["opinion groups <of people>"]},
        comparisons=(),
    )
    text = rendered(counted, published).text
    assert "312 people supported it; who was against is not known." in text
    assert "What this kind of deliberation cannot tell opinion groups <of people>" in text
    assert "Agreed or divided" not in text and "surely more than" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_part_is_left_out_where_its_file_is(facts: Facts, published: Path, language: str) -> None:
    whole, bare = (
        rendered(replace(facts, evidence=evidence), published, language) for evidence in (facts.evidence, NOTHING)
    )
    words = page.strings(language)
    for key in ("missing", "accounts", "sensitivity"):
        assert words[key] in whole.text
        assert words[key] not in bare.text
    assert (len(whole.all("img")), len(bare.all("img"))) == (1, 0)
    assert words["limits.groups"] in bare.text
    links = [str(link["href"]) for link in bare.all("a")]
    assert "#missing" not in links


def test_a_file_of_another_shape_is_refused_and_not_left_out(published: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(published / "constitution/draft", tmp_path / "draft"))
    content = json.loads((folder / "integrity.json").read_text())
    del content["judged"]
    (folder / "integrity.json").write_text(json.dumps(content))
    with pytest.raises(
        Trouble, match=r"integrity.json: judged: Field required; wanted it as draft_constitution writes"
    ):
        read_evidence(folder)


def test_a_draft_is_not_released(published: Path, workspace: Path, tmp_path: Path) -> None:
    release = Path(shutil.copytree(published, tmp_path / "release"))
    shutil.copy(release / "constitution/draft/constitution.json", release / "constitution/ratified/constitution.json")
    with pytest.raises(Trouble, match=r"has no decision on p000; wanted a ratified constitution: run ratify"):
        read_facts(release, workspace / "models/base", BENCHMARKS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_draft_can_say_has_words(language: str) -> None:
    """Reasons and checks are named by other nodes: a new one must be told in every language too."""
    quality = (Path(page.__file__).parents[1] / "draft_constitution" / "quality.py").read_text(encoding="utf-8")
    gates = re.findall(r'name="([^"]+)"', quality)
    assert len(gates) >= 10
    wanted = {
        *(f"code.{code}" for code in get_args(RejectionCode)),
        *(f"gate.{name}" for name in gates),
        *(f"gate.{name}.wanted" for name in gates),
    }
    assert wanted <= page.strings(language).keys()
