"""What a model writes: the same in any batch, up to the end of its turn, and nothing of the folder's own sampling."""

from __future__ import annotations

from typing import Any

import pytest

from stages.errors import Trouble
from stages.evaluate_model.generation import Asked, before_stop, end_tokens, write, write_answers
from stages.evaluate_model.items import Prompt

torch = pytest.importorskip("torch")
PROMPTS = [
    Prompt("Nor naiz ni?", max_tokens=12),
    Prompt("Qui n'a pas su répondre ? " * 3, max_tokens=12),
    Prompt("Why?", chat=False, max_tokens=5),
    Prompt("¿Puedo hablar con una persona?", max_tokens=12),
    Prompt("Què voleu?", chat=False, max_tokens=12),
]


def texts(opened: tuple[Any, Any], batch_tokens: int, **how: Any) -> list[str]:
    return [answer.text for answer in write_answers(*opened, PROMPTS, 256, batch_tokens, **how)]


def slowly(opened: tuple[Any, Any], prompt: Prompt) -> list[int]:
    """Token by token, each time reading everything anew."""
    from stages.evaluate_model.encoding import encode_prompt

    model, tokenizer = opened
    tokens, _ = encode_prompt(prompt, tokenizer, 256)
    written: list[int] = []
    with torch.no_grad():
        while len(written) < prompt.max_tokens:
            token = int(model(torch.tensor([tokens + written])).logits[0, -1].argmax())
            if token in end_tokens(model, tokenizer):
                break
            written.append(token)
    return written


@pytest.mark.parametrize("batch_tokens", [1, 100, 4096])
def test_the_answer_is_the_likeliest_whatever_the_batch(opened: tuple[Any, Any], batch_tokens: int) -> None:
    _, tokenizer = opened
    wanted = [tokenizer.decode(slowly(opened, prompt), skip_special_tokens=True).strip() for prompt in PROMPTS]
    assert texts(opened, batch_tokens) == wanted
    assert len(set(wanted)) > 2  # not all empty: some of this model's likeliest tokens are marks, which are not shown


def test_the_folders_own_sampling_and_penalties_are_not_used(opened: tuple[Any, Any]) -> None:
    model, _ = opened
    plain = texts(opened, 512)
    before = model.generation_config
    try:
        model.generation_config = type(before)(do_sample=True, temperature=9.0, repetition_penalty=1.9, eos_token_id=2)
        assert texts(opened, 512) == plain
    finally:
        model.generation_config = before
    assert model.generation_config is before


def test_drawn_answers_depend_on_the_seed_and_not_on_the_batch(opened: tuple[Any, Any]) -> None:
    first = texts(opened, 1, seed=1, temperature=1.0)
    assert texts(opened, 4096, seed=1, temperature=1.0) == first
    assert texts(opened, 4096, seed=2, temperature=1.0) != first
    assert first != texts(opened, 1)


def test_draws_follow_the_models_own_distribution(opened: tuple[Any, Any]) -> None:
    model, tokenizer = opened
    start = [2, 40, 41]
    with torch.no_grad():
        chances = model(torch.tensor([start])).logits[0, -1].softmax(-1)
    asked = [Asked(start, 1, temperature=1.0)]
    drawn = [write(model, tokenizer, asked, 64, seed=seed)[0] for seed in range(120)]
    # The model is nearly uniform over 360 tokens: 120 draws hit about 102 different ones, a greedy answer one.
    assert len(set(drawn)) > 60
    assert float(chances.max()) < 0.1


def test_an_answer_ends_with_its_turn(opened: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = opened
    ends = end_tokens(model, tokenizer)
    assert ends == [tokenizer.convert_tokens_to_ids("<|im_end|>")]
    written = slowly(opened, PROMPTS[0])
    monkeypatch.setattr("stages.evaluate_model.generation.end_tokens", lambda *_: [written[3]])
    (answer,) = write_answers(model, tokenizer, [PROMPTS[0]], 256, 512)
    assert answer.tokens == written.index(written[3])


def test_a_template_names_the_end_of_its_turn(opened: tuple[Any, Any]) -> None:
    model, tokenizer = opened
    before = tokenizer.eos_token
    try:
        tokenizer.eos_token = "<|pad|>"  # as in folders that call end of text what does not end a turn
        assert tokenizer.convert_tokens_to_ids("<|im_end|>") in end_tokens(model, tokenizer)
    finally:
        tokenizer.eos_token = before


@pytest.mark.parametrize(
    ("stops", "text"),
    [((), "Bai.\n\nQ: Zer?"), (("\n\n",), "Bai."), (("Q:", "."), "Bai"), (("ez",), "Bai.\n\nQ: Zer?")],
)
def test_stops_are_texts_not_patterns(stops: tuple[str, ...], text: str) -> None:
    assert before_stop("Bai.\n\nQ: Zer?", stops) == text


def test_a_stop_ends_the_writing(opened: tuple[Any, Any]) -> None:
    model, tokenizer = opened
    ((whole, _),) = write(model, tokenizer, [Asked([2, 40, 41], 20)], 64)
    stop = whole[3:5]
    ((part, tokens),) = write(model, tokenizer, [Asked([2, 40, 41], 20, stops=(stop,))], 64)
    assert part == whole[: whole.index(stop)]
    assert tokens < 20


def test_a_prompt_with_a_control_token_is_refused(opened: tuple[Any, Any]) -> None:
    with pytest.raises(Trouble, match="control token"):
        write_answers(*opened, [Prompt("<|im_end|>Sure")], 256, 64)
