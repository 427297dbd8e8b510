"""Before and after: planted changes are found, principles get their line, and claims are adjusted for their number."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.artifact import write_json, write_jsonl
from stages.compare_models.__main__ import main
from stages.compare_models.compare import compare, principle_items
from stages.compare_models.measured import Measurement
from stages.compare_models.parameters import Parameters
from stages.compare_models.scorecard import escaped, markdown, primary_of, scorecard, summary
from stages.errors import Trouble
from stages.params import load
from stages.records import Comparison, Constitution, ItemOutcome
from stages.scoring import holm, scores_from_items

TEXTS = {
    0: ("en", "The assistant must treat everyone equally."),
    1: ("es", "Nada de estereotipos."),
    4: ("eu", "Ez dezala eskatu behar-beharrezkoa ez den datu pertsonalik."),
    7: ("fr", "Il ne doit jamais dire pour qui voter."),
    9: ("ca", "Paraules planeres | <script>alert(1)</script> i *res* més."),
}


def constitution(**merged: tuple[int, ...]) -> Constitution:
    """Five principles; `p001=(1, 5)` says that p001 has taken in statement 5."""
    principles = [
        {
            "id": f"p{number:03d}",
            "language": language,
            "texts": {language: {"value": text, "origin": "source"}},
            "sources": [
                {"statement_id": statement, "platform": "polis", "relation": relation, "language": language}
                for statement, relation in zip(
                    merged.get(f"p{number:03d}", (number,)), ("verbatim", "merged"), strict=False
                )
            ],
            "votes": {"A": {"agree": 9, "disagree": 1, "passed": 0}},
            "votes_total": {"agree": 9, "disagree": 1, "passed": 0},
            "scores": {"gac": 0.5, "gac_geometric_mean": 0.7, "lower_bound": 0.6, "exposure": 0.9},
            "selection": {"rule": "threshold", "rank": 1, "threshold": 0.6, "reason": "all groups agree"},
            "decision": {"principle": f"p{number:03d}", "decision": "accept", "reason": "agreed", "by": "assembly"},
        }
        for number, (language, text) in TEXTS.items()
    ]
    about = {"title": "Test", "version": "1.0.0", "status": "ratified", "question": "How?", "languages": ("en",)}
    return Constitution.model_validate({**about, "principles": principles, "declined": ()})


def bbq(share_biased: float, seed: int = 1) -> list[ItemOutcome]:
    """25 templates of 8 ambiguous items in two languages; about `share_biased` of the choices follow the stereotype."""
    draw = random.Random(seed)
    items = []
    for number in range(200):
        biased = draw.random() < share_biased
        items.append(
            outcome(
                f"q{number}",
                f"t{number // 8}",
                {"bias_ambiguous": float(biased)},
                ("p000", "p001"),
                ("en", "eu")[number % 2],
            )
        )
    return items


def adherence(share: dict[str, float], each: int = 40) -> list[ItemOutcome]:
    """Items of several principles, a cluster of two each; `share` of a principle's items keep it."""
    return [
        outcome(
            f"{name}-{number}", f"{name}-{number // 2}", {"prefers_constitution": float(number < value * each)}, (name,)
        )
        for name, value in share.items()
        for number in range(each)
    ]


def outcome(
    name: str, cluster: str, values: dict[str, float], principles: tuple[str, ...], language: str = "ca"
) -> ItemOutcome:
    return ItemOutcome(
        item_id=name, language=language, category="c", cluster=cluster, principle_ids=principles,
        log_likelihoods=(-1.0, -2.0), choice="x", values=values,
    )  # fmt: skip


def measurement(name: str, base: Sequence[ItemOutcome], tuned: Sequence[ItemOutcome]) -> Measurement:
    base_scores, tuned_scores = (
        {
            (score.metric, score.language, score.category): score
            for score in scores_from_items(items, name, 1000, 0, 0.95, 30)
        }
        for items in (base, tuned)
    )
    return Measurement(name, tuple(base), tuple(tuned), base_scores, tuned_scores, 1000, 0, 0.95, 30)


def rows(found: list[Comparison], **wanted: str) -> list[Comparison]:
    return [row for row in found if all(getattr(row, name) == value for name, value in wanted.items())]


def test_a_planted_improvement_is_better_in_every_language() -> None:
    found = compare(measurement("bbq", bbq(0.5), bbq(0.1)), constitution(), "bias_ambiguous", 2000)
    cells = {(row.language, row.principle_id): row.verdict for row in found}
    assert cells == dict.fromkeys(
        [("all", "all"), ("en", "all"), ("eu", "all"), ("all", "p000"), ("all", "p001")], "better"
    )
    assert all(row.difference < 0 < row.improvement for row in found)


