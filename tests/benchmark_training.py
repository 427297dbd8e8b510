"""Measure our fine-tuning against TRL's own defaults on the same lessons, in one process, in tokens per CPU second.

    python -m tests.benchmark_training --base models/base --preferences data/preferences --corpus data/corpus

CPU seconds, not seconds: the ratio holds also while other programs share the machine. Padding is not counted as tokens.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages import corpus, training
from stages.finetune_dpo import __main__ as dpo
from stages.finetune_dpo.lessons import comparisons
from stages.finetune_dpo.parameters import Parameters as DpoParameters
from stages.finetune_sft import __main__ as sft
from stages.finetune_sft.lessons import add_passages, answers
from stages.finetune_sft.parameters import Parameters as SftParameters
from stages.node import arguments
from stages.params import load

STEPS = 24
CPU = training.Machine("cpu", "float32")


def main() -> None:
    """Print a line for each way of training."""
    args = arguments(__doc__, base="a model", preferences="pairs", corpus="texts")
    taught = {"epochs": 1, "max_steps": STEPS, "threads": 1}
    by_example = load("finetune_sft", SftParameters).model_copy(update=taught)
    by_preference = load("finetune_dpo", DpoParameters).model_copy(update=taught)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        training.prepare(by_example, scratch)
        tokenizer = training.load_tokenizer(args.base, by_example.max_length)
        lessons = answers(training.read_pairs(args.preferences, by_example), tokenizer, by_example)
        documents = corpus.read_documents(args.corpus)
        add_passages(lessons, documents, tokenizer, by_example)
        compared = comparisons(training.read_pairs(args.preferences, by_preference), tokenizer, by_preference)
        ours = training.order_of(lessons, by_example), training.order_of(compared, by_preference)
        by_chance = (
            training.arrange([0] * len(lessons.rows), 8, 1, 1)[: STEPS * 8],
            training.arrange([0] * len(compared.rows), 8, 1, 1)[: STEPS * 8],
        )
        ways: dict[str, Callable[[], tuple[Any, list[int]]]] = {
            "SFT, TRL's defaults": lambda: _sft_defaults(args.base, lessons, by_chance[0], tokenizer, scratch),
            "DPO, TRL's defaults": lambda: _dpo_defaults(args.base, compared, by_chance[1], tokenizer, scratch),
            "SFT, ours without the head's shortcut": lambda: _ours(
                sft, args.base, lessons, ours[0], tokenizer, by_example, scratch
            ),
            "DPO, ours without the head's shortcut": lambda: _ours(
                dpo, args.base, compared, ours[1], tokenizer, by_preference, scratch
            ),
        }
        measured = {name: _measure(name, make) for name, make in list(ways.items())[:2]}
        shortcut, training.skip_prompts_in_the_head = training.skip_prompts_in_the_head, lambda vocabulary: None
        measured |= {name: _measure(name, make) for name, make in list(ways.items())[2:]}
        training.skip_prompts_in_the_head = shortcut
        for kind, way in (("SFT", 2), ("DPO", 3)):
            speed = _measure(f"{kind}, ours", list(ways.values())[way])
            print(f"{kind}: {speed / measured[f'{kind}, TRL' + chr(39) + 's defaults']:.2f} times TRL's defaults")


def _measure(name: str, make: Callable[[], tuple[Any, list[int]]]) -> float:
    from transformers import PrinterCallback

    trainer, lengths = make()
    trainer.remove_callback(PrinterCallback)
    start = time.process_time()
    trainer.train()
    speed = sum(lengths) / (time.process_time() - start)
    print(
        f"{name}: {speed:,.0f} tokens per CPU second, last loss {trainer.state.log_history[-2]['loss']:.3f}", flush=True
    )
    return speed


def _lengths(lessons: training.Lessons, order: list[int]) -> list[int]:
    return [lessons.lengths[row] for row in order]


def _ours(
    node: Any, base: Path, lessons: training.Lessons, order: list[int], tokenizer: Any, params: Any, scratch: Path
) -> tuple[Any, list[int]]:
    trainer = node.build_trainer(base, lessons, order, tokenizer, params, CPU, scratch / "ours")
    return trainer, _lengths(lessons, order)


def _defaults(scratch: Path) -> dict[str, Any]:
    return {
        "output_dir": str(scratch / "defaults"),
        "use_cpu": True,
        "report_to": [],
        "disable_tqdm": True,
        "save_strategy": "no",
    }


def _sft_defaults(
    base: Path, lessons: training.Lessons, order: list[int], tokenizer: Any, scratch: Path
) -> tuple[Any, list[int]]:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    config = SFTConfig(num_train_epochs=1, **_defaults(scratch))
    rows = Dataset.from_list(lessons.rows).select(order)
    return SFTTrainer(str(base), config, train_dataset=rows, processing_class=tokenizer), _lengths(lessons, order)


def _dpo_defaults(
    base: Path, lessons: training.Lessons, order: list[int], tokenizer: Any, scratch: Path
) -> tuple[Any, list[int]]:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    class TrainerOfTokens(DPOTrainer):
        def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
            return dataset

    config = DPOConfig(num_train_epochs=1, **_defaults(scratch))
    rows = Dataset.from_list(lessons.rows).select(order)
    return TrainerOfTokens(str(base), args=config, train_dataset=rows, processing_class=tokenizer), _lengths(
        lessons, order
    )


if __name__ == "__main__":
    main()
