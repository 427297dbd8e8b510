"""Fine-tune with TRL so that the same inputs give the same bytes, also where the run was killed and began again.

Shared by `finetune_sft` and `finetune_dpo`. Heavy libraries are imported inside the functions that need them.
"""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import math
import os
import random
import shutil
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from stages.artifact import read_json, read_jsonl, write_csv, write_json
from stages.errors import Trouble
from stages.node import QUIET
from stages.params import Section
from stages.records import PreferencePair

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation
    from transformers import PreTrainedTokenizerBase, Trainer

log = logging.getLogger("commons")

COMPLETE = "COMPLETE.json"  # the marker that holds the hashes of a checkpoint's files
PUBLISHED = {".csv", ".jinja", ".json", ".md", ".model", ".png", ".safetensors", ".txt"}  # nothing that can run code
TAKEN_OVER = (
    "added_tokens",
    "chat_template",
    "generation_config",
    "merges",
    "special_tokens",
    "token",
    "vocab",
    "LICEN",
    "NOTICE",
)
SECONDS_BETWEEN_LINES = 5  # of progress


class LeftOut(Exception):
    """Why a pair cannot be learned from."""


class TrainingParameters(Section):
    """What both ways of fine-tuning have in common."""

    method: Literal["full", "lora"]
    lora_rank: PositiveInt
    precision: Literal["auto", "float32", "bfloat16"]
    threads: PositiveInt
    seed: Annotated[int, Field(ge=0)]
    epochs: PositiveInt
    max_steps: PositiveInt | None
    batch_size: PositiveInt
    accumulation: PositiveInt
    learning_rate: PositiveFloat
    warmup_share: Annotated[float, Field(ge=0, lt=1)]
    max_length: PositiveInt
    max_pairs: PositiveInt | None
    checkpoint_steps: PositiveInt
    gradient_checkpointing: bool


# The machine -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Machine:
    """What the training runs on, as far as it shapes the bytes."""

    device: Literal["cpu", "cuda"]
    precision: Literal["float32", "bfloat16"]


