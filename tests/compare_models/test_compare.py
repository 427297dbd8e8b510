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
from stages.compare_models.compare import Rules, compare, principle_items
from stages.compare_models.measured import Measurement, by_cell
from stages.compare_models.parameters import Parameters
from stages.compare_models.scorecard import escaped, markdown, primary_of, scorecard, summary
from stages.errors import Trouble
from stages.params import load
from stages.plan import FAMILIES, read_plan, sealed
from stages.records import Comparison, Constitution, Endpoint, EvaluationPlan, ItemOutcome, PlannedBenchmark
from stages.scoring import scores_from_items
from stages.uncertainty import benjamini_hochberg, holm

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
    base_scores, tuned_scores = (by_cell(scores_from_items(items, name, 1000, 0, 0.95, 30)) for items in (base, tuned))
    return Measurement(name, tuple(base), tuple(tuned), base_scores, tuned_scores, 1000, 0, 0.95, 30, {}, "")


def rules(primary: str | None = None, permutations: int = 2000, **margins: float) -> Rules:
    return Rules(permutations, (primary, "all") if primary else None, margins)


def rows(found: list[Comparison], **wanted: str) -> list[Comparison]:
    return [row for row in found if all(getattr(row, name) == value for name, value in wanted.items())]


def test_a_planted_improvement_is_better_in_every_language() -> None:
    found = compare(measurement("bbq", bbq(0.5), bbq(0.1)), constitution(), rules("bias_ambiguous"))
    cells = {(row.language, row.principle_id): row.verdict for row in found}
    assert cells == dict.fromkeys(
        [("all", "all"), ("en", "all"), ("eu", "all"), ("all", "p000"), ("all", "p001")], "better"
    )
    assert all(row.difference < 0 < row.improvement for row in found)


def test_the_interval_of_one_side_is_that_of_its_score() -> None:
    each = measurement("bbq", bbq(0.5), bbq(0.1))
    (row,) = rows(compare(each, constitution(), rules()), language="eu", principle_id="all")
    score = each.tuned_scores["bias_ambiguous", "eu", "all", "all", "all"]
    assert (row.tuned, row.tuned_low, row.tuned_high) == (score.value, score.low, score.high)


def test_a_planted_loss_is_worse_and_comes_first() -> None:
    before = {"p004": 0.9, "p007": 0.1, "p009": 0.5}
    after = {"p004": 0.2, "p007": 0.9, "p009": 0.5}
    found = compare(
        measurement("adherence", adherence(before), adherence(after)), constitution(), rules(permutations=10_000)
    )
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
        measurement("adherence", adherence({"p004": 0.0}, 24), adherence({"p004": 1.0}, 24)), constitution(), rules()
    )
    assert [(row.principle_id, row.items, row.verdict) for row in found] == [("p004", 24, "too few items")]


def test_the_named_result_stands_alone_and_the_others_are_adjusted_once_each() -> None:
    found = compare(measurement("bbq", bbq(0.5), bbq(0.42)), constitution(), rules("bias_ambiguous"))
    primary = primary_of(found)
    assert primary is not None
    assert (primary.family, primary.p_adjusted, primary.q_value) == ("primary", primary.p_value, None)
    languages = rows(found, family="exploration")
    assert [row.language for row in languages] == ["en", "eu"]
    p_values = [row.p_value for row in languages]
    assert [row.p_adjusted for row in languages] == pytest.approx(holm(p_values))  # a family of two, not of four
    assert [row.q_value for row in languages] == pytest.approx(benjamini_hochberg(p_values), abs=1e-6)
    # Principles that the whole benchmark bears on repeat the named result: the same test, no new claim.
    assert {row.p_adjusted for row in rows(found, family="principle")} == {primary.p_value}
    unnamed = compare(measurement("bbq", bbq(0.5), bbq(0.42)), constitution(), rules())
    assert primary_of(unnamed) is None
    (whole,) = rows(unnamed, family="overall")
    assert whole.p_adjusted == primary.p_value  # parts and principles are families of their own


