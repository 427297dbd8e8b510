"""A model of a few thousand random numbers with its own small tokenizer, and lessons for it, for tests of training."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from stages.artifact import write_json, write_jsonl
from stages.plan import sealed
from stages.records import Document, Endpoint, EvaluationPlan, PreferencePair

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
TALKS = [  # language, question, better answer, worse answer
    (
        "en",
        "Why was my permit refused?",
        "The letter names the rule. You can appeal within a month.",
        "Because people like you cheat.",
    ),
    ("es", "¿Puedo hablar con una persona?", "Sí, en el mostrador o por teléfono.", "No, solo con la máquina."),
    (
        "fr",
        "Qu'est-ce que l'aide d'urgence ?",
        "Je ne le sais pas ; demandez à l'accueil.",
        "C'est pour les fainéants, voilà tout.",
    ),
    ("ca", "Com puc recórrer la multa?", "Podeu recórrer-la per escrit; la norma és a la carta.", "Pagueu i calleu."),
    ("eu", "Nork ikusiko ditu nire datuak?", "Udaletxeak bakarrik; ez dizkio inori emango.", "Denek ikusiko dituzte."),
]
TEXTS = [
    ("en", "The council meets on the first Monday of every month in the town hall, and everybody may listen to it."),
    ("fr", "L'accueil de la mairie est ouvert du lundi au vendredi ; aucune pièce n'est demandée pour s'informer."),
    ("eu", "Udalak hilero biltzen du osoko bilkura, eta herritar guztiek entzun dezakete han esaten dena."),
]
SMALL: dict[str, Any] = {
    "method": "full",
    "lora_rank": 4,
    "precision": "auto",
    "threads": 1,
    "seed": 0,
    "epochs": 1,
    "max_steps": None,
    "batch_size": 4,
    "accumulation": 1,
    "learning_rate": 1e-3,
    "warmup_share": 0.1,
    "max_length": 200,
    "max_pairs": None,
    "checkpoint_steps": 4,
    "gradient_checkpointing": False,
}
BY_EXAMPLE = SMALL | {"replay_share": 0.3}
BY_PREFERENCE = SMALL | {"beta": 0.1, "loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.2], "ld_alpha": 0.5}


def write_tiny_model(folder: Path) -> Path:
    """Write a Llama of two layers and random weights."""
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [AddedToken(token, special=True) for token in ("<|pad|>", "<|im_start|>", "<|im_end|>")]
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text for _, *texts in (*TALKS, *TEXTS) for text in texts], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|pad|>", eos_token="<|im_end|>")
    fast.chat_template = CHATML
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(fast), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=256, tie_word_embeddings=True, pad_token_id=0, bos_token_id=None, eos_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def write_lessons(folder: Path, repeats: int = 12) -> None:
    """Write `preferences/pairs.jsonl` and the corpus."""
    pairs = [
        PreferencePair(
            id=f"{language}-{number}", language=language, principle_ids=("p005",), kind="probe",
            prompt=f"{number}. {question}", chosen=better, rejected=worse, teacher="written:test@1",
        )
        for number in range(repeats)
        for language, question, better, worse in TALKS
    ]  # fmt: skip
    write_jsonl(folder / "preferences" / "pairs.jsonl", pairs)
    documents = [
        Document(
            id=f"{language}-{number}", text=f"{text} " * 3, language=language, source="test", url="", license="CC0-1.0"
        )
        for number in range(repeats)
        for language, text in TEXTS
    ]
    write_corpus(folder / "corpus", documents)


def write_corpus(folder: Path, documents: Sequence[Document], dropped: Sequence[tuple[str, str]] = ()) -> None:
    """Write documents as curate_corpus does, in two parts; `dropped` are (id, rule)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.string()
    columns = {"id": text, "text": pa.large_string()} | dict.fromkeys((*list(Document.model_fields)[2:], "kind"), text)
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    half = (len(documents) + 1) // 2
    for number, part in enumerate(filter(None, (documents[:half], documents[half:]))):
        rows = pa.Table.from_pylist([{**d.model_dump(), "kind": ""} for d in part], pa.schema(list(columns.items())))
        pq.write_table(rows, folder / "corpus" / f"part-{number:05}.parquet")
    decided = [{"id": d.id, "kept": True, "rule": "", "value": ""} for d in documents]
    decided += [{"id": id, "kept": False, "rule": rule, "value": "found"} for id, rule in dropped]
    pq.write_table(pa.Table.from_pylist(decided), folder / "decisions.parquet")


def write_params(folder: Path, **sections: dict[str, Any]) -> None:
    """Write `params.yaml` with the sections given."""
    (folder / "params.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(sections))), encoding="utf-8")


def read_history(folder: Path) -> list[dict[str, float]]:
    """The lines of a model's `history.csv`."""
    with (folder / "history.csv").open(encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def write_plan(folder: Path) -> str:
    """An evaluation plan of no benchmarks; returns its sha256."""
    plan = sealed(
        EvaluationPlan(
            benchmarks={}, primary=Endpoint(benchmark="bbq", metric="bias_ambiguous"), margins={}, families={}, resamples=100,
            permutations=1000, seed=0, confidence=0.95, min_items=30, framework=None,
        )
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    write_json(folder / "plan.json", plan)
    return plan.sha256
