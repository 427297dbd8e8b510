"""Check that tokenizer and chat template can hold a conversation and end it, without loading torch.

A model whose padding equals its end of text never learns to stop; a template that does not come back from the
tokenizer as it went in teaches something else than what people wrote.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from stages.artifact import read_text
from stages.errors import Trouble
from stages.fetch_base_model.files import CHAT_TEMPLATE, TOKENIZER, TOKENIZER_CONFIG, read_object
from stages.fetch_base_model.parameters import Parameters

Messages = list[dict[str, str]]

# One exchange a language, with what tokenizers trip over: elision, the middle dot, ñ, quotes, line ends.
EXCHANGES = (
    ("How do I appeal?", "Write to the office.\nIt answers within 20 days."),
    ("Comment faire appel d'une décision ?", "Écrivez à la mairie « sous vingt jours »."),
    ("¿Cómo recurro una decisión?", "Escriba al ayuntamiento; la señora le atenderá."),
    ("Com presento una al·legació?", "Escriviu a l'oficina: us respondrà en vint dies."),
    ("Nola jarri dezaket helegitea?", "Idatzi bulegora; hogei eguneko epean erantzungo dizu."),
)


class Chat(NamedTuple):
    """What a conversation needs of a model folder."""

    template: str
    pad: str
    eos: str
    bos: str
    pad_id: int
    eos_id: int
    vocabulary: int


def read_chat(folder: Path) -> Chat:
    """The folder's chat settings, tried on one exchange in each language; raises Trouble where they cannot work."""
    tokenizer = _tokenizer(folder)
    config = read_object(folder / TOKENIZER_CONFIG)
    special = {name: _special(folder, config, name) for name in ("pad_token", "eos_token")}
    ids = {name: tokenizer.token_to_id(token) for name, token in special.items()}
    for name, token in special.items():
        if ids[name] is None:
            raise Trouble(f"{folder}: the {name} {token!r} is not in the vocabulary; set fetch_base_model.{name}.")
    if ids["pad_token"] == ids["eos_token"]:
        raise Trouble(
            f"{folder}: padding and end of text are the same token, {special['eos_token']!r}, so the model would never "
            "learn to stop; wanted two: set fetch_base_model.pad_token to a token that is not used otherwise."
        )
    chat = Chat(
        template=_template(folder, config),
        pad=special["pad_token"],
        eos=special["eos_token"],
        bos=_content(config.get("bos_token")) or "",
        pad_id=ids["pad_token"],
        eos_id=ids["eos_token"],
        vocabulary=tokenizer.get_vocab_size(with_added_tokens=True),
    )
    for question, answer in EXCHANGES:
        _try_exchange(folder, tokenizer, chat, question, answer)
    return chat


def choose_tokens(folder: Path, params: Parameters) -> None:
    """Write the parameters' pad and end token into the folder's settings (a base model often has none that fits)."""
    chosen = {name: getattr(params, name) for name in ("pad_token", "eos_token") if getattr(params, name)}
    if not chosen:
        return
    tokenizer = _tokenizer(folder)
    for name, token in chosen.items():
        if tokenizer.token_to_id(token) is None:
            raise Trouble(
                f"fetch_base_model.{name} is {token!r}, which is not in the vocabulary; name a token that is."
            )
    for file in (TOKENIZER_CONFIG, "special_tokens_map.json"):
        _update(folder / file, chosen)
    ids = {f"{name}_id": tokenizer.token_to_id(token) for name, token in chosen.items()}
    for file in ("config.json", "generation_config.json"):
        _update(folder / file, ids)


def _update(path: Path, values: dict[str, Any]) -> None:
    if path.exists():
        content = {**read_object(path), **values}
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")


def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    path = folder / TOKENIZER
    if not path.exists():
        raise Trouble(
            f"{folder} has no {TOKENIZER}; wanted a fast tokenizer: make it with transformers' save_pretrained."
        )
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare Exception
        raise Trouble(f"{path} is not a tokenizer ({' '.join(str(error).split())}); get it again.") from None


def _special(folder: Path, config: dict[str, Any], name: str) -> str:
    token = _content(config.get(name))
    if token is None and (folder / "special_tokens_map.json").exists():
        token = _content(read_object(folder / "special_tokens_map.json").get(name))
    if token is None:
        raise Trouble(
            f"{folder / TOKENIZER_CONFIG} has no {name}; set fetch_base_model.{name} to one of the vocabulary."
        )
    return token


def _content(token: Any) -> str | None:
    """A special token is stored as text, or as an object with its text in `content`."""
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else None


def _template(folder: Path, config: dict[str, Any]) -> str:
    if (folder / CHAT_TEMPLATE).exists():
        return read_text(folder / CHAT_TEMPLATE)
    template = config.get("chat_template")
    if isinstance(template, list):  # several, by name
        template = next((entry.get("template") for entry in template if entry.get("name") == "default"), None)
    if not isinstance(template, str):
        raise Trouble(
            f"{folder} has no chat template; wanted one: put a Jinja file into fetch_base_model.path "
            "and name it in fetch_base_model.chat_template."
        )
    return template


def render(chat: Chat, messages: Messages, *, add_generation_prompt: bool) -> str:
    """The conversation as the model reads it. Templates come from outside: they run in Jinja's sandbox."""
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_generation_tag(), "jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _template_refuses
    environment.globals["strftime_now"] = lambda form: "1 January 2000"  # a try-out must not depend on the day
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    try:
        return environment.from_string(chat.template).render(
            messages=messages,
            add_generation_prompt=add_generation_prompt,
            bos_token=chat.bos,
            eos_token=chat.eos,
            pad_token=chat.pad,
        )
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        raise Trouble(f"The chat template fails on a plain question and answer ({error}); give another one.") from None


def _template_refuses(message: str) -> None:
    raise ValueError(message)


def _generation_tag() -> Any:
    """Jinja's extension for `{% generation %}`, which marks the model's words; it renders what it holds."""
    from jinja2 import ext, nodes

    class Generation(ext.Extension):
        tags = {"generation"}  # noqa: RUF012 -- as Jinja declares it

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body).set_lineno(line)

    return Generation


def _try_exchange(folder: Path, tokenizer: Any, chat: Chat, question: str, answer: str) -> None:
    """One question and answer there and back."""
    asked = [{"role": "user", "content": question}]
    prompt = render(chat, asked, add_generation_prompt=True)
    whole = render(chat, [*asked, {"role": "assistant", "content": answer}], add_generation_prompt=False)
    if question not in whole or answer not in whole:
        raise Trouble(f"{folder}: the chat template changes or loses what is said ({question!r}); give another one.")
    if not whole.startswith(prompt):
        raise Trouble(
            f"{folder}: with the chat template, a question alone is not how the answered question begins, so training "
            "on answers would start elsewhere than their generation; give another template."
        )
    ids = tokenizer.encode(whole, add_special_tokens=False).ids
    back = tokenizer.decode(ids, skip_special_tokens=False)
    if "".join(back.split()) != "".join(whole.split()):
        raise Trouble(f"{folder}: the tokenizer gives back {back!r} for {whole!r}; wanted the same text.")
    answered = tokenizer.encode(whole[len(prompt) :], add_special_tokens=False).ids
    if chat.eos_id not in answered:
        raise Trouble(
            f"{folder}: an answer does not end with {chat.eos!r} in the chat template, so the model would never learn "
            "to stop; give another template, or set fetch_base_model.eos_token to the token that ends a turn."
        )
