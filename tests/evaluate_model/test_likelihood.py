"""Log-likelihoods against a brute-force forward pass, shared beginnings or not."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from stages.evaluate_model.encoding import Window, encode
from stages.evaluate_model.items import Request
from stages.evaluate_model.language_model import OpenModel
from stages.evaluate_model.likelihood import Trees, batches, chains, forest, log_likelihoods, takes_a_tree, totals
from stages.evaluate_model.parameters import Options
from stages.evaluate_model.scorer import Scorer

torch = pytest.importorskip("torch")
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"


def brute_force(model: Any, window: Window) -> float:
    """The whole log-softmax of one sequence, and nothing clever."""
    with torch.no_grad():
        logits = model(torch.tensor([window.tokens])).logits[0].double()
    logs = logits.log_softmax(-1)
    return float(sum(logs[at - 1, window.tokens[at]] for at in range(window.start, len(window.tokens))))


def tree_like(seed: int = 0) -> list[Window]:
    """Windows as benchmarks have them: few beginnings, several ends, some windows twice or inside another."""
    draw = random.Random(seed)
    windows = []
    for _ in range(12):
        beginning = [draw.randrange(3, 300) for _ in range(draw.randrange(5, 40))]
        for _ in range(3):
            end = [draw.randrange(3, 300) for _ in range(draw.randrange(1, 9))]
            windows.append(Window((*beginning, *end), len(beginning)))
        windows.append(Window((*beginning, 7), 1))
    return [*windows, windows[0], Window((5, 6), 1)]


def test_a_forest_stands_a_common_beginning_once() -> None:
    windows = [Window((1, 2, 3, 4), 3), Window((1, 2, 3, 5), 3), Window((1, 2, 9, 9), 2), Window((8, 2), 1)]
    (row,) = forest(windows)
    assert row.tokens.tolist() == [1, 2, 3, 9, 8]
    assert row.ends.tolist() == [4, 4, 3, 4, 5]  # below 1 stand 2, 3 and 9; below 8 nothing
    assert row.depths.tolist() == [0, 1, 2, 2, 0]
    wanted = sorted(zip(row.nodes.tolist(), row.targets.tolist(), row.windows.tolist(), strict=True))
    assert wanted == [(1, 9, 2), (2, 4, 0), (2, 5, 1), (3, 9, 2), (4, 2, 3)]


def test_rows_are_cut_where_least_is_read_twice() -> None:
    # Two texts of two questions each: 4 + 1 + 1 nodes a text. Filled up in order, a row of 8 would part the second text.
    first, second = (1, 2, 3, 4), (5, 6, 7, 8)
    windows = [Window((*text, end, 9), 5) for text in (first, second) for end in (10, 11)]
    assert [len(row.tokens) for row in forest(windows, row_tokens=8)] == [6, 6]
    assert [len(row.tokens) for row in forest(windows, row_tokens=12)] == [12]
    assert sum(len(row.tokens) for row in forest(windows, row_tokens=5)) == 20  # nothing fits beside anything


def test_rows_are_not_longer_than_asked_unless_one_text_is() -> None:
    rows = forest(tree_like(), row_tokens=32)
    longest = max(len(window.tokens) - 1 for window in tree_like())
    assert len(rows) > 3
    assert all(len(row.tokens) <= max(32, longest) for row in rows)


def test_batches_keep_to_their_budget() -> None:
    rows = chains(tree_like())
    for batch in batches(rows, 100, 10_000):
        assert len(batch) == 1 or len(batch) * max(len(row.tokens) for row in batch) <= 100
    assert sum(map(len, batches(rows, 100, 10_000))) == len(rows)


def test_a_batch_asks_for_no_more_logits_than_there_is_room_for() -> None:
    rows = chains(tree_like())
    for batch in batches(rows, 10_000, 20):
        assert len(batch) == 1 or sum(len(row.nodes) for row in batch) <= 20


@pytest.mark.parametrize("batch_tokens", [64, 2048])
@pytest.mark.parametrize("shared", [True, False])
def test_both_ways_equal_brute_force(opened: tuple[Any, Any], shared: bool, batch_tokens: int) -> None:
    model, _ = opened
    windows = tree_like()
    rows = forest(windows) if shared else chains(windows)
    found = totals(model, rows, len(windows), batch_tokens, tree=shared).totals
    assert found == pytest.approx([brute_force(model, window) for window in windows], abs=1e-4)


def test_what_is_chosen_by_itself_equals_brute_force(opened: tuple[Any, Any]) -> None:
    model, _ = opened
    windows = tree_like(1)
    found = log_likelihoods(model, windows, 512, Trees()).totals
    assert found == pytest.approx([brute_force(model, window) for window in windows], abs=1e-4)
    assert takes_a_tree(model, windows)


def test_greedy_tells_whether_each_token_was_the_likeliest(opened: tuple[Any, Any]) -> None:
    model, _ = opened
    beginning = (11, 12, 13)
    with torch.no_grad():
        likeliest = int(model(torch.tensor([beginning])).logits[0, -1].argmax())
    windows = [Window((*beginning, token), 3) for token in (likeliest, likeliest + 1)]
    assert log_likelihoods(model, windows, 512, Trees(), greedy=True).greedy == [True, False]


def test_a_longer_text_is_tried_before_it_is_read_as_a_tree(
    opened: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = opened
    tried = []
    monkeypatch.setattr(
        "stages.evaluate_model.likelihood.takes_a_tree", lambda _, windows: tried.append(len(windows[0].tokens)) or True
    )
    trees = Trees()
    for length in (8, 5, 20):
        assert trees.fit(model, [Window(tuple(range(length)), 1)])
    assert tried == [8, 20]


def test_a_model_with_a_sliding_window_is_read_one_by_one(caplog: pytest.LogCaptureFixture) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(1)
    config = MistralConfig(
        vocab_size=300, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, sliding_window=4, max_position_embeddings=128, initializer_range=0.5,
    )  # fmt: skip
    model = MistralForCausalLM(config).eval()
    windows = tree_like()
    with caplog.at_level("INFO"):
        found = log_likelihoods(model, windows, 512, Trees()).totals
    assert "texts are read one by one" in caplog.text
    assert found == pytest.approx([brute_force(model, window) for window in windows], abs=1e-4)


def test_a_model_with_learned_positions_can_share(opened: tuple[Any, Any]) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(2)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=300, n_positions=128, n_embd=16, n_layer=2, n_head=2)).eval()
    windows = tree_like()
    found = totals(model, forest(windows), len(windows), 512, tree=True).totals
    assert found == pytest.approx([brute_force(model, window) for window in windows], abs=1e-4)


def test_a_text_longer_than_the_model_reads_is_scored_piece_by_piece(opened: tuple[Any, Any]) -> None:
    model, tokenizer = opened
    text = "Herritar guztiek entzun dezakete han esaten dena. " * 12
    (encoded,) = encode([Request("", text, chat=False)], tokenizer, max_length=50)
    assert len(encoded.windows) > 2
    scored = [token for window in encoded.windows for token in window.tokens[window.start :]]
    assert scored == tokenizer(text, add_special_tokens=False)["input_ids"]
    assert all(len(window.tokens) <= 51 for window in encoded.windows)
    (found,) = Scorer(OpenModel(model, tokenizer, 50, False, ""), 512).of_encoded([encoded])
    assert found.tokens == len(scored)
    assert found.total == pytest.approx(sum(brute_force(model, window) for window in encoded.windows), abs=1e-3)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data (../shared/data) is not beside the project")
def test_crows_pairs_equal_lm_evals_rule_on_a_trained_model() -> None:
    from stages.evaluate_model.benchmarks import crows_pairs
    from stages.evaluate_model.language_model import open_model

    model, tokenizer = open_model(SHARED / "model" / "base-2.5m-multilingual", "float32", threads=1)
    path = SHARED / "benchmarks" / "crows-pairs" / "data" / "crows_pairs_anonymized.csv"
    requests = [
        request for item in itertools.islice(crows_pairs.read(path, Options()), 30) for request in item.requests
    ]
    found, _ = Scorer(OpenModel(model, tokenizer, 512, False, ""), 512).likelihoods(requests)
    for request, likelihood in zip(requests, found, strict=True):
        # lm-eval: no context, so the beginning-of-text token; then the sum over the sentence's own tokens.
        tokens = [tokenizer.bos_token_id, *tokenizer.encode(request.continuation, add_special_tokens=False)]
        assert likelihood.total == pytest.approx(brute_force(model, Window(tuple(tokens), 1)), abs=1e-3)


@pytest.mark.gpu
def test_a_gpu_gives_the_same(opened: tuple[Any, Any], model_folder: Any) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no GPU on this machine")
    from stages.evaluate_model.language_model import open_model

    model, _ = open_model(model_folder, "float32", threads=1)
    assert model.device.type == "cuda"
    windows = tree_like()
    on_cpu = [brute_force(model.cpu(), window) for window in windows]
    assert log_likelihoods(model.cuda(), windows, 512, Trees()).totals == pytest.approx(on_cpu, abs=1e-3)
