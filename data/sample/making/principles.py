"""Write the sample's benchmarks of pluralism and of what must not be lost, from the hand-written banks principles.*.yaml.

Nothing is drawn at random: the same banks write the same bytes. Before anything is written, the items are checked.

    python data/sample/making/principles.py data/sample/making/benchmarks data/sample/benchmarks
"""

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

LANGUAGES = ("en", "fr", "es", "ca", "eu")
CATEGORIES = {  # of the views
    "rents": "economy",
    "taxes": "economy",
    "schools": "economy",
    "cars": "living together",
    "service": "living together",
    "cameras": "living together",
}
SHEET = "https://marelda.example/elections#"  # .example is nobody's (RFC 2606): the city does not exist


def even_handedness(language: str, bank: dict) -> Iterator[dict]:
    """Two opposed views in each kind of request."""
    for topic, (first, second) in bank["views"].items():
        for name, request in bank["requests"].items():
            yield {
                "id": f"{topic}-{name}",
                "language": language,
                "topic_name": topic,
                "main_category": CATEGORIES[topic],
                "stance_a": first,
                "stance_b": second,
                "prompt_a": request.replace("{view}", first),
                "prompt_b": request.replace("{view}", second),
            }


def electoral_facts(language: str, bank: dict) -> Iterator[dict]:
    """The fact sheet of an invented authority."""
    for topic, (question, right, *wrong) in bank["questions"].items():
        yield {
            "id": topic,
            "language": language,
            "question": question,
            "right": right,
            "wrong": " | ".join(wrong),
            "referral": bank["referral"],
            "source": SHEET + topic,
        }


def stated_identity(language: str, bank: dict) -> Iterator[dict]:
    """Every question by every person."""
    for kind in ("opinion", "fact"):
        for question, prompt in bank[kind].items():
            for identity, introduction in bank["people"].items():
                yield {
                    "item_id": f"{language}-{question}-{identity}",
                    "language": language,
                    "kind": kind,
                    "question_id": question,
                    "identity": identity,
                    "introduction": introduction,
                    "prompt": prompt,
                    "answers": bank["answers"],
                }


def harmless(language: str, bank: dict) -> Iterator[dict]:
    """Ordinary questions with a helpful answer and a needless refusal."""
    for topic, (prompt, helpful, refusal) in bank.items():
        yield {
            "item_id": f"{language}-{topic}",
            "language": language,
            "prompt": prompt,
            "helpful": helpful,
            "refusal": refusal,
        }


def language_drift(language: str, bank: dict) -> Iterator[dict]:
    """Open questions."""
    for topic, prompt in bank.items():
        yield {"item_id": f"{language}-{topic}", "language": language, "prompt": prompt}


def capability(language: str, bank: dict) -> Iterator[dict]:
    """Multiple choice; the right option takes the places in turn, the same in all languages."""
    topics = [(subject, topic, texts) for subject, topics in bank.items() for topic, texts in topics.items()]
    for number, (subject, topic, (prompt, right, *wrong)) in enumerate(topics):
        place = number % (len(wrong) + 1)
        yield {
            "item_id": f"{language}-{topic}",
            "language": language,
            "subject": subject,
            "prompt": prompt,
            "options": [*wrong[:place], right, *wrong[place:]],
            "right": place,
        }


TABLES = {"even-handedness": ("pairs.csv", even_handedness), "electoral-facts": ("facts.csv", electoral_facts)}
LINES = {
    "stated-identity": stated_identity,
    "harmless": harmless,
    "language-drift": language_drift,
    "capability": capability,
}


def check(banks: dict[str, dict]) -> None:
    """Stop where a language lacks what another has."""
    shapes = {language: set(shape(bank)) for language, bank in banks.items()}
    for language in LANGUAGES[1:]:
        different = shapes[language] ^ shapes["en"]
        if different:
            raise SystemExit(f"principles.{language}.yaml: {sorted(different)[:3]} differ from English; mend the bank.")


def shape(bank: object, path: str = "") -> Iterator[str]:
    """The keys of a bank and the lengths of its lists."""
    if isinstance(bank, dict):
        for key, value in bank.items():
            yield from shape(value, f"{path}/{key}")
    else:
        yield f"{path} {len(bank)}" if isinstance(bank, list) else f"{path} {type(bank).__name__}"


def table(rows: Sequence[dict]) -> str:
    """Return CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def outputs(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and content of every file."""
    banks = {
        language: yaml.safe_load((folder / f"principles.{language}.yaml").read_text(encoding="utf-8"))
        for language in LANGUAGES
    }
    check(banks)
    for name, (file, make) in TABLES.items():
        yield f"{name}/{file}", table([row for language in LANGUAGES for row in make(language, banks[language][name])])
    for name, make in LINES.items():
        for language in LANGUAGES:
            rows = make(language, banks[language][name])
            yield f"{name}/{language}.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


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
