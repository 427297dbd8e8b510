"""The evaluation plan holds what will be asked, and its checksum changes with anything that matters and nothing else."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.artifact import write_jsonl
from stages.errors import Trouble
from stages.plan import read_plan
from stages.plan_evaluation.__main__ import main
from stages.records import EvaluationPlan, PreferencePair

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "benchmarks"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample's items, lessons that have nothing of them, and a deliberation that is not needed."""
    for name in ("adherence", "civic-text"):
        shutil.copytree(SAMPLE / name, tmp_path / "items" / name)
    write_lessons(tmp_path, "Puc portar el gos al tramvia?")
    write_params(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_lessons(folder: Path, prompt: str) -> None:
    lesson = PreferencePair(
        id="l1", language="ca", principle_ids=(), kind="benign", prompt=prompt, chosen="Sí, amb morrió i corretja.",
        rejected="No ho sé pas, pregunteu-ho a algú altre.", teacher="rule:test@1",
    )  # fmt: skip
    write_jsonl(folder / "preferences" / "pairs.jsonl", [lesson])


def write_params(folder: Path, measuring: dict[str, Any] | None = None, **judging: Any) -> None:
    params = {
        "plan_evaluation": {},
        "evaluate_model": {"items": "items", "benchmarks": ["adherence", "civic-text"], **(measuring or {})},
        "compare_models": {"primary": {"benchmark": "adherence", "metric": "prefers_constitution"}, **judging},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def planned(monkeypatch: pytest.MonkeyPatch, out: str = "plan") -> EvaluationPlan:
    arguments = ["--items", "items", "--deliberation", "d", "--draft", "g", "--preferences", "preferences"]
    monkeypatch.setattr(sys, "argv", ["plan_evaluation", *arguments, "--out", out])
    assert main().endswith(f"sha256 {read_plan(Path(out)).sha256}")
    return read_plan(Path(out))


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_plan_holds_the_items_and_the_rules_twice_the_same(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(monkeypatch)
    first = content(project / "plan")
    assert first["items/adherence/pairs.jsonl"] == (SAMPLE / "adherence" / "pairs.jsonl").read_bytes()
    lines = len(first["items/adherence/pairs.jsonl"].decode().splitlines())
    assert plan.benchmarks["adherence"].items == lines
    assert json.loads(first["checks.json"])["held_out_pairs_compared_with_lessons"] == lines
    assert (plan.primary.metric, plan.primary.category) == ("prefers_constitution", "all")
    assert plan.families["exploration"] == "benjamini-hochberg"
    planned(monkeypatch, "again")
    assert content(project / "again") == first


def test_items_may_lie_in_a_folder_of_another_name(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch)
    first = content(project / "plan" / "items")
    (project / "items" / "adherence").rename(project / "items" / "held-out")
    write_params(project, {"options": {"adherence": {"folder": "held-out"}}})
    planned(monkeypatch)
    assert content(project / "plan" / "items") == first


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: write_params(folder, margins={"prefers_constitution": 0.05}),
        lambda folder: write_params(folder, primary={"benchmark": "civic-text", "metric": "bits_per_character"}),
        lambda folder: write_params(folder, permutations=2000),
        lambda folder: write_params(folder, {"min_items": 31}),
        lambda folder: write_params(folder, {"options": {"adherence": {"max_items": 40}}}),
        lambda folder: (folder / "items/adherence/pairs.jsonl").write_text(
            "\n".join((SAMPLE / "adherence/pairs.jsonl").read_text(encoding="utf-8").splitlines()[1:]), encoding="utf-8"
        ),
    ],
    ids=["margin", "primary", "permutations", "min_items", "options", "items"],
)
def test_whatever_bears_on_the_result_changes_the_checksum(
    project: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    before = planned(monkeypatch).sha256
    change(project)
    assert planned(monkeypatch).sha256 != before


def test_another_wording_of_the_prompts_changes_the_checksum(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.evaluate_model.benchmarks import civic_text

    plan, read = planned(monkeypatch), civic_text.read

    def reworded(path: Path, options: Any) -> Any:
        from dataclasses import replace

        for item in read(path, options):
            yield replace(item, requests=tuple(replace(request, context="Read this: ") for request in item.requests))

    monkeypatch.setattr(civic_text, "read", reworded)
    other = planned(monkeypatch)
    assert other.benchmarks["civic-text"].files == plan.benchmarks["civic-text"].files
    assert other.benchmarks["civic-text"].asked != plan.benchmarks["civic-text"].asked
    assert other.sha256 != plan.sha256


def test_how_fast_is_measured_and_why_a_plan_was_amended_are_not_planned(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = planned(monkeypatch).sha256
    write_params(project, {"batch_tokens": 4096, "threads": 2}, amended="a word was wrong")
    assert planned(monkeypatch).sha256 == before


def test_a_held_out_pair_among_the_lessons_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = json.loads((SAMPLE / "adherence" / "pairs.jsonl").read_text(encoding="utf-8").splitlines()[0])
    write_lessons(project, first["prompt"])
    with pytest.raises(Trouble, match=r"^items/adherence/pairs.jsonl: 2 of [0-9]+ held-out pairs were taught"):
        planned(monkeypatch)
    assert not (project / "plan").exists()


@pytest.mark.parametrize(
    ("judging", "message"),
    [
        (
            {"primary": {"benchmark": "bbq", "metric": "bias_ambiguous"}},
            "primary.benchmark is 'bbq'; .*: adherence, civic",
        ),
        ({"primary": {"benchmark": "adherence", "metric": "nicer"}}, "names the metric 'nicer'; wanted one of: "),
        ({"margins": {"nicer": 0.1}}, "names the metric 'nicer'"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, judging: dict[str, Any], message: str
) -> None:
    write_params(project, **judging)
    with pytest.raises(Trouble, match=message):
        planned(monkeypatch)


def test_a_task_of_the_harness_is_named_in_the_plan(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_params(project, {"benchmarks": ["adherence", "lm_eval:arc_easy"]})
    plan = planned(monkeypatch)
    assert json.loads((project / "plan/items/lm_eval:arc_easy/task.json").read_text(encoding="utf-8")) == {
        "task": "arc_easy"
    }
    assert "arc_easy" in plan.benchmarks["lm_eval:arc_easy"].says


def test_items_that_are_missing_are_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(project / "items" / "civic-text")
    with pytest.raises(Trouble, match="No items for the benchmark 'civic-text'"):
        planned(monkeypatch)
