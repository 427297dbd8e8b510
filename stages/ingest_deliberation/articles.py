"""Read a charter's articles and sub-clauses from Markdown, or from the content of a JSON or YAML file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stages.errors import Trouble
from stages.ingest_deliberation.clean_text import clean

ORIGINS = {"source": False, "human": False, "machine": True}  # of a text -> whether a machine wrote it
CLAUSES = ("subclauses", "sub_clauses", "clauses")
MAX_TEXT = 20_000  # characters of one clause

INTRODUCTIONS = "introductions above sub-clauses, which are no clauses themselves"
EMPTY = "articles without text, left out"


@dataclass(frozen=True)
class Clause:
    """One rule of a charter: a sub-clause, or an article that has none."""

    label: str  # number and article's title, e.g. "1.2 Privacy"
    texts: Mapping[str, tuple[str, bool]]  # language -> (text, by a machine); "" where the file names none


@dataclass
class Charter:
    """A charter as it was read."""

    title: str = ""
    description: str = ""
    language: str = ""  # of the adopted wording, where the file tells
    clauses: list[Clause] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=lambda: Counter({INTRODUCTIONS: 0, EMPTY: 0}))


# --- JSON and YAML


def from_content(content: Any, place: str) -> Charter:
    """The charter in a JSON or YAML file: articles with sub-clauses, a list of texts, or a constitution of ours."""
    if isinstance(content, list):
        content = {"articles": content}
    if not isinstance(content, dict):
        raise Trouble(f"{place} holds {type(content).__name__}; wanted articles with sub-clauses: see docs/sources.md.")
    charter = Charter(_first(content.get("title"), place), _first(content.get("description"), place))
    charter.language = str(content.get("language") or "")
    articles = content.get("articles", content.get("principles"))
    if not isinstance(articles, list) or not articles:
        raise Trouble(f"{place} has no list 'articles'; wanted articles with id, title and text or subclauses.")
    labels: Counter[str] = Counter()
    for number, article in enumerate(articles, start=1):
        _article(charter, number, article, f"{place}, article {number}", labels)
    return charter


def _article(charter: Charter, number: int, article: Any, place: str, labels: Counter[str]) -> None:
    if not isinstance(article, dict):
        article = {"text": article}
    id_ = _id(article, str(number), place, labels)
    title = _first(article.get("title"), place)
    clauses: Any = next((article[name] for name in CLAUSES if article.get(name)), [])
    if not isinstance(clauses, list):
        raise Trouble(f"{place}: its sub-clauses are {type(clauses).__name__}; wanted a list: mend the file.")
    texts = _texts(article.get("texts", article.get("text")), place)
    charter.counts[INTRODUCTIONS] += bool(texts and clauses)
    if not texts and not clauses:
        charter.counts[EMPTY] += 1
    if texts and not clauses:
        charter.clauses.append(Clause(_label(id_, title), texts))
    for position, clause in enumerate(clauses, start=1):
        here = f"{place}, sub-clause {position}"
        inner = clause if isinstance(clause, dict) else {"text": clause}
        texts = _texts(inner.get("texts", inner.get("text")), here)
        if not texts:
            raise Trouble(f"{here} has no text; wanted one: write it or remove the sub-clause.")
        charter.clauses.append(Clause(_label(_id(inner, f"{id_}.{position}", here, labels), title), texts))


def _id(item: Mapping[str, Any], default: str, place: str, labels: Counter[str]) -> str:
    value = item.get("id", default)
    if not isinstance(value, str | int | float):
        raise Trouble(f"{place}: id is {type(value).__name__}; wanted a number or a name: mend the file.")
    id_ = clean(str(value)) or default
    labels[id_] += 1
    if labels[id_] > 1:
        raise Trouble(f"{place}: id {id_[:40]!r} is there a second time; wanted each once: give it another.")
    return id_


def _texts(value: Any, place: str) -> dict[str, tuple[str, bool]]:
    """A text, or a mapping of language to text, or to {value, origin} as in our constitutions."""
    if value is None:
        return {}
    found = value if isinstance(value, dict) else {"": value}
    texts = {}
    for language, text in found.items():
        if language and not re.fullmatch("[a-z]{2}", str(language)):
            raise Trouble(f"{place}: {str(language)[:20]!r} is no ISO 639-1 code such as ca or eu; mend the file.")
        origin = "human"
        if isinstance(text, dict):
            origin, text = str(text.get("origin", "human")), text.get("value", text.get("text"))
        if origin not in ORIGINS:
            raise Trouble(f"{place}: origin is {origin[:20]!r}; wanted one of {', '.join(ORIGINS)}: mend the file.")
        if not isinstance(text, str):
            raise Trouble(f"{place}: the text is {type(text).__name__}; wanted words: put it in quotes.")
        if len(text) > MAX_TEXT:
            raise Trouble(f"{place}: a text of {len(text):,} characters; wanted at most {MAX_TEXT:,}: divide it.")
        if clean(text):
            texts[str(language)] = (clean(text), ORIGINS[origin])
    return texts


def _first(value: Any, place: str) -> str:
    """A title, in the first language of the alphabet where it has several."""
    texts = _texts(value, place)
    return texts[min(texts)][0] if texts else ""


def _label(id_: str, title: str) -> str:
    return f"{id_} {title}".strip()


# --- Markdown

HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")
ITEM = re.compile(r"(\s*)(?:[-*+]|\(?(\d{1,4}(?:\.\d{1,4})*|[a-z])[.)])\s+(\S.*)")
ANCHOR = re.compile(r"\s*\{#([\w.-]+)[^}]*\}\s*$")  # {#id …} after a heading, as in the OpenAI Model Spec
NUMBER = re.compile(
    r"(?:(?:article|artículo|artículo|artikulua|art\.?)\s+)?(\d{1,4}(?:\.\d{1,4})*|[IVXLC]+(?=[.:)]))(?:[.:)º]+|(?=\s|$))[\s–—-]*",
    re.IGNORECASE,
)


@dataclass
class _Section:
    """A heading and what stands under it until the next one."""

    level: int
    heading: str
    paragraphs: list[str] = field(default_factory=list)
    items: list[tuple[str, str]] = field(default_factory=list)  # number as written, text
    open: str = ""  # whether the last line was of an item, of a paragraph, or neither


def from_markdown(text: str) -> Charter:
    """Headings are articles, list items under them sub-clauses; what stands before the first article is a preamble."""
    sections = _sections(text)
    charter = Charter()
    if _is_title(sections):
        charter.title = _title_and_number(sections[0].heading)[0]
        # The lone first heading names the charter; a list under it makes it an article all the same.
        if len(sections) > 1 and not sections[0].items:
            charter.description = "\n\n".join(sections.pop(0).paragraphs)
    elif len(sections) > 1 and not sections[0].level and not sections[0].items:
        charter.description = "\n\n".join(sections.pop(0).paragraphs)
    number = 0
    for section in sections:
        number += _add_section(charter, section, number + 1)
    _number_twins(charter)
    return charter


def _is_title(sections: Sequence[_Section]) -> bool:
    """Whether the first heading stands above all others."""
    return bool(sections) and sections[0].level > 0 and all(one.level > sections[0].level for one in sections[1:])


def _add_section(charter: Charter, section: _Section, position: int) -> bool:
    """Add the section's clauses; whether it is an article (a heading that only groups others is none)."""
    title, number = _title_and_number(section.heading)
    number = number or (str(position) if section.level else "")
    if section.items:
        charter.counts[INTRODUCTIONS] += bool(section.paragraphs)
        for index, (written, text) in enumerate(section.items, start=1):
            own = written if "." in written or not number else f"{number}.{written or index}"
            charter.clauses.append(Clause(_label(own or str(index), title), {"": (text, False)}))
        return True
    if not section.level:  # a text without headings or lists: every paragraph is a rule
        for index, text in enumerate(section.paragraphs, start=1):
            charter.clauses.append(Clause(str(index), {"": (text, False)}))
        return False
    if section.paragraphs:
        charter.clauses.append(Clause(_label(number, title), {"": (" ".join(section.paragraphs), False)}))
        return True
    charter.counts[EMPTY] += 1
    return False


