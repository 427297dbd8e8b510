"""Only a whole safetensors model that can hold a conversation gets through; everything else is one clear line."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from stages.errors import TransientTrouble, Trouble
from stages.fetch_base_model import hub
from stages.fetch_base_model.__main__ import main
from stages.fetch_base_model.chat import choose_tokens, read_chat, render
from stages.fetch_base_model.files import check_folder, copy_model
from stages.fetch_base_model.parameters import Parameters
from stages.fetch_base_model.weights import read_header, read_weights
from stages.params import load

ROOT = Path(__file__).parents[2]
SHARED = ROOT / ".." / "shared" / "data" / "model" / "base-2.5m-multilingual"

SPECIAL = ["<|pad|>", "<|im_end|>", "<|user|>", "<|assistant|>", "<|endoftext|>"]
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' }}"
    "{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def safetensors(tensors: dict[str, tuple[str, list[int]]]) -> bytes:
    """The bytes of a file with these tensors, all zero."""
    width = {"F32": 4, "BF16": 2}
    header, place = {}, 0
    for name, (dtype, shape) in tensors.items():
        size = width[dtype]
        for axis in shape:
            size *= axis
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size]}
        place += size
    raw = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    return struct.pack("<Q", len(raw)) + raw + bytes(place)


def vocabulary() -> int:
    return 256 + len(SPECIAL)


def tensors() -> dict[str, tuple[str, list[int]]]:
    return {"model.embed_tokens.weight": ("BF16", [vocabulary(), 4]), "model.norm.weight": ("F32", [4])}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a byte-level tokenizer, a chat template and weights of no use."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    alphabet = {character: id for id, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))
    write(folder / "tokenizer_config.json", {"pad_token": "<|pad|>", "eos_token": {"content": "<|im_end|>"}})
    write(folder / "config.json", {"architectures": ["LlamaForCausalLM"], "vocab_size": vocabulary()})
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    (folder / "model.safetensors").write_bytes(safetensors(tensors()))
    return folder


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def change(path: Path, **values: Any) -> None:
    write(path, {**json.loads(path.read_text(encoding="utf-8")), **values})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Run the node's main on a folder with changed parameters; returns the output folder."""

    def run_main(local: Path, **changes: Any) -> Path:
        section = {"path": "unused", "license": "Apache-2.0", **changes}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump({"fetch_base_model": section}), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["fetch_base_model", "--local", str(local), "--out", "base"])
        main()
        return tmp_path / "base"

    return run_main


