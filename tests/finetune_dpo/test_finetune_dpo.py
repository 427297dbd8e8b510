"""Teaching by preference, with a real model of a few thousand numbers: the same bytes, also after it was stopped."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from stages import training
from stages.finetune_dpo import __main__ as node
from stages.finetune_dpo.lessons import comparisons
from stages.finetune_dpo.parameters import Parameters
from stages.records import PreferencePair
from tests.tiny_model import BY_PREFERENCE, TALKS, read_history, write_lessons, write_params, write_tiny_model


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    write_tiny_model(folder / "sft")
    write_lessons(folder)
    return folder


def _run(project: Path, out: str, **changes: Any) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        write_params(project, finetune_dpo=BY_PREFERENCE | changes)
        patch.setattr(sys, "argv", ["finetune_dpo", "--sft", "sft", "--preferences", "preferences", "--out", out])
        return node.main()


@pytest.fixture(scope="module")
def tuned(project: Path) -> Path:
    """The model as an undisturbed run makes it."""
    assert _run(project, "models/undisturbed").startswith("60 pairs in 15 steps, 100% preferred rightly")
    return project / "models" / "undisturbed"


def test_the_folder_is_a_plain_model_that_learned_to_prefer(project: Path, tuned: Path) -> None:
    assert {path.suffix for path in tuned.rglob("*") if path.is_file()} <= training.PUBLISHED
    assert training.shapes(tuned) == training.shapes(project / "sft")
    rows = read_history(tuned)
    assert rows[0]["reward_margin"] == pytest.approx(0, abs=1e-6), "at first it is its own reference"
    assert rows[-1]["reward_margin"] > 0.05
    metrics = json.loads((tuned / "metrics.json").read_text())
    assert metrics["pairs preferred rightly in training, last steps"] > 0.9
    assert not training.scratch_of(tuned).exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, "interrupt")])
def test_a_stopped_run_goes_on_to_the_same_bytes(
    project: Path, tuned: Path, number: signal.Signals, code: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = training._progress
    monkeypatch.setattr(training, "SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr(
        training, "_progress", lambda *said: (os.kill(os.getpid(), number) if said[2] == 8 else None) or tell(*said)
    )
    out = f"models/{number.name}"
    with pytest.raises((SystemExit, KeyboardInterrupt)) as stopped:
        _run(project, out)
    assert getattr(stopped.value, "code", "interrupt") == code
    assert not (project / out).exists()
    scratch = training.scratch_of(project / out)
    assert (next(scratch.iterdir()) / "checkpoint-9" / training.COMPLETE).exists(), (
        "the step under way is ended and saved"
    )
    monkeypatch.undo()
    _run(project, out)
    for name in ("model.safetensors", "history.csv"):
        assert (project / out / name).read_bytes() == (tuned / name).read_bytes(), name


def test_a_run_killed_after_its_last_step_only_publishes(
    project: Path, tuned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "write_model", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
    with pytest.raises(RuntimeError, match="killed"):
        _run(project, "models/late")
    monkeypatch.undo()
    _run(project, "models/late")
    assert (project / "models/late/model.safetensors").read_bytes() == (tuned / "model.safetensors").read_bytes()


def test_lora_keeps_no_second_model_and_gives_a_plain_one(project: Path, tuned: Path) -> None:
    _run(project, "models/lora", method="lora", learning_rate=0.01)
    out = project / "models/lora"
    assert training.shapes(out) == training.shapes(project / "sft")
    assert (out / "model.safetensors").read_bytes() != (tuned / "model.safetensors").read_bytes()


def test_with_two_epochs_the_reference_is_asked_once(project: Path) -> None:
    assert "30 steps" in _run(project, "models/twice", epochs=2)
    rows = read_history(project / "models/twice")
    assert rows[0]["reward_margin"] == pytest.approx(0, abs=1e-4)
    assert rows[-1]["reward_margin"] > rows[14]["reward_margin"]


def test_the_heads_shortcut_changes_no_loss(project: Path, tuned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl.trainer import utils

    monkeypatch.setattr(training, "skip_prompts_in_the_head", lambda vocabulary: None)
    monkeypatch.setattr(utils, "_use_triton", lambda device: False)
    monkeypatch.setattr(utils, "_CHUNKED_LOGPROB_CHUNK_SIZE", 32768)
    _run(project, "models/long-way")
    ours, theirs = ([row["loss"] for row in read_history(folder)] for folder in (tuned, project / "models/long-way"))
    assert ours == pytest.approx(theirs, abs=1e-3)


def test_pairs_that_teach_nothing_are_left_out_with_their_reason(project: Path) -> None:
    tokenizer = training.load_tokenizer(project / "sft", 200)
    language, question, better, worse = TALKS[4]

    def pair(name: str, **changes: str) -> PreferencePair:
        said = {"prompt": question, "chosen": better, "rejected": worse} | changes
        return PreferencePair(id=name, language=language, principle_ids=(), kind="probe", teacher="t", **said)

    pairs = [
        pair("good"),
        pair("equal", rejected=f"{better} "),
        pair("long", rejected=worse * 30),
        pair("forged", prompt="Kaixo<|im_end|>"),
    ]
    lessons = comparisons(pairs, tokenizer, Parameters(**BY_PREFERENCE))
    assert len(lessons.rows) == 1
    assert dict(lessons.dropped) == {"two equal answers": 1, "longer than max_length": 1, "holds a control token": 1}
    row = lessons.rows[0]
    assert tokenizer.decode(row["chosen_ids"]) == f"{better}<|im_end|>"
    assert tokenizer.decode(row["rejected_ids"]) == f"{worse}<|im_end|>"


def test_max_pairs_draws_the_same_pairs_everywhere(project: Path) -> None:
    some = training.read_pairs(project / "preferences", Parameters(**BY_PREFERENCE | {"max_pairs": 7}))
    every = training.read_pairs(project / "preferences", Parameters(**BY_PREFERENCE))
    assert [pair.id for pair in some] == [pair.id for pair in every[:7]]
    assert len({pair.language for pair in some}) > 1
