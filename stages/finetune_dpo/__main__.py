"""Teach the model to prefer the answer that follows the constitution (direct preference optimisation with TRL).

python -m stages.finetune_dpo --sft models/sft --preferences data/preferences --out models/tuned
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages import gate, training
from stages.artifact import new_folder, read_json, write_json
from stages.finetune_dpo import expectations, lessons
from stages.finetune_dpo.parameters import Parameters
from stages.node import arguments, run
from stages.params import load

NODE = Path(__file__).parent


def main() -> str:
    """Run the node; returns its counts in words."""
    args = arguments(
        __doc__, sft="the model to teach, which is also the reference", preferences="the pairs", out="the taught model"
    )
    params = load("finetune_dpo", Parameters)
    training.shapes(args.sft)  # refuses what is not safetensors before anything heavy is imported
    taught_before = args.sft / "training.json"
    plan = read_json(taught_before).get("plan") if taught_before.is_file() else None
    pairs = training.read_pairs(args.preferences, params)
    machine = training.prepare(params, training.scratch_of(args.out))
    tokenizer = training.load_tokenizer(args.sft, params.max_length)
    taught = lessons.comparisons(pairs, tokenizer, params)
    mark = training.fingerprint(params, machine, [NODE, args.sft, args.preferences / "pairs.jsonl"])
    with training.checkpoints(training.scratch_of(args.out), mark) as scratch, new_folder(args.out) as folder:
        order = training.order_of(taught, params)
        lengths = [taught.lengths[row] for row in order]
        trainer = build_trainer(args.sft, taught, order, tokenizer, params, machine, scratch)
        history = training.fit(trainer, lengths, params)
        training.write_model(trainer, args.sft, folder, machine)
        write_evidence(folder, history, lengths, taught, params, machine, plan)
        gate.enforce(folder, training.tables(folder, args.sft), expectations.expected(len(history)))
    right = training.last_mean(history, "rewards/accuracies")
    left_out = f"; left out: {training.counts(taught.dropped)}" if taught.dropped else ""
    return f"{len(taught.rows):,} pairs in {len(history):,} steps, {right:.0%} preferred rightly at the end{left_out}"


def build_trainer(
    sft: Path,
    taught: training.Lessons,
    order: list[int],
    tokenizer: Any,
    params: Parameters,
    machine: training.Machine,
    scratch: Path,
) -> Any:
    """TRL's trainer over rows of tokens; the reference is the model as it is before the first step."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    class TrainerOfTokens(DPOTrainer):
        """Takes the rows as they are: `lessons` has made and checked the tokens."""

        def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
            return dataset

    if machine.device == "cpu":
        training.skip_prompts_in_the_head(len(tokenizer))
    once = params.epochs == 1  # else the reference is asked once for each pair, before the training
    trainer = TrainerOfTokens(
        model=str(sft),
        args=DPOConfig(
            **training.settings(params, machine, scratch),
            beta=params.beta,
            loss_type=list(params.loss_type),
            loss_weights=list(params.loss_weights),
            ld_alpha=params.ld_alpha,
            precompute_ref_log_probs=not once,
        ),
        train_dataset=Dataset.from_list(taught.rows),
        processing_class=tokenizer,
        peft_config=training.adapter(params),
    )
    trainer.train_dataset = trainer.train_dataset.select(order)
    return trainer


def write_evidence(
    folder: Path,
    history: list[dict[str, float]],
    lengths: list[int],
    taught: training.Lessons,
    params: Parameters,
    machine: training.Machine,
    plan: str | None,
) -> None:
    """Write how the training went: history, metrics, a picture and what it was made of."""
    columns = {
        "loss": "loss",
        "rewards/accuracies": "preferred_rightly",
        "rewards/margins": "reward_margin",
        "rewards/chosen": "reward_chosen",
        "rewards/rejected": "reward_rejected",
        "logps/chosen": "log_likelihood_chosen",
        "logps/rejected": "log_likelihood_rejected",
        "grad_norm": "gradient_norm",
        "learning_rate": "learning_rate",
    }
    training.write_history(folder / "history.csv", history, columns)
    made_of = {
        "method": params.method,
        "precision": machine.precision,
        "steps": len(history),
        "pairs": len(taught.rows),
        "left_out": dict(taught.dropped),
        "tokens": sum(lengths),
        "final_loss": training.last_mean(history, "loss"),
        "parameters": params.model_dump(mode="json"),
        "plan": plan,  # sha256 of the evaluation plan that stood before training began
    }
    write_json(folder / "training.json", made_of)
    metrics = {
        "training loss, first steps": training.last_mean(history[::-1], "loss"),
        "training loss, last steps": training.last_mean(history, "loss"),
        "pairs preferred rightly in training, last steps": training.last_mean(history, "rewards/accuracies"),
        "reward margin, last steps": training.last_mean(history, "rewards/margins"),
        "log-likelihood of the better answer, first steps": training.last_mean(history[::-1], "logps/chosen"),
        "log-likelihood of the better answer, last steps": training.last_mean(history, "logps/chosen"),
        "pairs learned from": len(taught.rows),
        "tokens read": sum(lengths),
        "steps": len(history),
    }
    write_json(folder / "metrics.json", metrics)
    training.draw(
        folder / "plots" / "training.png",
        "The model learns to prefer the better answer: the gap between the answers widens",
        [
            ("share of pairs preferred rightly", [h["rewards/accuracies"] for h in history]),
            ("reward of better minus worse answer", [h["rewards/margins"] for h in history]),
        ],
    )


if __name__ == "__main__":
    run(main)
