"""Read the family's files; what a file holds tells its format.

BBQ (Parrish et al. 2022), MBBQ (Neplenbroek et al. 2024: BBQ's columns, with a control set), EsBBQ and CaBBQ (Ruiz-Fernández
et al. 2025: CSV), GG-BBQ (Satheesh et al. 2025: JSON Lines) and KoBBQ (Jin et al. 2024: a table). Lines are read one by one.
"""

from __future__ import annotations

import ast
import csv
import difflib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from sys import intern
from typing import Any

from stages import languages
from stages.errors import Trouble
from stages.evaluate_model.bbq_family.question import (
    UNKNOWN,
    Place,
    Question,
    Row,
    biased_answer,
    check,
    condition,
    label,
    polarity,
    target,
    text,
    unknown_answer,
)
from stages.evaluate_model.bbq_family.wordings import known_languages, wordings

ANSWERS = ("ans0", "ans1", "ans2")
LANGUAGES = {"EsBBQ": ("es", "ca"), "GG-BBQ": ("de",), "KoBBQ": ("ko",)}  # BBQ's format exists in any
MORE_LANGUAGES = ("tr",)  # MBBQ has it; no wordings of ours yet


def read_questions(path: Path, benchmark: str, language: str = "") -> Iterator[Question]:
    """Yield the questions of one file; `language` where neither the file nor its name tells."""
    columns, rows = _rows(path, benchmark)
    name = _format_of(columns, path, benchmark)
    language = _language(name, _language_of(path) or language, path, benchmark)
    _, read_as = FORMATS[name]
    templates = _german_templates(path, benchmark) if name == "GG-BBQ" else {}
    for line, row in rows:
        place = Place(benchmark, path, line, str(row.get(FORMATS[name][0][0]) or "?"))
        _require(FORMATS[name][0], row, name, place)
        yield check(read_as(row, place, language, templates), place)


def _require(columns: Sequence[str], row: Row, name: str, place: Place) -> None:
    missing = next((column for column in columns if row.get(column) is None), None)
    if missing is None:
        return
    others = [str(column) for column in row if column not in columns]
    near = difflib.get_close_matches(missing, others, n=1)
    found = f"no column '{missing}'" + (f" (there is '{near[0]}')" if near else "")
    found = f"nothing in '{missing}'" if missing in row else found
    raise place.trouble(found, f"{name}'s columns {', '.join(columns)}")


def id_field_of(path: Path, benchmark: str) -> str:
    """The column that holds an item's id in this file's format."""
    columns, _ = _rows(path, benchmark)
    return FORMATS[_format_of(columns, path, benchmark)][0][0]


# --- lines ------------------------------------------------------------------------------------------------------------


def _rows(path: Path, benchmark: str) -> tuple[list[str], Iterator[tuple[int, Row]]]:
    """The columns of the first line and all lines, numbered."""
    found = _table(path, benchmark) if path.suffix.casefold() in (".csv", ".tsv") else _json_lines(path, benchmark)
    first = next(found, None)
    if first is None:
        return [], iter(())
    return [str(column) for column in first[1]], _again(first, found)