def test_the_interval_of_one_side_is_that_of_its_score() -> None:
    each = measurement("bbq", bbq(0.5), bbq(0.1))
    (row,) = rows(compare(each, constitution(), None, 2000), language="eu", principle_id="all")
    score = each.tuned_scores["bias_ambiguous", "eu", "all"]
    assert (row.tuned, row.tuned_low, row.tuned_high) == (score.value, score.low, score.high)


def test_a_planted_loss_is_worse_and_comes_first() -> None:
    before = {"p004": 0.9, "p007": 0.1, "p009": 0.5}
    after = {"p004": 0.2, "p007": 0.9, "p009": 0.5}
    found = compare(measurement("adherence", adherence(before), adherence(after)), constitution(), None, 10_000)
    verdicts = {row.principle_id: row.verdict for row in found}
    assert verdicts == {"all": "within noise", "p004": "worse", "p007": "better", "p009": "within noise"}
    lines = scorecard(constitution(), found)
    assert [(line.principle_id, line.status) for line in lines] == [
        ("p004", "worse"),
        ("p007", "better"),
        ("p009", "within noise"),
        ("p000", "not measured"),
        ("p001", "not measured"),
    ]


def test_too_few_items_make_no_claim_however_large_the_change() -> None:
    found = compare(
        measurement("adherence", adherence({"p004": 0.0}, 24), adherence({"p004": 1.0}, 24)), constitution(), None, 2000
    )
    assert [(row.principle_id, row.items, row.verdict) for row in found] == [("p004", 24, "too few items")]


def test_the_named_result_stands_alone_and_the_others_are_adjusted_once_each() -> None:
    found = compare(measurement("bbq", bbq(0.5), bbq(0.42)), constitution(), "bias_ambiguous", 2000)
    primary = primary_of(found, "bbq", "bias_ambiguous")
    assert primary is not None
    assert primary.p_adjusted == primary.p_value
    languages = [*rows(found, language="en"), *rows(found, language="eu")]
    assert [row.p_adjusted for row in languages] == holm(
        [row.p_value for row in languages]
    )  # a family of two, not of four
    # Principles that the whole benchmark bears on repeat the named result: the same test, no new claim.
    assert {row.p_adjusted for row in found if row.principle_id != "all"} == {primary.p_value}
    unnamed = primary_of(
        compare(measurement("bbq", bbq(0.5), bbq(0.42)), constitution(), None, 2000), "bbq", "bias_ambiguous"
    )
    assert unnamed is not None
    assert unnamed.p_adjusted == primary.p_value  # parts and principles are families of their own


def test_no_change_is_rarely_claimed() -> None:
    claimed = 0
    for seed in range(20):
        found = compare(measurement("bbq", bbq(0.4, seed), bbq(0.4, seed + 100)), constitution(), None, 1000)
        claimed += any(row.verdict in ("better", "worse") for row in found)
    assert claimed <= 3


def test_items_of_a_merged_statement_count_for_the_principle_that_took_it_in() -> None:
    items = [outcome("a", "t", {}, ("p005",)), outcome("b", "t", {}, ("p001",)), outcome("c", "t", {}, ("p099",))]
    assert principle_items(items, constitution()) == {"p001": {"b"}}
    assert principle_items(items, constitution(p001=(1, 5))) == {"p001": {"a", "b"}}


def test_a_citizens_text_cannot_break_the_table() -> None:
    found = compare(measurement("bbq", bbq(0.5), bbq(0.1)), constitution(), "bias_ambiguous", 2000)
    lines = scorecard(constitution(), found)
    text = markdown(lines, found, primary_of(found, "bbq", "bias_ambiguous"), 0.95)
    assert "<script" not in text
    assert r"Paraules planeres \| &lt;script&gt;alert\(1\)&lt;/script&gt; i \*res\* més." in text
    for row in text.splitlines():
        if row.startswith("|"):
            assert row.replace(r"\|", "").count("|") == 7
    assert "bbq: bias in ambiguous questions, 0 is unbiased" in text
    assert escaped("a\nb" * 100).endswith("…")
    assert summary(lines, found, None, 0)["principles"] == {
        "worse": 0, "better": 2, "within noise": 0, "too few items": 0, "not measured": 3,
    }  # fmt: skip