def _number_twins(charter: Charter) -> None:
    """Labels that are there twice (a list that begins anew) get the position behind them."""
    seen: Counter[str] = Counter()
    for index, clause in enumerate(charter.clauses):
        seen[clause.label] += 1
        if seen[clause.label] > 1:
            charter.clauses[index] = Clause(f"{clause.label} ({seen[clause.label]})", clause.texts)


def _title_and_number(heading: str) -> tuple[str, str]:
    anchor = ANCHOR.search(heading)
    heading = _plain(ANCHOR.sub("", heading))
    found = NUMBER.match(heading)
    if not found:
        return heading, anchor.group(1) if anchor else ""
    return heading[found.end() :], anchor.group(1) if anchor else found.group(1)


def _sections(text: str) -> list[_Section]:
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)  # front matter
    text = re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    sections = [_Section(0, "")]
    for line in text.splitlines():
        heading, item = HEADING.fullmatch(line), ITEM.fullmatch(line)
        if heading:
            sections.append(_Section(len(heading.group(1)), heading.group(2)))
        elif not line.strip() or re.fullmatch(r"\s*(?:[-*_]\s*){3,}", line):
            sections[-1].open = "item after a gap" if sections[-1].open.startswith("item") else ""
        elif item:
            sections[-1].items.append((item.group(2) or "", _plain(item.group(3))))
            sections[-1].open = "item"
        else:
            _continue(sections[-1], line)
    return [one for one in sections if one.level or one.paragraphs or one.items]


def _continue(section: _Section, line: str) -> None:
    """A line of running text: of the item above (also after an empty line, where it is indented), else a paragraph."""
    text = _plain(line)
    if section.open == "item" or (section.open == "item after a gap" and line[:2].isspace()):
        number, before = section.items[-1]
        section.items[-1] = (number, f"{before} {text}")
        section.open = "item"
    elif section.open == "paragraph":
        section.paragraphs[-1] += f" {text}"
    else:
        section.paragraphs.append(text)
        section.open = "paragraph"


def _plain(text: str) -> str:
    """Words without Markdown's marks: emphasis, code, links and pictures by their words, block quotes."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text.strip().removeprefix("> "))
    text = re.sub(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<!\w)([*_])(?=\S)([^*_]+?)(?<=\S)\1(?!\w)", r"\2", text)
    return clean(re.sub(r"\\([\\`*_{}\[\]()#+\-.!>])", r"\1", text))