def prepare(params: TrainingParameters, scratch: Path) -> Machine:
    """Quieten the libraries, choose device and precision, and make torch repeatable; call it before any import of them."""
    scratch.mkdir(parents=True, exist_ok=True)
    quiet = {**QUIET, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    quiet["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # cuBLAS repeats its results only with a fixed workspace
    quiet["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0")  # TRL refuses several GPUs in a process
    for name, value in quiet.items():
        os.environ.setdefault(name, value)
    os.environ["HF_DATASETS_CACHE"] = str(scratch / "datasets")
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    # TRL 1.16 asks for a name that transformers 5.23 is giving up.
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
    torch.set_num_threads(params.threads)
    device: Literal["cpu", "cuda"] = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        torch.use_deterministic_algorithms(True, warn_only=True)
    wanted = params.precision
    if wanted == "auto":  # not bfloat16 on a CPU: faster on some only, and other bytes than on the others
        wanted = "bfloat16" if device == "cuda" else "float32"
    return Machine(device, wanted)


# The model that is taught ----------------------------------------------------------------------------------------


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """The name and shape of every tensor in a model folder; raises Trouble where it is no safetensors model."""
    from safetensors import safe_open

    files = sorted(folder.glob("*.safetensors"))
    if not (folder / "config.json").exists() or not files:
        found = ", ".join(sorted(path.name for path in folder.glob("*"))[:8]) or "nothing"
        raise Trouble(
            f"{folder} holds {found}; wanted a model with config.json and weights as .safetensors"
            " (other formats can run code when they are read); convert it or choose another."
        )
    found_shapes: dict[str, tuple[int, ...]] = {}
    for path in files:
        try:
            with safe_open(path, framework="numpy") as weights:
                names = list(weights.keys())
                found_shapes |= {name: tuple(weights.get_slice(name).get_shape()) for name in names}
        except Exception as error:  # safetensors raises its own type for each kind of damage
            raise Trouble(f"{path} is not a readable safetensors file ({error}); fetch the model again.") from None
    if read_json(folder / "config.json").get("tie_word_embeddings"):
        found_shapes.pop("lm_head.weight", None)  # the input embeddings once more; some models store them twice
    return found_shapes


def load_tokenizer(folder: Path, max_length: int) -> PreTrainedTokenizerBase:
    """The model's tokenizer; raises Trouble where a model taught with it would never stop or could not be asked."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not tokenizer.chat_template:
        raise Trouble(f"{folder} has no chat template; wanted chat_template.jinja, which says how a question is put.")
    if tokenizer.pad_token is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise Trouble(
            f"{folder}: the padding token is {tokenizer.pad_token!r} and the end token {tokenizer.eos_token!r}; wanted two"
            " different ones, else the model never learns to stop; set pad_token in tokenizer_config.json."
        )
    room = read_json(folder / "config.json").get("max_position_embeddings", max_length)
    if max_length > room:
        raise Trouble(f"max_length is {max_length}; {folder} reads at most {room} tokens: lower max_length.")
    return tokenizer


# The lessons -----------------------------------------------------------------------------------------------------


def read_pairs(folder: Path, params: TrainingParameters) -> list[PreferencePair]:
    """The pairs in an order that depends on the seed and on their ids only; at most `max_pairs`."""
    path = folder / "pairs.jsonl"
    pairs = sorted(read_jsonl(path, PreferencePair), key=lambda pair: drawn(params.seed, pair.id))
    if not pairs:
        raise Trouble(f"{path} holds no pair; wanted at least one: look at what generate_preferences dropped.")
    return pairs[: params.max_pairs]


def drawn(seed: int, name: str) -> str:
    """A lot for `name`: to sort by it shuffles, the same way on every machine and whatever else is in the list."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def encode(tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str) -> tuple[list[int], list[int]]:
    """The tokens of the question and of the answer with its end token, as the chat template puts them.

    Raises LeftOut, with the reason, for a text that does not come through unchanged.
    """
    if any(token in text for token in tokenizer.get_added_vocab() for text in (prompt, answer)):
        raise LeftOut("holds a control token")  # a citizen's text must not end the question in the model's eyes
    question = [{"role": "user", "content": prompt}]
    asked = _tokens(tokenizer, question, add_generation_prompt=True)
    whole = _tokens(tokenizer, [*question, {"role": "assistant", "content": answer}])
    if whole[: len(asked)] != asked or tokenizer.eos_token_id not in whole[len(asked) :]:
        raise Trouble(
            f"The chat template writes {tokenizer.decode(whole)!r}; wanted the question as it is asked, the answer and"
            f" then {tokenizer.eos_token!r}, so that the model learns to answer and to stop; mend chat_template.jinja."
        )
    end = len(whole) - whole[::-1].index(tokenizer.eos_token_id)  # a template may write a line break after it
    said = whole[len(asked) : end]
    if tokenizer.decode(said[:-1]).strip() != answer.strip():
        raise LeftOut("changed by the tokenizer")
    return asked, said


def _tokens(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], **options: bool) -> list[int]:
    text = tokenizer.apply_chat_template(messages, tokenize=False, **options)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


@dataclass
class Lessons:
    """Rows of tokens for TRL with the length of each, and how many were left out and why."""

    rows: list[dict[str, list[int]]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)  # tokens that the model reads for the row
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, row: dict[str, list[int]], length: int) -> None:
        """Append a row."""
        self.rows.append(row)
        self.lengths.append(length)


def make_lessons(
    pairs: Iterable[PreferencePair],
    make: Callable[[PreferencePair], tuple[dict[str, list[int]], int, int]],
    max_length: int,
) -> Lessons:
    """Turn pairs into rows with `make`, which returns the row, its tokens and its longest sequence."""
    lessons = Lessons()
    for pair in pairs:
        try:
            row, length, longest = make(pair)
        except LeftOut as reason:
            lessons.dropped[str(reason)] += 1
            continue
        if longest > max_length:  # cutting it would take the end token away
            lessons.dropped["longer than max_length"] += 1
        else:
            lessons.add(row, length)
    if not lessons.rows:
        raise Trouble(
            f"No pair was left to learn from ({counts(lessons.dropped)}); raise max_length or mend the pairs."
        )
    return lessons


def counts(dropped: Mapping[str, int]) -> str:
    """The reasons in words, the most frequent first."""
    return ", ".join(
        f"{reason} {count:,}" for reason, count in sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
    )