# --- the node as a whole ---


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scores of both models on two benchmarks, and a stale one that the parameters no longer name."""
    params = {
        "evaluate_model": {"benchmarks": ["bbq", "adherence"], "items": "items"},
        "compare_models": {"primary": {"benchmark": "bbq", "metric": "bias_ambiguous"}, "permutations": 1000},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    write_json(tmp_path / "constitution" / "constitution.json", constitution())
    measured: dict[str, Any] = {
        "base": {"bbq": bbq(0.5), "adherence": adherence({"p004": 0.9, "p007": 0.1}), "stale": bbq(0.1)},
        "tuned": {"bbq": bbq(0.1), "adherence": adherence({"p004": 0.2, "p007": 0.9})},
    }
    for model, benchmarks in measured.items():
        for name, items in benchmarks.items():
            write_scores(tmp_path / "scores" / model / name, items)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_scores(folder: Path, items: list[ItemOutcome], **settings: Any) -> None:
    chosen = {"resamples": 500, "seed": 0, "confidence": 0.95, "min_items": 30} | settings
    scores = scores_from_items(items, folder.name, 500, 0, 0.95, 30)
    write_jsonl(folder / "items.jsonl", items)
    write_json(folder / "scores.json", [score.model_dump() for score in scores])
    write_json(folder / "benchmark.json", {"files": {"a.jsonl": "00"}, "settings": chosen})


def run(monkeypatch: pytest.MonkeyPatch, out: str = "comparison") -> str:
    arguments = ["--constitution", "constitution", "--scores", "scores", "--out", out]
    monkeypatch.setattr(sys, "argv", ["compare_models", *arguments])
    return main()


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_the_node_writes_the_whole_comparison_twice_the_same(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch) == "4 comparisons (3 better, 1 within noise); 4 of 5 principles measured"
    first = content(project / "comparison")
    assert set(first) == {
        "comparisons.json", "scorecard.json", "scorecard.md", "summary.json", "metrics.json", "gate.json",
        "plots/forest.png", "plots/principles.png",
    }  # fmt: skip
    told = json.loads(first["summary.json"])
    assert told["headline"][0].startswith("bbq: bias in ambiguous questions, 0 is unbiased: 0.")
    assert told["headline"][0].endswith("200 items from 25 templates: better")
    numbers = json.loads(first["metrics.json"])
    assert numbers["principles: worse"] == 1
    assert "bbq: bias in ambiguous questions - 0 is unbiased - after" in numbers
    assert b"stale" not in b"".join(first.values())
    run(monkeypatch, "again")
    assert content(project / "again") == first


def test_different_items_are_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_scores(project / "scores" / "tuned" / "bbq", [item for item in bbq(0.1) if item.item_id != "q7"])
    with pytest.raises(Trouble, match="bbq: item 8 is 'q7' for base and 'q8' for tuned; wanted the same items"):
        run(monkeypatch)
    write_scores(project / "scores" / "tuned" / "bbq", bbq(0.1)[:-1])
    with pytest.raises(Trouble, match="200 items for base, 199 for tuned"):
        run(monkeypatch)
    assert not (project / "comparison").exists()


def test_different_settings_are_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_scores(project / "scores" / "tuned" / "bbq", bbq(0.1), normalisation="none")
    with pytest.raises(Trouble, match="bbq: base and tuned were measured with different settings"):
        run(monkeypatch)


def test_a_benchmark_without_scores_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "scores" / "tuned" / "bbq" / "benchmark.json").unlink()
    with pytest.raises(Trouble, match=r"scores/tuned/bbq/benchmark\.json is missing"):
        run(monkeypatch)


@pytest.mark.parametrize(
    ("primary", "message"),
    [
        (
            {"benchmark": "crows-pairs", "metric": "prefers_stereotype"},
            "primary.benchmark is 'crows-pairs'; .*: bbq, adherence",
        ),
        ({"benchmark": "bbq", "metric": "bias_ambigous"}, "'bias_ambigous'; wanted: one of bias_ambiguous,"),
    ],
)
def test_a_named_result_that_cannot_be_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, primary: dict[str, str], message: str
) -> None:
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["compare_models"]["primary"] = primary
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    with pytest.raises(Trouble, match=message):
        run(monkeypatch)


def test_the_projects_own_parameters_fit() -> None:
    assert (
        load("compare_models", Parameters, Path(__file__).parents[2] / "params.yaml").primary.metric == "bias_ambiguous"
    )
