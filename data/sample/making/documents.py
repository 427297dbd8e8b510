"""Compose the civic documents of an invented city, and plant among them those that curation must drop or mask.

The sentences are hand-written, per language, in the folder sentences/; this file only puts them together.
The same seed writes the same bytes.

    python data/sample/making/documents.py data/sample/making/sentences data/sample/documents
"""

import csv
import io
import json
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import yaml

SEED = 20250310
LANGUAGES = ("en", "fr", "es", "ca", "eu")
DISTRICTS = ("Portello", "Vistalba", "Montserena", "Laricada", "Sarrondo", "Belmora", "Tresponts", "Garbiera")
OPENS, CLOSES, ANSWER_DAYS = (8, 9, 10), (14, 17, 19), (10, 15, 20, 30)
SENTENCES_PER_DOCUMENT = 3  # of the six of a topic: two documents per topic share none
CLOSINGS_PER_DOCUMENT = 2
DIGEST_TOPICS = 4  # a digest takes one sentence from each of these
OPEN_SOURCES = {
    "Marelda municipal website": "CC-BY-4.0",
    "Marelda open data portal": "CC0-1.0",
    "Marelda city gazette": "etalab-2.0",
}
CLOSED_SOURCES = {
    "Marelda neighbourhood forum": "",
    "Marelda press cuttings": "LicenseRef-unclear",
    "Marelda tourist guide": "CC-BY-NC-4.0",
}
PER_CLOSED_SOURCE = 4
RESERVED_SOURCE, RESERVED_LICENSE = "Radio Marelda", "CC-BY-4.0"  # its tdmrep.json, in the folder captures/, says no
RESERVED_LANGUAGES = ("en", "fr", "es", "ca")
RESERVED_SITE = "https://www.radio-marelda.example"
NEAR_DUPLICATES = ("en", "fr", "es", "ca", "eu", "en")
LONG_ENOUGH_FOR_TWO_CHANGES = 100  # words; a shorter copy with two changed words is no longer a near-duplicate
REPEATS = 24
SITE = "https://www.marelda.example"


@dataclass(frozen=True)
class Planted:
    """A document together with what curation is expected to do with it."""

    title: str
    text: str
    language: str  # the label, which is wrong in some planted documents
    source: str
    license: str
    path: str
    expected: str = "keep"
    note: str = ""
    copy_of: "Planted | None" = None
    site: str = SITE


def compose(bank: dict, title: str, middle: Sequence[str], rng: random.Random) -> str:
    """One document: an opening, the sentences of the matter, and two closings, all about one district."""
    details = {
        "title": title,
        "district": rng.choice(DISTRICTS),
        "open": rng.choice(OPENS),
        "close": rng.choice(CLOSES),
        "days": rng.choice(ANSWER_DAYS),
    }
    opening = rng.choice(bank["openings"]).format(**details)
    closings = [c.format(**details) for c in rng.sample(bank["closings"], CLOSINGS_PER_DOCUMENT)]
    return " ".join([opening, *middle, *closings])


def ordinary(language: str, bank: dict, rng: random.Random) -> list[Planted]:
    """The documents to keep: two per topic, from openly licensed sources."""
    documents = []
    for topic, content in bank["topics"].items():
        for part in (0, 1):
            start = part * SENTENCES_PER_DOCUMENT
            middle = content["sentences"][start : start + SENTENCES_PER_DOCUMENT]
            text = compose(bank, content["title"], middle, rng)
            source = rng.choice(list(OPEN_SOURCES))
            path = f"{language}/{topic}/{part + 1}"
            documents.append(Planted(content["title"], text, language, source, OPEN_SOURCES[source], path))
    return documents


def digest(language: str, bank: dict, extra: Sequence[str], rng: random.Random) -> Planted:
    """A monthly digest: sentences of several topics, so that it repeats no other document."""
    topics = rng.sample(list(bank["topics"]), DIGEST_TOPICS)
    middle = [rng.choice(bank["topics"][topic]["sentences"]) for topic in topics]
    half = DIGEST_TOPICS // 2
    text = compose(bank, bank["digest"], [*middle[:half], *extra, *middle[half:]], rng)
    source = rng.choice(list(OPEN_SOURCES))
    path = f"{language}/digest/{rng.randrange(1000, 10000)}"
    return Planted(bank["digest"], text, language, source, OPEN_SOURCES[source], path)


def closed(banks: dict[str, dict], rng: random.Random) -> list[Planted]:
    """Documents whose license does not allow their use."""
    languages = cycle(LANGUAGES)
    documents = []
    for source, license_name in CLOSED_SOURCES.items():
        for _ in range(PER_CLOSED_SOURCE):
            language = next(languages)
            note = license_name or "license missing"
            found = digest(language, banks[language], [], rng)
            documents.append(replace(found, source=source, license=license_name, expected="license", note=note))
    return documents


def reserved(banks: dict[str, dict], rng: random.Random) -> list[Planted]:
    """Openly licensed documents whose publisher reserved text and data mining."""
    found = [digest(language, banks[language], [], rng) for language in RESERVED_LANGUAGES]
    about = {"source": RESERVED_SOURCE, "license": RESERVED_LICENSE, "site": RESERVED_SITE}
    return [replace(document, **about, expected="opt_out", note="reserved in tdmrep.json") for document in found]


