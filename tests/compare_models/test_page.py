"""The comparison page: one file that stands alone, losses first, hostile texts harmless, and the right items in it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from stages import framework
from stages.compare_models import page
from stages.compare_models.changed import Changed, changed_items, item_improvement
from stages.compare_models.scorecard import framework_lines, primary_of, scorecard
from stages.compare_models.texts import Asked, all_texts
from stages.errors import Trouble
from stages.evaluate_model.reading import sha256_of
from stages.metrics import METRICS
from stages.records import Comparison, Endpoint, PlannedBenchmark
from tests.compare_models.rows import comparison, measured, outcome
from tests.compare_models.test_compare import constitution
from tests.conftest import ROOT

HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} {% raw %} \"' &amp;"
PLAN = {"sha256": "ab" * 32, "trained_under": "ab" * 32, "amended": ""}


class Page(HTMLParser):
    """Tags with their attributes, and the text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and tag == self.inside[-1]:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def report(rows: list[Comparison], **changed: Any) -> page.Report:
    given = {
        "comparisons": rows,
        "lines": scorecard(constitution(), rows),
        "principles": framework_lines(rows),
        "primary": primary_of(rows),
        "endpoint": Endpoint(benchmark="bbq", metric="bias_ambiguous"),
        "confidence": 0.95,
        "plan": PLAN,
    }
    return page.Report(**{**given, **changed})