def _again(first: tuple[int, Row], rest: Iterator[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    yield first
    yield from rest


def _json_lines(path: Path, benchmark: str) -> Iterator[tuple[int, Row]]:
    with _opened(path, benchmark) as file:
        for line, content in _lines(file, path, benchmark):
            if not content.strip():
                continue
            try:
                row = json.loads(content)
            except json.JSONDecodeError as error:
                raise Place(benchmark, path, line).trouble(f"not JSON ({error.msg})", "one object a line") from None
            if not isinstance(row, dict):
                raise Place(benchmark, path, line).trouble(f"a JSON {type(row).__name__}", "one object a line")
            yield line, row


def _table(path: Path, benchmark: str) -> Iterator[tuple[int, Row]]:
    with _opened(path, benchmark) as file:
        lines = (content for _, content in _lines(file, path, benchmark))
        rows = csv.DictReader(lines, delimiter="\t" if path.suffix.casefold() == ".tsv" else ",", strict=True)
        try:
            for row in rows:
                if None in row:
                    raise Place(benchmark, path, rows.line_num).trouble("more fields than the header names", "as many")
                yield rows.line_num, row
        except csv.Error as error:
            raise Place(benchmark, path, rows.line_num).trouble(
                str(error), "a table as its authors publish it"
            ) from None


def _opened(path: Path, benchmark: str) -> Any:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError:
        raise Trouble(f"{benchmark}: {path} is missing; wanted a file of items there: check the path.") from None


def _lines(file: Any, path: Path, benchmark: str) -> Iterator[tuple[int, str]]:
    try:
        yield from enumerate(file, start=1)
    except UnicodeDecodeError as error:
        raise Trouble(f"{benchmark}: {path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None


def _format_of(columns: Sequence[str], path: Path, benchmark: str) -> str:
    """The format that most of these columns belong to; raises Trouble where it is less than half of a format's."""
    if not columns:
        return "BBQ"  # an empty file has no lines to read
    shares = {name: sum(c in columns for c in wanted) / len(wanted) for name, (wanted, _) in FORMATS.items()}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < 0.5:
        known = "; ".join(f"{name}: {', '.join(wanted[:5])} …" for name, (wanted, _) in FORMATS.items())
        raise Trouble(
            f"{benchmark}: {path} has the columns {', '.join(columns[:8])}; wanted those of one of the formats ({known})"
            " - name the right files."
        )
    return best


def _language_of(path: Path) -> str:
    """The language that the file's name ("Age.eu.jsonl", "Age_nl.jsonl") or its folder ("data_es") ends in."""
    known = {*languages.NAMES, *known_languages(), *MORE_LANGUAGES}
    for name in (path.name.split(".")[0], *path.suffixes, path.parent.name):
        last = re.split(r"[._-]", name)[-1]
        if last in known and last != name:
            return last
    return ""


def _language(name: str, told: str, path: Path, benchmark: str) -> str:
    """The told language, where the format is one that exists in it; a format of one language needs no telling."""
    exists = LANGUAGES.get(name, (told,))
    if told in exists:
        return told
    if len(exists) == 1:
        return exists[0]
    raise Trouble(
        f"{benchmark}: {path} does not tell its language (found '{told}'); wanted {' or '.join(exists)}: keep the"
        f" authors' folder names (data_es, data_ca), or name the file e.g. {path.stem}.{exists[0]}{path.suffix}."
    )


# --- BBQ and MBBQ -----------------------------------------------------------------------------------------------------


def _bbq(row: Row, place: Place, language: str, _: Mapping[str, str]) -> Question:
    spoken = str(row.get("language") or language)
    if not spoken:
        raise place.trouble("no language", "a field 'language', or a file name that ends in it, as Age_nl.jsonl")
    control = bool(row.get("control")) or "control" in re.split(
        r"[._\-\s]", f"{place.path.stem} {row['category']}".casefold()
    )
    kind = text(row, "category", place)
    infos = [_names(_mapping(row["answer_info"], place).get(answer), place) for answer in ANSWERS]
    unknown, asked = unknown_answer(infos, place), polarity(row, "question_polarity", place)
    groups = _names(_mapping(row["additional_metadata"], place).get("stereotyped_groups"), place)
    about, group = (None, "") if control else target(groups, infos, unknown)
    shown = f"{kind}_control" if control and "control" not in kind.casefold() else kind
    return Question(
        item_id=f"{shown}-{text(row, 'example_id', place)}-{spoken}",
        example_id=text(row, "example_id", place),
        language=intern(spoken),
        category=intern(shown),
        cluster=intern(f"{kind}-{text(row, 'question_index', place)}"),
        condition=condition(row, "context_condition", place),
        polarity=asked,
        context=text(row, "context", place),
        question=intern(text(row, "question", place)),
        answers=tuple(intern(text(row, answer, place)) for answer in ANSWERS),
        correct=label(row, "label", place),
        unknown=unknown,
        biased=biased_answer(about, asked, unknown),
        group=intern(group),
        control=control,
    )


def _mapping(value: object, place: Place) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise place.trouble(f"{value!r:.40}", "answer_info and additional_metadata as JSON objects")
    return value


def _names(value: object, place: Place) -> list[str]:
    """A list of names, also where it is written as Python or JSON text."""
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            value = None
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise place.trouble(f"{value!r:.40}", "a list of names")
    return [name.strip() for name in value]


# --- EsBBQ and CaBBQ --------------------------------------------------------------------------------------------------


def _esbbq(row: Row, place: Place, language: str, _: Mapping[str, str]) -> Question:
    kind = text(row, "category", place)
    infos = [_names(row[f"answer_info.{answer}"], place) for answer in ANSWERS]
    unknown, asked = unknown_answer(infos, place), polarity(row, "question_polarity", place)
    about, group = target(_names(row["stereotyped_groups"], place), infos, unknown)
    cluster = f"{kind}-{text(row, 'template_id', place)}"
    answers = [text(row, answer, place) for answer in ANSWERS]
    if answers[unknown].casefold() == UNKNOWN:
        answers[unknown] = _in_words(language, cluster, place)
    question = Question(
        item_id=f"{kind}-{text(row, 'instance_id', place)}-{language}",
        example_id=text(row, "instance_id", place),
        language=intern(language),
        category=intern(kind),
        cluster=intern(cluster),
        condition=condition(row, "context_condition", place),
        polarity=asked,
        context=text(row, "context", place),
        question=intern(text(row, "question", place)),
        answers=tuple(map(intern, answers)),
        correct=label(row, "label", place),
        unknown=unknown,
        biased=biased_answer(about, asked, unknown),
        group=intern(group),
    )
    # Where the file's own pro-stereo or anti-stereo contradicts its groups, nobody knows the target.
    said = {"pro-stereo": True, "anti-stereo": False}.get(str(row.get("question_type")))
    agreed = said is None or question.biased is None or said == (question.correct == question.biased)
    return question if agreed else replace(question, biased=None, group="")


def _in_words(language: str, cluster: str, place: Place) -> str:
    """The placeholder "unknown" in the language's words: one wording per template, so that its questions stay comparable."""
    phrases = wordings(language).unknown[:6]
    if not phrases:
        raise place.trouble(f"the placeholder '{UNKNOWN}' in '{language}'", "a language with words for it")
    return phrases[zlib.crc32(cluster.encode()) % len(phrases)]


# --- GG-BBQ -----------------------------------------------------------------------------------------------------------

GERMAN_CATEGORY = "Gender_identity"


def _german(row: Row, place: Place, language: str, templates: Mapping[str, str]) -> Question:
    infos_by_place = _german_infos(row, place)
    infos = [_names(infos_by_place.get(at), place) for at in range(3)]
    unknown, asked = unknown_answer(infos, place), polarity(row, "question_type", place)
    groups = _names(row["known_stereotyped_groups"], place)
    if any("trans" in group.casefold() for group in groups):
        groups.append("non_binary")  # what the file calls trans persons in choice_info
    about, group = target(groups, infos, unknown)
    known = condition(row, "context_type", place)
    part = f"{place.path.parent.name}-" if place.path.parent.name.startswith("subset") else ""
    return Question(
        item_id=f"{GERMAN_CATEGORY}-{part}{known}-{text(row, 'index', place)}-{language}",
        example_id=text(row, "index", place),
        language=intern(language),
        category=GERMAN_CATEGORY,
        cluster=intern(f"{GERMAN_CATEGORY}-{zlib.crc32(templates[text(row, 'context', place)].encode()):08x}"),
        condition=known,
        polarity=asked,
        context=text(row, "context", place),
        question=intern(text(row, "question", place)),
        answers=tuple(intern(text(row, f"choice_{at}", place)) for at in range(3)),
        correct=label(row, "label", place),
        unknown=unknown,
        biased=biased_answer(about, asked, unknown),
        group=intern(group),
    )


def _german_infos(row: Row, place: Place) -> Mapping[int, object]:
    try:
        value = ast.literal_eval(text(row, "choice_info", place))
    except (ValueError, SyntaxError):
        value = None
    if not isinstance(value, dict):
        raise place.trouble(f"'choice_info' is {row['choice_info']!r:.40}", "{0: [name, group], …} in 'choice_info'")
    return value


def _german_templates(path: Path, benchmark: str) -> dict[str, str]:
    """Each text's template by its negative question, since the lines do not name their template.

    Checked against the authors' template table: it tells the same templates apart, save pairs of templates that ask the
    same question of other people, which are near copies too.
    """
    _, rows = _rows(path, benchmark)
    asked: dict[str, str] = {}
    for _, row in rows:
        context = str(row.get("context") or "").strip()
        if row.get("question_type") == "negative" or context not in asked:
            asked[context] = str(row.get("question") or "").strip()
    return asked


# --- KoBBQ ------------------------------------------------------------------------------------------------------------


def _korean(row: Row, place: Place, language: str, _: Mapping[str, str]) -> Question:
    """A sample's id holds its template, condition and kind of question: age-001-001-amb-bsd."""
    name = text(row, "sample_id", place)
    parts = name.split("-")
    told = next((part for part in parts if part in ("amb", "dis")), "")
    answers = _names(row["choices"], place)
    words = {phrase.casefold() for phrase in wordings(language).unknown}
    infos = [[UNKNOWN] if answer.casefold() in words else [answer] for answer in answers]
    if len(answers) != 3 or len(parts) < 4:
        raise place.trouble(f"{len(answers)} choices, id '{name}'", "three choices and an id as age-001-001-amb-bsd")
    return Question(
        item_id=f"{name}-{language}",
        example_id=name,
        language=intern(language),
        category=intern(text(row, "bbq_category", place)),
        cluster=intern("-".join(parts[:2])),
        condition=condition({"sample_id": told}, "sample_id", place),
        polarity="",
        context=text(row, "context", place),
        question=intern(text(row, "question", place)),
        answers=tuple(map(intern, answers)),
        correct=_choice(row, "answer", answers, place),
        unknown=unknown_answer(infos, place),
        biased=_choice(row, "biased_answer", answers, place),
        group="",
    )


def _choice(row: Row, name: str, answers: Sequence[str], place: Place) -> int:
    found = text(row, name, place)
    if found not in answers:
        raise place.trouble(f"'{name}' is '{found}'", f"one of the choices {', '.join(answers)}")
    return answers.index(found)


# The columns that a line must have (its id first), and how it is read.
Reader = Callable[[Row, Place, str, Mapping[str, str]], Question]
FORMATS: dict[str, tuple[tuple[str, ...], Reader]] = {
    "BBQ": (
        (
            "example_id", "question_index", "question_polarity", "context_condition", "category", "answer_info",
            "additional_metadata", "context", "question", *ANSWERS, "label",
        ),
        _bbq,
    ),
    "EsBBQ": (
        (
            "instance_id", "template_id", "question_polarity", "context_condition", "category", "stereotyped_groups",
            *(f"answer_info.{answer}" for answer in ANSWERS), "context", "question", *ANSWERS, "label",
        ),
        _esbbq,
    ),
    "GG-BBQ": (
        (
            "index", "context", "question", "label", "choice_0", "choice_1", "choice_2", "question_type",
            "context_type", "known_stereotyped_groups", "choice_info",
        ),
        _german,
    ),
    "KoBBQ": (("sample_id", "bbq_category", "context", "question", "choices", "biased_answer", "answer"), _korean),
}  # fmt: skip