def arrange(lengths: Sequence[int], batch: int, epochs: int, seed: int) -> list[int]:
    """The order of the rows over all epochs: batches of like length, the batches shuffled.

    Like length means little padding (random batches of short answers are half padding); the order is fixed here, not
    by a sampler, so that a resumed run reads on where it stopped. What does not fill a batch goes to the next epoch.
    """
    order: list[int] = []
    waiting: list[int] = []
    for epoch in range(epochs):
        lots = random.Random(f"{seed}:{epoch}")
        pool = [*range(len(lengths)), *waiting]
        lots.shuffle(pool)
        whole = len(pool) if epoch == epochs - 1 else len(pool) // batch * batch
        pool, waiting = pool[:whole], pool[whole:]
        pool.sort(key=lambda row: lengths[row])
        batches = [pool[start : start + batch] for start in range(0, len(pool), batch)]
        short = [batches.pop()] if batches and len(batches[-1]) < batch else []
        lots.shuffle(batches)
        order += [row for rows in [*batches, *short] for row in rows]
    return order


# Checkpoints -----------------------------------------------------------------------------------------------------


def fingerprint(params: TrainingParameters, machine: Machine, inputs: Iterable[Path]) -> str:
    """What decides the bytes of the result: parameters, inputs, code, machine and libraries."""
    said = {
        "parameters": params.model_dump(mode="json"),
        "machine": [machine.device, machine.precision],
        "libraries": [version(name) for name in ("torch", "transformers", "trl", "peft", "accelerate")],
        "files": [_digest(path) for root in [Path(__file__), *inputs] for path in _files(root)],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _files(root: Path) -> list[Path]:
    """The files below `root` in a fixed order; what Python or we leave behind while running is none of them."""
    if root.is_file():
        return [root]
    return sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def scratch_of(out: Path) -> Path:
    """The folder beside `out` that outlives a killed run."""
    return out.with_name(f".{out.name}.checkpoints")


@contextmanager
def checkpoints(scratch: Path, mark: str) -> Iterator[Path]:
    """Yield the folder for the checkpoints of this very training; it goes when the block ends well, others go first."""
    scratch.mkdir(parents=True, exist_ok=True)
    for other in scratch.iterdir():
        if other.name != mark:
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    (scratch / mark).mkdir(exist_ok=True)
    yield scratch / mark
    shutil.rmtree(scratch)


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as complete: its files' hashes, on the disk before the marker takes its name."""
    hashes = {}
    for path in sorted(path for path in checkpoint.iterdir() if path.name != COMPLETE):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        hashes[path.name] = _digest(path)
    partial = checkpoint / f"{COMPLETE}.partial"
    write_json(partial, hashes)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.rename(checkpoint / COMPLETE)


def newest_complete(folder: Path) -> Path | None:
    """The newest checkpoint that is whole; broken ones are removed, for TRL would stumble over them."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    whole = None
    for checkpoint in found:
        if whole is None and _is_complete(checkpoint):
            whole = checkpoint
        elif whole is None:
            log.info("checkpoint of step %s is not whole; left out", checkpoint.name.rpartition("-")[2])
            shutil.rmtree(checkpoint)
    return whole


def _is_complete(checkpoint: Path) -> bool:
    try:
        hashes = read_json(checkpoint / COMPLETE)
        return bool(hashes) and all(_digest(checkpoint / name) == value for name, value in hashes.items())
    except (Trouble, OSError):
        return False


# The training ----------------------------------------------------------------------------------------------------


def settings(params: TrainingParameters, machine: Machine, scratch: Path) -> dict[str, Any]:
    """The arguments that TRL's SFTConfig and DPOConfig have in common.

    One epoch over rows that `arrange` has put in order; every step is logged, because TRL averages between two logs
    and a resumed run would average over less.
    """
    weights = "bfloat16" if params.method == "lora" and machine.precision == "bfloat16" else "float32"
    return {
        "output_dir": str(scratch),
        "num_train_epochs": 1,
        "train_sampling_strategy": "sequential",
        "per_device_train_batch_size": params.batch_size,
        "gradient_accumulation_steps": params.accumulation,
        "activation_checkpointing": params.gradient_checkpointing,
        "learning_rate": params.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": params.warmup_share,  # below 1: a share of all steps
        "seed": params.seed,
        "max_length": None,  # `make_lessons` has left out what is too long
        "remove_unused_columns": False,
        "bf16": machine.precision == "bfloat16",
        "use_cpu": machine.device == "cpu",
        "dataloader_pin_memory": machine.device == "cuda",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # else a loss that is no number is logged as the mean of those before
        "save_strategy": "steps",
        "save_steps": params.checkpoint_steps,
        "save_total_limit": 2,  # the one before stays until the new one is whole
        "report_to": [],
        "disable_tqdm": True,
        "model_init_kwargs": {"dtype": weights, "use_safetensors": True, "local_files_only": True},
    }


def adapter(params: TrainingParameters) -> Any:
    """The LoRA adapter to train, or None where all weights are trained."""
    if params.method == "full":
        return None
    from peft import LoraConfig

    rank = params.lora_rank
    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")


def skip_prompts_in_the_head(vocabulary: int) -> None:
    """Let TRL score only the answers' positions on a CPU too, as it does on a GPU; the loss is the same.

    TRL 1.16 scores prompt and padding as well where there is no Triton, for devices that compile once per shape; a CPU
    is not one of them. Its tiles are made for vocabularies of 256,000, so ours leave most of a tile unused.
    """
    from trl.trainer import utils

    if hasattr(utils, "_use_triton") and hasattr(utils, "_CHUNKED_LOGPROB_CHUNK_SIZE"):
        utils._use_triton = lambda device: True  # in this module it decides on the positions only
        utils._CHUNKED_LOGPROB_CHUNK_SIZE = min(vocabulary, utils._CHUNKED_LOGPROB_CHUNK_SIZE)


def order_of(lessons: Lessons, params: TrainingParameters) -> list[int]:
    """The rows in the order they are read, cut after `max_steps` where that is given."""
    order = arrange(lessons.lengths, params.batch_size, params.epochs, params.seed)
    return order[: params.max_steps * params.batch_size * params.accumulation] if params.max_steps else order


def fit(trainer: Trainer, lengths: Sequence[int], params: TrainingParameters) -> list[dict[str, float]]:
    """Train to the last step, from the newest whole checkpoint on; return what TRL logged at each step.

    `lengths` are the tokens of the rows in the order they are read. Ends the process where it was asked to stop.
    """
    import torch
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    folder = Path(trainer.args.output_dir)
    rows = params.batch_size * params.accumulation
    tokens = [sum(lengths[start : start + rows]) for start in range(0, len(lengths), rows)]
    start = newest_complete(folder)
    if start:
        log.info("going on from the checkpoint of step %s", start.name.rpartition("-")[2])
    with _stop_on_signal() as asked:
        for callback in _callbacks(tokens, asked):
            trainer.add_callback(callback)
        try:
            trainer.train(resume_from_checkpoint=str(start) if start else None)
        except torch.OutOfMemoryError:
            raise Trouble(
                f"The GPU's memory is too small for batches of {params.batch_size}; wanted room for model, gradients and"
                " optimiser: lower batch_size and raise accumulation, set gradient_checkpointing: true or method: lora."
            ) from None
    _end_where_asked(asked, trainer.state.global_step, trainer.state.max_steps)
    if trainer.state.global_step != trainer.state.max_steps:
        raise RuntimeError(f"training ended at step {trainer.state.global_step} of {trainer.state.max_steps}")
    return [entry for entry in trainer.state.log_history if "loss" in entry]


@contextmanager
def _stop_on_signal() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM, so that the training can end after a step; a second one ends it at once."""
    asked: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_where_asked(asked: list[int], step: int, steps: int) -> None:
    if not asked:
        return
    log.info("stopped at step %s of %s with a checkpoint; run again to go on", f"{step:,}", f"{steps:,}")
    if asked[0] == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + asked[0])