def personal(banks: dict[str, dict], planted: dict, rng: random.Random) -> list[Planted]:
    """Documents with an invented e-mail, phone number or account, to be kept and masked."""
    return [
        replace(digest(row["language"], banks[row["language"]], [row["text"]], rng), expected="pii", note=row["note"])
        for row in planted["pii"]
    ]


def mislabelled(banks: dict[str, dict], planted: dict, rng: random.Random) -> list[Planted]:
    """Texts in a language that is not the declared one, or that nobody declared."""
    spanish = [digest("es", banks["es"], [], rng) for _ in range(2)]
    documents = [replace(d, language="ca", expected="language", note="Spanish labelled ca") for d in spanish]
    for number, row in enumerate(planted["foreign"]):
        title = row["text"].split(".")[0]
        source = rng.choice(list(OPEN_SOURCES))
        path = f"{row['label']}/guest/{number + 1}"
        documents.append(
            Planted(title, row["text"], row["label"], source, OPEN_SOURCES[source], path, "language", row["note"])
        )
    return documents


def worthless(banks: dict[str, dict], planted: dict) -> list[Planted]:
    """Texts that are too short, or that repeat one line of a menu."""
    source = next(iter(OPEN_SOURCES))
    license_name = OPEN_SOURCES[source]
    documents = [
        Planted(banks[lang]["digest"], text, lang, source, license_name, f"{lang}/notice", "short", "one line")
        for lang, text in planted["short"].items()
    ]
    for lang, line in planted["repetition"].items():
        text = (line * REPEATS).strip()
        note = f"a menu repeated {REPEATS} times"
        documents.append(
            Planted(banks[lang]["digest"], text, lang, source, license_name, f"{lang}/menu", "repetition", note)
        )
    return documents


def change_words(text: str, changes: Sequence[Sequence[str]]) -> str:
    """Change one or two words, each once, so that the text stays a near-duplicate."""
    wanted = 2 if len(text.split()) > LONG_ENOUGH_FOR_TWO_CHANGES else 1
    for old, new in changes:
        if wanted and old in text:
            text = text.replace(old, new, 1)
            wanted -= 1
    return text


def copies(originals: Sequence[Planted], planted: dict, rng: random.Random) -> list[Planted]:
    """Exact copies, one per language, and near copies of other documents."""
    chosen: list[Planted] = []
    documents = []
    for kind, languages in (("duplicate", LANGUAGES), ("near_duplicate", NEAR_DUPLICATES)):
        for language in languages:
            changes = planted["word_changes"][language]
            candidates = [d for d in originals if d.language == language and d not in chosen]
            candidates = [d for d in candidates if change_words(d.text, changes) != d.text]
            original = rng.choice(candidates)
            chosen.append(original)
            text = original.text if kind == "duplicate" else change_words(original.text, changes)
            path = f"archive/{original.path}"
            documents.append(replace(original, text=text, path=path, expected=kind, copy_of=original))
    return documents


def shuffle_with_copies_after(firsts: Sequence[Planted], later: Sequence[Planted], rng: random.Random) -> list[Planted]:
    """Mix everything, but keep each copy somewhere after its original."""
    mixed = list(firsts)
    rng.shuffle(mixed)
    for copy in later:
        mixed.insert(rng.randint(mixed.index(copy.copy_of) + 1, len(mixed)), copy)
    return mixed


def make_documents(banks: dict[str, dict], planted: dict, seed: int) -> list[Planted]:
    """All documents in their final order."""
    rng = random.Random(seed)
    keep = [document for language in LANGUAGES for document in ordinary(language, banks[language], rng)]
    others = [
        *closed(banks, rng),
        *personal(banks, planted, rng),
        *mislabelled(banks, planted, rng),
        *worthless(banks, planted),
    ]
    mixed = shuffle_with_copies_after([*keep, *others], copies(keep, planted, rng), rng)
    return [*mixed, *reserved(banks, rng)]


def as_jsonl(documents: Sequence[Planted]) -> str:
    """documents.jsonl: what the pipeline reads."""
    lines = []
    for number, d in enumerate(documents, start=1):
        record = {
            "id": f"doc-{number:04d}",
            "text": d.text,
            "language": d.language,
            "source": d.source,
            "url": f"{d.site}/{d.path}",
            "license": d.license,
            "title": d.title,
        }
        lines.append(json.dumps(record, ensure_ascii=False) + "\n")
    return "".join(lines)


def as_truth(documents: Sequence[Planted]) -> str:
    """planted.csv: what should happen to each document; read by tests only."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "expected", "note"])
    for number, d in enumerate(documents, start=1):
        note = f"copy of doc-{documents.index(d.copy_of) + 1:04d}" if d.copy_of else d.note
        writer.writerow([f"doc-{number:04d}", d.expected, note])
    return text.getvalue()


def write_text(path: Path, text: str) -> None:
    """Write under a temporary name, then rename."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)


def read_yaml(path: Path) -> dict:
    """Read one sentence bank."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def write_all(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    """Write the named texts into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files:
        write_text(folder / name, text)


if __name__ == "__main__":
    bank_folder, out_folder = map(Path, sys.argv[1:])
    all_banks = {language: read_yaml(bank_folder / f"{language}.yaml") for language in LANGUAGES}
    made = make_documents(all_banks, read_yaml(bank_folder / "planted.yaml"), SEED)
    write_all(out_folder, [("documents.jsonl", as_jsonl(made)), ("planted.csv", as_truth(made))])
