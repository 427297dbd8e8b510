"""`commons score`: anyone's recorded answers, scored as in the pipeline."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from flows import score_command
from stages.errors import Trouble

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data" / "benchmarks"
SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "benchmarks" / "bbq"
needs_data = pytest.mark.skipif(
    not SHARED.exists(), reason="the benchmarks (../shared/data/benchmarks) are not beside the project"
)


def scored(
    out: Path,
    items: Sequence[Path],
    predictions: Sequence[Path],
    *more: str,
    field: str = "answer",
    benchmark: str = "bbq",
) -> Any:
    """Run the command; return what it wrote."""
    parser = argparse.ArgumentParser()
    score_command.add(parser.add_subparsers())
    options = parser.parse_args(
        ["score", benchmark, "--items", *map(str, items), "--predictions", *map(str, predictions),
         "--prediction-field", field, "--json", str(out / "scores.json"), *more]
    )  # fmt: skip
    assert options.act(options) == 0
    return json.loads((out / "scores.json").read_text(encoding="utf-8"))


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def recorded(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def stereotyped(row: dict[str, Any]) -> int:
    """The answer that follows the stereotype in the sample's items, whose groups are plain."""
    group = row["additional_metadata"]["stereotyped_groups"][0]
    places = {row["answer_info"][f"ans{at}"][1]: at for at in range(3)}
    other = next(at for name, at in places.items() if name not in (group, "unknown"))
    return places[group] if row["question_polarity"] == "neg" else other


def opposite(row: dict[str, Any]) -> int:
    unknown = next(at for at in range(3) if row["answer_info"][f"ans{at}"][1] == "unknown")
    return next(at for at in range(3) if at not in (unknown, stereotyped(row)))


# --- the published predictions ---


@needs_data
@pytest.mark.parametrize("category", ["Age", "Disability_status", "Nationality", "Religion"])
@pytest.mark.parametrize("form", ["arc", "race"])
def test_the_published_scores_of_unifiedqa_are_reproduced(tmp_path: Path, category: str, form: str) -> None:
    expected = json.loads((SHARED / "bbq" / "expected_unifiedqa.json").read_text(encoding="utf-8"))["expected"]
    wanted = expected[category][f"format_{form}"]
    found = scored(
        tmp_path,
        [SHARED / "bbq" / "data" / f"{category}.jsonl"],
        [SHARED / "bbq" / "results" / "UnifiedQA" / f"preds_{category}.jsonl"],
        field=f"unifiedqa-t5-11b_pred_{form}",
    )
    for short, condition in (("amb", "ambig"), ("dis", "disambig")):
        cell = wanted[condition]
        assert found[f"s_{short}"] == pytest.approx(cell["bias_score"], abs=1e-9, rel=0)
        assert found[f"acc_{short}"] == pytest.approx(cell["accuracy"], abs=1e-9, rel=0)
        assert found[f"n_{short}"] == cell["n"]
        assert found[f"n_biased_{short}"] == cell["n_biased"]
        assert found[f"n_unknown_{short}"] == cell["n_unknown"]
        assert found[f"n_correct_{short}"] == cell["n_correct"]
        assert found[f"n_unmatched_{short}"] == cell.get("n_unmatched", 0)
        low, high = found["intervals"][f"s_{short}"]
        assert low < found[f"s_{short}"] < high
    assert found["acc_difference"] == pytest.approx(found["acc_pro"] - found["acc_anti"], abs=1e-12)


@needs_data
def test_files_with_repeating_ids_are_joined_by_category(tmp_path: Path) -> None:
    names = ("Age", "Religion")
    found = scored(
        tmp_path,
        [SHARED / "bbq" / "data" / f"{name}.jsonl" for name in names],
        [SHARED / "bbq" / "results" / "UnifiedQA" / f"preds_{name}.jsonl" for name in names],
        field="unifiedqa-t5-11b_pred_arc",
    )
    expected = json.loads((SHARED / "bbq" / "expected_unifiedqa.json").read_text(encoding="utf-8"))["expected"]
    assert found["settings"]["joined_on"] == ["example_id", "category"]
    for name in names:
        wanted = expected[name]["format_arc"]["ambig"]["bias_score"]
        assert found["categories"][name]["s_amb"] == pytest.approx(wanted, abs=1e-9, rel=0)
    assert found["n_items"] == 3680 + 1200
    mean = sum(found["categories"][name]["s_amb"] for name in names) / 2
    assert found["macro"]["s_amb"] == pytest.approx(mean, abs=1e-12)


