"""People's decisions are checked, applied and shown; what does not fit is told by principle."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from stages.errors import Trouble
from stages.ratify_constitution.charter import charter, escape
from stages.ratify_constitution.decisions import read_decisions
from stages.ratify_constitution.ratification import Ratification, ratified
from stages.records import Ballots, Parent, Quorum, Wording
from tests.ratify_constitution.drafted import ALL, APPLIED, DRAFT, decision, draft, file, principle


def applied(tmp_path: Path, decisions: dict[str, dict[str, Any]], **more: object) -> Ratification:
    return ratified(file(tmp_path / "d.yaml", list(decisions.values()), **more), DRAFT)


def test_decisions_are_applied(tmp_path: Path) -> None:
    result = applied(tmp_path, APPLIED)
    constitution = result.constitution
    assert [p.id for p in constitution.principles] == ["p001", "p002", "p003"]
    accepted, reworded, merged = constitution.principles
    assert (reworded.text, reworded.amended_from) == (
        "Ez dezala behar ez den datu pertsonalik eskatu.",
        "Ez dezala datu pertsonalik eskatu.",
    )
    assert reworded.texts["eu"].origin == "human"
    assert [source.relation for source in reworded.sources] == ["reworded"]
    assert [(s.statement_id, s.relation, s.language) for s in merged.sources] == [
        (3, "verbatim", "fr"),
        (4, "merged", "es"),
    ]
    assert merged.votes == DRAFT.principles[2].votes
    assert accepted.amended_from is None and accepted.texts == DRAFT.principles[0].texts
    assert [(d.principle, d.decision, d.into, d.drafted) for d in constitution.declined] == [
        ("p004", "merge", "p003", "Que responda con claridad."),
        ("p005", "reject", None, "Buy <b>my</b> bike."),
    ]
    assert (constitution.languages, constitution.question) == (("ca", "eu", "fr"), "Com s'ha de comportar?")
    assert (constitution.status, constitution.rejected) == ("ratified", DRAFT.rejected)
    assert constitution.ratification and constitution.ratification.by == "citizens' assembly"
    assert result.counts == {"accept": 2, "reword": 1, "merge": 1, "reject": 1}


def test_decisions_on_principles_that_were_not_drafted_are_counted(tmp_path: Path) -> None:
    result = applied(tmp_path, ALL | {"x": decision("p099"), "y": decision("p077", "reject")})
    assert result.not_in_draft == ("p077", "p099")
    assert len(result.constitution.principles) == 5


def test_ballots_quorum_date_and_role_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(
        "title: Carta\nversion: 1.0.0\nby: assemblea ciutadana\ndate: 2026-03-01\n"
        "quorum: {wanted: 30, present: 38}\nballots: {yes: 30, no: 6, abstain: 2}\ndecisions:\n"
        + "".join(f"- {{principle: {p.id}, decision: accept, reason: És just.}}\n" for p in DRAFT.principles[1:])
        + "- {principle: p001, decision: accept, reason: És just., ballots: {yes: 20, no: 18}}\n",
        encoding="utf-8",
    )
    constitution = ratified(path, DRAFT).constitution
    adoption = constitution.ratification
    assert adoption is not None
    assert (adoption.by, adoption.date) == ("assemblea ciutadana", "2026-03-01")
    assert (adoption.quorum, adoption.ballots) == (Quorum(wanted=30, present=38), Ballots(yes=30, no=6, abstain=2))
    first = constitution.principles[0].decision
    assert first and (first.by, first.ballots) == ("assemblea ciutadana", Ballots(yes=20, no=18))
    text = charter(constitution)
    assert "Adopted by assemblea ciutadana on 2026-03-01. Present when it was decided: 38 (quorum: 30)." in text
    assert "Ballots on the whole: 30 yes, 6 no, 2 abstained." in text
    assert "Accepted by assemblea ciutadana (20 yes, 18 no, 0 abstained): És just." in text


def test_missing_decisions_are_named_with_the_way_out(tmp_path: Path) -> None:
    message = r"no decision on 3 of 5 drafted principles: p002, p004, p005; .*add accept.*`commons ratify`"
    with pytest.raises(Trouble, match=message):
        applied(tmp_path, {id_: ALL[id_] for id_ in ("p001", "p003")})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (decision("p001", "reword"), "decision on p001: found no text"),
        (decision("p001", "reword", text="  "), "decision on p001: found no text"),
        (decision("p001", text="New words"), "found a text with accept"),
        (decision("p001", "reject", into="p002"), "found `into` with reject"),
        (decision("p001", "merge"), "decision on p001: found no `into`"),
        (decision("p001", "merge", into="p001"), "into: p001; wanted another principle of the draft: p002, p003"),
        (decision("p001", "merge", into="p098"), "into: p098; wanted another principle of the draft"),
        (decision("p001", "merge", into="p005"), "p005, which is itself decided reject"),
        (decision("p001", reason=" "), "decision on p001: found no reason"),
        (decision("p001", by=""), "decision on p001: found nobody in `by`"),
        (decision("p001", "aprove"), r"decision 1 \(on p001\), decision: Input should be 'accept', 'reword'"),
        (decision("p001", resaon="x"), r"decision 1 \(on p001\), resaon: Extra inputs"),
        (
            decision("p001", ballots={"yes": 12, "no": 13}),
            "decision on p001: found accept with 13 no and 12 yes; wanted at least as many yes: reject it",
        ),
        (decision("p001", ballots={"yes": -1, "no": 13}), r"on p001\), ballots.yes: Input should be greater"),
        (
            decision("p001", translations={"ca": {"value": "Igual.", "origin": "human"}}),
            "decision on p001: found a translation into ca, the principle's own language",
        ),
        (
            decision("p001", "reject", translations={"fr": {"value": "Égal.", "origin": "human"}}),
            "decision on p001: found translations with reject",
        ),
        (
            decision("p001", translations={"fr": {"value": "Égal.", "origin": "source"}}),
            r"translations.fr.origin: Input should be 'human' or 'machine'",
        ),
        (decision("p001", translations={"Fr/x": {"value": "É", "origin": "human"}}), "String should match pattern"),
    ],
)
def test_a_decision_that_cannot_be_applied_is_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(Trouble, match=message) as caught:
        applied(tmp_path, APPLIED | {"p001": changed})
    assert "\n" not in str(caught.value)


def test_ballots_against_a_rejected_principle_and_a_tie_are_no_trouble(tmp_path: Path) -> None:
    tie = decision("p001", ballots={"yes": 9, "no": 9})
    against = decision("p005", "reject", ballots={"yes": 1, "no": 20})
    result = applied(tmp_path, APPLIED | {"p001": tie, "p005": against})
    assert result.constitution.declined[1].ballots == Ballots(yes=1, no=20)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: [", "not valid YAML"),
        ("- just a list", "the file: "),
        ("title: T\nversion: 1.0\ndecisions: []", "version: "),
        ("title: T\nversion: v1.0.0\ndecisions: []", "version: String should match pattern"),
        ("title: T\nversion: 1.0.0\ndecisions: [accept]", "decision 1: "),
        ("title: T\nversion: 1.0.0\ndate: yesterday\ndecisions: []", "date: String should match pattern"),
        ("title: T\nversion: 1.0.0\nquorum: {wanted: 30, present: 12}\ndecisions: []", "12 were present; wanted 30"),
        ("title: T\nversion: 1.0.0\nballots: {yes: 3, no: 4}\ndecisions: []", "4 no and 3 yes on the whole"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Trouble, match=message) as caught:
        ratified(path, DRAFT)
    assert "\n" not in str(caught.value)


def test_two_decisions_on_one_principle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="2 decisions on p003; wanted one"):
        applied(tmp_path, ALL | {"again": decision("p003", "reject")})


def test_a_translation_stands_beside_the_adopted_text_and_says_where_it_is_from(tmp_path: Path) -> None:
    given = {
        "fr": {"value": "Chacun  est égal.", "origin": "human", "reviewer": "traductrice jurée"},
        "no": {"value": "Alle er like.", "origin": "machine"},
    }
    result = applied(tmp_path, ALL | {"p001": decision("p001", translations=given)})
    first = result.constitution.principles[0]
    assert (first.language, first.text) == ("ca", "Tothom ha de ser tractat igual.")
    assert first.texts == {
        "ca": Wording(value="Tothom ha de ser tractat igual.", origin="source"),
        "fr": Wording(value="Chacun est égal.", origin="human", reviewer="traductrice jurée"),
        "no": Wording(value="Alle er like.", origin="machine"),
    }
    text = charter(result.constitution)
    assert "fr (translation, checked by traductrice jurée; the text above is the adopted one): Chacun est égal." in text
    assert "no (machine translation; the text above is the adopted one): Alle er like." in text
    assert result.constitution.languages == ("ca", "en", "es", "eu", "fr"), "a translation adopts nothing"


def test_translations_of_a_text_that_people_reworded_are_left_out_and_counted(tmp_path: Path) -> None:
    english = {"en": Wording(value="It must not ask.", origin="machine")}
    principles = (principle("p002", "Ez dezala eskatu.", "eu", texts=english), *DRAFT.principles[2:])
    path = file(tmp_path / "d.yaml", [APPLIED[p.id] for p in principles])
    result = ratified(path, draft(principles=principles))
    assert list(result.constitution.principles[0].texts) == ["eu"]
    assert result.outdated_translations == 1


PREVIOUS = {"version": "1.2.3", "sha256": "ab" * 32, "principles": {p.id: p.text for p in DRAFT.principles}}


def amending(tmp_path: Path, new_version: str, decisions: dict[str, dict[str, Any]], **more: object) -> Ratification:
    return applied(tmp_path, decisions, version=new_version, previous=PREVIOUS | more)


def test_a_new_version_names_its_parent_and_says_what_changes_and_why(tmp_path: Path) -> None:
    before = {"p001": "Tothom és igual.", "p003": "Qu'il réponde « en clair ».", "p004": "Que responda.",
              "p009": "Toujours oui.", "p042": "Berdin."}  # fmt: skip
    decisions = APPLIED | {"gone": decision("p042", "reject", reason="Nobody voted on it again.")}
    constitution = amending(tmp_path, "2.0.0", decisions, principles=before).constitution
    assert constitution.parent == Parent(version="1.2.3", sha256="ab" * 32)
    assert [(a.principle, a.change, a.before, a.after, a.reason) for a in constitution.amendments] == [
        ("p001", "reworded", "Tothom és igual.", "Tothom ha de ser tractat igual.", "It is fair."),
        ("p002", "added", None, "Ez dezala behar ez den datu pertsonalik eskatu.", "It is fair."),
        ("p004", "removed", "Que responda.", None, "merged into p003: The same in another language."),
        ("p009", "removed", "Toujours oui.", None, "not drafted again: moderated out"),
        ("p042", "removed", "Berdin.", None, "Nobody voted on it again."),
    ]
    text = charter(constitution)
    assert "Version 1.0.0" not in text
    assert "Version 2.0.0, ratified; amends version 1.2.3 (sha256 `abababababab…`)." in text
    assert "- `p001` now reads: Tothom ha de ser tractat igual. (was: Tothom és igual.)  \n  It is fair." in text


@pytest.mark.parametrize(
    ("version", "decisions", "message"),
    [
        ("1.2.3", ALL, r"version 1\.2\.3 after 1\.2\.3, which is not greater; wanted 1\.2\.4 \(no principle changed\)"),
        ("1.3.0", ALL, r"found version 1\.3\.0 after 1\.2\.3; wanted 1\.2\.4 \(no principle changed\)"),
        ("1.2.4", APPLIED, r"wanted 2\.0\.0 \(principles 2 removed, 1 reworded\)"),
        ("0.9.0", APPLIED, r"found version 0\.9\.0 after 1\.2\.3, which is not greater; wanted 2\.0\.0"),
    ],
)
def test_a_version_that_does_not_fit_the_change_is_answered_with_the_one_that_does(
    tmp_path: Path, version: str, decisions: dict[str, dict[str, Any]], message: str
) -> None:
    with pytest.raises(Trouble, match=message):
        amending(tmp_path, version, decisions)


def test_an_added_principle_is_a_minor_version(tmp_path: Path) -> None:
    fewer = {"p001": "Tothom ha de ser tractat igual."}
    assert amending(tmp_path, "1.3.0", ALL, principles=fewer).constitution.amendments[0].change == "added"
    with pytest.raises(Trouble, match=r"wanted 1\.3\.0 \(principles 4 added\)"):
        amending(tmp_path, "2.0.0", ALL, principles=fewer)


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0", "1.0.1"])
def test_a_first_version_is_the_first(tmp_path: Path, version: str) -> None:
    with pytest.raises(Trouble, match=f"found version {version} without `previous`; wanted 1.0.0 for a first"):
        applied(tmp_path, ALL, version=version)


@pytest.mark.parametrize("version", ["0.2.0", "1.0.0"])
def test_a_trial_grows_by_its_minor_number_or_becomes_the_first(tmp_path: Path, version: str) -> None:
    assert amending(tmp_path, version, APPLIED, version="0.1.0").constitution.version == version
    with pytest.raises(Trouble, match=r"wanted 0\.2\.0"):
        amending(tmp_path, "0.1.1", APPLIED, version="0.1.0")


def test_the_samples_and_the_examples_decisions_are_still_read() -> None:
    root = Path(__file__).parents[2]
    sample = read_decisions(root / "data/sample/decisions.yaml")
    assert (sample.version, len(sample.decisions), sample.quorum) == ("1.0.0", 24, Quorum(wanted=30, present=38))
    assert read_decisions(root / "examples/real-run/decisions.yaml").version == "0.1.0"


HOSTILE = [
    "<script>alert('x')</script> & <img src=x onerror=y>",
    "[click](https://evil.example) ![x](https://evil.example/x.png) <https://evil.example>",
    "# Not a heading | not a cell ~~no~~ **no** `no` _no_ $x^2$",
    "1. not a list",
    "- not a list\n\n# nor a heading\n> nor a quote",
    "https://evil.example www.evil.example mail@evil.example",
    "&lt;b&gt; stays as written, \\*too\\*",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_citizens_text_stays_text_in_markdown(text: str) -> None:
    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(f"> {escape(text)}\n\n- `p1` {escape(text)}\n")
    shell = rendered.replace("<blockquote>", "").replace("</blockquote>", "").replace("<ul>", "").replace("</ul>", "")
    shell = shell.replace("<p>", "").replace("</p>", "").replace("<li>", "").replace("</li>", "")
    shell = shell.replace("<code>", "").replace("</code>", "")
    assert "<" not in shell
    assert html.unescape(shell).split("\n")[1] == " ".join(text.split())


def test_the_charter_shows_text_votes_decision_and_what_was_not_adopted(tmp_path: Path) -> None:
    constitution = applied(tmp_path, APPLIED, quorum={"wanted": 30, "present": 38}).constitution
    text = charter(constitution)
    assert "# Charter\n" in text
    assert "are simulated: nobody voted here" in text
    assert "Present when it was decided: 38 (quorum: 30)." in text
    assert "> Tothom ha de ser tractat igual.\n\n| group | agree | agreed" in text
    assert "| A | 90 % | 9 | 1 | 0 |" in text
    assert "Reworded by citizens' assembly: It is fair.\n\nBefore: Ez dezala datu pertsonalik eskatu." in text
    assert "from statements 3, 4; place 1 of 5." in text
    assert "- `p005` Buy &lt;b&gt;my&lt;/b&gt; bike.  \n  Rejected by citizens' assembly: Off-topic." in text
    real = draft(process=None)
    assert "simulated" not in charter(ratified(file(tmp_path / "d.yaml", list(ALL.values())), real).constitution)