def in_categories(shares: dict[str, float], seed: int = 1) -> list[ItemOutcome]:
    """60 items of every category in 12 templates; about that share of the choices follow the stereotype."""
    draw = random.Random(seed)
    return [
        outcome(f"{name}-{n}", f"{name}-{n // 5}", {"bias_ambiguous": float(draw.random() < share)}, ()).model_copy(
            update={"category": name, "group": ("old", "young")[n % 2] if name == "Age" else ""}
        )
        for name, share in shares.items()
        for n in range(60)
    ]


def test_categories_are_claims_and_groups_exploration_and_the_mean_of_the_categories_can_be_named() -> None:
    before, after = (
        in_categories({"Age": age, "Religion": 0.4, "Origin": 0.5}, seed) for age, seed in ((0.9, 1), (0.1, 1))
    )
    named = Rules(2000, ("bias_ambiguous", "macro"))
    found = compare(measurement("bbq", before, after), constitution(), named)
    families = {(row.category, row.group): row.family for row in found}
    assert families == {
        ("all", "all"): "overall", ("macro", "all"): "primary", ("Age", "all"): "category",
        ("Religion", "all"): "category", ("Origin", "all"): "category",
        ("Age", "old"): "exploration", ("Age", "young"): "exploration",
    }  # fmt: skip
    claims = rows(found, family="category")
    assert [row.p_adjusted for row in claims] == pytest.approx(holm([row.p_value for row in claims]), abs=1e-6)
    verdicts = {(row.category, row.group): row.verdict for row in found}
    assert verdicts["Age", "all"] == verdicts["Age", "old"] == "better"
    assert verdicts["Religion", "all"] == "within noise"
    macro = primary_of(found)
    assert macro is not None
    assert macro.difference == pytest.approx(sum(row.difference for row in claims) / 3, abs=2e-6)


def test_within_noise_tells_what_could_have_been_found_and_equivalent_that_no_harm_was_done() -> None:
    each = measurement("adherence", adherence({"p004": 0.5}, 400), adherence({"p004": 0.5}, 400))
    items = [*adherence({"p004": 0.5}, 400)]
    items[3] = items[3].model_copy(update={"values": {"prefers_constitution": 0.0}})
    slightly = measurement("adherence", adherence({"p004": 0.5}, 400), items)
    (noise, _) = compare(slightly, constitution(), rules())
    assert (noise.verdict, noise.margin, noise.p_equivalence) == ("within noise", None, None)
    # one cluster of 200 changed by 1 of 400 items: the error is 1 / 400, times t for 199 degrees
    assert noise.standard_error == pytest.approx(1 / 400, rel=1e-4)
    assert noise.mde == pytest.approx((1.971957 + 0.843456) / 400, rel=1e-3)
    (harmless, _) = compare(slightly, constitution(), rules(prefers_constitution=0.02))
    assert (harmless.verdict, harmless.margin) == ("equivalent", 0.02)
    assert harmless.p_equivalence is not None
    assert harmless.p_equivalence < 1e-6
    narrow = Rules(2000, None, {"prefers_constitution": 0.02, "adherence:prefers_constitution": 0.001})
    (unshown, _) = compare(slightly, constitution(), narrow)
    assert (unshown.verdict, unshown.margin) == ("within noise", 0.001)
    (nothing, _) = compare(each, constitution(), rules(prefers_constitution=0.02))
    assert (nothing.verdict, nothing.difference, nothing.p_value) == ("equivalent", 0.0, 1.0)
    lines = scorecard(constitution(), [harmless.model_copy(update={"principle_id": "p004"})])
    assert lines[0].status == "equivalent"


def test_a_loss_beyond_chance_is_worse_even_within_the_margin() -> None:
    before, after = adherence({"p004": 0.6}, 400), adherence({"p004": 0.55}, 400)
    (row, _) = compare(measurement("adherence", before, after), constitution(), rules(prefers_constitution=0.2))
    assert row.p_equivalence_adjusted is not None
    assert row.p_equivalence_adjusted < 0.05
    assert row.verdict == "worse"


def test_no_change_is_rarely_claimed() -> None:
    claimed = 0
    for seed in range(20):
        found = compare(
            measurement("bbq", bbq(0.4, seed), bbq(0.4, seed + 100)), constitution(), rules(permutations=1000)
        )
        claimed += any(row.verdict in ("better", "worse") for row in found)
    assert claimed <= 3