@pytest.mark.filterwarnings("ignore")  # Great Expectations' own
def test_a_model_comes_with_its_origin(model: Path, run: Callable[..., Path]) -> None:
    (model / "README.md").write_text("A model.", encoding="utf-8")
    (model / "modeling_own.py").write_text("raise SystemExit", encoding="utf-8")
    out = run(model, obligations=["Say 'Built with tiny'."])
    origin = json.loads((out / "origin.json").read_text(encoding="utf-8"))
    assert origin.pop("files").keys() == {
        "README.md", "chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    assert origin == {
        "hub_id": None,
        "local": "tiny",
        "revision": None,
        "license": "Apache-2.0",
        "obligations": ["Say 'Built with tiny'."],
        "architecture": "LlamaForCausalLM",
        "parameters": vocabulary() * 4 + 4,
        "stored_types": ["BF16", "F32"],
    }
    assert not (out / "modeling_own.py").exists()
    assert (out / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()
    assert json.loads((out / "metrics.json").read_text(encoding="utf-8"))["parameters"] == vocabulary() * 4 + 4
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert {path.name: path.read_bytes() for path in run(model, obligations=["Say 'Built with tiny'."]).iterdir()} == first  # fmt: skip


@pytest.mark.skipif(not SHARED.exists(), reason="needs shared/data/model/base-2.5m-multilingual beside the repository")
def test_a_real_model_passes(tmp_path: Path) -> None:
    copy_model(SHARED, tmp_path)
    weights, chat = read_weights(tmp_path), read_chat(tmp_path)
    assert (weights.parameters, weights.dtypes, chat.pad, chat.eos) == (2_557_632, ["BF16"], "<|pad|>", "<|im_end|>")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda m: (m / "model.safetensors").rename(m / "pytorch_model.bin"), "holds pytorch_model.bin, which can run code"),
        (lambda m: (m / "training_args.bin").write_bytes(b"x"), "holds training_args.bin, which can run code"),
        (lambda m: (m / "model.safetensors").unlink(), "holds no .*safetensors file"),
        (lambda m: (m / "config.json").unlink(), "config.json is missing"),
        (lambda m: (m / "config.json").write_text("["), "config.json is not valid JSON"),
        (lambda m: change(m / "config.json", auto_map={"AutoModel": "own.Model"}), "config.json has 'auto_map'"),
        (lambda m: change(m / "tokenizer_config.json", auto_map={"x": "y"}), "tokenizer_config.json has 'auto_map'"),
        (lambda m: change(m / "config.json", architectures=[]), "names no architecture"),
        (lambda m: change(m / "config.json", vocab_size=100), "the tokenizer has 261 tokens, the model 100"),
        (lambda m: change(m / "config.json", vocab_size=300), "says 300 tokens, the embeddings have 261"),
        (lambda m: change(m / "config.json", quantization_config={}), "has 'quantization_config'"),
        (lambda m: (m / "tokenizer.json").unlink(), "has no tokenizer.json; wanted a fast tokenizer"),
        (lambda m: (m / "tokenizer.json").write_text("{}"), "tokenizer.json is not a tokenizer"),
        (lambda m: (m / "vocab.json").write_bytes(pickle.dumps({})), "vocab.json is a pickle"),
        (lambda m: (m / "tokenizer.model").write_bytes(b"PK\x03\x04rest"), "tokenizer.model is a pickle or an archive"),
        (lambda m: (m / "chat_template.jinja").unlink(), "has no chat template; wanted one: put a Jinja file"),
        (lambda m: change(m / "tokenizer_config.json", pad_token="<|im_end|>"), "same token, '<|im_end|>'"),
        (lambda m: change(m / "tokenizer_config.json", pad_token=None), "has no pad_token; set fetch_base_model.pad_token"),
        (lambda m: change(m / "tokenizer_config.json", eos_token="</s>"), "eos_token '</s>' is not in the vocabulary"),
        (lambda m: change(m / "tokenizer_config.json", eos_token="<|endoftext|>"), "does not end with '<|endoftext|>'"),
    ],
)  # fmt: skip
def test_what_is_refused(model: Path, run: Callable[..., Path], spoil: Callable[[Path], Any], message: str) -> None:
    spoil(model)
    with pytest.raises(Trouble, match=message.replace("|", r"\|")):
        run(model)
    assert not (model.parent / "base").exists()


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ messages[0]['content'] }}", "changes or loses what is said"),
        ("{% for m in messages %}", "The chat template fails"),
        ("{{ raise_exception('no') }}", r"fails on a plain question and answer \(no\)"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "The chat template fails"),
        (TEMPLATE.replace("{{ '<|assistant|>' }}", "{{ '<|user|>' }}"), "is not how the answered question begins"),
    ],
)
def test_templates_that_cannot_teach(model: Path, template: str, message: str) -> None:
    (model / "chat_template.jinja").write_text(template, encoding="utf-8")
    with pytest.raises(Trouble, match=message):
        read_chat(model)


def test_a_given_template_and_tokens_are_taken(model: Path, tmp_path: Path) -> None:
    write(model / "tokenizer_config.json", {"eos_token": "<|endoftext|>"})
    choose_tokens(model, Parameters(path="x", license="MIT", pad_token="<|pad|>", eos_token="<|im_end|>"))
    chat = read_chat(model)
    assert (chat.pad, chat.eos) == ("<|pad|>", "<|im_end|>")
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    assert (config["pad_token_id"], config["eos_token_id"]) == (256, 257)
    with pytest.raises(Trouble, match=r"fetch_base_model.pad_token is '<none>', which is not in the vocabulary"):
        choose_tokens(model, Parameters(path="x", license="MIT", pad_token="<none>"))


