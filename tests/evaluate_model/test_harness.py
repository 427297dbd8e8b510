"""Tasks of lm-evaluation-harness through our scorer, from local files; and CrowS-Pairs against the harness's own model."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stages.artifact import read_jsonl
from stages.errors import Trouble
from stages.evaluate_model import harness
from stages.evaluate_model.benchmarks import crows_pairs
from stages.evaluate_model.encoding import encode
from stages.evaluate_model.language_model import OpenModel, open_folder
from stages.evaluate_model.parameters import Options, Parameters
from stages.evaluate_model.scorer import Scorer
from stages.metrics import METRICS, harness_metric
from stages.records import ItemOutcome
from tests.evaluate_model.test_likelihood import brute_force

torch = pytest.importorskip("torch")
pytest.importorskip("lm_eval")
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"

# What the imports and the data loader of the harness warn of is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

TASK = """task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: questions.jsonl
test_split: test
output_type: {kind}
doc_to_text: "{{{{question}}}}\\nRispòsta:"
doc_to_target: "{target}"
{more}
metric_list:
{metrics}
metadata:
  version: 1.0
"""
QUESTIONS = [
    {"question": "Nor da alkatea?", "options": ["Maite", "Jon", "Ane"], "answer": 0, "word": "Maite"},
    {"question": "On és l'ajuntament ?", "options": ["a la plaça", "lluny", "enlloc"], "answer": 0, "word": "plaça"},
    {"question": "¿Cuándo abre?", "options": ["a las nueve", "nunca", "ayer"], "answer": 1, "word": "nunca"},
    {"question": "Qui paie ?", "options": ["l'État", "la ville", "personne"], "answer": 2, "word": "personne"},
    {"question": "Why?", "options": ["because", "no", "yes"], "answer": 0, "word": "because"},
    {"question": "Zer?", "options": ["hau", "hori", "hura"], "answer": 0, "word": "hau"},
]


def metrics(*names: str) -> str:
    return "\n".join(f"  - metric: {name}\n    aggregation: mean\n    higher_is_better: true" for name in names)


def perplexity() -> str:
    return "  - metric: word_perplexity\n  - metric: byte_perplexity"


def write_tasks(folder: Path) -> Path:
    folder.mkdir()
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, QUESTIONS)) + "\n", encoding="utf-8")
    kinds = {
        "commons_choice": ("multiple_choice", "{{answer}}", 'doc_to_choice: "{{options}}"', metrics("acc", "acc_norm")),
        "commons_writing": (
            "generate_until",
            "{{word}}",
            'generation_kwargs: {until: ["\\n"], max_gen_toks: 8}',
            metrics("exact_match"),
        ),
        "commons_rolling": ("loglikelihood_rolling", "{{question}}", "", perplexity()),
    }
    for name, (kind, target, more, wanted) in kinds.items():
        text = TASK.format(name=name, kind=kind, target=target, more=more, metrics=wanted)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def tiny(model_folder: Path) -> OpenModel:
    return open_folder(model_folder, "float32", 1, None)


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("harness") / "tasks")


def params(name: str) -> Parameters:
    return Parameters(items="", benchmarks=(name,), resamples=100, min_items=5)


def reference(tiny: OpenModel) -> Any:
    """The harness's own model class over the same weights."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=tiny.model, tokenizer=tiny.tokenizer, batch_size=4, max_length=tiny.length, device="cpu")


