"""How fast our scorer reads what lm-evaluation-harness reads, and whether both find the same; prints Markdown.

Same process, same requests, one thread; lm-eval at the best of several batch sizes; tokenising counts on both sides.
Seconds are those of one processor core (best of several), which other work on the machine changes little. With
--memory, the peak memory of the node on BBQ of two sizes; with a GPU, the same table from the GPU and wall time.

python infra/benchmark_evaluation.py --data ../shared/data [--items 40] [--repeats 3] [--memory] [--million 7]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

Pair = tuple[str, str]  # context, continuation
BATCH_SIZES = (1, 8, 32)
# lm-eval's ten ways to say "unknown" (lm_eval/tasks/bbq/utils.py 0.4.13), beside the two persons.
UNKNOWN = (
    "Unknown", "Cannot answer", "Can't be determined", "Cannot be determined", "Can't answer", "Not known",
    "Not enough info", "Not enough information", "Not answerable", "Undetermined",
)  # fmt: skip
# hidden size, layers of a Llama with about so many million parameters (vocabulary 8,192, tied)
SIZES = {7: (256, 6), 17: (384, 8), 110: (768, 12)}


def main() -> None:
    """Measure each workload and print one table."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.update({"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TQDM_DISABLE": "1"})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with benchmarks/ and model/")
    parser.add_argument(
        "--items", type=int, default=40, help="of each BBQ workload; CrowS-Pairs gets five times as many"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--million", type=int, default=7, choices=sorted(SIZES), help="parameters of the random model")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=BATCH_SIZES, help="of lm-eval")
    parser.add_argument("--memory", action="store_true", help="measure the node's peak memory instead")
    asked = parser.parse_args()
    print(memory(asked.data) if asked.memory else speed(asked))


# --- speed ------------------------------------------------------------------------------------------------------------


def speed(asked: argparse.Namespace) -> str:
    """One line per workload: items a second on both sides, their ratio, and how far the answers lie apart."""
    warnings.filterwarnings("ignore")
    model, tokenizer = random_model(asked.data, asked.million, asked.precision)
    rows = [
        "| workload | lm-eval items/s (batch) | ours items/s | ratio | tokens run | log-probability apart | same choice |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, groups in workloads(asked.data, asked.items).items():
        rows.append(_line(name, groups, model, tokenizer, asked))
    return "\n".join(rows)


def random_model(data: Path, million: int, precision: str) -> tuple[Any, Any]:
    """A Llama of random weights with a real tokenizer, on the GPU where there is one."""
    import torch
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(0)
    hidden, layers = SIZES[million]
    config = LlamaConfig(
        vocab_size=8192, hidden_size=hidden, intermediate_size=int(hidden * 8 / 3), num_hidden_layers=layers,
        num_attention_heads=hidden // 64, num_key_value_heads=hidden // 64, max_position_embeddings=1024,
        tie_word_embeddings=True, initializer_range=0.05, bos_token_id=1, eos_token_id=3,
    )  # fmt: skip
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = LlamaForCausalLM(config).to(device, getattr(torch, precision)).eval()
    tokenizer = AutoTokenizer.from_pretrained(data / "model" / "base-2.5m-multilingual", local_files_only=True)
    # Ours begins a plain text with this token; lm-eval does where the tokenizer itself does: the same requests for both.
    opening = tokenizer.bos_token
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{opening} $A", special_tokens=[(opening, tokenizer.bos_token_id)]
    )
    return model, tokenizer


def workloads(data: Path, count: int) -> dict[str, list[list[Pair]]]:
    """Each item as the pairs of context and continuation that lm-eval asks for."""
    with (data / "benchmarks" / "bbq" / "data" / "Age.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in itertools.islice(file, count)]
    with (data / "benchmarks" / "crows-pairs" / "data" / "crows_pairs_anonymized.csv").open(encoding="utf-8") as file:
        pairs = list(itertools.islice(csv.DictReader(file), 5 * count))
    return {
        "BBQ, lm-eval's 12 candidates": [_bbq(row, [*_persons(row), *UNKNOWN]) for row in rows],
        "BBQ, the three answers": [_bbq(row, [row["ans0"], row["ans1"], row["ans2"]]) for row in rows],
        "CrowS-Pairs": [[("", row["sent_more"]), ("", row["sent_less"])] for row in pairs],
    }


def _bbq(row: dict[str, Any], answers: Sequence[str]) -> list[Pair]:
    return [(f"{row['context']}\n\nQ: {row['question']}\nA:", f" {answer}") for answer in answers]


def _persons(row: dict[str, Any]) -> list[str]:
    return [row[f"ans{place}"] for place in range(3) if "unknown" not in row["answer_info"][f"ans{place}"]]


def _line(name: str, groups: list[list[Pair]], model: Any, tokenizer: Any, asked: argparse.Namespace) -> str:
    from stages.evaluate_model.encoding import encode
    from stages.evaluate_model.items import Request
    from stages.evaluate_model.likelihood import Trees, forest, log_likelihoods

    pairs = [pair for group in groups for pair in group]
    requests = [Request(context, continuation, chat=False) for context, continuation in pairs]

    trees = Trees()  # tried in the first of the repeats, as once in a run

    def ours() -> list[float]:
        windows = [each.windows[0] for each in encode(requests, tokenizer, 512)]
        return log_likelihoods(model, windows, asked.batch_tokens, trees).totals

    theirs = {size: _harness(model, tokenizer, pairs, size) for size in asked.batch_sizes}
    seconds: dict[Any, float] = {}
    found: dict[Any, list[float]] = {}
    for _ in range(asked.repeats):  # in turns, so that a busy minute hits both
        for key, act in [("ours", ours), *theirs.items()]:
            taken, found[key] = timed(act)
            seconds[key] = min(taken, seconds.get(key, taken))
    best = min(theirs, key=seconds.__getitem__)
    apart = max(abs(a - b) for a, b in zip(found["ours"], found[best], strict=True))
    same = sum(a == b for a, b in zip(choices(groups, found["ours"]), choices(groups, found[best]), strict=True))
    windows = [each.windows[0] for each in encode(requests, tokenizer, 512)]
    before = sum(len(window.tokens) - 1 for window in windows)
    after = sum(len(row.tokens) for row in forest(windows))
    return (
        f"| {name}, {len(groups)} items | {len(groups) / seconds[best]:.1f} ({best})"
        f" | {len(groups) / seconds['ours']:.1f} | {seconds[best] / seconds['ours']:.2f}"
        f" | {before:,} → {min(after, before):,} | {apart:.1e} | {same} of {len(groups)} |"
    )


def _harness(model: Any, tokenizer: Any, pairs: Sequence[Pair], size: int) -> Callable[[], list[float]]:
    import logging

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    lm = HFLM(
        pretrained=model,
        tokenizer=tokenizer,
        batch_size=size,
        max_length=512,
        device=str(model.device),
        add_bos_token=True,
    )
    requests = [
        Instance(request_type="loglikelihood", doc={}, arguments=pair, idx=0, metadata=("speed", number, 1))
        for number, pair in enumerate(pairs)
    ]
    return lambda: [float(total) for total, _ in lm.loglikelihood(requests, disable_tqdm=True)]


def timed(act: Callable[[], list[float]]) -> tuple[float, list[float]]:
    """Seconds of processor time (of wall time on a GPU), and the answer."""
    import torch

    clock = time.monotonic if torch.cuda.is_available() else time.process_time
    start = clock()
    found = act()
    return clock() - start, found


def choices(groups: Sequence[Sequence[Pair]], totals: Sequence[float]) -> list[int]:
    """Which candidate of each item is the likeliest."""
    left = iter(totals)
    scores = [[next(left) for _ in group] for group in groups]
    return [max(range(len(each)), key=each.__getitem__) for each in scores]


# --- memory -----------------------------------------------------------------------------------------------------------


def memory(data: Path) -> str:
    """Peak memory of `commons evaluate` on BBQ's six files, and on as many copies as make the whole of BBQ."""
    rows = ["| items | peak memory, MiB | processor seconds |", "|---|---|---|"]
    for wanted in (11_956, 58_492):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_tiny(folder / "model", data)
            write_bbq(folder / "bbq", data, wanted)
            run = "import sys; from flows.commands import main; main(sys.argv[1:])"
            command = [sys.executable, "-c", run, "evaluate", str(folder / "model")]
            command += ["--benchmark", f"bbq={folder / 'bbq'}", "--out", str(folder / "out")]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[1])
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            # ru_maxrss is that of the largest child so far: the smaller run comes first.
            rows.append(f"| {wanted:,} | {after.ru_maxrss / 1024:.0f} | {after.ru_utime - before.ru_utime:.0f} |")
    return "\n".join(rows)


def write_tiny(folder: Path, data: Path) -> None:
    """A model of next to no parameters: what is measured is everything around it."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(data / "model" / "base-2.5m-multilingual", local_files_only=True)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=1,
        max_position_embeddings=512, tie_word_embeddings=True, bos_token_id=1, eos_token_id=3,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def write_bbq(folder: Path, data: Path, wanted: int) -> None:
    """BBQ's items again and again under new numbers and slightly new texts, so that nothing is shared between copies."""
    folder.mkdir()
    lines = [
        line
        for path in sorted((data / "benchmarks" / "bbq" / "data").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
        for number in range(wanted):
            row = json.loads(lines[number % len(lines)])
            copy = number // len(lines)
            row["example_id"] = f"{row['example_id']}-{copy}"
            row["context"] = f"{copy}. {row['context']}" if copy else row["context"]
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
