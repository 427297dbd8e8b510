"""The page and the card: they tell the evidence, in five languages, and citizens' text stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from conftest import BENCHMARKS, PARAMS

from stages.publish_release import card, page
from stages.publish_release.facts import Facts, gap, read_facts
from stages.publish_release.manifest import list_files
from stages.records import VoteCount, Wording

LANGUAGES = ("en", "fr", "es", "ca", "eu")
CSS = (Path(page.__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")


class Outline(HTMLParser):
    """What matters of a page: tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="session")
def facts(published: Path, workspace: Path) -> Facts:
    return read_facts(published, workspace / "models/base", BENCHMARKS)


def rendered(facts: Facts, published: Path, language: str = "en") -> Outline:
    return Outline(page.render(facts, PARAMS, list_files(published), language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_stands_alone(facts: Facts, published: Path, language: str) -> None:
    """No script, no style or image from elsewhere, and a policy that forbids them."""
    text = page.render(facts, PARAMS, list_files(published), language)
    outline = Outline(text)
    assert not {name for name, _ in outline.tags} & {
        "script",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "link",
    }
    assert all(str(image["src"]).startswith("data:image/png;base64,") and image["alt"] for image in outline.all("img"))
    assert not [
        attributes
        for _, attributes in outline.tags
        if "style" in attributes or any(key.startswith("on") for key in attributes)
    ]
    policy = next(tag["content"] for tag in outline.all("meta") if tag.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    fingerprint = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert (
        policy
        == f"default-src 'none'; style-src 'sha256-{fingerprint}'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
    )
    assert "http" not in CSS and "url(" not in CSS
    assert len(text.encode()) < 300_000


def test_citizens_text_is_shown_and_does_nothing(facts: Facts, published: Path) -> None:
    text = (published / "index.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in text
    assert "<script" not in text and "&lt;img src=https://evil.example/x.png&gt;" in text
    assert "<script>alert('x')</script>" in rendered(facts, published).text
    assert "javascript:" not in text  # the deliberation's address is not one that a browser may open


def test_braces_in_citizens_text_are_only_braces(facts: Facts, published: Path) -> None:
    texts = {"en": Wording(value="{{ 7*7 }} {view} %s {0}", origin="human")}
    principle = facts.constitution.principles[0].model_copy(update={"texts": texts})
    constitution = facts.constitution.model_copy(update={"principles": (principle,)})
    assert "{{ 7*7 }} {view} %s {0}" in rendered(replace(facts, constitution=constitution), published).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_accessible(facts: Facts, published: Path, language: str) -> None:
    outline = rendered(facts, published, language)
    assert outline.all("html") == [{"lang": language}]
    assert [name for name, _ in outline.tags].count("h1") == 1
    levels = [int(name[1]) for name, _ in outline.tags if re.fullmatch("h[1-6]", name)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(header.get("scope") in ("col", "row") for header in outline.all("th"))
    assert all(svg.get("aria-hidden") == "true" or svg.get("aria-label") for svg in outline.all("svg"))
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in outline.all("a"):
        assert not (link["href"] or "").startswith("#") or (link["href"] or "")[1:] in ids
    spoken = [attributes["lang"] for attributes in outline.all("span") if "lang" in attributes]
    assert {"en", "fr", "ca"} <= set(spoken)  # each statement in the language it was written in


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_leads_to_a_file_of_the_release(facts: Facts, published: Path, language: str) -> None:
    links = [str(link["href"]) for link in rendered(facts, published, language).all("a")]
    assert all((published / link).is_file() for link in links if not link.startswith("#"))
    assert "corpus/corpus/part-00000.parquet" in links


def test_the_corpus_is_counted_as_it_was_written(facts: Facts) -> None:
    assert (facts.documents, facts.document_licences, facts.dropped) == ({"fr": 1}, {"etalab-2.0": 1}, {"license": 1})


def test_what_was_decided_and_what_was_not_is_told(facts: Facts, published: Path) -> None:
    text = rendered(facts, published).text
    assert "Simulated No real people took part." in text
    assert "p000 Treat everyone equally, whatever their origin. Drafted as: Treat everyone equally." in text
    assert "Reworded : clear & fair" in text
    assert "p002 Herritar bakoitzari bere hizkuntzan erantzun behar dio. Rejected : clear & fair" in text
    assert "4 Que el català sigui sempre la primera llengua." in text  # the minority view
    assert "(insulto)" not in text  # what moderators took out is not shown
    assert "Group A 80 % agree, 10 % disagree" in text


def test_losses_are_as_visible_as_gains(facts: Facts, published: Path) -> None:
    text = rendered(facts, published).text
    assert "Of 2 measurements over all questions, 1 got better, 1 got worse and 0 did not change beyond chance." in text
    assert "What got worse (" in text and "accuracy in ambiguous questions (bbq): 0.650 → 0.125" in text
    gains, losses = (text.index(f"What got {word} (") for word in ("better", "worse"))
    assert "preference for the answer that follows the constitution (adherence): 0.650 → 0.950" in text[gains:losses]
    assert "Not measured: p000, p003." in text


def test_numbers_follow_the_language(facts: Facts, published: Path) -> None:
    assert "0,650 → 0,125" in rendered(facts, published, "fr").text
    assert "0.650 → 0.125" in rendered(facts, published, "en").text
    assert "Zer okertu zen" in rendered(facts, published, "eu").text
    view = page.View(facts, PARAMS, (), "ca")
    assert view.number(23137) == "23\u202f137"
    assert view.change(-0.5) == "\N{MINUS SIGN}0,500"
    assert [view.size(count) for count in (12, 1500, 17_101_202, 2 * 10**9)] == ["12 B", "2 kB", "17,1 MB", "2,0 GB"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_missing_in_any_language(language: str) -> None:
    english, words = page.strings("en"), page.strings(language)
    placeholders = re.compile(r"\{(\w+)\}")
    for key, text in english.items():
        assert sorted(placeholders.findall(words[key])) == sorted(placeholders.findall(text)), key
    if language != "en":
        own = page.read_json(Path(page.__file__).parent / "strings" / f"{language}.json")
        assert english.keys() <= own.keys()


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_can_be_read(mode: str) -> None:
    """WCAG 2.2 AA: 4.5 to 1 for text, 3 to 1 for parts of drawings."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[0 if mode == "light" else 1]))
    texts = [
        ("ink", "paper"), ("ink", "ground"), ("soft", "paper"), ("soft", "ground"), ("accent", "paper"),
        ("accent", "ground"), ("better", "better-ground"), ("worse", "worse-ground"), ("noise", "noise-ground"),
        ("soft", "noise-ground"), ("warn-ink", "warn-ground"),
    ]  # fmt: skip
    for text, ground in texts:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for part in ("agree", "disagree"):
        assert contrast(colours[part], colours["paper"]) >= 3, part


def test_the_card_has_front_matter_that_the_hub_reads(published: Path) -> None:
    from huggingface_hub import ModelCard

    data = ModelCard((published / "README.md").read_text(encoding="utf-8")).data
    assert (data.license, data.language, data.pipeline_tag) == ("apache-2.0", ["fr"], "text-generation")
    assert data.tags == ["democratic-commons", "constitution", "simulated"]
    assert {result.dataset_type: result.metric_value for result in data.eval_results} == {
        "adherence": 0.95,
        "bbq": 0.125,
    }


def test_the_card_names_a_licence_that_the_hub_does_not_know(facts: Facts) -> None:
    params = PARAMS.model_copy(update={"license_model": "LicenseRef-Llama-3.1"})
    matter = yaml.safe_load(card.front_matter(facts, params))
    assert (matter["license"], matter["license_name"]) == ("other", "LicenseRef-Llama-3.1")


def test_the_card_says_what_the_documents_licences_ask(published: Path) -> None:
    card = (published / "README.md").read_text(encoding="utf-8")
    assert "- etalab-2.0 (1 documents): name the source" in card
    assert "<b>" not in card.split("The documents' licences ask:")[1].split("##")[0]
    assert "Share-alike: whether a model is an adaptation" in card


def test_the_card_tells_the_evidence(published: Path) -> None:
    text = (published / "README.md").read_text(encoding="utf-8")
    assert "> **SIMULATED.** No real people took part" in text
    assert "- `written:us@1`: answers written in advance for this project, 3 pairs" in text
    assert "| bbq | accuracy in ambiguous questions (higher is better) | 0.650 [" in text
    assert "| **worse** |" in text
    assert "### What got worse\n\n- bbq, accuracy in ambiguous questions: 0.650 → 0.125" in text
    assert "- Name it" in text  # what the base model's licence asks
    assert "etalab-2.0 (1)" in text
    assert "Checks of quality (4): not met: statements were seen by enough people (wanted: at least 50%" in text
    assert "Not published: `deliberation/participants.csv` (what single participants declared of themselves)" in text
    assert "The participants beside the census: nobody of age: &lt;16; few of age: 16-29." in text


def test_markdown_of_citizens_is_only_text() -> None:
    assert card.plain("<img src=x> [a](http://b) | **c** `d` # e") == (
        r"&lt;img src=x&gt; \[a\]\(http://b\) \| \*\*c\*\* \`d\` \# e"
    )


def test_groups_disagree_by_their_widest_gap() -> None:
    votes = {
        "A": VoteCount(agree=9, disagree=1, passed=0),
        "B": VoteCount(agree=2, disagree=8, passed=0),
        "C": VoteCount(agree=0, disagree=1, passed=0),  # one vote is no view
    }
    assert gap(votes) == pytest.approx(0.7)
