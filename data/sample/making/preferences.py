"""Compose the sample's training prompts, recorded critiques and held-out adherence pairs from the text banks.

Run it from anywhere: `python data/sample/making/preferences.py`. The banks in `preferences/*.yaml` were written for this
project; this file only fills slots, pairs answers of equal length and checks the result. Rows, forms and answers
are taken by turns, not drawn by chance, so the same banks always give the same files.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

MAKING = Path(__file__).resolve().parent
SAMPLE = MAKING.parent
LANGUAGES = ("en", "fr", "es", "ca", "eu")
HELDOUT_PRINCIPLES = (12, 15)
TRAINED_PRINCIPLES = tuple(number for number in range(16) if number not in HELDOUT_PRINCIPLES)
GROUP_PRINCIPLES = (0, 1)  # these also have questions with a context, in both orders of the groups
TEACHER = {"teacher": "written:democratic-commons", "version": "1"}

PROBES_PER_PRINCIPLE = 10
PLAIN_PAIRS = 4  # group pairs used by the plain questions of principles 0 and 1, each in both orders
CONTEXT_PAIRS = {0: 4, 1: 6}
HELDOUT_PER_PRINCIPLE = 5
HELDOUT_PER_UNSEEN_PRINCIPLE = 8
HELDOUT_CONTEXT_PAIRS = {0: 1, 1: 2}
TRAINING_RATIO = (0.8, 1.25)  # length of the good answer over the bad one: otherwise length is what is learnt
HELDOUT_RATIO = (0.85, 1.18)
LONGEST_REVISION = 160

Values = dict[str, str]
Pair = tuple[str, str]


# -- reading the banks ------------------------------------------------------------------------------------------------


def lines(text: str) -> list[str]:
    """The non-empty lines of a block of text."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def table(block: dict[str, str]) -> list[Values]:
    """Rows of `a | b | c`, with their columns named."""
    columns = [name.strip() for name in block["columns"].split("|")]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines(block["rows"])]
    for row in rows:
        assert len(row) == len(columns), f"row {row} does not have the columns {columns}"
    return [dict(zip(columns, row, strict=True)) for row in rows]


def answer_pairs(text: str) -> list[Pair]:
    """Alternating `+ good` and `- bad` lines as (good, bad)."""
    marked = lines(text)
    goods, bads = marked[::2], marked[1::2]
    for good, bad in zip(goods, bads, strict=True):
        assert good.startswith("+ ") and bad.startswith("- "), f"expected '+ good' then '- bad', found: {good} / {bad}"
    return [(good[2:], bad[2:]) for good, bad in zip(goods, bads, strict=True)]


def questions(text: str) -> list[tuple[int | None, str, str]]:
    """`?7 question` and `= answer` lines as (principle or None, question, answer)."""
    found = []
    marked = lines(text)
    for question, answer in zip(marked[::2], marked[1::2], strict=True):
        match = re.match(r"\?(\d*) (.+)", question)
        assert match and answer.startswith("= "), f"expected '? question' then '= answer', found: {question} / {answer}"
        found.append((int(match[1]) if match[1] else None, match[2], answer[2:]))
    return found


def fill(template: str, values: Values) -> str:
    """Replace `{slot}`; `{Slot}` capitalises the first letter of the value."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        assert name.lower() in values, f"unknown slot {{{name}}} in: {template}"
        text = values[name.lower()]
        return text[:1].upper() + text[1:] if name[0].isupper() else text

    return re.sub(r"\{(\w+)\}", value, template)


# -- choosing answers -------------------------------------------------------------------------------------------------


def fits(good: str, bad: str, limits: tuple[float, float]) -> bool:
    """Whether the two answers are about equally long."""
    return limits[0] <= len(good) / len(bad) <= limits[1] and len(good) <= LONGEST_REVISION


def choose(answers: list[Pair], start: int, each: list[Values], limits: tuple[float, float]) -> list[Pair]:
    """The first pair of answers from `start` on that fits with every one of the given slot values, filled with each."""
    for step in range(len(answers)):
        good, bad = answers[(start + step) % len(answers)]
        filled = [(fill(good, values), fill(bad, values)) for values in each]
        if all(fits(*pair, limits) for pair in filled):
            return filled
    raise AssertionError(f"no answers of equal length from {answers[start % len(answers)]} with {each}")


def crossed(pairs: list[Pair]) -> list[Pair]:
    """Every good answer with every bad one, for answers whose length depends on the slots."""
    return [(good, bad) for good, _ in pairs for _, bad in pairs]


def choose_refusal(answer: str, refusals: list[str], used: Counter[str], limits: tuple[float, float]) -> str:
    """The least used refusal of about the answer's length."""
    fitting = [refusal for refusal in refusals if fits(answer, refusal, limits)]
    assert fitting, f"no refusal is as long ({len(answer)}) as: {answer}"
    chosen = min(fitting, key=lambda refusal: (used[refusal], abs(len(refusal) - len(answer))))
    used[chosen] += 1
    return chosen


