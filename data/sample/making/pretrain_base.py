"""Train the project's own tiny multilingual base language model from scratch, on a CPU.

The demonstration needs a language model that is open from the first character of its training text to the last weight,
and small enough to fine-tune on a laptop. This script makes it from two tables of openly licensed text, in the five
languages of the demonstration, and writes `data/sample/base-model`:

    python data/sample/making/pretrain_base.py \\
        --sentences cc0_sentences.parquet --civic civic_small.parquet \\
        --work build/base-work --out data/sample/base-model

The defaults are the values that were used. It took 62 minutes on one thread of a busy two-core server, and would take
about 25 on an idle one with AMX. The model card, `data/sample/base-model/README.md`, says which files went in (with
their checksums) and how well the model predicts text it has not seen. Training stops by steps, never by the clock, and
is seeded.

Interrupted? Run the same command again: it goes on from the last checkpoint in `--work`. While the learning rate is
still constant (the first `1 - decay_share` of the steps), `--steps` may also be changed between two runs.

`--compare DIR` scores another model on the same held-out text and writes both results to `WORK/validation.json`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

logger = logging.getLogger("pretrain_base")

# Licences that let anybody reuse the text with, at most, a word of attribution.
OPEN_LICENCES = frozenset({"CC0-1.0", "Unlicense", "MIT", "CC-BY-4.0", "etalab-2.0", "LicenseRef-UY-Datos-Abiertos"})

START, PAD, TURN_START, TURN_END = "<|endoftext|>", "<|pad|>", "<|im_start|>", "<|im_end|>"

# ChatML. The `generation` marks tell a trainer which words are the assistant's; they do not appear in the text.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}"
    "{% else %}{{ message['content'] + '<|im_end|>\\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

# Three letters before the full stop: "It was Mr. Darcy." stays one sentence.
SENTENCE_END = re.compile(r"(?<=[^\s.]{3}[.!?…»”\"])(?<!Mrs\.)\s+(?=[A-ZÀ-Ý¡¿«“—–\"0-9])")


@dataclass(frozen=True)
class Document:
    """One row of an input table: a passage of a law, or a handful of sentences."""

    text: str
    language: str
    repository: str
    licence: str
    kind: str


@dataclass(frozen=True)
class Recipe:
    """Every number that decides what the weights are. `steps` may change while the learning rate is constant."""

    seed: int
    languages: tuple[str, ...]
    held_out_share: float
    sampling_exponent: float
    sentences_per_passage: int
    vocabulary: int
    hidden_size: int
    layers: int
    heads: int
    intermediate_size: int
    context: int
    sequence_length: int
    sequences_per_step: int
    steps: int
    warmup_steps: int
    decay_share: float
    matrix_learning_rate: float
    vector_learning_rate: float
    weight_decay: float
    gradient_clip: float


# --- text ------------------------------------------------------------------------------------------------------------


def read_sentences(path: Path) -> Iterator[Document]:
    """The Common Voice sentence collection: one licence column, already an SPDX name."""
    for row in pq.read_table(path).to_pylist():
        yield Document(row["text"], row["lang"], row["repo"], row["license"], row["kind"])


def read_civic(path: Path) -> Iterator[Document]:
    """Laws and other civic text: `license_id` is the SPDX name, `license` the publisher's own words."""
    for row in pq.read_table(path).to_pylist():
        repository = f"{row['repo']} @ {row['commit'][:12]}"
        yield Document(row["text"], row["lang"], repository, row["license_id"], row["kind"])


def reason_to_drop(document: Document, languages: Collection[str]) -> str | None:
    """Why a document stays out of the training text, or None when it may come in."""
    if document.language not in languages:
        return "another language"
    if document.licence not in OPEN_LICENCES:
        return f"licence {document.licence}"
    if document.kind == "comment":
        return "written by participants"
    return None


def keep_open_text(documents: Iterable[Document], languages: Collection[str]) -> list[Document]:
    """Keep what `reason_to_drop` lets in, and say how many were dropped and why."""
    kept, dropped = [], Counter[str]()
    for document in documents:
        reason = reason_to_drop(document, languages)
        if reason:
            dropped[reason] += 1
        else:
            kept.append(document)
    logger.info("kept %d documents, dropped %s", len(kept), dict(dropped.most_common()))
    return kept


