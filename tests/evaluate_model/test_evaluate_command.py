"""`commons evaluate`: any model folder, several benchmarks, one load; and what it refuses."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from flows.evaluate_command import add
from stages.errors import Trouble
from stages.evaluate_model import language_model
from tests.evaluate_model.test_evaluate_model import PAIRS, content

torch = pytest.importorskip("torch")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rows = [f"{n},{a} {n} {end},{b} {n} {end},stereo,age,{lang}" for n in range(5) for lang, a, b, end in PAIRS]
    path = tmp_path / "in" / "pairs.csv"
    path.parent.mkdir()
    header = "id,sent_more,sent_less,stereo_antistereo,bias_type,language"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "eu.jsonl"
    rows = [
        {"item_id": f"eu-{n}", "language": "eu", "text": f"{n}. Udalak hilero biltzen du bilkura."} for n in range(6)
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def options(tmp_path: Path) -> Path:
    path = tmp_path / "options.yaml"
    path.write_text("evaluate_model: {resamples: 100, min_items: 5, options: {crows-pairs: {max_items: 16}}}\n")
    return path


def commons(*words: Any) -> int:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    given = parser.parse_args(["evaluate", *map(str, words)])
    return int(given.act(given))


def test_several_benchmarks_with_one_load(
    model_folder: Path,
    pairs: Path,
    texts: Path,
    options: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    loads = []
    load = language_model.open_model
    monkeypatch.setattr(language_model, "open_model", lambda *given: loads.append(given) or load(*given))
    asked = ("--benchmark", f"crows-pairs={pairs}", "--benchmark", f"civic-text={texts.parent}/*.jsonl")
    assert commons(model_folder, *asked, "--options", options, "--out", tmp_path / "out") == 0
    assert len(loads) == 1
    first = content(tmp_path / "out")
    for name in ("crows-pairs", "civic-text"):
        assert {f"{name}/{file}" for file in ("items.jsonl", "scores.json", "benchmark.json", "metrics.json")} < set(
            first
        )
        assert f"{name}/plots/scores.png" in first
    said = capsys.readouterr().out
    assert "16 items in 1 files" in said
    assert "preference for the stereotyping sentence: " in said
    about = json.loads(first["crows-pairs/benchmark.json"])
    assert (list(about["files"]), about["items"]) == (["pairs.csv"], 16)
    assert str(tmp_path) not in "".join(value.decode("utf-8", "ignore") for value in first.values())

    assert (
        commons(model_folder, *asked, "--options", options, "--out", tmp_path / "out") == 0
    )  # its own may be replaced
    assert content(tmp_path / "out") == first


def test_the_node_and_the_command_give_the_same(
    model_folder: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from stages.evaluate_model.__main__ import main

    (tmp_path / "items").mkdir()
    pairs.parent.rename(tmp_path / "items" / "crows-pairs")
    items = tmp_path / "items" / "crows-pairs"
    section = "{items: items, benchmarks: [crows-pairs], resamples: 100, min_items: 5}"
    (tmp_path / "params.yaml").write_text(f"evaluate_model: {section}\n")
    (tmp_path / "options.yaml").write_text("resamples: 100\nmin_items: 5\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["", "--model", str(model_folder), "--items", str(items), "--out", "node"])
    main()
    given = ("--benchmark", f"crows-pairs={items}", "--options", "options.yaml", "--out", "command")
    commons(model_folder, *given)
    assert content(tmp_path / "command" / "crows-pairs") == content(tmp_path / "node")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["crows-pair=in"], "'crows-pair'.*did you mean 'crows-pairs'"),
        (["crows-pairs"], "names no items; wanted crows-pairs=FILES"),
        (["crows-pairs=nowhere.csv"], "nowhere.csv: nothing is there"),
        (["lm_eval:../x"], "lm_eval:<task>"),
        (["lm_eval:x=in/pairs.csv"], "wanted one folder with task files"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_model_is_loaded(
    model_folder: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(language_model, "open_model", lambda *_: pytest.fail("the model was loaded"))
    with pytest.raises(Trouble, match=message):
        commons(model_folder, "--benchmark", *asked, "--out", "out")
    assert not (tmp_path / "out").exists()


def test_somebodys_folder_and_a_benchmark_named_twice_are_refused(
    model_folder: Path, pairs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "crows-pairs"
    out.mkdir(parents=True)
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(Trouble, match="holds other things"):
        commons(model_folder, "--benchmark", f"crows-pairs={pairs}", "--out", tmp_path / "out")
    with pytest.raises(Trouble, match="given twice"):
        twice = ("--benchmark", f"crows-pairs={pairs}") * 2
        commons(model_folder, *twice, "--out", tmp_path / "new")
    assert (out / "thesis.txt").exists()


def test_a_folder_that_is_no_model_is_named(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"has no \.safetensors weights"):
        commons(pairs.parent, "--benchmark", f"crows-pairs={pairs}", "--out", tmp_path / "out")
