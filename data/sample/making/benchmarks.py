"""Write the sample's bias benchmarks and held-out civic texts from the hand-written banks in the folder benchmarks/.

Nothing is drawn at random: the same banks write the same bytes. Before anything is written, the items are checked.

    python data/sample/making/benchmarks.py data/sample/making/benchmarks data/sample/benchmarks
"""

import csv
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import yaml

LANGUAGES = ("en", "fr", "es", "ca", "eu")
CONDITIONS, POLARITIES, ORDERS = ("ambig", "disambig"), ("neg", "nonneg"), (0, 1)
TEMPLATES_PER_CATEGORY, PAIRS_PER_TYPE, TEXTS_PER_LANGUAGE = 8, 12, 20
UNKNOWN_WORDINGS = 6  # per language
MAX_CONTEXT_WORDS = 34  # a small model reads short texts only
TEXT_CHARACTERS = (200, 400)
PAIR_COLUMNS = (
    "", "sent_more", "sent_less", "stereo_antistereo", "bias_type",
    "annotations", "anon_writer", "anon_annotators", "language",
)  # fmt: skip
NOBODY = "[]"  # no second person has annotated these pairs
CHOICE = re.compile(r"\[([^|\]]+)\|([^|\]]+)\]")
SENTENCE_START = re.compile(r"(^|[.?!] )(\w)")


class Variant(NamedTuple):
    """One of the eight items that are made from a template."""

    order: int  # the group of the person who is named first
    condition: str
    polarity: str


VARIANTS = tuple(Variant(*each) for each in product(ORDERS, CONDITIONS, POLARITIES))


def load(folder: Path, name: str) -> dict:
    """Return one bank."""
    return yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))


def sentence_case(text: str) -> str:
    """Begin every sentence with a capital letter."""
    return SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)


def person(forms: dict[str, Sequence[str]], group: int) -> SimpleNamespace:
    """Return the grammatical forms of the person of one of the two groups, for use as {x.the} in a template."""
    return SimpleNamespace(**{form: phrases[group] for form, phrases in forms.items()})


def context(wording: dict, forms: dict, condition: str, first: int, negative: int) -> str:
    """Return the text of an item: who is there and, where it is disambiguated, who did what."""
    people = {
        "x": person(forms, first),
        "y": person(forms, 1 - first),
        "neg": person(forms, negative),
        "non": person(forms, 1 - negative),
    }
    told = [wording["ambig"]] if condition == "ambig" else [wording["ambig"], wording["disambig"]]
    return sentence_case(" ".join(told).format(**people))


def arranged(place: int, persons: Sequence, unknown: Sequence) -> list:
    """Put the answers in one of six orders: the unknown one takes the three places in turn."""
    answers = list(persons if place % 6 < 3 else reversed(persons))
    answers.insert(place % 3, unknown)
    return answers


def place_of(serial: int, variant: Variant) -> int:
    """Which of the six orders of answers an item has: another one for each item of a template and each template."""
    positive = POLARITIES.index(variant.polarity)
    shift = 3 * (positive if variant.condition == "disambig" else variant.order)
    return serial + 2 * positive + variant.order + shift


def bbq_item(category: str, plan: dict, bank: dict, number: int, serial: int, variant: Variant) -> dict:
    """Return one question with its three answers."""
    entry, words = plan["templates"][number], bank[category]
    wording, forms = words["templates"][number], words["people"][entry["people"]]
    negative = (variant.order + serial) % 2  # so that the person named first is right as often as the other
    asked = negative if variant.polarity == "neg" else 1 - negative
    form = wording.get("answers", ["the", "the"])[POLARITIES.index(variant.polarity)]
    persons = [(sentence_case(forms[form][group]), plan["groups"][group]) for group in (0, 1)]
    unknown = (bank["unknown"][(serial + VARIANTS.index(variant)) % len(bank["unknown"])], "unknown")
    answers = arranged(place_of(serial, variant), persons, unknown)
    return {
        "question_index": str(number),
        "question_polarity": variant.polarity,
        "context_condition": variant.condition,
        "category": category,
        "answer_info": {f"ans{index}": list(answer) for index, answer in enumerate(answers)},
        "additional_metadata": {
            "subcategory": entry["subcategory"],
            "stereotyped_groups": [entry["about"]],
            "version": "1",
            "source": "written for this project",
        },
        "context": context(wording, forms, variant.condition, variant.order, negative),
        "question": wording[variant.polarity],
        **{f"ans{index}": text for index, (text, _) in enumerate(answers)},
        "label": answers.index(unknown if variant.condition == "ambig" else persons[asked]),
    }


def bbq_items(category: str, plan: dict, bank: dict, first_serial: int) -> list[dict]:
    """Return all the items of a category; templates are counted on from `first_serial`, over the categories."""
    numbered = enumerate(plan["templates"], first_serial)
    return [
        bbq_item(category, plan, bank, number, serial, variant)
        for (serial, number), variant in product(numbered, VARIANTS)
    ]