def is_held_out(document: Document, share: float) -> bool:
    """Decide by the text's own hash, so that the answer does not depend on order, machine or seed."""
    digest = hashlib.sha256(document.text.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def split_by_hash(documents: Iterable[Document], share: float) -> tuple[list[Document], list[Document]]:
    """Training documents and held-out documents."""
    training: list[Document] = []
    held_out: list[Document] = []
    for document in documents:
        (held_out if is_held_out(document, share) else training).append(document)
    return training, held_out


def sentences_of(documents: Iterable[Document]) -> dict[str, None]:
    """The distinct sentences of some documents, in order of appearance."""
    return dict.fromkeys(s for document in documents for s in SENTENCE_END.split(document.text) if s.strip())


def passages(sentences: Sequence[str], size: int, seed: int) -> list[str]:
    """Shuffle single sentences and join `size` at a time.

    The collection lists its sentences alphabetically: in that order a model learns to begin every sentence like the
    one before.
    """
    order = np.random.default_rng(seed).permutation(len(sentences))
    groups = (order[i : i + size] for i in range(0, len(order), size))
    return [" ".join(sentences[j] for j in group) for group in groups]


def texts_of(documents: Sequence[Document], recipe: Recipe, excluded: Collection[str] = ()) -> list[str]:
    """The texts to learn from (or to be examined on): whole passages of law, regrouped loose sentences."""
    loose = [d for d in documents if d.kind == "sentences"]
    sentences = [s for s in sentences_of(loose) if s not in excluded]
    laws = dict.fromkeys(d.text for d in documents if d.kind != "sentences" and d.text not in excluded)
    return [*laws, *passages(sentences, recipe.sentences_per_passage, recipe.seed)]


def texts_by_language(
    documents: Sequence[Document], recipe: Recipe
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Training and held-out texts per language; no held-out sentence occurs in the training text."""
    training, held_out = {}, {}
    for language in recipe.languages:
        ours = [d for d in documents if d.language == language]
        learn, examine = split_by_hash(ours, recipe.held_out_share)
        excluded = {*sentences_of(d for d in examine if d.kind == "sentences"), *(d.text for d in examine)}
        training[language] = texts_of(learn, recipe, excluded)
        held_out[language] = texts_of(examine, recipe)
        characters = [sum(map(len, texts[language])) for texts in (training, held_out)]
        logger.info("%s: %d characters to learn from, %d held out", language, *characters)
    return training, held_out


def sampling_shares(texts: Mapping[str, Sequence[str]], exponent: float) -> dict[str, float]:
    """How often each language is drawn: size ** exponent, so that a scarce language is seen more often than its size.

    1 keeps the sizes as they are, 0 makes all languages equal; 0.5 is between the 0.3 of XLM-R and the 0.7 of mBERT.
    """
    weights = {language: sum(map(len, ours)) ** exponent for language, ours in texts.items()}
    return {language: weight / sum(weights.values()) for language, weight in weights.items()}


# --- tokenizer -------------------------------------------------------------------------------------------------------


def balanced_texts(texts: Mapping[str, Sequence[str]], shares: Mapping[str, float]) -> Iterator[str]:
    """As much text as possible with the languages in the given shares, for a vocabulary that serves them all."""
    size = {language: sum(map(len, ours)) for language, ours in texts.items()}
    total = min(size[language] / shares[language] for language in texts)
    for language, ours in texts.items():
        budget = total * shares[language]
        # Every k-th text rather than the first ones, so that each source is represented.
        step = size[language] / budget
        yield from (ours[int(i * step)] for i in range(int(len(ours) / step)))


def train_tokenizer(texts: Iterable[str], vocabulary: int, context: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer: no character of any language is ever unknown. Digits stand alone."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[START, PAD, TURN_START, TURN_END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=START,
        eos_token=TURN_END,
        pad_token=PAD,
        additional_special_tokens=[TURN_START],
        chat_template=CHAT_TEMPLATE,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


def token_stream(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, seed: int) -> np.ndarray:
    """All texts in one shuffled row of token numbers, each text opened by the start token."""
    encoded = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    order = np.random.default_rng(seed).permutation(len(encoded))
    return np.concatenate([np.array([tokenizer.bos_token_id, *encoded[i]], dtype=np.int32) for i in order])


# --- batches ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batches:
    """The training batches, each a function of the step alone: a resumed run sees exactly what it would have seen."""

    streams: Mapping[str, np.ndarray]
    languages: np.ndarray  # one row per step: which language each sequence of the batch is in
    length: int
    seed: int

    def block(self, language: int, index: int) -> np.ndarray:
        """The index-th block of a language: every epoch has its own order and its own cuts."""
        stream = list(self.streams.values())[language]
        per_epoch = (len(stream) - 2 * self.length - 1) // self.length
        epoch, position = divmod(index, per_epoch)
        generator = np.random.default_rng([self.seed, language, epoch])
        start = generator.integers(self.length) + self.length * generator.permutation(per_epoch)[position]
        return stream[start : start + self.length + 1]

    def at(self, step: int) -> torch.Tensor:
        """The batch of a step, one token longer than the sequence: the last one is only predicted."""
        seen = Counter(self.languages[:step].ravel().tolist())
        rows = []
        for language in self.languages[step].tolist():
            rows.append(self.block(language, seen[language]))
            seen[language] += 1
        return torch.from_numpy(np.stack(rows)).long()


def plan_batches(streams: Mapping[str, np.ndarray], shares: Mapping[str, float], recipe: Recipe) -> Batches:
    """Draw the language of every sequence in advance; a longer plan begins like a shorter one."""
    draws = np.random.default_rng(recipe.seed).random((recipe.steps, recipe.sequences_per_step))
    limits = np.cumsum([shares[language] for language in streams])
    languages = np.minimum(np.searchsorted(limits, draws, side="right"), len(streams) - 1)
    return Batches(streams, languages, recipe.sequence_length, recipe.seed)


# --- model and training ----------------------------------------------------------------------------------------------


def new_model(recipe: Recipe, tokenizer: PreTrainedTokenizerBase) -> LlamaForCausalLM:
    """An untrained Llama of the recipe's size, with input and output embeddings tied."""
    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden_size,
        intermediate_size=recipe.intermediate_size,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=recipe.context,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def make_optimizers(model: LlamaForCausalLM, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for the embeddings and the norms, as in nanochat."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=recipe.matrix_learning_rate, weight_decay=recipe.weight_decay),
        torch.optim.AdamW(others, lr=recipe.vector_learning_rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def learning_rate_factor(step: int, recipe: Recipe) -> float:
    """Warm up, stay constant, then go down in a straight line to zero at the last step."""
    decay_steps = recipe.steps * recipe.decay_share
    return min(1.0, (step + 1) / recipe.warmup_steps, (recipe.steps - step) / decay_steps)


def set_learning_rates(optimizers: Sequence[torch.optim.Optimizer], recipe: Recipe, step: int) -> None:
    """Give both optimisers their learning rate for this step."""
    factor = learning_rate_factor(step, recipe)
    for optimizer, rate in zip(optimizers, (recipe.matrix_learning_rate, recipe.vector_learning_rate), strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate * factor


def next_token_loss(model: LlamaForCausalLM, batch: torch.Tensor) -> torch.Tensor:
    """Mean surprise (in nats) at each next token. bfloat16 matrix products: twice as fast where the CPU has AMX."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits
    return cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside and rename: an interrupted write never looks finished."""
    beside = path.with_name(path.name + ".part")
    write(beside)
    beside.replace(path)


def identity(recipe: Recipe) -> str:
    """What a checkpoint must agree on with the run that continues it."""
    return json.dumps({k: v for k, v in asdict(recipe).items() if k != "steps"}, sort_keys=True)


def save_checkpoint(
    path: Path, model: LlamaForCausalLM, optimizers: Sequence[torch.optim.Optimizer], step: int, recipe: Recipe
) -> None:
    """Everything needed to go on, in one file that appears all at once."""
    state = {
        "identity": identity(recipe),
        "step": step,
        "steps": recipe.steps,
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
    }
    write_atomically(path, lambda beside: torch.save(state, beside))


def load_checkpoint(
    path: Path, model: LlamaForCausalLM, optimizers: Sequence[torch.optim.Optimizer], recipe: Recipe
) -> int:
    """Put the checkpoint, if there is one, into model and optimisers; return the step to go on from."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    if state["identity"] != identity(recipe):
        raise SystemExit(f"{path} belongs to a run with other settings; choose another --work folder or delete it.")
    first_slower_step = min(state["steps"], recipe.steps) * (1 - recipe.decay_share)
    if state["steps"] != recipe.steps and state["step"] > first_slower_step:
        raise SystemExit(f"{path} was to end at step {state['steps']} and is already slowing down; keep that --steps.")
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return int(state["step"])


def train(
    model: LlamaForCausalLM, batches: Batches, recipe: Recipe, checkpoint: Path, *, every: int, fuse: bool
) -> None:
    """Train to the last step, from the checkpoint if there is one."""
    optimizers = make_optimizers(model, recipe)
    first = load_checkpoint(checkpoint, model, optimizers, recipe)
    logger.info("training from step %d to step %d", first, recipe.steps)
    loss_of = torch.compile(next_token_loss) if fuse else next_token_loss
    model.train()
    running, clock = 0.0, time.monotonic()
    for step in range(first, recipe.steps):
        set_learning_rates(optimizers, recipe, step)
        loss = loss_of(model, batches.at(step))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.gradient_clip)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        running += loss.item()
        if (step + 1) % 50 == 0:
            speed = 50 * recipe.sequences_per_step * recipe.sequence_length / (time.monotonic() - clock)
            logger.info("step %d of %d: loss %.3f, %d tokens/s", step + 1, recipe.steps, running / 50, speed)
            running, clock = 0.0, time.monotonic()
        if (step + 1) % every == 0 or step + 1 == recipe.steps:
            save_checkpoint(checkpoint, model, optimizers, step + 1, recipe)


# --- examination -----------------------------------------------------------------------------------------------------


def pieces(text: str, characters: int = 600) -> list[str]:
    """Cut a text into pieces that fit the training length of either tokenizer."""
    return [text[i : i + characters] for i in range(0, len(text), characters)]


@torch.inference_mode()
def surprise(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> dict[str, float]:
    """Bits per character and perplexity per token; every piece is read from its start token, nothing carries over."""
    nats, tokens, characters = 0.0, 0, 0
    for piece in (p for text in texts for p in pieces(text)):
        numbers = [tokenizer.bos_token_id, *tokenizer(piece, add_special_tokens=False)["input_ids"]]
        batch = torch.tensor([numbers])
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits
        nats += cross_entropy(logits[0].float(), batch[0, 1:], reduction="sum").item()
        tokens += len(numbers) - 1
        characters += len(piece)
    bits = nats / math.log(2)
    return {"bits_per_character": bits / characters, "perplexity": math.exp(nats / tokens), "characters": characters}


def examine(folder: Path, held_out: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """Score a saved model, as anybody would load it, on the held-out text of each language."""
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    results = {language: surprise(model, tokenizer, texts) for language, texts in held_out.items()}
    for language, result in results.items():
        logger.info("%s %s: %.3f bits/character, perplexity %.1f", folder.name, language, *list(result.values())[:2])
    return results


# --- writing ---------------------------------------------------------------------------------------------------------


def publish(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the model beside its place, in bfloat16, then move each file in; the model card stays as it is."""
    beside = folder.with_name(folder.name + ".part")
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.7,
        top_p=0.9,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model.to(torch.bfloat16).save_pretrained(beside)
    tokenizer.save_pretrained(beside)
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(beside.iterdir()):
        file.chmod(0o644)  # safetensors writes for its owner only
        file.replace(folder / file.name)
    beside.rmdir()


def prepare_tokenizer(path: Path, texts: Mapping[str, Sequence[str]], recipe: Recipe) -> PreTrainedTokenizerBase:
    """Train the tokenizer once; a resumed run reads it back."""
    if not path.exists():
        balanced = balanced_texts(texts, sampling_shares(texts, recipe.sampling_exponent))
        tokenizer = train_tokenizer(balanced, recipe.vocabulary, recipe.context)
        write_atomically(path, tokenizer.save_pretrained)
    return AutoTokenizer.from_pretrained(path, local_files_only=True)


def count_characters(documents: Iterable[Document]) -> dict[str, int]:
    """Characters per source, licence and language, for the model card."""
    sizes: dict[str, int] = defaultdict(int)
    for d in documents:
        sizes[f"{d.repository} | {d.licence} | {d.language}"] += len(d.text)
    return dict(sorted(sizes.items()))


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; every default is the value that was used."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sentences", type=Path, required=True, help="table of loose CC0 sentences (parquet)")
    parser.add_argument("--civic", type=Path, required=True, help="table of laws with their licences (parquet)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished model")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and results")
    parser.add_argument("--compare", type=Path, help="another model to score on the same held-out text")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpoint-every", type=int, default=200, help="steps between two checkpoints")
    parser.add_argument("--no-compile", action="store_true", help="for machines without a C++ compiler: slower")
    parser.add_argument("--languages", nargs="+", default=["en", "fr", "es", "ca", "eu"])
    for name, default in RECIPE_DEFAULTS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    return parser.parse_args(argv)


RECIPE_DEFAULTS: dict[str, int | float] = {
    "seed": 0,
    "held_out_share": 1 / 32,
    "sampling_exponent": 0.5,
    "sentences_per_passage": 8,
    "vocabulary": 4096,
    "hidden_size": 256,
    "layers": 4,
    "heads": 4,
    "intermediate_size": 704,
    "context": 512,
    "sequence_length": 256,
    "sequences_per_step": 16,
    "steps": 1750,
    "warmup_steps": 100,
    "decay_share": 0.4,
    "matrix_learning_rate": 0.02,
    "vector_learning_rate": 0.012,
    "weight_decay": 0.1,
    "gradient_clip": 1.0,
}


def read_open_text(sentences: Path, civic: Path, languages: Collection[str]) -> list[Document]:
    """Both tables. The civic table repeats a part of the sentence collection, so only the rest is taken from it."""
    laws = (d for d in read_civic(civic) if d.kind != "sentences")
    return keep_open_text([*read_sentences(sentences), *laws], languages)


def main(argv: Sequence[str] | None = None) -> None:
    """Read, train, publish, examine."""
    arguments = parse_arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(arguments.threads)
    recipe = Recipe(
        languages=tuple(arguments.languages), **{name: getattr(arguments, name) for name in RECIPE_DEFAULTS}
    )
    arguments.work.mkdir(parents=True, exist_ok=True)

    documents = read_open_text(arguments.sentences, arguments.civic, recipe.languages)
    training, held_out = texts_by_language(documents, recipe)
    tokenizer = prepare_tokenizer(arguments.work / "tokenizer", training, recipe)
    streams = {language: token_stream(texts, tokenizer, recipe.seed) for language, texts in training.items()}
    batches = plan_batches(streams, sampling_shares(training, recipe.sampling_exponent), recipe)

    model = new_model(recipe, tokenizer)
    logger.info("%d parameters; tokens %s", model.num_parameters(), {k: len(v) for k, v in streams.items()})
    checkpoint = arguments.work / "checkpoint.pt"
    train(model, batches, recipe, checkpoint, every=arguments.checkpoint_every, fuse=not arguments.no_compile)
    publish(model, tokenizer, arguments.out)

    folders = [folder for folder in (arguments.out, arguments.compare) if folder]
    results = {
        "recipe": asdict(recipe),
        "tokens_seen": recipe.steps * recipe.sequences_per_step * recipe.sequence_length,
        "parameters": model.num_parameters(),
        "characters": count_characters(documents),
        "validation": {folder.name: examine(folder, held_out) for folder in folders},
    }
    written = json.dumps(results, indent=2, ensure_ascii=False)
    write_atomically(arguments.work / "validation.json", lambda beside: beside.write_text(written, encoding="utf-8"))


if __name__ == "__main__":
    main()