def test_the_chat_is_rendered_as_transformers_does(model: Path) -> None:
    messages = [{"role": "user", "content": "Com puc recórrer?"}, {"role": "assistant", "content": "Per escrit."}]
    chat = read_chat(model)
    assert render(chat, messages, add_generation_prompt=False) == (
        "<|user|>Com puc recórrer?<|im_end|><|assistant|>Per escrit.<|im_end|>"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not the length of a header"),
        (pickle.dumps({"a": 1}), "not the length of a header"),
        (struct.pack("<Q", 10**12) + b"{}", "not the length of a header"),
        (struct.pack("<Q", 4) + b"nope", "its header cannot be read"),
        (safetensors({"a": ("F32", [2])})[:-1], "its tensors take 8 bytes, the file has 7"),
        (safetensors({"a": ("F32", [2])}) + b"x", "its tensors take 8 bytes, the file has 9"),
        (safetensors({"a": ("F32", [2])}).replace(b"[2]", b"[3]"), "another size than its shape"),
        (safetensors({"a": ("F32", [2])}).replace(b'"F32"', b'"F99"'), "has the type 'F99'"),
        (safetensors({"a": ("F32", [2])}).replace(b"[0, 8]", b"[8,16]"), "gap or overlap at byte 0"),
    ],
)
def test_damaged_weights_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(Trouble, match=r"model.safetensors is not a whole safetensors file") as caught:
        read_header(path)
    assert message in str(caught.value)


def shard(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    for name, (tensor, described) in zip(names, tensors().items(), strict=True):
        (folder / name).write_bytes(safetensors({tensor: described}))
    mapping = dict(zip(tensors(), names, strict=True))
    write(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": mapping})


def test_a_model_in_several_files(model: Path, tmp_path: Path) -> None:
    shard(model)
    (model / "consolidated.safetensors").write_bytes(b"another copy of the weights, which no loader reads")
    target = tmp_path / "copy"
    target.mkdir()
    copy_model(model, target)
    assert read_weights(target).parameters == vocabulary() * 4 + 4
    assert not (target / "consolidated.safetensors").exists()


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"model.norm.weight": "model-00002-of-00002.safetensors"}, "does not name model-00001-of-00002.safetensors"),
        ({"model.norm.weight": "../secret.safetensors"}, "names the file '../secret.safetensors'"),
        ({"model.norm.weight": "model-00009-of-00002.safetensors"}, "lacks model-00009-of-00002.safetensors"),
        ({"lost": "model-00001-of-00002.safetensors", "model.norm.weight": "model-00002-of-00002.safetensors"},
         "says tensor 'lost' is in model-00001-of-00002.safetensors, found it in none"),
        ({}, "has no 'weight_map'"),
    ],
)  # fmt: skip
def test_an_index_that_does_not_fit(model: Path, mapping: dict[str, str], message: str) -> None:
    shard(model)
    write(model / "model.safetensors.index.json", {"weight_map": mapping})
    with pytest.raises(Trouble, match=message):
        read_weights(model)


def test_weights_without_their_index(model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    check_folder(model)
    with pytest.raises(Trouble, match=r"but neither model.safetensors nor model.safetensors.index.json"):
        read_weights(model)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"license": ""}, "'fetch_base_model.license' is ''"),
        ({"hub_id": "BSC-LT/salamandra-2b"}, "a hub_id with its revision"),
        ({"hub_id": "BSC-LT/salamandra-2b", "revision": "main"}, "'fetch_base_model.revision' is 'main'"),
        ({"revision": "a" * 40}, "a revision only with its hub_id"),
        ({"hub_id": "../secret"}, "'fetch_base_model.hub_id' is '../secret'"),
        ({"chat_template": "../x"}, "'fetch_base_model.chat_template' is '../x'"),
    ],
)
def test_parameters_that_are_refused(tmp_path: Path, values: dict[str, str], message: str) -> None:
    section = {"path": "x", "license": "MIT", **values}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"fetch_base_model": section}), encoding="utf-8")
    with pytest.raises(Trouble, match=message):
        load("fetch_base_model", Parameters, tmp_path / "params.yaml")


def test_offline_a_hub_model_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        Trouble, match=r"BSC-LT/salamandra-2b at aaaa.* is not here and HF_HUB_OFFLINE is set; unset it"
    ):
        hub.download("BSC-LT/salamandra-2b", "a" * 40, tmp_path / "model")


def test_a_hub_that_does_not_answer_is_tried_again_by_the_flow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unreachable(*args: Any, **kwargs: Any) -> None:
        assert kwargs["revision"] == "a" * 40
        assert not any("bin" in pattern or "*.py" in pattern for pattern in kwargs["allow_patterns"])
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(TransientTrouble, match=r"the hub does not answer \(ConnectionError\); connect and run again"):
        hub.download("BSC-LT/salamandra-2b", "a" * 40, tmp_path / "model")
