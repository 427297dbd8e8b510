"""The framework is complete both ways: nothing is measured for no principle, and nothing is named that does not exist."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from stages import framework
from stages.evaluate_model.parameters import known_benchmarks
from stages.metrics import METRICS, harness_metric
from tests.conftest import ROOT

MODULES = ROOT / "stages" / "evaluate_model"


def test_every_benchmark_and_every_metric_belongs_to_an_indicator() -> None:
    rows = [row for row in framework.indicators() if row.kind != "added"]
    assert {name for row in rows for name in row.benchmarks} == set(known_benchmarks())
    assert {name for row in rows for name in row.metrics} == set(METRICS)


@pytest.mark.parametrize("benchmark", known_benchmarks())
def test_every_metric_that_a_benchmark_gives_has_an_indicator_of_that_benchmark(benchmark: str) -> None:
    """What its code names as a metric is looked for in the source, the BBQ family's being in a folder of its own."""
    paths = [MODULES / "benchmarks" / f"{benchmark.replace('-', '_')}.py"]
    if "import bbq" in paths[0].read_text(encoding="utf-8") or benchmark == "bbq":
        paths += (MODULES / "bbq_family").glob("*.py")
    code = "".join(path.read_text(encoding="utf-8") for path in paths)
    code = re.sub(r"facts=\{[^}]*\}", "", code)  # what judging needs; "right" there is no metric
    # a single word ("right") can also be a choice: as a metric it is a key
    given = {metric for metric in METRICS if re.search(rf'"{metric}"{"" if "_" in metric else ":"}', code)}
    assert given
    assert not [metric for metric in given if not framework.indicators_of([(benchmark, metric)])]


def test_an_indicator_that_nobody_measures_says_so_and_names_no_benchmark() -> None:
    for row in framework.indicators():
        assert bool(row.benchmarks) == bool(row.metrics) == (row.kind in ("benchmark", "added")), row.id
        assert row.blind_spot.endswith("."), row.id
        assert row.indicator.endswith("?"), row.id
    unmeasured = {row.id for row in framework.indicators() if row.kind == "none"}
    assert {"memorised-data", "manipulation", "gap-between-languages", "treatment-in-use"} <= unmeasured


def test_tasks_that_a_user_adds_belong_to_a_line_of_their_own() -> None:
    figures = [
        ("lm_eval:arc_easy", harness_metric("acc,none", lower=False)),
        ("lm_eval:x", harness_metric("p", lower=True)),
    ]
    for figure in figures:
        assert [row.id for row in framework.indicators_of([figure])] == ["added-tasks"]
    assert framework.indicators_of([("lm_eval:arc_easy", "bias_ambiguous"), ("arc_easy", figures[0][1])]) == []


def test_ids_are_unique_and_a_principle_stands_in_one_place() -> None:
    rows = framework.indicators()
    assert Counter(row.id for row in rows).most_common(1)[0][1] == 1
    order = [row.principle for row in rows]
    assert list(dict.fromkeys(order)) == [name for at, name in enumerate(order) if at == 0 or order[at - 1] != name]


def test_every_source_is_used_and_tells_whom_it_binds() -> None:
    used = {name for row in framework.indicators() for name in row.sources}
    assert used == set(framework.sources())
    assert all(row.sources for row in framework.indicators())
    assert all(source.reach for source in framework.sources().values())
    biases = framework.sources()["aia-10"]
    assert biases.place == "art. 10(2)(f)-(g)"
    assert "high-risk systems only" in biases.reach


def test_metrics_that_need_a_judge_are_told_apart() -> None:
    rows = {row.id: row for row in framework.indicators()}
    assert rows["opposed-requests"].without_judge == "all but judged_uneven"
    assert all(
        row.without_judge == "yes" for row in rows.values() if row.kind == "benchmark" and row.id != "opposed-requests"
    )