def test_the_page_stands_alone() -> None:
    html = page.render(report([comparison(family="primary")], changed=[hostile()]))
    seen = Page(html)
    for tag, attributes in seen.tags:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base"), tag
        for name in ("src", "href", "action", "xlink:href", "srcset"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
        assert not [name for name in attributes if name == "style" or name.startswith("on")], (tag, attributes)
    assert "http:" not in html.replace("http-equiv", "")
    assert "https:" not in html
    assert "url(" not in html
    assert "@import" not in html
    policy = next(attributes["content"] for tag, attributes in seen.tags if attributes.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_every_link_inside_leads_somewhere_and_no_id_stands_twice() -> None:
    rows = [comparison(family="primary"), comparison(language="en", family="exploration"), of_principle()]
    seen = Page(page.render(report(rows, changed=[hostile()])))
    ids = [attributes["id"] for _, attributes in seen.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {(attributes["href"] or "")[1:] for tag, attributes in seen.tags if tag == "a"} <= set(ids)


def of_principle(**changed: Any) -> Comparison:
    return comparison(**({"principle_id": "p000", "family": "principle"} | changed))


def hostile() -> Changed:
    base = outcome(HOSTILE, 0.0, (-1.0, -2.0), answers=(HOSTILE,), category=HOSTILE, group=HOSTILE, choice=HOSTILE)
    tuned = base.model_copy(update={"values": {"bias_ambiguous": 1.0}})
    return Changed("bbq", "worse", "bias_ambiguous", -1.0, 0.5, base, tuned, ("p000",))


def test_hostile_texts_are_shown_and_do_nothing() -> None:
    one = hostile()
    asked = Asked((HOSTILE,), (HOSTILE, "plain"), (HOSTILE + "?",))
    rows = [comparison("worse", group=HOSTILE, family="exploration"), comparison(), of_principle()]
    amended = PLAN | {"amended": HOSTILE}
    html = page.render(report(rows, changed=[one], texts={one.key: asked}, plan=amended, says={"bbq": HOSTILE}))
    assert html.count("<script>") == 1  # the filter's own
    assert html.count("</script>") == 1
    words = Page(html).words
    assert words.count("<script>alert(1)</script> {{ 7 * 7 }} {% raw %} \"' &amp;") >= 8
    assert "49" not in re.findall(r"\d+", words)


def test_losses_stand_first_and_null_results_with_what_could_have_been_seen() -> None:
    rows = [
        comparison("better", metric="accuracy_ambiguous"),
        comparison(family="primary"),
        comparison("worse", metric="accuracy_disambiguated", mde=0.045),
        comparison("worse", metric="unknown_disambiguated", language="en", family="exploration", mde=0.046),
        comparison("equivalent", metric="unknown_disambiguated", margin=0.05, mde=0.047),
        comparison("too few items", metric="bias_disambiguated", mde=None),
        comparison("better", metric="accuracy_disambiguated", language="en", family="exploration", mde=0.99),
    ]
    html = page.render(report(rows))
    table = html[html.index("<tbody>") : html.index("</tbody>")]
    verdicts = re.findall(r'<span class="verdict \w+"><span aria-hidden="true">(.)</span> ([a-z ]+)</span>', table)
    assert [name for _, name in verdicts] == ["worse", "worse", "better", "within noise", "equivalent", "too few items"]
    assert [sign for sign, _ in verdicts] == ["▼", "▼", "▲", "≈", "=", "…"]  # a sign each: colour is not needed
    found = Page(table).words.split()
    assert {"0.045", "0.046", "0.123", "0.047"} <= set(found)
    assert "0.990" not in found  # a part that got better is not in this table
    assert "±0.05 (shown)" in " ".join(found)
    assert "named before training" in " ".join(found)
    order = [" ".join(found).index(words) for words in ("accuracy in answerable questions", "(English)")]
    assert order == sorted(order)  # a loss over all items before a loss in a part


def test_every_plot_says_what_it_means_and_where_its_limit_is() -> None:
    rows = [
        comparison(family="primary"),
        comparison(metric="accuracy_ambiguous"),
        comparison("worse", benchmark="crows-pairs", metric="prefers_stereotype", base=0.6, tuned=0.7),
        of_principle(),
    ]
    html = page.render(report(rows))
    plots = re.findall(r"<li>(.*?)</li>", html[html.index('id="framework"') : html.index('id="ways"')], flags=re.S)
    drawn = [plot for plot in plots if 'class="levels"' in plot]
    assert len(drawn) == 4
    for plot, metric in zip(
        drawn, ("bias_ambiguous", "accuracy_ambiguous", "prefers_stereotype", "bias_ambiguous"), strict=True
    ):
        words = Page(plot).words
        assert f"Meaning: {METRICS[metric].meaning}" in words
        assert f"Limit: {METRICS[metric].caution}" in words
        assert 'class="change"' in plot
        assert plot.count('role="img" aria-label=') == 2


def test_every_principle_of_the_framework_is_there_with_what_it_does_not_see() -> None:
    words = Page(page.render(report([comparison(family="primary")]))).words
    for row in [row for row in framework.indicators() if row.kind != "added"]:
        assert row.principle in words
        assert row.indicator in words
        assert row.blind_spot in words
    assert "Not measured in this run. winobias, winogender would measure it; languages: en." in words
    assert (
        "No figure for: Does a stereotype win against what the text tells?" not in words
    )  # no ratified principle measured
    assert "Not measured: no item of any benchmark bears on this principle." in words


def test_an_amended_plan_is_said_at_the_top() -> None:
    amended = {"sha256": "cd" * 32, "trained_under": "", "amended": "the authority renewed its sheet"}
    html = page.render(report([comparison(family="primary")], plan=amended))
    before_results = Page(html[: html.index('id="results"')]).words
    assert "Amended: the plan was changed after training. the authority renewed its sheet" in before_results
    assert "the model was trained under no plan" in before_results
    assert "cd" * 32 in before_results
    unplanned = Page(page.render(report([comparison()], plan={}, endpoint=None))).words
    assert "There was no evaluation plan" in unplanned


def test_ranges_tell_whether_the_direction_hangs_on_the_wording() -> None:
    ranges: dict[str, Any] = dict.fromkeys(
        ("base_range_low", "base_range_high", "tuned_range_low", "tuned_range_high"), 0.1
    )
    rows = [
        comparison(**ranges, range_low=-0.3, range_high=0.02),
        comparison(metric="accuracy_ambiguous", **ranges, range_low=0.01, range_high=0.02),
    ]
    words = Page(page.render(report(rows))).words
    assert "−0.300 to +0.020 the direction depends on how one asks" in words
    assert "+0.010 to +0.020 the same direction however one asks" in words
    assert "every item was asked in one way only" in Page(page.render(report([comparison()]))).words


# --- the items --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "before", "after", "wanted"),
    [
        ("accuracy_ambiguous", 0.0, 1.0, 1.0),
        ("unknown_disambiguated", 0.0, 1.0, -1.0),
        ("bias_ambiguous", 0.0, -1.0, -1.0),  # away from 0, whichever way
        ("bias_ambiguous", 1.0, -1.0, 0.0),
        ("prefers_stereotype", 0.0, 1.0, -1.0),
    ],
)
def test_what_counts_as_worse_for_one_item(metric: str, before: float, after: float, wanted: float) -> None:
    assert item_improvement(metric, before, after) == wanted


def test_the_items_that_changed_most_come_first_and_near_copies_once() -> None:
    base = [
        outcome("same", 0.0, (-1.0, -2.0)),
        outcome("small", 0.0, (-1.0, -1.0)),
        outcome("large", 0.0, (0.0, -9.0)),
        outcome("copy", 0.0, (0.0, -9.0), cluster="large"),
        outcome("gain", 1.0, (-1.0, -2.0)),
    ]
    tuned = [
        outcome("same", 0.0, (-2.0, -1.0)),
        outcome("small", 1.0, (-1.0, -1.2)),
        outcome("large", 1.0, (-9.0, 0.0)),
        outcome("copy", -1.0, (-3.0, 0.0), cluster="large"),
        outcome("gain", 0.0, (-2.0, -1.0)),
    ]
    found = changed_items([measured(base, tuned)], {"bbq": {"p001": {"large", "gain"}, "p000": {"large"}}})
    assert [(one.base.item_id, one.direction, one.improvement, one.alike) for one in found] == [
        ("large", "worse", -1.0, 1),
        ("small", "worse", -1.0, 0),
        ("gain", "better", 1.0, 0),
    ]
    assert [one.principle_ids for one in found] == [("p000", "p001"), (), ("p001",)]
    assert found[0].shift == pytest.approx(1.0, abs=1e-3)


def test_a_loss_on_one_metric_is_a_loss_and_bits_do_not_drown_shares() -> None:
    values = [{"accuracy_ambiguous": 0.0, "bias_ambiguous": 0.0}, {"accuracy_ambiguous": 1.0, "bias_ambiguous": 1.0}]
    mixed = measured([outcome("a", 0.0, values=values[0])], [outcome("a", 1.0, values=values[1])])
    assert [(one.direction, one.metric) for one in changed_items([mixed], {})] == [("worse", "bias_ambiguous")]
    values = [{"prefers_constitution": 0.0, "margin": 9.0}, {"prefers_constitution": 1.0, "margin": 1.0}]
    pairs = measured([outcome("a", 0.0, values=values[0])], [outcome("a", 1.0, values=values[1])], "adherence")
    assert [(one.direction, one.metric) for one in changed_items([pairs], {})] == [("better", "prefers_constitution")]


def test_each_benchmark_has_its_part_of_the_list() -> None:
    many = [outcome(f"q{number:03d}", 0.0) for number in range(100)]
    worse = [outcome(item.item_id, 1.0) for item in many]
    found = changed_items([measured(many, worse), measured(worse, many, "mbbq")], {}, most=30)
    assert [(one.benchmark, one.direction) for one in found].count(("bbq", "worse")) == 10
    assert [(one.benchmark, one.direction) for one in found].count(("mbbq", "better")) == 5
    assert len(found) == 15
    assert found[0].base.item_id == "q000"


def test_the_list_shows_text_candidates_and_choices_and_can_be_filtered() -> None:
    base = outcome("q1", 0.0, (-1.0, -2.5), language="eu")
    tuned = outcome("q1", 1.0, (-3.0, -0.25), language="eu")
    one = Changed("bbq", "worse", "bias_ambiguous", -1.0, 0.5, base, tuned, ("p000", "p001"), alike=2)
    asked = Asked(("Nor zen?",), ("Ez dakit", "Aitona"), ())
    html = page.render(report([comparison()], changed=[one], texts={one.key: asked}))
    (item,) = [attributes for tag, attributes in Page(html).tags if tag == "li" and "data-benchmark" in attributes]
    assert (item["data-benchmark"], item["data-direction"], item["data-principles"], item["data-language"]) == (
        "bbq", "worse", "p000 p001", "eu",
    )  # fmt: skip
    words = Page(html[html.index('id="item-list"') :]).words
    assert "unknown → stereotype" in words
    assert "Ez dakit −1.000 likeliest −3.000" in words
    assert "Aitona −2.500 −0.250 likeliest" in words
    assert "2 more items of this template changed in the same direction" in words
    assert 'lang="eu"' in html
    fields = [attributes["name"] for tag, attributes in Page(html).tags if tag == "select"]
    assert fields == ["benchmark", "direction", "principles", "language"]
    assert ("form", {"id": "filters", "hidden": None}) in Page(html).tags  # without script no dead fields


def test_long_texts_are_cut_and_counted() -> None:
    assert page.short("a" * 700) == "a" * 700
    assert page.short("a" * 1701) == "a" * 700 + " … (1,001 more characters)"


def planned(path: Path, folder: Path, **changed: Any) -> PlannedBenchmark:
    files = {path.relative_to(folder).as_posix(): sha256_of(path)}
    given = {"files": files, "items": 1, "asked": "", "says": "", "normalisation": "token", "options": {"supplied": {}}}
    return PlannedBenchmark.model_validate(given | changed)


def test_texts_come_from_the_planned_files_through_the_reader_that_asked(tmp_path: Path) -> None:
    source = ROOT / "data" / "sample" / "benchmarks" / "bbq" / "Age.fr.jsonl"
    folder = tmp_path / "bbq"
    folder.mkdir()
    (folder / source.name).write_bytes(source.read_bytes())
    plan = {"bbq": planned(folder / source.name, folder), "mbbq": planned(folder / source.name, folder)}
    first = json.loads(source.read_text(encoding="utf-8").splitlines()[0])
    key = next(iter(_keys(folder / source.name)))
    found = all_texts(tmp_path, plan, [("bbq", *key), ("mbbq", *key)])
    assert list(found) == [("bbq", *key)]  # published without a licence: not shown
    assert first["question"] in found["bbq", *key].contexts[0]
    assert len(found["bbq", *key].candidates) == 3
    (folder / source.name).write_text("{}", encoding="utf-8")
    with pytest.raises(Trouble, match=r"Age.fr.jsonl is not the file that was planned; run plan_evaluation again."):
        all_texts(tmp_path, plan, [("bbq", *key)])


def _keys(path: Path) -> list[tuple[str, str]]:
    from stages.evaluate_model.parameters import Options
    from stages.evaluate_model.reading import benchmark_named

    return [(item.item_id, item.variant) for item in benchmark_named("bbq").read(path, Options())]


def test_a_page_of_three_hundred_long_items_stays_small() -> None:
    items = []
    texts = {}
    for number in range(300):
        base = outcome(f"q{number}", 0.0, (-1.0, -2.0, -3.0))
        one = Changed("bbq", "worse", "bias_ambiguous", -1.0, 0.5, base, base)
        items.append(one)
        texts[one.key] = Asked(("é" * 5000,), ("ñ" * 5000,) * 3, ())
    assert len(page.render(report([comparison()], changed=items, texts=texts)).encode()) < 3_000_000
