"""Teaching by example, with a real model of a few thousand numbers: the same bytes, also after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages import training
from stages.errors import Trouble
from stages.finetune_sft import __main__ as node
from stages.finetune_sft.lessons import UNTAUGHT, add_passages, answers, draw_documents
from stages.finetune_sft.parameters import Parameters
from stages.records import Document, PreferencePair
from tests.tiny_model import BY_EXAMPLE, read_history, write_lessons, write_params, write_plan, write_tiny_model

ROOT = Path(__file__).parents[2]
COMMAND = ["--base", "base", "--preferences", "preferences", "--corpus", "corpus", "--plan", "plan", "--out"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    write_tiny_model(folder / "base")
    write_lessons(folder)
    write_plan(folder / "plan")
    write_params(folder, finetune_sft=BY_EXAMPLE)
    return folder


@pytest.fixture
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    write_params(project, finetune_sft=BY_EXAMPLE)
    return project


def _run(out: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "argv", ["finetune_sft", *COMMAND, out])
    return node.main()


def _weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def taught(project: Path) -> Path:
    """The model as an undisturbed run makes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        counts = _run("models/undisturbed", patch)
    assert counts.startswith("60 answers and 2")
    return project / "models" / "undisturbed"


def test_the_folder_is_a_plain_model_that_learned(project: Path, taught: Path) -> None:
    names = {path.relative_to(taught).as_posix() for path in taught.rglob("*") if path.is_file()}
    assert names == {
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "chat_template.jinja", "training.json", "history.csv", "metrics.json", "gate.json", "plots/training.png",
    }  # fmt: skip
    assert training.shapes(taught) == training.shapes(project / "base")
    assert (taught / "tokenizer.json").read_bytes() == (project / "base" / "tokenizer.json").read_bytes()
    assert json.loads((taught / "config.json").read_text())["use_cache"] is True
    told = json.loads((taught / "training.json").read_text())
    assert told["plan"] == write_plan(project / "plan")  # what will be measured was fixed before
    assert [row["step"] for row in read_history(taught)] == list(range(1, told["steps"] + 1))
    metrics = json.loads((taught / "metrics.json").read_text())
    assert metrics["training loss, last steps"] < metrics["training loss, first steps"] - 0.1
    assert not training.scratch_of(taught).exists()


