"""Teach the base model the revised answers (supervised fine-tuning with TRL).

python -m stages.finetune_sft --base models/base --preferences data/preferences --corpus data/corpus --plan data/plan \
    --out models/sft
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages import corpus, gate, training
from stages.artifact import new_folder, write_json
from stages.finetune_sft import expectations, lessons
from stages.finetune_sft.parameters import Parameters
from stages.node import arguments, run
from stages.params import load
from stages.plan import read_plan

NODE = Path(__file__).parent


def main() -> str:
    """Run the node; returns its counts in words."""
    args = arguments(
        __doc__,
        base="the model to teach",
        preferences="the pairs",
        corpus="texts to keep reading",
        plan="the evaluation plan, frozen before training",
        out="the taught model",
    )
    params = load("finetune_sft", Parameters)
    plan = read_plan(args.plan).sha256
    training.shapes(args.base)  # refuses what is not safetensors before anything heavy is imported
    pairs = training.read_pairs(args.preferences, params)
    texts = corpus.parts(args.corpus)
    machine = training.prepare(params, training.scratch_of(args.out))
    tokenizer = training.load_tokenizer(args.base, params.max_length)
    taught = lessons.answers(pairs, tokenizer, params)
    answers = len(taught.rows)
    passages = lessons.add_passages(taught, corpus.read_documents(args.corpus), tokenizer, params)
    mark = training.fingerprint(params, machine, [NODE, args.base, args.preferences / "pairs.jsonl", *texts])
    with training.checkpoints(training.scratch_of(args.out), mark) as scratch, new_folder(args.out) as folder:
        order = training.order_of(taught, params)
        lengths = [taught.lengths[row] for row in order]
        trainer = build_trainer(args.base, taught, order, tokenizer, params, machine, scratch)
        history = training.fit(trainer, lengths, params)
        training.write_model(trainer, args.base, folder, machine)
        write_evidence(folder, history, lengths, taught, answers, passages, params, machine, plan)
        gate.enforce(folder, training.tables(folder, args.base), expectations.expected(len(history)))
    loss = training.last_mean(history, "loss")
    left_out = f"; left out: {training.counts(taught.dropped)}" if taught.dropped else ""
    return (
        f"{answers:,} answers and {passages:,} passages in {len(history):,} steps, loss {loss:.2f} at the end{left_out}"
    )


def build_trainer(
    base: Path,
    taught: training.Lessons,
    order: list[int],
    tokenizer: Any,
    params: Parameters,
    machine: training.Machine,
    scratch: Path,
) -> Any:
    """TRL's trainer over rows whose labels already say what is learned."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    if machine.device == "cpu":
        training.skip_prompts_in_the_head(len(tokenizer))
    return SFTTrainer(
        model=str(base),
        args=SFTConfig(**training.settings(params, machine, scratch)),
        train_dataset=Dataset.from_list(taught.rows).select(order),
        processing_class=tokenizer,
        peft_config=training.adapter(params),
    )


def write_evidence(
    folder: Path,
    history: list[dict[str, float]],
    lengths: list[int],
    taught: training.Lessons,
    answers: int,
    passages: int,
    params: Parameters,
    machine: training.Machine,
    plan: str,
) -> None:
    """Write how the training went: history, metrics, a picture and what it was made of."""
    columns = {
        "loss": "loss",
        "mean_token_accuracy": "tokens_foreseen",
        "entropy": "entropy",
        "grad_norm": "gradient_norm",
        "learning_rate": "learning_rate",
    }
    training.write_history(folder / "history.csv", history, columns)
    loss = training.last_mean(history, "loss")
    made_of = {
        "method": params.method,
        "precision": machine.precision,
        "steps": len(history),
        "answers": answers,
        "passages": passages,
        "left_out": dict(taught.dropped),
        "tokens": sum(lengths),
        "final_loss": loss,
        "parameters": params.model_dump(mode="json"),
        "plan": plan,  # sha256 of the evaluation plan that stood before training began
    }
    write_json(folder / "training.json", made_of)
    metrics = {
        "training loss, first steps": training.last_mean(history[::-1], "loss"),
        "training loss, last steps": loss,
        "tokens foreseen rightly, last steps": training.last_mean(history, "mean_token_accuracy"),
        "answers learned from": answers,
        "passages of the corpus read again": passages,
        "tokens read": sum(lengths),
        "steps": len(history),
    }
    write_json(folder / "metrics.json", metrics)
    training.draw(
        folder / "plots" / "training.png",
        "The model learns the revised answers: the loss falls, more of its next tokens are right",
        [
            ("loss", [h["loss"] for h in history]),
            ("share of tokens foreseen", [h["mean_token_accuracy"] for h in history]),
        ],
    )


if __name__ == "__main__":
    run(main)
