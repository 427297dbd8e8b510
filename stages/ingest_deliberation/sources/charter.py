"""Read a charter or an existing constitution as statements on which nobody voted: Markdown, YAML or JSON.

JSON and YAML: {"title": …, "articles": [{"id", "title", "text", "subclauses": [{"id", "text"}]}]}; a text may be
{language: text}. Markdown: headings are articles, list items their sub-clauses.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from stages.artifact import read_text
from stages.errors import Trouble
from stages.ingest_deliberation.articles import Charter, Clause, from_content, from_markdown
from stages.ingest_deliberation.clean_text import has_invisible
from stages.ingest_deliberation.conversation import NO_VOTES, Conversation, RawStatement

READERS = (".json", ".yaml", ".yml", ".md", ".markdown", ".txt")
LOST = (
    "votes: a charter is adopted as a whole, nobody voted on its clauses here",
    "opinion groups: without votes nobody can tell who agrees with whom",
    "minorities, uncertainty and who is missing: there is nothing to measure",
)
MAX_FILE = 20 << 20  # bytes


def read(path: Path, language: str) -> Conversation:
    """Read the charter at `path`; `language` is that of texts for which the file names none."""
    file = _file(path)
    text = read_text(file).removeprefix("\ufeff")
    charter = _charter(file, text)
    if not charter.clauses:
        raise Trouble(f"{file} holds no clause; wanted articles with text: see docs/sources.md.")
    source = charter.language or language
    statements = tuple(_statement(id_, one, source, file) for id_, one in enumerate(charter.clauses, start=1))
    charter.counts["translations"] = sum(len(statement.translations) for statement in statements)
    charter.counts["files from which invisible characters were removed"] = int(has_invisible(text))
    return Conversation(
        platform="charter",
        topic=charter.title,
        description=charter.description,
        url="",
        statements=statements,
        votes=NO_VOTES,
        sign_convention="no votes: a charter's text",
        quirks=dict(charter.counts),
        kind="text",
        lost=LOST,
        inputs={file.name: hashlib.sha256(file.read_bytes()).hexdigest()},
    )


def _file(path: Path) -> Path:
    found = sorted(one for one in path.iterdir() if one.suffix.lower() in READERS) if path.is_dir() else [path]
    if len(found) != 1:
        names = ", ".join(one.name for one in found[:5]) or "none"
        raise Trouble(f"{path} holds {len(found)} charters ({names}); wanted one: name the file itself.")
    if found[0].suffix.lower() not in READERS:
        raise Trouble(f"{found[0]} is no {', '.join(READERS)}; wanted Markdown, YAML or JSON: save it as one of them.")
    if found[0].exists() and found[0].stat().st_size > MAX_FILE:
        raise Trouble(f"{found[0]} is larger than {MAX_FILE >> 20} MiB; wanted a charter: check the path.")
    return found[0]


def _charter(file: Path, text: str) -> Charter:
    suffix = file.suffix.lower()
    try:
        if suffix == ".json":
            return from_content(json.loads(text, object_pairs_hook=_unique), str(file))
        if suffix in {".yaml", ".yml"}:
            return from_content(yaml.load(text, _Strict), str(file))  # noqa: S506  # a SafeLoader that refuses twins
    except json.JSONDecodeError as error:
        raise Trouble(f"{file}, line {error.lineno}: {error.msg}; wanted JSON: mend that line.") from None
    except (yaml.YAMLError, _Twice) as error:
        raise Trouble(f"{file}: {' '.join(str(error).split())[:200]}; mend the file.") from None
    except RecursionError:
        raise Trouble(f"{file} is nested too deeply; wanted articles with sub-clauses: mend the file.") from None
    return from_markdown(text)


class _Twice(ValueError):
    """A name is there twice in one mapping: the first would be lost without a word."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise _Twice(f"{twice[:40]!r} is there twice in one place; wanted each once")
    return dict(pairs)


class _Strict(yaml.SafeLoader):
    """YAML's safe loader, which refuses a name that is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        _unique([(str(key.value), None) for key, _ in node.value])
        return super().construct_mapping(node, deep)


def _statement(id_: int, clause: Clause, language: str, file: Path) -> RawStatement:
    """The clause in its source language; other languages are translations."""
    texts = {code or language: text for code, text in clause.texts.items()}
    if language not in texts:
        found = ", ".join(sorted(texts))
        raise Trouble(
            f"{file}: {clause.label[:60]!r} has no text in {language} (found: {found}); wanted the source's language:"
            " set ingest_deliberation.language."
        )
    text, by_machine = texts.pop(language)
    if by_machine:
        raise Trouble(
            f"{file}: the {language} text of {clause.label[:60]!r} is a machine's; wanted people's words there."
        )
    translations = dict(sorted(texts.items()))
    return RawStatement(id_, text, language, 1, "", seed=True, translations=translations, label=clause.label)
