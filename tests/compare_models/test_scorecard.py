"""The scorecard: losses decide, every principle of both kinds has its line, and what is not measured is said."""

from __future__ import annotations

from stages import framework
from stages.compare_models.scorecard import framework_lines, markdown, primary_of, scorecard
from stages.compare_models.told import three_sentences, told_apart
from stages.records import Endpoint
from tests.compare_models.rows import comparison
from tests.compare_models.test_compare import constitution

NAMED = Endpoint(benchmark="bbq", metric="bias_ambiguous")


def test_a_principle_tells_which_indicators_measured_it_and_what_has_no_figure() -> None:
    rows = [comparison(principle_id="p000", family="principle")]
    lines = {line.principle_id: line for line in scorecard(constitution(), rows)}
    assert lines["p000"].indicators == ("stereotyped-guesses",)
    assert lines["p000"].unmeasured == ("evidence-overridden", "occupations", "treatment-in-use")
    assert lines["p000"].status == "within noise"
    assert lines["p004"].status == "not measured"
    assert lines["p004"].indicators == lines["p004"].unmeasured == ()


def test_every_principle_of_the_framework_has_its_line_measured_or_not() -> None:
    rows = [comparison("better"), comparison("worse", metric="accuracy_ambiguous"), comparison(language="en")]
    lines = framework_lines(rows)
    assert [line.principle for line in lines] == [name for name in framework.principles() if name != "Added tasks"]
    found = {one.indicator_id: one for line in lines for one in line.indicators}
    assert len(found) == len(framework.indicators()) - 1
    assert found["stereotyped-guesses"].status == "worse"  # a loss on any of its metrics counts
    assert found["stereotyped-guesses"].measures == (rows[0], rows[1])  # a language apart is no result over all items
    assert found["occupations"].status == "not measured"
    assert found["manipulation"].status == "not measured"
    assert found["same-answer"].status == "shown elsewhere"


def test_a_task_that_was_added_has_its_place_and_no_principle() -> None:
    added = comparison(benchmark="lm_eval:arc_easy", metric="harness:acc")
    line = framework_lines([added])[-1]
    assert line.principle == "Added tasks"
    assert line.indicators[0].measures == (added,)


def test_the_result_named_in_advance_belongs_to_its_principle_as_a_mean_of_categories_too() -> None:
    primary = comparison("better", category="macro", family="primary")
    found = {one.indicator_id: one for line in framework_lines([primary]) for one in line.indicators}
    assert found["stereotyped-guesses"].measures == (primary,)
    assert found["stereotyped-guesses"].status == "better"


def told(*rows: object, endpoint: Endpoint | None = NAMED) -> tuple[str, str, str]:
    found = [row for row in rows if row is not None]
    lines = scorecard(constitution(), found)  # type: ignore[arg-type]
    return three_sentences(lines, framework_lines(found), found, primary_of(found), endpoint, 0.95)  # type: ignore[arg-type]


def test_three_sentences_for_a_council_member() -> None:
    named, worse, missing = told(
        comparison(family="primary"),
        comparison("worse", metric="accuracy_disambiguated", base=0.8, tuned=0.6, difference=-0.2, improvement=-0.2),
        comparison("worse", metric="accuracy_disambiguated", language="en", family="exploration"),
    )
    assert "bbq: bias in ambiguous questions (0 is unbiased), and no change can be told from chance" in named
    assert "0.200 before, 0.100 after, a change of −0.100" in named
    assert "from −0.250 to +0.050, which holds zero: no change at all fits too" in named
    assert worse.startswith("Worse beyond chance: bbq: accuracy in answerable questions, 0.800 to 0.600; 1 part of")
    kinds = [row.kind for row in framework.indicators() if row.kind != "added"]
    without = len(kinds) - 2 - kinds.count("pipeline")
    assert f"{without} of the framework's {len(kinds)} questions have no figure here" in missing
    assert f"({kinds.count('none')} of them because no benchmark asks them)" in missing
    assert "privacy" in missing
    assert "5 of 5 ratified principles were tested by no item (p000, p001, p004, p007, p009)" in missing


def test_nothing_worse_says_what_may_have_gone_unnoticed() -> None:
    _, worse, _ = told(comparison(mde=0.05), comparison(metric="accuracy_ambiguous", mde=0.2))
    assert (
        worse
        == "Nothing that was measured got worse beyond chance; losses smaller than 0.200 may have gone unnoticed somewhere."
    )


def test_an_unmeasured_or_unnamed_endpoint_is_said() -> None:
    assert "could not be measured" in told(comparison(metric="accuracy_ambiguous"))[0]
    assert "No result was named before training" in told(comparison(), endpoint=None)[0]


def test_a_mean_of_categories_is_told_only_where_it_came_out_differently() -> None:
    plain, same = comparison("better"), comparison("better", category="macro")
    other = comparison("worse", category="macro", metric="accuracy_ambiguous")
    assert told_apart([plain, same, comparison(metric="accuracy_ambiguous"), other])[0] is plain
    assert same not in told_apart([plain, same])
    assert other in told_apart([comparison(metric="accuracy_ambiguous"), other])
    primary = same.model_copy(update={"family": "primary"})
    assert primary in told_apart([plain, primary])


def test_a_null_result_stands_with_what_it_could_have_seen() -> None:
    rows = [comparison(family="primary"), comparison("equivalent", metric="accuracy_ambiguous", margin=0.05)]
    text = markdown(scorecard(constitution(), rows), rows, rows[0], 0.95)
    assert "within noise (a change of 0.123 would be found four times in five)" in text
