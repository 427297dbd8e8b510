"""Of texts that say the same, the one with the smallest id stays; similar texts that are not the same stay too."""

from __future__ import annotations

import random

import numpy as np
import pytest

from stages.curate_corpus.duplicates import Shingler, exact_duplicate_reasons, jaccard, near_duplicate_reasons
from stages.curate_corpus.parameters import NearDuplicates
from stages.records import Document

LIMITS = NearDuplicates(shingle_words=5, bands=14, rows=8, min_jaccard=0.8, seed=0)


def document(id: str, text: str) -> Document:
    return Document(id=id, text=text, language="eu", source="s", url="", license="CC0-1.0")


def words(seed: int, count: int) -> list[str]:
    source = random.Random(seed)
    return ["".join(source.choices("abcdeghiklnoprtuxz", k=6)) for _ in range(count)]


def test_case_and_punctuation_do_not_make_a_new_text() -> None:
    reasons = exact_duplicate_reasons(
        [document("b", "KAIXO, mundua!"), document("a", "kaixo mundua"), document("c", "agur mundua")]
    )
    assert set(reasons) == {"b"}
    assert reasons["b"].rule == "duplicate"
    assert reasons["b"].value == "same words as a"


def test_a_near_duplicate_is_dropped_for_the_smallest_id() -> None:
    text = words(1, 200)
    changed = [*text[:100], "aldatua", *text[101:]]  # 5 of 196 runs differ: Jaccard 191 / 201
    reasons = near_duplicate_reasons([document("z", " ".join(text)), document("a", " ".join(changed))], LIMITS)
    assert set(reasons) == {"z"}
    assert reasons["z"].rule == "near_duplicate"
    assert reasons["z"].value == "Jaccard 0.95 to a"


def test_candidates_below_the_limit_stay() -> None:
    text = words(2, 200)
    half = [*text[:150], *words(3, 50)]
    assert near_duplicate_reasons([document("a", " ".join(text)), document("b", " ".join(half))], LIMITS) == {}


def test_a_chain_of_changes_drops_only_what_is_near_a_kept_text() -> None:
    chain = [words(4, 300)]
    for step in range(8):
        chain.append([*chain[-1][: 30 * step], *words(100 + step, 18), *chain[-1][30 * step + 18 :]])
    documents = [document(f"d{number}", " ".join(text)) for number, text in enumerate(chain)]
    reasons = near_duplicate_reasons(documents, LIMITS)
    shingles = {d.id: Shingler(5).hashes(d.text.split()) for d in documents}
    kept = [d.id for d in documents if d.id not in reasons]
    assert len(kept) > 1
    for dropped in reasons:
        assert max(jaccard(shingles[dropped], shingles[other]) for other in kept) >= 0.8


def test_the_order_of_the_documents_does_not_matter() -> None:
    base = words(5, 100)
    documents = [document(f"d{n}", " ".join([*base[:-n], *words(n, n)])) for n in range(1, 9)]
    assert near_duplicate_reasons(documents, LIMITS) == near_duplicate_reasons(documents[::-1], LIMITS)


def test_ninety_nine_of_a_hundred_planted_pairs_are_found() -> None:
    documents, planted = [], set()
    for number in range(100):
        text = words(1000 + number, 150)
        place = random.Random(number).randrange(10, 140)
        documents.append(document(f"a{number:03d}", " ".join(text)))
        documents.append(document(f"b{number:03d}", " ".join([*text[:place], "berria", *text[place + 1 :]])))
        planted.add(f"b{number:03d}")
    found = set(near_duplicate_reasons(documents, LIMITS))
    assert found <= planted
    assert len(found) >= 99


@pytest.mark.parametrize(("text", "runs"), [(["bat"], 1), (["bat", "bi", "hiru", "lau", "bost", "sei"], 2), ([], 1)])
def test_runs_of_five_words(text: list[str], runs: int) -> None:
    assert len(Shingler(5).hashes(text)) == runs


def test_hashes_are_the_same_in_every_process() -> None:
    assert Shingler(5).hashes(["egun", "on"]).tolist() == [7262995979356837400]


def test_jaccard() -> None:
    assert jaccard(np.array([1, 2, 3], dtype=np.uint64), np.array([2, 3, 4], dtype=np.uint64)) == 0.5
