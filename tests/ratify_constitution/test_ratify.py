"""People's decisions are checked, applied and shown; what does not fit is told by principle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from stages.errors import Trouble
from stages.ratify_constitution.charter import charter, escape
from stages.ratify_constitution.decisions import Decisions, check, read_decisions
from stages.ratify_constitution.ratification import ratify
from stages.records import ConsensusScores, Principle, VoteCount

TEXTS = {
    "p001": ("Tothom ha de ser tractat igual.", "ca"),
    "p002": ("Ez dezala datu pertsonalik eskatu.", "eu"),
    "p003": ("Qu'il réponde « en clair ».", "fr"),
    "p004": ("Que responda con claridad.", "es"),
    "p005": ("Buy <b>my</b> bike.", "en"),
}


def principle(id_: str, text: str, language: str) -> Principle:
    return Principle(
        id=id_,
        text=text,
        language=language,
        statement_ids=(int(id_[1:]),),
        votes={"A": VoteCount(agree=9, disagree=1, passed=0), "B": VoteCount(agree=4, disagree=0, passed=1)},
        scores=ConsensusScores(gac=0.6, gac_geometric_mean=0.77, lower_bound=0.5, exposure=0.9),
        selection="place 1 of 5",
    )


DRAFT = [principle(id_, text, language) for id_, (text, language) in TEXTS.items()]
IDS = list(TEXTS)


def decision(principle: str, decision: str = "accept", **more: object) -> dict[str, Any]:
    return {"principle": principle, "decision": decision, "reason": "It is fair.", "by": "citizens' assembly"} | more


ALL = {id_: decision(id_) for id_ in IDS}
APPLIED = ALL | {
    "p002": decision("p002", "reword", text="Ez dezala behar ez den\n  datu pertsonalik eskatu."),
    "p004": decision("p004", "merge", into="p003", reason="The same in another language."),
    "p005": decision("p005", "reject", reason="Off-topic."),
}


def file(path: Path, decisions: object, **more: object) -> Path:
    content = {"title": "Charter", "version": "1.0.0", "decisions": decisions} | more
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def checked(path: Path) -> Decisions:
    decisions = read_decisions(path)
    check(path, decisions, IDS)
    return decisions


def test_decisions_are_applied(tmp_path: Path) -> None:
    found = checked(file(tmp_path / "d.yaml", list(APPLIED.values())))
    result = ratify(DRAFT, found, "Com s'ha de comportar?")
    constitution = result.constitution
    assert [p.id for p in constitution.principles] == ["p001", "p002", "p003"]
    reworded = constitution.principles[1]
    assert (reworded.text, reworded.amended_from) == (
        "Ez dezala behar ez den datu pertsonalik eskatu.",
        "Ez dezala datu pertsonalik eskatu.",
    )
    assert constitution.principles[2].statement_ids == (3, 4)
    assert constitution.principles[2].votes == DRAFT[2].votes
    assert constitution.principles[0].amended_from is None
    assert [(d.principle, d.decision, d.into) for d in constitution.declined] == [
        ("p004", "merge", "p003"),
        ("p005", "reject", None),
    ]
    assert (constitution.languages, constitution.question) == (("ca", "eu", "fr"), "Com s'ha de comportar?")
    assert result.counts == {"accept": 2, "reword": 1, "merge": 1, "reject": 1}


def test_decisions_on_principles_that_were_not_drafted_are_counted(tmp_path: Path) -> None:
    found = checked(file(tmp_path / "d.yaml", [*ALL.values(), decision("p099"), decision("p077", "reject")]))
    result = ratify(DRAFT, found, "?")
    assert result.not_in_draft == ("p077", "p099")
    assert len(result.constitution.principles) == 5


def test_missing_decisions_are_named_with_the_way_out(tmp_path: Path) -> None:
    path = file(tmp_path / "d.yaml", [ALL["p001"], ALL["p003"]])
    with pytest.raises(Trouble, match=r"no decision on 3 of 5 drafted principles: p002, p004, p005; .*add accept"):
        checked(path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (decision("p001", "reword"), "decision on p001: found no text"),
        (decision("p001", "reword", text="  "), "decision on p001: found no text"),
        (decision("p001", text="New words"), "found a text with accept"),
        (decision("p001", "reject", into="p002"), "found `into` with reject"),
        (decision("p001", "merge"), "decision on p001: found no `into`"),
        (decision("p001", "merge", into="p001"), "into: p001; wanted another principle of the draft"),
        (decision("p001", "merge", into="p098"), "into: p098; wanted another principle of the draft"),
        (decision("p001", "merge", into="p005"), "p005, which is itself decided reject"),
        (decision("p001", reason=" "), "decision on p001: found no reason"),
        (decision("p001", by=""), "decision on p001: found nobody in `by`"),
        (decision("p001", "aprove"), r"decision 1 \(on p001\), decision: Input should be 'accept', 'reword'"),
        (decision("p001", resaon="x"), r"decision 1 \(on p001\), resaon: Extra inputs"),
    ],
)
def test_a_decision_that_cannot_be_applied_is_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    path = file(tmp_path / "d.yaml", list((APPLIED | {"p001": changed}).values()))
    with pytest.raises(Trouble, match=message) as caught:
        checked(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: [", "not valid YAML"),
        ("- just a list", "the file: "),
        ("title: T\nversion: 1.0\ndecisions: []", "version: "),
        ("title: T\nversion: v1.0.0\ndecisions: []", "version: String should match pattern"),
        ("title: T\nversion: 1.0.0\ndecisions: [accept]", "decision 1: "),
        ("title: T\nversion: 1.0.0\nquorum: {wanted: 30, present: 12}\ndecisions: []", "12 were present; wanted 30"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Trouble, match=message) as caught:
        checked(path)
    assert "\n" not in str(caught.value)


def test_two_decisions_on_one_principle_are_refused(tmp_path: Path) -> None:
    path = file(tmp_path / "d.yaml", [*ALL.values(), decision("p003", "reject")])
    with pytest.raises(Trouble, match="2 decisions on p003; wanted one"):
        checked(path)


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
    import html

    assert html.unescape(shell).split("\n")[1] == " ".join(text.split())


def test_the_charter_shows_text_votes_decision_and_what_was_not_adopted(tmp_path: Path) -> None:
    found = checked(file(tmp_path / "d.yaml", list(APPLIED.values()), quorum={"wanted": 30, "present": 38}))
    text = charter(ratify(DRAFT, found, "Com?").constitution, DRAFT, simulated=True, quorum=found.quorum)
    assert "# Charter\n" in text
    assert "are simulated: nobody voted here" in text
    assert "Present when it was decided: 38 (quorum: 30)." in text
    assert "> Tothom ha de ser tractat igual.\n\n| group | agree | agreed" in text
    assert "| A | 90 % | 9 | 1 | 0 |" in text
    assert "Reworded by citizens' assembly: It is fair.\n\nBefore: Ez dezala datu pertsonalik eskatu." in text
    assert "from statements 3, 4; place 1 of 5." in text
    assert "- `p005` Buy &lt;b&gt;my&lt;/b&gt; bike.  \n  Rejected by citizens' assembly: Off-topic." in text
    assert "simulated" not in charter(ratify(DRAFT, found, "?").constitution, DRAFT, simulated=False, quorum=None)