def test_a_killed_run_goes_on_to_the_same_bytes(here: Path, taught: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = here / "models" / "killed"
    scratch = training.scratch_of(out)
    command = [sys.executable, "-m", "stages.finetune_sft", *COMMAND, str(out.relative_to(here))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not list(scratch.glob(f"*/checkpoint-*/{training.COMPLETE}")) and time.monotonic() < deadline:
        assert child.poll() is None, "the run ended before it was killed"
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not out.exists(), "nothing half-taught is published"

    newest = max(scratch.glob("*/checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    broken = newest.with_name("checkpoint-9999")  # as a kill in the middle of saving leaves it
    broken.mkdir()
    (broken / "model.safetensors").write_bytes((newest / "model.safetensors").read_bytes()[:1000])
    begun = []
    seen = training.newest_complete
    monkeypatch.setattr(training, "newest_complete", lambda folder: begun.append(seen(folder)) or begun[-1])
    _run("models/killed", monkeypatch)
    assert begun[0] is not None, "went on from a checkpoint"
    for name in ("model.safetensors", "history.csv", "training.json", "metrics.json", "plots/training.png"):
        assert (out / name).read_bytes() == (taught / name).read_bytes(), name


def test_lora_gives_a_plain_model(here: Path, taught: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_params(here, finetune_sft=BY_EXAMPLE | {"method": "lora", "learning_rate": 0.01})
    _run("models/lora", monkeypatch)
    out = here / "models" / "lora"
    assert training.shapes(out) == training.shapes(here / "base")
    assert not list(out.glob("adapter*"))
    assert _weights(out) not in (_weights(here / "base"), _weights(taught))


def test_a_loss_that_is_no_number_stops_the_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_params(here, finetune_sft=BY_EXAMPLE | {"learning_rate": 1e30})
    with pytest.raises(Trouble, match=r"The loss is (nan|inf) at step \d+; wanted a number: lower learning_rate"):
        _run("models/burst", monkeypatch)
    assert not (here / "models" / "burst").exists()


def test_a_model_of_pickles_is_one_line_and_nothing_written(here: Path) -> None:
    (here / "pickled").mkdir()
    (here / "pickled" / "config.json").write_text("{}")
    (here / "pickled" / "pytorch_model.bin").write_bytes(b"\x80")
    command = [sys.executable, "-m", "stages.finetune_sft", "--base", "pickled", *COMMAND[2:], "models/pickled"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.strip().startswith("finetune_sft: pickled holds config.json, pytorch_model.bin; wanted a model")
    assert not (here / "models" / "pickled").exists()


# The lessons


def test_only_the_answer_is_learned(project: Path) -> None:
    tokenizer = training.load_tokenizer(project / "base", 200)
    pair = PreferencePair(
        id="1",
        language="fr",
        principle_ids=(),
        kind="probe",
        prompt="Où est l'école ?",
        chosen="Rue Zola.",
        rejected="Là.",
        teacher="t",
    )
    (row,) = answers([pair], tokenizer, Parameters(**BY_EXAMPLE)).rows
    learned = [token for token in row["labels"] if token != UNTAUGHT]
    assert tokenizer.decode(learned) == "Rue Zola.<|im_end|>"
    assert row["input_ids"][-len(learned) :] == learned


def _document(language: str, number: int, words: int) -> Document:
    return Document(
        id=f"{language}{number}",
        text="Udalak bilera du. " * words,
        language=language,
        source="s",
        url="",
        license="CC0-1.0",
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5])
def test_passages_are_their_share_of_the_tokens(project: Path, share: float) -> None:
    params = Parameters(**BY_EXAMPLE | {"replay_share": share})
    tokenizer = training.load_tokenizer(project / "base", 200)
    lessons = answers(training.read_pairs(project / "preferences", params), tokenizer, params)
    read = sum(lessons.lengths)
    documents = [_document(language, number, 200) for language in ("eu", "ca") for number in range(5)]
    passages = add_passages(lessons, documents, tokenizer, params)
    assert (sum(lessons.lengths) - read) / sum(lessons.lengths) == pytest.approx(share, abs=0.02)
    assert len(lessons.rows) == 60 + passages
    assert all(row["labels"] == row["input_ids"] for row in lessons.rows[60:]), "a passage is learned as a whole"


def test_a_small_corpus_is_read_once(project: Path) -> None:
    params = Parameters(**BY_EXAMPLE | {"replay_share": 0.9})
    tokenizer = training.load_tokenizer(project / "base", 200)
    lessons = answers(training.read_pairs(project / "preferences", params), tokenizer, params)
    assert 1 <= add_passages(lessons, [_document("eu", 1, 10)], tokenizer, params) <= 5


def test_documents_are_drawn_by_lot_one_language_after_the_other_without_holding_all() -> None:
    texts = "Udalak bilera du. " * 6_000  # 100 kB
    alive: list[int] = []

    def streamed() -> Iterator[Document]:
        for number in range(600):
            language = ("eu", "ca", "fr")[number % 3]
            yield _document(language, number, 1).model_copy(update={"text": f"{number} {texts}"})
            alive.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        chosen = draw_documents(streamed(), 7, seed=3)
    finally:
        tracemalloc.stop()
    assert max(alive) < 10_000_000  # of 60 MB
    ranked = {
        language: sorted((f"{language}{n}" for n in range(place, 600, 3)), key=lambda id: training.drawn(3, id))
        for place, language in enumerate(("eu", "ca", "fr"))
    }
    turns = zip(*(ranked[language] for language in ("ca", "eu", "fr")), strict=True)
    assert [document.id for document in chosen] == [id for turn in turns for id in turn][:7]
    assert draw_documents([_document("eu", 1, 1)], 0, seed=3) == []


@pytest.mark.skipif("not __import__('torch').cuda.is_available()", reason="no GPU here")
def test_a_gpu_teaches_too(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _run("models/gpu", monkeypatch)
    assert json.loads((here / "models" / "gpu" / "training.json").read_text())["precision"] == "bfloat16"
    assert training.shapes(here / "models" / "gpu") == training.shapes(here / "base")