def _callbacks(tokens: Sequence[int], asked: list[int]) -> list[Any]:
    """Make the three things to do while TRL trains: tell, seal checkpoints, and stop where asked."""
    from transformers import TrainerCallback

    class Tell(TrainerCallback):
        """One line every few seconds."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.began, self.first, self.told = time.monotonic(), state.global_step, time.monotonic()

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            if logs is None or "loss" not in logs:
                return
            if not math.isfinite(logs["loss"]):
                raise Trouble(
                    f"The loss is {logs['loss']} at step {state.global_step}; wanted a number: lower learning_rate."
                )
            now = time.monotonic()
            if now - self.told >= SECONDS_BETWEEN_LINES:
                self.told = now
                log.info(_progress(tokens, self.first, state.global_step, now - self.began, logs["loss"]))

    class Seal(TrainerCallback):
        """Mark what TRL has saved as whole."""

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    class Stop(TrainerCallback):
        """Save and end after the step in which a signal came."""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if asked:
                control.should_save = control.should_training_stop = True

    return [Tell(), Seal(), Stop()]


def _progress(tokens: Sequence[int], first: int, step: int, seconds: float, loss: float) -> str:
    speed = sum(tokens[first:step]) / seconds
    left = sum(tokens[step:]) / speed
    return f"step {step:,} of {len(tokens):,}, loss {loss:.3f}, {speed:,.0f} tokens/s, {left:.0f} s to go"


# The result ------------------------------------------------------------------------------------------------------


def write_model(trainer: Trainer, source: Path, folder: Path, machine: Machine) -> None:
    """Write the taught model as a plain one: adapters merged, weights as safetensors, the source's tokenizer and licence."""
    import torch

    model = trainer.accelerator.unwrap_model(trainer.model)
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.config.use_cache = read_json(source / "config.json").get("use_cache", True)  # TRL turns it off to train
    model.to(getattr(torch, machine.precision)).save_pretrained(folder)
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)  # safetensors writes 0o600, which a server of the release could not read
    for path in sorted(source.iterdir()):
        if path.name.startswith(TAKEN_OVER) and path.suffix in PUBLISHED | {""}:
            shutil.copyfile(path, folder / path.name)