def test_items_of_a_merged_statement_count_for_the_principle_that_took_it_in() -> None:
    items = [outcome("a", "t", {}, ("p005",)), outcome("b", "t", {}, ("p001",)), outcome("c", "t", {}, ("p099",))]
    assert principle_items(items, constitution()) == {"p001": {"b"}}
    assert principle_items(items, constitution(p001=(1, 5))) == {"p001": {"a", "b"}}


def test_a_citizens_text_cannot_break_the_table() -> None:
    found = compare(measurement("bbq", bbq(0.5), bbq(0.1)), constitution(), rules("bias_ambiguous"))
    lines = scorecard(constitution(), found)
    text = markdown(lines, found, primary_of(found), 0.95)
    assert "<script" not in text
    assert r"Paraules planeres \| &lt;script&gt;alert\(1\)&lt;/script&gt; i \*res\* més." in text
    for row in text.splitlines():
        if row.startswith("|"):
            assert row.replace(r"\|", "").count("|") == 7
    assert "bbq: bias in ambiguous questions, 0 is unbiased" in text
    assert escaped("a\nb" * 100).endswith("…")
    assert summary(lines, found, None, 0)["principles"] == {
        "worse": 0, "better": 2, "within noise": 0, "equivalent": 0, "too few items": 0, "not measured": 3,
    }  # fmt: skip