def all_bbq(folder: Path) -> dict[str, list[dict]]:
    """Return the items of every file, by the file's name; example_id is unique over all files."""
    plans, files, next_id = load(folder, "bbq"), {}, 0
    for language in LANGUAGES:
        bank = load(folder, f"bbq.{language}")
        for index, (category, plan) in enumerate(plans.items()):
            items = bbq_items(category, plan, bank, index * TEMPLATES_PER_CATEGORY)
            files[f"{category}.{language}.jsonl"] = [
                {"example_id": example_id, **item, "language": language}
                for example_id, item in enumerate(items, next_id)
            ]
            next_id += len(items)
    return files


def pair(text: str) -> tuple[str, str]:
    """Split "[more|less]" into the more and the less stereotyping sentence."""
    more, less = CHOICE.sub(r"\1", text), CHOICE.sub(r"\2", text)
    return more, less


def crows_pairs(folder: Path) -> list[dict]:
    """Return the pairs of all languages; a translation keeps the number of its pair, as evaluation expects."""
    rows = []
    for language in LANGUAGES:
        bank = load(folder, f"crows-pairs.{language}")
        entries = [(kind, way, text) for kind, ways in bank.items() for way, texts in ways.items() for text in texts]
        for number, (kind, way, text) in enumerate(entries):
            values = (number, *pair(text), way, kind, NOBODY, "a0", NOBODY, language)
            rows.append(dict(zip(PAIR_COLUMNS, values, strict=True)))
    return rows


def civic_texts(folder: Path) -> dict[str, list[dict]]:
    """Return the held-out texts of every file, by the file's name."""
    return {
        f"{language}.jsonl": [
            {"item_id": f"{language}-{topic}", "language": language, "text": text}
            for topic, text in load(folder, f"civic-text.{language}").items()
        ]
        for language in LANGUAGES
    }


def wanted(truth: bool, message: str) -> None:
    """Stop with a readable line where a check fails."""
    if not truth:
        raise SystemExit(f"benchmarks: {message}; mend the banks.")


def repeated(values: Iterable) -> list:
    """Return the values that occur more than once."""
    return [value for value, count in Counter(values).items() if count > 1]


def evenly(counts: Counter, kinds: int, slack: int = 0) -> bool:
    """Tell whether all the kinds occur, equally often up to `slack`."""
    return len(counts) == kinds and max(counts.values()) - min(counts.values()) <= slack


def check_bbq(files: dict[str, list[dict]]) -> None:
    """Check that ids are unique, nothing is repeated and every file is balanced."""
    items = [item for rows in files.values() for item in rows]
    wanted(not repeated(item["example_id"] for item in items), "an example_id occurs twice")
    texts = repeated((item["language"], item["context"], item["question"]) for item in items)
    wanted(not texts, f"a context with its question occurs twice: {texts[:1]}")
    for name, rows in files.items():
        check_balance(name, rows)
        for item in rows:
            check_item(f"{name}, {item['example_id']}", item)
    for condition, polarity in product(CONDITIONS, POLARITIES):
        alike = [row for row in items if (row["context_condition"], row["question_polarity"]) == (condition, polarity)]
        unknown, labels = Counter(map(place_of_unknown, alike)), Counter(row["label"] for row in alike)
        wanted(evenly(unknown, 3), f"{condition}, {polarity}: the unknown answer stands at {dict(unknown)}")
        wanted(evenly(labels, 3), f"{condition}, {polarity}: the right answer stands at {dict(labels)}")
    wordings = Counter((row["language"], row[f"ans{place_of_unknown(row)}"]) for row in items)
    wanted(evenly(wordings, len(LANGUAGES) * UNKNOWN_WORDINGS), f"wordings of the unknown answer: {dict(wordings)}")


def check_balance(name: str, rows: Sequence[dict]) -> None:
    """Check the design of one file: templates, conditions, polarities, who is right, places of the unknown answer."""
    design = Counter((row["question_index"], row["context_condition"], row["question_polarity"]) for row in rows)
    wanted(evenly(design, TEMPLATES_PER_CATEGORY * len(CONDITIONS) * len(POLARITIES)), f"{name} is not balanced")
    told = [row for row in rows if row["context_condition"] == "disambig"]
    right = Counter((row["question_index"], row["question_polarity"], right_group(row)) for row in told)
    wanted(
        evenly(right, TEMPLATES_PER_CATEGORY * len(POLARITIES) * 2), f"{name}: the groups are not right equally often"
    )
    first = Counter(right_is_first(row) for row in told)
    wanted(evenly(first, 2), f"{name}: who is named first is right {dict(first)}")
    unknown = Counter(place_of_unknown(row) for row in rows)
    wanted(evenly(unknown, 3, slack=2), f"{name}: the unknown answer stands at {dict(unknown)}")
    labels = Counter(row["label"] for row in told)
    wanted(evenly(labels, 3, slack=4), f"{name}: labels of disambiguated items stand at {dict(labels)}")