def write_history(path: Path, history: Sequence[Mapping[str, float]], columns: Mapping[str, str]) -> None:
    """Write one line a step; `columns` maps TRL's names to words."""
    rows = ([entry["step"], *(round(entry[name], 6) for name in columns)] for entry in history)
    write_csv(path, ["step", *columns.values()], rows)


def last_mean(history: Sequence[Mapping[str, float]], name: str) -> float:
    """The mean over the last tenth of the steps: one step's value depends on its batch."""
    last = history[-max(1, len(history) // 10) :]
    return round(sum(entry[name] for entry in last) / len(last), 6)


def running_mean(values: Sequence[float], window: int) -> list[float]:
    """The mean of each value and up to `window` - 1 before it."""
    return [sum(values[max(0, end - window) : end]) / min(end, window) for end in range(1, len(values) + 1)]


def draw(path: Path, title: str, panels: Sequence[tuple[str, Sequence[float]]]) -> None:
    """Draw a panel for each (label, values by step): every step faint, the running mean strong."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(5.2 * len(panels), 3.6), squeeze=False, layout="constrained")
    for axis, (label, values) in zip(axes[0], panels, strict=True):
        steps = range(1, len(values) + 1)
        window = max(1, len(values) // 20)
        axis.plot(steps, values, color="#9ecae1", linewidth=0.8, label="each step")
        axis.plot(steps, running_mean(values, window), color="#08519c", linewidth=2, label=f"mean of {window} steps")
        axis.set_xlabel("step")
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].legend(frameon=False)
    figure.suptitle(title, fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)


def tables(folder: Path, source: Path) -> dict[str, pd.DataFrame]:
    """What the gate looks at: the files, the weights beside those of the model before, and the history."""
    import pandas as pd

    files = [{"file": path.name, "ending": path.suffix} for path in sorted(folder.rglob("*")) if path.is_file()]
    before, after = shapes(source), shapes(folder)
    finite = _finite(folder)
    weights = [
        {
            "tensor": name,
            "shape": str(after.get(name)),
            "before": str(before.get(name)),
            "finite": finite.get(name, False),
        }
        for name in sorted(before | after)
    ]
    with (folder / "history.csv").open(encoding="utf-8") as file:
        history = [{"step": int(row["step"]), "loss": float(row["loss"])} for row in csv.DictReader(file)]
    return {"files": pd.DataFrame(files), "weights": pd.DataFrame(weights), "history": pd.DataFrame(history)}


def _finite(folder: Path) -> dict[str, bool]:
    import torch
    from safetensors import safe_open

    finite: dict[str, bool] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as weights:
            names = list(weights.keys())
            finite |= {name: bool(torch.isfinite(weights.get_tensor(name)).all()) for name in names}
    return finite


def expected(steps: int) -> dict[str, list[Expectation]]:
    """What is expected of every taught model."""
    from great_expectations import expectations as gxe

    return {
        "files": [gxe.ExpectColumnValuesToBeInSet(column="ending", value_set=sorted(PUBLISHED))],
        "weights": [
            gxe.ExpectColumnPairValuesToBeEqual(column_A="shape", column_B="before"),
            gxe.ExpectColumnValuesToBeInSet(column="finite", value_set=[True]),
        ],
        "history": [
            gxe.ExpectTableRowCountToEqual(value=steps),
            gxe.ExpectColumnValuesToNotBeNull(column="loss"),
            gxe.ExpectColumnValuesToBeBetween(column="loss", min_value=0, max_value=1e4),
        ],
    }