@needs_data
def test_german_items_whose_ids_repeat_are_joined_by_condition(tmp_path: Path) -> None:
    folder = SHARED / "gg-bbq"
    answers = []
    for path in sorted(folder.glob("data/*/*.jsonl")):
        for row in rows_of(path):
            keys = {"index": row["index"], "context_type": row["context_type"]}
            answers.append(keys | {"answer": row[f"choice_{row['label']}"]})
    path = recorded(tmp_path / "p.jsonl", answers)
    found = scored(tmp_path, [folder], [path], benchmark="gg-bbq")
    assert found["settings"]["joined_on"] == ["index", "condition"]
    assert (found["n_amb"], found["n_dis"], found["acc_amb"], found["acc_dis"]) == (484, 484, 1.0, 1.0)
    assert (found["s_amb"], found["acc_difference"], found["n_missing"]) == (0.0, 0.0, 0)


# --- what the aggregators give ---


@pytest.mark.parametrize(("choose", "value"), [(stereotyped, 1.0), (opposite, -1.0)])
def test_a_wholly_biased_set_scores_plus_one_and_its_opposite_minus_one(
    tmp_path: Path, choose: Callable[[dict[str, Any]], int], value: float
) -> None:
    items = [SAMPLE / "SES.en.jsonl"]
    answers = [{"example_id": row["example_id"], "answer": row[f"ans{choose(row)}"]} for row in rows_of(items[0])]
    found = scored(tmp_path, items, [recorded(tmp_path / "p.jsonl", answers)])
    assert (found["s_amb"], found["s_dis"], found["acc_amb"]) == (value, value, 0.0)
    # half of the answerable questions have the stereotype as their truth
    assert (found["acc_dis"], found["acc_pro"], found["acc_anti"]) == (0.5, (1 + value) / 2, (1 - value) / 2)
    assert found["acc_difference"] == value
    assert found["intervals"]["s_amb"] == [value, value]
    groups = {one["group"]: one["value"] for one in found["slices"] if one["metric"] == "bias_ambiguous"}
    assert set(groups.values()) == {value}


def test_refused_unmatched_empty_missing_and_duplicates_are_counted_apart(tmp_path: Path) -> None:
    rows = [row for row in rows_of(SAMPLE / "Age.en.jsonl") if row["context_condition"] == "ambig"]
    said = [row[f"ans{row['label']}"] for row in rows]
    said[:5] = ["As an AI, I will not answer.", "the mayor", "", rows[3][f"ans{stereotyped(rows[3])}"], "not said"]
    answers = [{"example_id": row["example_id"], "answer": text} for row, text in zip(rows, said, strict=True)]
    again = [answers[6], {"example_id": "of no item", "answer": "x"}]
    path = recorded(tmp_path / "p.jsonl", [*answers[:-1], *again])
    found = scored(tmp_path, [SAMPLE / "Age.en.jsonl"], [path])
    counted = {name: found[f"n_{name}"] for name in ("refused", "unmatched", "empty", "biased", "anti", "unknown")}
    read = len(rows) - 5  # refused, two unmatched, empty, and the one without an answer
    assert counted == {"refused": 1, "unmatched": 2, "empty": 1, "biased": 1, "anti": 0, "unknown": read - 1}
    assert (found["n_missing_amb"], found["n_missing_dis"]) == (1, len(rows_of(SAMPLE / "Age.en.jsonl")) - len(rows))
    assert (found["n_duplicates"], found["n_without_item"], found["n_amb"], found["n_dis"]) == (1, 1, read, 0)
    assert found["s_amb"] == pytest.approx(1 / read, abs=1e-12)
    assert found["acc_amb"] == pytest.approx((read - 1) / read, abs=1e-12)
    assert found["refused"] == pytest.approx(1 / (len(rows) - 1), abs=1e-12)
    # nobody answered an answerable question: undefined, with the reason, not 0
    assert (found["s_dis"], found["acc_difference"]) == (None, None)
    assert found["undefined"]["s_dis"].startswith("no readable answer to an answerable question")