# --- the node as a whole ---


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan, a model trained under it, and scores of both models on two benchmarks (and one that is not planned)."""
    write_params(tmp_path)
    write_json(tmp_path / "constitution" / "constitution.json", constitution())
    plan = write_plan(tmp_path)
    write_json(tmp_path / "tuned" / "training.json", {"plan": plan.sha256})
    measured: dict[str, Any] = {
        "base": {"bbq": bbq(0.5), "adherence": adherence({"p004": 0.9, "p007": 0.1}), "stale": bbq(0.1)},
        "tuned": {"bbq": bbq(0.1), "adherence": adherence({"p004": 0.2, "p007": 0.9})},
    }
    for model, benchmarks in measured.items():
        for name, items in benchmarks.items():
            write_scores(tmp_path / "scores" / model / name, items, plan.sha256)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_params(folder: Path, **changed: Any) -> None:
    chosen = {"primary": {"benchmark": "bbq", "metric": "bias_ambiguous"}, "permutations": 1000}
    measuring = {"benchmarks": ["bbq", "adherence"], "items": "items", "resamples": 500}
    params = {"evaluate_model": measuring, "compare_models": chosen | changed}
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def write_plan(folder: Path, **changed: Any) -> EvaluationPlan:
    asked = PlannedBenchmark(
        files={"a.jsonl": "00"}, items=1, asked="1", says="What?", normalisation="token", options={}
    )
    plan = EvaluationPlan(
        benchmarks={"bbq": asked, "adherence": asked},
        primary=Endpoint(benchmark="bbq", metric="bias_ambiguous"),
        margins={},
        families=FAMILIES,
        resamples=500,
        permutations=1000,
        seed=0,
        confidence=0.95,
        min_items=30,
        framework=None,
    )
    plan = sealed(plan.model_copy(update=changed))
    write_json(folder / "plan" / "plan.json", plan)
    return plan


def write_scores(folder: Path, items: list[ItemOutcome], plan: str | None = None, **settings: Any) -> None:
    chosen = {"resamples": 500, "seed": 0, "confidence": 0.95, "min_items": 30} | settings
    scores = scores_from_items(items, folder.name, 500, 0, 0.95, 30)
    write_jsonl(folder / "items.jsonl", items)
    write_json(folder / "scores.json", [score.model_dump() for score in scores])
    plan = plan if plan is not None else read_plan(folder.parents[2] / "plan").sha256
    write_json(folder / "benchmark.json", {"files": {"a.jsonl": "00"}, "settings": chosen, "plan": plan})


def run(monkeypatch: pytest.MonkeyPatch, out: str = "comparison") -> str:
    arguments = ["--plan", "plan", "--constitution", "constitution", "--model", "tuned"]
    monkeypatch.setattr(sys, "argv", ["compare_models", *arguments, "--scores", "scores", "--out", out])
    return main()


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_the_node_writes_the_whole_comparison_twice_the_same(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch) == "4 comparisons (3 better, 1 within noise); 4 of 5 principles measured"
    first = content(project / "comparison")
    assert set(first) == {
        "comparison.html", "comparisons.json", "framework.json", "gate.json", "metrics.json", "plan.json", "scorecard.json",
        "scorecard.md", "summary.json", "plots/forest.png", "plots/principles.png",
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


def test_a_metric_without_words_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_params(project, primary={"benchmark": "bbq", "metric": "bias_ambigous"})
    with pytest.raises(Trouble, match="'bias_ambigous'; wanted: one of bias_ambiguous,"):
        run(monkeypatch)
    write_params(project, margins={"bbq:bias_ambigous": 0.1})
    with pytest.raises(Trouble, match=r"margins.*one of bias_ambiguous,"):
        run(monkeypatch)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"primary": {"benchmark": "adherence", "metric": "prefers_constitution"}},
            "compare_models.primary is .*adherence",
        ),
        (
            {"margins": {"bias_ambiguous": 0.1}},
            r"compare_models.margins is .*0.1.*, but \{\} was planned; run plan_eval",
        ),
        ({"permutations": 5000}, "compare_models.permutations is 5000, but 1000 was planned"),
    ],
)
def test_what_was_changed_after_planning_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], message: str
) -> None:
    write_params(project, **changed)
    with pytest.raises(Trouble, match=message):
        run(monkeypatch)


def test_a_plan_changed_after_training_is_refused_unless_somebody_says_why(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plan(project, margins={"bias_ambiguous": 0.3})
    write_params(project, margins={"bias_ambiguous": 0.3})
    with pytest.raises(
        Trouble, match=r"tuned was trained under the evaluation plan \w+…, but the plan is now .* say why in"
    ):
        run(monkeypatch)
    write_params(project, margins={"bias_ambiguous": 0.3}, amended="the <b>margin</b> was forgotten")
    with pytest.raises(Trouble, match=r"adherence was measured by the plan .*; measure both models again"):
        run(monkeypatch)
    write_again(project)
    assert run(monkeypatch).endswith("the plan was AMENDED after training")
    card = (project / "comparison" / "scorecard.md").read_text(encoding="utf-8")
    assert card.startswith(
        "**Amended: the plan was changed after training.** the &lt;b&gt;margin&lt;/b&gt; was forgotten"
    )
    told = json.loads((project / "comparison" / "summary.json").read_text(encoding="utf-8"))["plan"]
    assert told["amended"] == "the <b>margin</b> was forgotten"
    assert told["trained_under"] != told["sha256"]


def write_again(project: Path) -> None:
    """Measure anew under the plan that is there."""
    for about in (project / "scores").glob("*/*/benchmark.json"):
        content = json.loads(about.read_text(encoding="utf-8"))
        write_json(about, content | {"plan": read_plan(project / "plan").sha256})


def test_a_model_trained_without_a_plan_and_other_items_than_planned_are_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(project / "tuned" / "training.json", {"plan": None})
    with pytest.raises(Trouble, match="tuned was trained without an evaluation plan"):
        run(monkeypatch)
    plan = read_plan(project / "plan")
    asked = plan.benchmarks["bbq"].model_copy(update={"files": {"a.jsonl": "11"}})
    new = write_plan(project, benchmarks=plan.benchmarks | {"bbq": asked})
    write_json(project / "tuned" / "training.json", {"plan": new.sha256})
    write_again(project)
    with pytest.raises(Trouble, match="bbq was measured on other item files than were planned"):
        run(monkeypatch)


def test_a_plan_edited_by_hand_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project / "plan" / "plan.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, content | {"min_items": 1})
    with pytest.raises(Trouble, match=r"its content has .*: it was changed by hand"):
        run(monkeypatch)


def test_items_that_moved_to_another_template_are_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = [item.model_copy(update={"cluster": item.item_id}) for item in bbq(0.1)]
    write_scores(project / "scores" / "tuned" / "bbq", moved)
    with pytest.raises(Trouble, match="item 'q0' has another language, category, cluster"):
        run(monkeypatch)


def test_the_projects_own_parameters_fit() -> None:
    assert (
        load("compare_models", Parameters, Path(__file__).parents[2] / "params.yaml").primary.metric == "bias_ambiguous"
    )