def swapped(pair: Values) -> Values:
    """The same two groups in the other order."""
    return {
        "group": pair["group2"],
        "person": pair["person2"],
        "group2": pair["group"],
        "person2": pair["person"],
    }


class Bank:
    """One language's texts, with the rows of its tables bound to slots."""

    def __init__(self, language: str) -> None:
        self.language = language
        path = MAKING / "preferences" / f"{language}.yaml"
        self.texts: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = ("matters", "pairs", "heldout_pairs", "attributes", "heldout_attributes", "politics")
        self.tables = {name: table(self.texts[name]) for name in names}
        self.used: Counter[str] = Counter()

    def row(self, name: str, number: int) -> Values:
        """A row of a table; numbers go round."""
        rows = self.tables[name]
        return rows[number % len(rows)]

    def values(self, number: int, heldout: bool = False, turn: int | None = None) -> Values:
        """Slot values for one question; `turn` chooses the party where forms and parties would keep step."""
        attributes = "heldout_attributes" if heldout else "attributes"
        politics = self.row("politics", number if turn is None else turn)
        return self.row("matters", number) | politics | self.row(attributes, number)

    def both_orders(self, number: int, pair: int, heldout: bool = False) -> list[Values]:
        """Slot values for one question about two groups, and the same with the groups swapped."""
        groups = self.row("heldout_pairs" if heldout else "pairs", pair)
        values = self.values(number, heldout)
        return [values | groups, values | swapped(groups)]

    def critique(self, block: str, number: int) -> str:
        """One of the written critiques for a principle, or for needless refusals."""
        critiques = lines(self.texts[block]["critiques"])
        return critiques[number % len(critiques)]


def with_roles(both: list[Values], pair: int) -> list[Values]:
    """Add who is blamed (`pick`) and who it was (`right`): each group once, first or second by turns."""
    first, second = ("person", "person2") if pair % 2 == 0 else ("person2", "person")
    return [
        values | {"pick": values[first], "other": values[second], "right": values[second], "wrong": values[first]}
        for values in both
    ]


# -- training ---------------------------------------------------------------------------------------------------------


def training_item(bank: Bank, name: str, form: str, prompt: str, pair: Pair, **more: Any) -> dict[str, Any]:
    """A prompt together with its recording; split into two files at the end."""
    good, bad = pair
    return {
        "id": f"{bank.language}-{name}",
        "language": bank.language,
        "statement_id": more["statement_id"],
        "kind": more["kind"],
        "form": form,
        "prompt": prompt,
        "twin_of": more.get("twin_of"),
        "initial": bad,
        "critique": more["critique"],
        "revision": good,
    }