def test_answers_in_a_table_and_places_as_numbers(tmp_path: Path) -> None:
    rows = rows_of(SAMPLE / "SES.ca.jsonl")
    with (tmp_path / "p.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["example_id", "answer"])
        writer.writerows([row["example_id"], "ABC"[row["label"]]] for row in rows)
    lettered = scored(tmp_path, [SAMPLE / "SES.ca.jsonl"], [tmp_path / "p.csv"])
    assert (lettered["acc_amb"], lettered["acc_dis"], lettered["s_amb"], lettered["s_dis"]) == (1.0, 1.0, 0.0, 0.0)
    places = [{"item_id": f"SES-{row['example_id']}-ca", "answer": row["label"]} for row in rows]
    numbered = scored(
        tmp_path, [SAMPLE / "SES.ca.jsonl"], [recorded(tmp_path / "p.jsonl", places)], "--id-field", "item_id"
    )
    assert (numbered["acc_amb"], numbered["acc_dis"]) == (1.0, 1.0)


def test_labels_in_the_predictions_are_not_believed(tmp_path: Path) -> None:
    rows = rows_of(SAMPLE / "SES.en.jsonl")
    answers = [row | {"answer": row[f"ans{stereotyped(row)}"], "label": 9, "answer_info": {}} for row in rows]
    assert scored(tmp_path, [SAMPLE / "SES.en.jsonl"], [recorded(tmp_path / "p.jsonl", answers)])["s_amb"] == 1.0


def test_the_same_call_writes_the_same_bytes(tmp_path: Path) -> None:
    rows = rows_of(SAMPLE / "SES.en.jsonl")
    path = recorded(tmp_path / "p.jsonl", [row | {"answer": row["ans1"]} for row in rows])
    written = []
    for _ in range(2):
        scored(tmp_path, [SAMPLE / "SES.en.jsonl"], [path])
        written.append((tmp_path / "scores.json").read_bytes())
    assert written[0] == written[1]


# --- bad input ---


@pytest.mark.parametrize(
    ("predictions", "more", "message"),
    [
        ([{"id": 1, "answer": "x"}], (), "p.jsonl, line 1: no 'example_id'; wanted it in every prediction"),
        ([{"example_id": 192, "said": "x"}], (), r"no 'answer'.*found: example_id, said"),
        ([{"example_id": -5, "answer": "x"}], (), "no prediction belongs to an item"),
        ([{"example_id": 0, "answer": "A"}, {"example_id": 0, "answer": "B"}], (), "item 0 was answered 'A' before"),
    ],
)
def test_bad_predictions_are_told_in_one_line(
    tmp_path: Path, predictions: list[dict[str, Any]], more: tuple[str, ...], message: str
) -> None:
    items = recorded(tmp_path / "SES.en.jsonl", [rows_of(SAMPLE / "SES.en.jsonl")[0] | {"example_id": 0}])
    with pytest.raises(Trouble, match=message):
        scored(tmp_path, [items], [recorded(tmp_path / "p.jsonl", predictions)], *more)


def test_an_item_that_stands_twice_is_refused(tmp_path: Path) -> None:
    row = rows_of(SAMPLE / "SES.en.jsonl")[0]
    items = recorded(tmp_path / "SES.en.jsonl", [row, row])
    with pytest.raises(Trouble, match=r"bbq: item 'SES-\d+-en' stands more than once in the items"):
        scored(tmp_path, [items], [recorded(tmp_path / "p.jsonl", [row | {"answer": "A"}])])
