"""Pairs that say the same are proposed, pairs that go against each other are flagged, and nothing is applied."""

from __future__ import annotations

import numpy as np
import pytest

from stages.draft_constitution.alike import Alike, find
from stages.draft_constitution.votes import VoteMatrix, matrix
from stages.records import Statement
from tests.draft_constitution.planted import with_params

ALIKE = {
    "min_text_similarity": 0.55,
    "min_vote_agreement": 0.8,
    "max_contradiction_correlation": -0.4,
    "min_common_voters": 20,
}
PARAMS = with_params(alike=ALIKE)
WORDS = ["water", "bread", "light", "wood", "stone", "paper", "glass", "iron", "music", "sleep", "rain", "snow", "wind"]


def statements(language: str, *texts: str) -> list[Statement]:
    return [Statement(id=n, text=text, language=language, moderated=1, author="") for n, text in enumerate(texts)]


def votes_of(*columns: str) -> VoteMatrix:
    """One text per statement, one letter per person: + agrees, - disagrees, 0 passes, . did not see it."""
    mark = {"+": 1, "-": -1, "0": 0}
    cells = [(f"p{n:02d}", s, mark[m]) for s, column in enumerate(columns) for n, m in enumerate(column) if m != "."]
    people, ids, votes = zip(*cells, strict=True) if cells else ((), (), ())
    return matrix(people, ids, votes, range(len(columns)))


def pairs(found: Alike) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    return [(p.first, p.second) for p in found.duplicates], [(p.first, p.second) for p in found.contradictions]


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        (
            "en",
            "The assistant should always say that it is a machine",
            "The assistant should say always that it's a machine",
        ),
        (
            "es",
            "El asistente debe citar siempre sus fuentes oficiales",
            "El asistente debe citar sus fuentes oficiales siempre",
        ),
        (
            "fr",
            "L'assistant doit citer ses sources officielles",
            "L’assistant doit toujours citer ses sources officielles",
        ),
        ("ca", "L'assistent ha de citar sempre les fonts oficials", "L'assistent ha de citar les fonts oficials"),
        (
            "eu",
            "Laguntzaileak iturri ofizialak aipatu behar ditu",
            "Laguntzaileak beti iturri ofizialak aipatu behar ditu",
        ),
    ],
)
def test_near_duplicates_are_proposed(language: str, one: str, other: str) -> None:
    same = "+-+0" * 6
    found = find(statements(language, one, other), votes_of(same, same), PARAMS)
    assert pairs(found) == ([(0, 1)], [])
    (pair,) = found.duplicates
    assert (pair.common_voters, pair.vote_agreement, pair.correlation) == (24, 1.0, 1.0)
    assert "of 24 who voted on both, 100% voted alike (correlation +1.00)" in pair.reason


def test_people_who_voted_on_both_can_keep_texts_apart() -> None:
    texts = statements("en", "More buses in the north of the city", "More buses in the south of the city")
    apart = find(texts, votes_of("+" * 12 + "-" * 12, "-" * 12 + "+" * 12), PARAMS)
    assert pairs(apart) == ([], [(0, 1)])
    unknown = find(texts, votes_of("+" * 24, "." * 24), PARAMS)
    assert pairs(unknown) == ([(0, 1)], [])
    assert unknown.duplicates[0].reason.endswith("0 people voted on both: too few to compare votes")
    assert unknown.duplicates[0].vote_agreement is None


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "The city should publish its data", "The city should not publish its data"),
        ("en", "The city should share our data", "The city shouldn’t share our data"),
        ("es", "La ciudad debe publicar sus datos", "La ciudad no debe publicar sus datos"),
        ("fr", "La ville doit publier ses données", "La ville ne doit pas publier ses données"),
        ("ca", "La ciutat ha de publicar les dades", "La ciutat no ha de publicar les dades"),
        ("eu", "Hiriak datuak argitaratu behar ditu", "Hiriak ez ditu datuak argitaratu behar"),
    ],
)
def test_a_no_in_one_of_two_texts_is_flagged_and_never_merged(language: str, one: str, other: str) -> None:
    found = find(statements(language, one, other), None, PARAMS)
    assert pairs(found) == ([], [(0, 1)])
    assert "one of them says no where the other does not" in found.contradictions[0].reason


def test_a_double_no_is_no_contradiction() -> None:
    texts = statements("fr", "La ville ne doit jamais vendre les données", "La ville ne doit pas vendre les données")
    assert pairs(find(texts, None, PARAMS))[1] == []


def test_votes_against_each_other_are_flagged_in_any_language() -> None:
    texts = [
        Statement(id=0, text="Keep the cars out of the centre", language="en", moderated=1, author=""),
        Statement(id=1, text="El centro necesita más aparcamiento", language="es", moderated=1, author=""),
        Statement(id=2, text="Zuhaitz gehiago landatu", language="eu", moderated=1, author=""),
    ]
    found = find(texts, votes_of("+" * 15 + "-" * 15, "-" * 14 + "+" * 16, "+-" * 15), PARAMS)
    assert pairs(found) == ([], [(0, 1)])
    assert found.contradictions[0].correlation == pytest.approx(-0.935, abs=1e-3)
    few = find(texts, votes_of("+" * 9 + "-" * 9, "-" * 9 + "+" * 9, "+" * 18), PARAMS)
    assert pairs(few) == ([], [])  # 18 people say nothing


def test_correlation_is_that_of_the_common_voters() -> None:
    draw = np.random.default_rng(1)
    one = "".join(draw.choice(list("+-0."), 80))
    against = one.translate(str.maketrans("+-", "-+"))
    other = "".join(mark if draw.random() < 0.8 else draw.choice(list("+-0.")) for mark in against)
    value = {"+": 1.0, "-": -1.0, "0": 0.0}
    both = [(value[a], value[b]) for a, b in zip(one, other, strict=True) if "." not in a + b]
    (pair,) = find(statements("en", "Open every door", "Close no window"), votes_of(one, other), PARAMS).contradictions
    assert pair.correlation == pytest.approx(float(np.corrcoef(np.array(both).T)[0, 1]), abs=1e-6)
    assert pair.vote_agreement == pytest.approx(np.mean([a == b for a, b in both]), abs=1e-6)
    assert pair.common_voters == len(both)


def test_chance_among_many_pairs_is_not_a_contradiction() -> None:
    draw = np.random.default_rng(5)
    texts = statements("en", *[f"{word} matters" for word in WORDS])
    votes = votes_of(*["".join(draw.choice(list("+-"), 24)) for _ in WORDS])
    weakest = min(
        np.corrcoef(votes.value[:, a].toarray().ravel(), votes.value[:, b].toarray().ravel())[0, 1]
        for a in range(len(WORDS))
        for b in range(a)
    )
    assert weakest < -0.4  # below the limit by chance: 24 people, 78 pairs
    assert pairs(find(texts, votes, PARAMS)) == ([], [])


def test_no_order_of_statements_changes_the_pairs() -> None:
    texts = statements(
        "en", "Trees in the north", "Trees in the nort", "No trees in the north", "Benches", "Trees, in the north"
    )
    votes = votes_of(*["+-0." * 8] * 5)
    assert find(texts, votes, PARAMS) == find(texts[::-1], votes, PARAMS)


def test_emoji_one_statement_and_none() -> None:
    assert find(statements("en", "👍", "👎"), None, PARAMS) == Alike((), ())
    assert find(statements("en", "Alone"), votes_of("+"), PARAMS) == Alike((), ())
    assert find([], None, PARAMS) == Alike((), ())