def groups_of(item: dict) -> list[str]:
    """Return the group of each of the three answers."""
    return [item["answer_info"][f"ans{index}"][1] for index in range(3)]


def right_group(item: dict) -> str:
    """Return the group of the right answer."""
    return groups_of(item)[item["label"]]


def right_is_first(item: dict) -> bool:
    """Tell whether the right answer's person is the one that the text names first."""
    wrong = next(index for index in range(3) if index != item["label"] and groups_of(item)[index] != "unknown")
    right_stems, wrong_stems = stems(item[f"ans{item['label']}"]), stems(item[f"ans{wrong}"])
    text = item["context"].lower()
    return first_named(text, right_stems - wrong_stems) < first_named(text, wrong_stems - right_stems)


def stems(phrase: str) -> set[str]:
    """Return the beginnings of its words: endings change with the article and, in Basque, with the case."""
    return {word[:5] for word in re.findall(r"\w+", phrase.lower()) if len(word) > 2 or word.isdigit()}


def first_named(text: str, beginnings: set[str]) -> int:
    """Return where a word with one of these beginnings first stands."""
    return min(match.start() for stem in beginnings for match in re.finditer(rf"\b{stem}", text))


def place_of_unknown(item: dict) -> int:
    """Return where the unknown answer stands."""
    return groups_of(item).index("unknown")


def check_item(where: str, item: dict) -> None:
    """Check one item's groups, answers and length."""
    groups = groups_of(item)
    about = item["additional_metadata"]["stereotyped_groups"]
    wanted(len(set(groups)) == 3 and groups.count(about[0]) == 1, f"{where}: groups {groups}, stereotype about {about}")
    wanted(len({item[f"ans{index}"] for index in range(3)}) == 3, f"{where}: two answers are the same")
    unknown_is_right = right_group(item) == "unknown"
    wanted(unknown_is_right == (item["context_condition"] == "ambig"), f"{where}: wrong label")
    words = len(item["context"].split())
    wanted(words <= MAX_CONTEXT_WORDS, f"{where}: {words} words of context, at most {MAX_CONTEXT_WORDS}")
    wanted(not re.search(r"[{}]", item["context"]), f"{where}: an unfilled place in the context")


def check_pairs(rows: Sequence[dict]) -> None:
    """Check counts and that the two sentences of a pair differ, in one place, by words of similar length."""
    counts = Counter((row["language"], row["bias_type"], row["stereo_antistereo"]) for row in rows)
    wanted(evenly(counts, len(rows) // (PAIRS_PER_TYPE // 2)), f"pairs are not balanced: {counts}")
    wanted(not repeated((row[""], row["language"]) for row in rows), "a pair's number occurs twice")
    again = repeated(row[side] for row in rows for side in ("sent_more", "sent_less"))
    wanted(not again, f"a sentence occurs twice: {again[:1]}")
    for row in rows:
        more, less = row["sent_more"], row["sent_less"]
        wanted(more != less and "[" not in more + less, f"not a pair: {more}")
        wanted(abs(len(more) - len(less)) <= 12, f"lengths differ too much: {more}")
    for number in {row[""] for row in rows}:
        kinds = {(row["bias_type"], row["stereo_antistereo"]) for row in rows if row[""] == number}
        wanted(len(kinds) == 1, f"pair {number} is of a different kind in some language")


def check_texts(files: dict[str, list[dict]]) -> None:
    """Check counts, lengths and that no text is repeated."""
    texts = [row["text"] for rows in files.values() for row in rows]
    wanted(not repeated(texts), "a civic text occurs twice")
    topics = {tuple(row["item_id"].split("-", 1)[1] for row in rows) for rows in files.values()}
    wanted(len(topics) == 1, "the languages have different topics")
    wanted({len(rows) for rows in files.values()} == {TEXTS_PER_LANGUAGE}, f"wanted {TEXTS_PER_LANGUAGE} texts each")
    low, high = TEXT_CHARACTERS
    for text in texts:
        wanted(low <= len(text) <= high, f"{len(text)} characters, wanted {low}-{high}: {text[:40]}")


def jsonl(rows: Iterable[dict]) -> str:
    """Return JSON Lines, with accents as they are."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def table(rows: Sequence[dict]) -> str:
    """Return CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, PAIR_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def outputs(banks: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and content of every file, once all of them have been checked."""
    bbq, pairs, texts = all_bbq(banks), crows_pairs(banks), civic_texts(banks)
    check_bbq(bbq)
    check_pairs(pairs)
    check_texts(texts)
    yield from ((f"bbq/{name}", jsonl(rows)) for name, rows in bbq.items())
    yield "crows-pairs/pairs.csv", table(pairs)
    yield from ((f"civic-text/{name}", jsonl(rows)) for name, rows in texts.items())


def main() -> None:
    """Read the banks and write the benchmarks."""
    banks, out = Path(sys.argv[1]), Path(sys.argv[2])
    for name, content in list(outputs(banks)):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        print(f"{name}: {len(content.splitlines())} lines")


if __name__ == "__main__":
    main()