def theirs(tiny: OpenModel, task: str, tasks: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    monkeypatch.chdir(tasks)
    manager = TaskManager(include_path=str(tasks), include_defaults=False)
    return simple_evaluate(model=reference(tiny), tasks=[task], task_manager=manager, bootstrap_iters=0)


def test_a_choice_task_gives_the_harness_figures(
    tiny: OpenModel, tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "lm_eval:commons_choice"
    out = tmp_path / "out"
    done = harness.evaluate(tiny, "commons_choice", name, tasks, out, params(name))
    wanted = theirs(tiny, "commons_choice", tasks, monkeypatch)
    items = list(read_jsonl(out / "items.jsonl", ItemOutcome))
    assert done.items == len(items) == len(QUESTIONS)
    for metric in ("acc", "acc_norm"):
        mean = sum(item.values[harness_metric(metric, lower=False)] for item in items) / len(items)
        assert mean == pytest.approx(wanted["results"]["commons_choice"][f"{metric},none"])
    for item, sample in zip(items, wanted["samples"]["commons_choice"], strict=True):
        assert item.log_likelihoods == pytest.approx([each[0][0] for each in sample["resps"]], abs=2e-4)
        assert item.cluster == item.item_id == f"commons_choice-{sample['doc_id']}"
    about = json.loads((out / "benchmark.json").read_text(encoding="utf-8"))
    assert set(about["files"]) >= {"commons_choice.yaml", "questions.jsonl"}
    assert about["harness"]["results"]["commons_choice"]["acc,none"] == wanted["results"]["commons_choice"]["acc,none"]
    assert about["metrics"]["harness:acc"]["target"] == "higher is better"
    scores = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert {score["metric"] for score in scores} == {"harness:acc", "harness:acc_norm"}


def test_a_writing_task_gives_the_harness_answers(
    tiny: OpenModel, tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "lm_eval:commons_writing"
    harness.evaluate(tiny, "commons_writing", name, tasks, tmp_path / "out", params(name))
    items = list(read_jsonl(tmp_path / "out" / "items.jsonl", ItemOutcome))
    wanted = theirs(tiny, "commons_writing", tasks, monkeypatch)["samples"]["commons_writing"]
    assert [list(item.answers) for item in items] == [sample["resps"][0] for sample in wanted]
    assert any(item.answers[0] for item in items)


def test_a_reading_task_keeps_bits_per_unit(
    tiny: OpenModel, tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "lm_eval:commons_rolling"
    harness.evaluate(tiny, "commons_rolling", name, tasks, tmp_path / "out", params(name))
    items = list(read_jsonl(tmp_path / "out" / "items.jsonl", ItemOutcome))
    wanted = theirs(tiny, "commons_rolling", tasks, monkeypatch)
    for item, sample in zip(items, wanted["samples"]["commons_rolling"], strict=True):
        total, units = sample["byte_perplexity"]
        assert item.values["harness-lower:bits per byte"] == pytest.approx(-total / units / math.log(2), abs=1e-4)
    about = json.loads((tmp_path / "out" / "benchmark.json").read_text(encoding="utf-8"))
    pooled = wanted["results"]["commons_rolling"]["byte_perplexity,none"]
    assert about["harness"]["results"]["commons_rolling"]["byte_perplexity,none"] == pytest.approx(pooled, rel=1e-5)


def test_values_that_are_no_mean_are_counted() -> None:
    sample = {"doc_id": 3, "filter": "none", "metrics": ["f1", "acc"], "f1": (1, 0), "acc": 1.0, "resps": [["Bai"]]}
    counted: Counter[str] = Counter()
    (outcome,) = harness.outcomes_of("task", [sample], set(), counted)
    assert (outcome.values, outcome.answers, outcome.choice) == ({"harness:acc": 1.0}, ("Bai",), "written")
    assert counted == {"f1": 1}


@pytest.mark.parametrize(
    ("task", "message"), [("commons_choise", "has no task 'commons_choise'"), ("arc_easy", "cannot be asked")]
)
def test_what_is_not_on_this_machine_is_told_in_one_line(
    tiny: OpenModel, tasks: Path, tmp_path: Path, task: str, message: str
) -> None:
    name = f"lm_eval:{task}"
    with pytest.raises(Trouble, match=message) as caught:
        harness.evaluate(tiny, task, name, tasks, tmp_path / "out", params(name))
    assert "\n" not in str(caught.value)


def test_a_metric_of_the_harness_has_words_and_a_direction() -> None:
    higher, lower = harness_metric("exact_match,strict(1)", lower=False), harness_metric("likelihood_diff", lower=True)
    assert higher == "harness:exact_match-strict-1-"
    assert (METRICS[higher].target, METRICS[lower].target) == ("higher", "lower")
    assert lower in METRICS
    assert "no_such_metric" not in METRICS
    with pytest.raises(KeyError):
        METRICS["no_such_metric"]


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data (../shared/data) is not beside the project")
def test_crows_pairs_equal_the_harness_and_brute_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task's own configuration and code (as shipped with lm-eval), its data from the local CSV."""
    import lm_eval
    import yaml
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    count = 120
    opened = open_folder(SHARED / "model" / "base-2.5m-multilingual", "float32", 1, None)
    opened.model.double()  # so that no rounding hides a difference
    path = SHARED / "benchmarks" / "crows-pairs" / "data" / "crows_pairs_anonymized.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(itertools.islice(csv.DictReader(file), count))
    shipped = Path(lm_eval.__file__).parent / "tasks" / "crows_pairs"
    config = (shipped / "crows_pairs_english.yaml").read_text(encoding="utf-8")
    config = config.replace("!function utils.", "!function local_utils.").replace(
        "task: crows_pairs_english", "task: local"
    )
    config = config.replace("dataset_path: jannalu/crows_pairs_multilingual\ndataset_name: english\n", "")
    assert "jannalu" not in config
    (tmp_path / "local.yaml").write_text(
        config + yaml.safe_dump({"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": "pairs.jsonl"}}})
    )
    (tmp_path / "local_utils.py").write_text((shipped / "utils.py").read_text(encoding="utf-8"))
    kept = [{name: row[name] for name in ("sent_more", "sent_less", "bias_type")} for row in rows]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, kept)) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    wanted = simple_evaluate(model=reference(opened), tasks=["local"], task_manager=manager, bootstrap_iters=0)[
        "results"
    ]

    items = list(itertools.islice(crows_pairs.read(path, Options()), count))
    requests = [request for item in items for request in item.requests]
    found, _ = Scorer(opened, 1024).likelihoods(requests)
    totals = [likelihood.total for likelihood in found]
    pairs = list(zip(totals[::2], totals[1::2], strict=True))
    values = [
        crows_pairs.judge(item, pair).values["prefers_stereotype"] for item, pair in zip(items, pairs, strict=True)
    ]
    assert sum(values) / count == pytest.approx(wanted["local"]["pct_stereotype,none"], abs=1e-6)
    difference = sum(abs(more - less) for more, less in pairs) / count
    assert difference == pytest.approx(wanted["local"]["likelihood_diff,none"], abs=1e-6)

    slow = [
        brute_force(opened.model, encode([request], opened.tokenizer, 512)[0].windows[0]) for request in requests[:40]
    ]
    assert totals[:40] == pytest.approx(slow, abs=1e-6)