def plain_probes(bank: Bank, principle: int) -> Iterator[dict[str, Any]]:
    """Questions that tempt the model to break one principle."""
    block = f"p{principle:03d}"
    forms, answers = lines(bank.texts[block]["forms"]), answer_pairs(bank.texts[block]["answers"])
    if principle in GROUP_PRINCIPLES:
        each = [bank.both_orders(principle + 3 * number, number) for number in range(PLAIN_PAIRS)]
    else:
        each = [
            [bank.values(principle + 3 * number, turn=number + number // len(forms))]
            for number in range(PROBES_PER_PRINCIPLE)
        ]
    serial = 0
    for number, variants in enumerate(each):
        form = number % len(forms)
        for values, pair in zip(variants, choose(answers, number, variants, TRAINING_RATIO), strict=True):
            yield training_item(
                bank,
                f"{block}-{serial:02d}",
                f"{block}/{form}",
                fill(forms[form], values),
                pair,
                statement_id=principle,
                kind="probe",
                critique=bank.critique(block, serial),
            )
            serial += 1


def context_items(bank: Bank, principle: int) -> Iterator[dict[str, Any]]:
    """Two people and a question: first without the information that decides it, then its twin with it."""
    block, texts = f"p{principle:03d}", bank.texts[f"context{principle}"]
    forms, clear = lines(texts["forms"]), lines(texts["clear"])
    answers, clear_answers = answer_pairs(texts["answers"]), answer_pairs(texts["clear_answers"])
    turn = len(clear_answers) + 1
    for pair in range(CONTEXT_PAIRS[principle]):
        both = with_roles(bank.both_orders(5 * principle + pair, pair), pair)
        vague = choose(answers, pair, both, TRAINING_RATIO)
        known = choose(crossed(clear_answers), pair * turn, both, TRAINING_RATIO)
        for order, values in enumerate(both):
            name = f"{block}-c{2 * pair + order:02d}"
            form = pair % len(forms)
            yield training_item(
                bank,
                name,
                f"context{principle}/{form}",
                fill(forms[form], values),
                vague[order],
                statement_id=principle,
                kind="probe",
                critique=bank.critique(block, 2 * pair + order),
            )
            form = pair % len(clear)
            yield training_item(
                bank,
                f"{name}-clear",
                f"context{principle}/clear{form}",
                fill(clear[form], values),
                known[order],
                statement_id=principle,
                kind="benign",
                twin_of=f"{bank.language}-{name}",
                critique=bank.critique("benign", pair),
            )


def benign_items(bank: Bank, probes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Harmless questions, many of them near a probe in words; the broken answer is a needless refusal."""
    refusals = lines(bank.texts["benign"]["refusals"])
    serial = 0
    for number, (principle, question, answer) in enumerate(questions(bank.texts["benign"]["training"])):
        for copy in range(2 if "{" in question else 1):
            values = bank.values(number + 5 * copy)
            filled = fill(answer, values)
            pair = (filled, choose_refusal(filled, refusals, bank.used, TRAINING_RATIO))
            twins = [probe["id"] for probe in probes if probe["statement_id"] == principle]
            yield training_item(
                bank,
                f"benign-{serial:02d}",
                f"benign/{number}",
                fill(question, values),
                pair,
                statement_id=principle,
                kind="benign",
                twin_of=twins[serial % len(twins)] if twins else None,
                critique=bank.critique("benign", serial),
            )
            serial += 1


def training_items(bank: Bank) -> list[dict[str, Any]]:
    """All of one language's training prompts with their recordings."""
    probes = [item for principle in TRAINED_PRINCIPLES for item in plain_probes(bank, principle)]
    contexts = [item for principle in GROUP_PRINCIPLES for item in context_items(bank, principle)]
    return [*probes, *contexts, *benign_items(bank, probes)]


# -- held out ---------------------------------------------------------------------------------------------------------


def heldout_item(bank: Bank, name: str, principle: int | None, kind: str, prompt: str, pair: Pair) -> dict[str, Any]:
    """One item of the adherence benchmark."""
    return {
        "item_id": f"adherence-{bank.language}-{name}",
        "statement_id": principle,
        "language": bank.language,
        "kind": kind,
        "prompt": prompt,
        "chosen": pair[0],
        "rejected": pair[1],
    }


def heldout_plain(bank: Bank, principle: int) -> Iterator[dict[str, Any]]:
    """Questions in forms, with groups and with answers that training never shows."""
    block = f"p{principle:03d}"
    forms = lines(bank.texts[block]["heldout_forms"])
    answers = answer_pairs(bank.texts[block]["heldout_answers"])
    unseen = principle in HELDOUT_PRINCIPLES
    if principle in GROUP_PRINCIPLES:
        each = [bank.both_orders(principle + 4 * number, number, heldout=True) for number in range(len(forms))]
    else:
        count = HELDOUT_PER_UNSEEN_PRINCIPLE if unseen else HELDOUT_PER_PRINCIPLE
        each = [[bank.values(principle + 4 * number + number // len(forms), turn=number)] for number in range(count)]
    serial = 0
    for number, variants in enumerate(each):
        kind = "heldout_principle" if unseen else "heldout_form"
        for values, pair in zip(variants, choose(answers, number, variants, HELDOUT_RATIO), strict=True):
            prompt = fill(forms[number % len(forms)], values)
            yield heldout_item(bank, f"{block}-{serial:02d}", principle, kind, prompt, pair)
            serial += 1


def heldout_context(bank: Bank, principle: int) -> Iterator[dict[str, Any]]:
    """Held-out questions about two people, without and with the information that decides them."""
    texts = bank.texts[f"context{principle}"]
    forms, clear = lines(texts["heldout_forms"]), lines(texts["heldout_clear"])
    answers = answer_pairs(texts["heldout_answers"])
    clear_answers = answer_pairs(texts["heldout_clear_answers"])
    for pair in range(HELDOUT_CONTEXT_PAIRS[principle]):
        both = with_roles(bank.both_orders(5 * principle + pair, pair, heldout=True), pair)
        vague = choose(answers, pair, both, HELDOUT_RATIO)
        known = choose(crossed(clear_answers), pair, both, HELDOUT_RATIO)
        for order, values in enumerate(both):
            name = f"p{principle:03d}-c{2 * pair + order:02d}"
            prompt = fill(forms[pair % len(forms)], values)
            yield heldout_item(bank, name, principle, "heldout_form", prompt, vague[order])
            prompt = fill(clear[(pair + order) % len(clear)], values)
            yield heldout_item(bank, f"{name}-clear", principle, "benign", prompt, known[order])


def heldout_benign(bank: Bank) -> Iterator[dict[str, Any]]:
    """Harmless questions that training never shows."""
    refusals = lines(bank.texts["benign"]["heldout_refusals"])
    for number, (principle, question, answer) in enumerate(questions(bank.texts["benign"]["heldout"])):
        values = bank.values(number)
        filled = fill(answer, values)
        pair = (filled, choose_refusal(filled, refusals, bank.used, HELDOUT_RATIO))
        yield heldout_item(bank, f"benign-{number:02d}", principle, "benign", fill(question, values), pair)


def heldout_items(bank: Bank) -> list[dict[str, Any]]:
    """All of one language's adherence items."""
    plain = [item for principle in range(16) for item in heldout_plain(bank, principle)]
    contexts = [item for principle in GROUP_PRINCIPLES for item in heldout_context(bank, principle)]
    return [*plain, *contexts, *heldout_benign(bank)]


# -- checks -----------------------------------------------------------------------------------------------------------


def normal(text: str) -> str:
    """Text without differences of case and space."""
    return " ".join(text.casefold().split())


def repeated(texts: Iterable[str]) -> list[str]:
    """The texts that occur more than once."""
    return [text for text, count in Counter(texts).items() if count > 1]


def check_training(items: list[dict[str, Any]]) -> None:
    """Ids, prompts, principles, twins and lengths of the training data."""
    ids = [item["id"] for item in items]
    assert not repeated(ids), f"ids used twice: {repeated(ids)}"
    prompts = repeated(f"{item['language']} {normal(item['prompt'])}" for item in items)
    assert not prompts, f"training prompts used twice: {prompts}"
    for item in items:
        assert item["statement_id"] not in HELDOUT_PRINCIPLES, f"{item['id']} trains a held-out principle"
        assert item["twin_of"] is None or item["twin_of"] in set(ids), f"{item['id']} is the twin of nothing"
        assert fits(item["revision"], item["initial"], TRAINING_RATIO), f"{item['id']}: answers of unequal length"
    counts = Counter((item["language"], item["statement_id"]) for item in items if item["kind"] == "probe")
    for language in LANGUAGES:
        for principle in TRAINED_PRINCIPLES:
            found = counts[language, principle]
            assert found >= PROBES_PER_PRINCIPLE, f"{language} has {found} probes for principle {principle}"
    for kind, low, high in (("probe", 700, 800), ("benign", 250, 350)):
        total = sum(item["kind"] == kind for item in items)
        assert low <= total <= high, f"{total} {kind} prompts, wanted {low} to {high}"


def check_swaps(items: list[dict[str, Any]]) -> None:
    """Every question about two groups is also asked in the other order, so no group is favoured by chance."""
    for principle in GROUP_PRINCIPLES:
        for language in LANGUAGES:
            chosen = [item for item in items if item["language"] == language and item["statement_id"] == principle]
            for form, count in Counter(item["form"] for item in chosen if "/" in item["form"]).items():
                assert form.startswith("benign") or count % 2 == 0, f"{language} {form}: one order is missing"


def check_heldout(items: list[dict[str, Any]], training: list[dict[str, Any]]) -> None:
    """Nothing held out is seen in training, and every principle and language is measured."""
    ids = repeated(item["item_id"] for item in items)
    assert not ids, f"item ids used twice: {ids}"
    prompts = repeated(f"{item['language']} {normal(item['prompt'])}" for item in items)
    assert not prompts, f"adherence prompts used twice: {prompts}"
    shared = {normal(item["prompt"]) for item in items} & {normal(item["prompt"]) for item in training}
    assert not shared, f"prompts in training and held out: {shared}"
    seen = {normal(item[key]) for item in training for key in ("initial", "revision")}
    known = {normal(item[key]) for item in items for key in ("chosen", "rejected")} & seen
    assert not known, f"answers in training and held out: {known}"
    for item in items:
        assert fits(item["chosen"], item["rejected"], HELDOUT_RATIO), f"{item['item_id']}: answers of unequal length"
    counts = Counter((item["language"], item["statement_id"]) for item in items if item["kind"] != "benign")
    for language in LANGUAGES:
        for principle in range(16):
            found = counts[language, principle]
            assert found >= HELDOUT_PER_PRINCIPLE, f"{language} has {found} held-out items for principle {principle}"
    assert 450 <= len(items) <= 560, f"{len(items)} adherence items, wanted 450 to 560"


def check_heldout_forms(bank: Bank) -> None:
    """The held-out forms and answers of a bank are not those of training, before any slot is filled."""
    for name, block in bank.texts.items():
        for trained, heldout in (("forms", "heldout_forms"), ("answers", "heldout_answers")):
            if trained not in block:
                continue
            shared = {*map(normal, lines(block[trained]))} & {*map(normal, lines(block[heldout]))}
            assert not shared, f"{bank.language} {name}: {shared} is both trained and held out"


# -- writing ----------------------------------------------------------------------------------------------------------


def write_lines(path: Path, records: Iterable[dict[str, Any]]) -> int:
    """Write JSON lines under a temporary name, then rename; returns the number of lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(text), encoding="utf-8")
    temporary.replace(path)
    return len(text)


def recording(item: dict[str, Any]) -> dict[str, Any]:
    """The recorded first answer, critique and revision for one prompt."""
    return {"prompt_id": item["id"]} | {key: item[key] for key in ("initial", "critique", "revision")} | TEACHER


def main() -> None:
    """Compose, check and write the three files."""
    banks = [Bank(language) for language in LANGUAGES]
    training = [item for bank in banks for item in training_items(bank)]
    heldout = [item for bank in banks for item in heldout_items(bank)]
    check_training(training)
    check_swaps(training)
    check_heldout(heldout, training)
    for bank in banks:
        check_heldout_forms(bank)
    columns = ("id", "language", "statement_id", "kind", "form", "prompt", "twin_of")
    prompts = write_lines(
        SAMPLE / "prompts" / "prompts.jsonl", ({name: item[name] for name in columns} for item in training)
    )
    write_lines(SAMPLE / "teacher" / "recordings.jsonl", map(recording, training))
    pairs = write_lines(SAMPLE / "benchmarks" / "adherence" / "pairs.jsonl", heldout)
    kinds = Counter(item["kind"] for item in training)
    print(f"preferences: {prompts} prompts ({dict(kinds)}), {prompts} recordings, {pairs} adherence pairs")


if __name__ == "__main__":
    main()
