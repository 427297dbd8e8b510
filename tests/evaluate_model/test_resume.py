"""A killed measurement goes on where it was: nothing asked twice, the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stages.errors import Trouble
from stages.evaluate_model import evaluation
from stages.evaluate_model.evaluation import Source, evaluate, prepare
from stages.evaluate_model.language_model import OpenModel, open_folder
from stages.evaluate_model.parameters import Options, Parameters
from stages.evaluate_model.progress import words
from stages.evaluate_model.resume import Blocks, StoredOutcomes
from stages.records import ItemOutcome

torch = pytest.importorskip("torch")
NAME = "crows-pairs"


@pytest.fixture(scope="module")
def tiny(model_folder: Path) -> OpenModel:
    return open_folder(model_folder, "float32", 1, None)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    lines = [f"{n},L'àvia {n} no sap conduir.,El nét {n} no sap conduir.,stereo,age" for n in range(25)]
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(["id,sent_more,sent_less,stereo_antistereo,bias_type", *lines]) + "\n", encoding="utf-8")
    return path


def params(**changes: Any) -> Parameters:
    return Parameters(
        **{"items": "", "benchmarks": (NAME,), "resamples": 100, "min_items": 5, "block_items": 10} | changes
    )


def run(tiny: OpenModel, pairs: Path, out: Path, **changes: Any) -> Any:
    given = params(**changes)
    return evaluate(tiny, prepare(Source(NAME, (pairs,), pairs.parent), given), out, given)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def killed_after(monkeypatch: pytest.MonkeyPatch, blocks: int) -> list[int]:
    """Let the measurement die after so many blocks; the list fills with the sizes of the blocks that are asked."""
    asked: list[int] = []
    ask = evaluation.outcomes

    def dying(name: str, items: Any, *more: Any) -> Any:
        if len(asked) == blocks:
            raise KeyboardInterrupt
        asked.append(len(items))
        return ask(name, items, *more)

    monkeypatch.setattr(evaluation, "outcomes", dying)
    return asked


def test_a_killed_run_goes_on_and_gives_the_same_bytes(
    tiny: OpenModel, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run(tiny, pairs, tmp_path / "whole")
    with monkeypatch.context() as dying:
        killed_after(dying, 2)
        with pytest.raises(KeyboardInterrupt):
            run(tiny, pairs, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert (tmp_path / ".out.items.partial").is_dir()
    with monkeypatch.context() as counting, caplog.at_level("INFO"):
        asked = killed_after(counting, 99)
        run(tiny, pairs, tmp_path / "out")
    assert asked == [5]
    assert "20 items were there from an interrupted run" in caplog.text
    assert content(tmp_path / "out") == content(tmp_path / "whole")
    assert not (tmp_path / ".out.items.partial").exists()


@pytest.mark.parametrize("what", ["items", "settings", "options"])
def test_what_was_begun_with_other_things_is_not_used(
    tiny: OpenModel, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with monkeypatch.context() as dying:
        killed_after(dying, 2)
        with pytest.raises(KeyboardInterrupt):
            run(tiny, pairs, tmp_path / "out")
    changes: dict[str, Any] = {}
    if what == "items":
        pairs.write_text(pairs.read_text(encoding="utf-8").replace("sap", "vol"), encoding="utf-8")
    elif what == "settings":
        changes["seed"] = 7
    else:
        changes["options"] = {NAME: Options(normalisation="token")}
    asked = killed_after(monkeypatch, 99)
    run(tiny, pairs, tmp_path / "out", **changes)
    assert asked == [10, 10, 5]


def test_the_size_of_blocks_changes_no_choice(tiny: OpenModel, pairs: Path, tmp_path: Path) -> None:
    for size in (7, 1000):
        run(tiny, pairs, tmp_path / f"by{size}", block_items=size)
    small, large = (list(StoredOutcomes(tmp_path / f"by{size}" / "items.jsonl")) for size in (7, 1000))
    assert [item.choice for item in small] == [item.choice for item in large]
    for one, other in zip(small, large, strict=True):
        assert one.log_likelihoods == pytest.approx(other.log_likelihoods, abs=1e-3)


def test_a_half_written_block_is_asked_again(tmp_path: Path) -> None:
    blocks = Blocks(tmp_path / "out", {"model": "a"})
    outcome = ItemOutcome(item_id="1", language="ca", category="age", cluster="1", choice="tie", values={"x": 0.5})
    blocks.write(0, [outcome], {"contexts_cut": 1})
    (tmp_path / ".out.items.partial").joinpath(
        next((tmp_path / ".out.items.partial").iterdir()).name, "000001.jsonl"
    ).write_text("{", encoding="utf-8")
    assert (blocks.finished(0), blocks.finished(1)) == (True, False)
    blocks.write(1, [outcome, outcome], {"contexts_cut": 2})
    assert blocks.joined(tmp_path / "items.jsonl", 2) == {"contexts_cut": 3}
    stored = StoredOutcomes(tmp_path / "items.jsonl")
    assert (len(stored), stored[-1], stored[1:]) == (3, outcome, [outcome, outcome])


def test_a_likelihood_that_is_no_number_names_benchmark_item_and_way_out(
    tiny: OpenModel, pairs: Path, tmp_path: Path
) -> None:
    weight = tiny.model.get_input_embeddings().weight
    token = tiny.tokenizer("7", add_special_tokens=False)["input_ids"][0]
    before = weight.data[token].clone()
    try:
        weight.data[token] = float("nan")
        with pytest.raises(
            Trouble, match=r"crows-pairs, item 0-\w+: the model's log-likelihood is nan; wanted .* float32"
        ):
            run(tiny, pairs, tmp_path / "out")
    finally:
        weight.data[token] = before
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_asked_names_its_item(tiny: OpenModel, pairs: Path, tmp_path: Path) -> None:
    lines = pairs.read_text(encoding="utf-8").replace("L'àvia 13", "<|im_end|>")
    pairs.write_text(lines, encoding="utf-8")
    with pytest.raises(Trouble, match=r"crows-pairs, item 13-\w+: holds the model's control token"):
        run(tiny, pairs, tmp_path / "out")


@pytest.mark.parametrize(("seconds", "said"), [(4.4, "4 s"), (600, "10 min"), (9000, "2.5 h")])
def test_times_in_words(seconds: float, said: str) -> None:
    assert words(seconds) == said
