"""Propose pairs of statements that say the same, and flag pairs that may contradict each other; people decide.

Texts are compared by the letters they are made of (runs of three to five characters, weighted by rarity), inside one
language only. Votes are compared on the people who voted on both. Neither alone settles anything: every pair carries
both figures and says in words what was found.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import norm

from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.same_text import normalised
from stages.draft_constitution.votes import VoteMatrix
from stages.records import Statement

Floats = NDArray[np.float64]
Counts = NDArray[np.int32]

LETTERS = (3, 5)  # length of the runs that are compared: endings of Basque and Spanish count less than stems
DIGIT = 1 << 16  # above VOTERS_AT_MOST
VOTERS_AT_MOST = 20_000  # an even draw of more: a correlation is then known to within 0.01
CERTAIN = 1 - 1e-9  # a correlation of 1 has no limits that Fisher's z could tell
ABOUT_THE_SAME = 0.3  # text similarity from which one of two statements may be the negation of the other
NO = {
    "en": "not no never nobody nothing without cannot dont doesnt shouldnt mustnt wont isnt arent cant stop ban",
    "es": "no nunca jamás nadie nada ningún ninguna sin tampoco prohibir",
    "fr": "ne n pas jamais personne rien aucun aucune sans interdire",
    "ca": "no mai ningú res cap sense tampoc prohibir",
    "eu": "ez inoiz inor ezer gabe ezin ezta debekatu",
}
NEGATIONS = {language: frozenset(words.split()) for language, words in NO.items()}


@dataclass(frozen=True)
class Pair:
    """Two statements to look at together."""

    first: int  # the smaller statement id
    second: int
    text_similarity: float  # 0 to 1; 0 across languages, where letters cannot be compared
    common_voters: int  # who voted on both, of the voters compared
    vote_agreement: float | None  # share of them who voted alike; None: too few to say
    correlation: float | None  # of their votes
    reason: str


@dataclass(frozen=True)
class Alike:
    """What people are asked to look at; nothing of it was applied."""

    duplicates: tuple[Pair, ...]  # most alike first
    contradictions: tuple[Pair, ...]  # most opposed first


@dataclass(frozen=True)
class _Votes:
    """What every two statements' common voters did, as tables (statements x statements)."""

    common: Floats
    agreement: Floats
    correlation: Floats
    surely_below: Floats  # the correlation's upper limit: among many pairs some are far below 0 by chance alone


def find(statements: Sequence[Statement], votes: VoteMatrix | None, params: Parameters) -> Alike:
    """All pairs over the limits in `alike`, by statement id and in no other order than that of the figures."""
    ordered = sorted((s for s in statements if s.text.strip()), key=lambda statement: statement.id)
    texts = _text_similarities(ordered)
    compared = _compare(votes, [s.id for s in ordered], params.confidence) if votes is not None and ordered else None
    return Alike(
        tuple(
            sorted(_duplicates(ordered, texts, compared, params), key=lambda p: (-p.text_similarity, p.first, p.second))
        ),
        tuple(sorted(_contradictions(ordered, texts, compared, params), key=_most_opposed)),
    )


def _most_opposed(pair: Pair) -> tuple[float, float, int, int]:
    return (0.0 if pair.correlation is None else pair.correlation), -pair.text_similarity, pair.first, pair.second


def _text_similarities(statements: Sequence[Statement]) -> sparse.csr_array:
    """Cosine of the weighted letter runs, inside each language; upper triangle, small values left out."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    by_language: dict[str, list[int]] = defaultdict(list)
    for row, statement in enumerate(statements):
        if normalised(statement.text):
            by_language[statement.language].append(row)
    rows, columns, values = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for _, members in sorted(by_language.items()):
        if len(members) < 2:
            continue
        texts = [normalised(statements[row].text) for row in members]
        vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=LETTERS, dtype=np.float64).fit_transform(texts)
        upper = sparse.triu(vectors @ vectors.T, k=1).tocoo()
        near = upper.data >= ABOUT_THE_SAME
        rows.append(np.asarray(members)[upper.row[near]])
        columns.append(np.asarray(members)[upper.col[near]])
        values.append(np.minimum(upper.data[near], 1.0))
    content = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(sparse.coo_array(content, shape=(len(statements), len(statements))))


def _compare(votes: VoteMatrix, ids: Sequence[int], confidence: float) -> _Votes:
    """Common voters, agreement and correlation of every two statements."""
    columns = np.searchsorted(np.asarray(votes.statements, dtype=np.int64), np.asarray(ids, dtype=np.int64))
    if len(votes.participants) > VOTERS_AT_MOST:
        votes = votes.rows(np.linspace(0, len(votes.participants) - 1, VOTERS_AT_MOST).astype(np.int64))
    joint = _joint_counts(votes.coded[:, columns])
    common = joint.sum(axis=(0, 1)).astype(np.float64)
    alike = joint[0, 0] + joint[1, 1] + joint[2, 2]
    sums = (joint[2] - joint[0]).sum(axis=0).astype(np.float64)
    squares = (joint[2] + joint[0]).sum(axis=0).astype(np.float64)
    products = (joint[2, 2] + joint[0, 0] - joint[0, 2] - joint[2, 0]).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # no common voters, or all of them voted the same
        covariance = common * products - sums * sums.T
        spread = np.sqrt((common * squares - sums**2) * (common * squares - sums**2).T)
        correlation = np.where(spread > 0, covariance / spread, 0.0)
        agreement = np.where(common > 0, alike / common, 0.0)
    return _Votes(common, agreement, correlation, _upper_limit(correlation, common, confidence))


def _upper_limit(correlation: Floats, common: Floats, confidence: float) -> Floats:
    """The correlation is below this with the wanted confidence (Fisher's z); 1 where fewer than four say anything."""
    z = np.arctanh(np.clip(correlation, -CERTAIN, CERTAIN))
    limit = np.tanh(z + norm.ppf(confidence) / np.sqrt(np.maximum(common - 3, 1)))
    return np.where(common > 3, limit, 1.0)


def _joint_counts(coded: sparse.csr_array) -> Counts:
    """How many gave answer a to the one statement and b to the other, shape (a, b, statements, statements).

    The second answer is written as 1 in a digit of its own of one large number, so that one product counts all three.
    """
    second = sparse.csr_array((DIGIT ** (coded.data.astype(np.int64) - 1), coded.indices, coded.indptr), coded.shape)
    rows, columns = coded.nonzero()
    joint = np.empty((3, 3, coded.shape[1], coded.shape[1]), dtype=np.int32)
    for answer in range(3):  # disagree, pass, agree: votes are stored as 1, 2, 3
        given = coded.data == answer + 1
        first = sparse.csr_array((np.ones(given.sum(), np.int64), (columns[given], rows[given])), coded.shape[::-1])
        numbers = (first @ second).toarray()
        for place in range(3):
            joint[answer, place] = numbers // DIGIT**place % DIGIT
    return joint


def _duplicates(
    statements: Sequence[Statement], texts: sparse.csr_array, votes: _Votes | None, params: Parameters
) -> Iterator[Pair]:
    """Texts that are near enough, unless those who voted on both kept them apart."""
    near = sparse.coo_array(texts)
    for row, column, similarity in zip(*near.coords, near.data, strict=True):
        if similarity < params.alike.min_text_similarity or _one_negates(statements[row], statements[column]):
            continue
        pair = _pair(statements, int(row), int(column), float(similarity), votes, params, "")
        if pair.vote_agreement is not None and pair.vote_agreement < params.alike.min_vote_agreement:
            continue
        yield _with_reason(pair, f"the texts are alike ({similarity:.2f} of 1) and {_votes_in_words(pair)}")


def _contradictions(
    statements: Sequence[Statement], texts: sparse.csr_array, votes: _Votes | None, params: Parameters
) -> Iterator[Pair]:
    """Votes that go against each other, or texts about the same of which one negates, unless the votes go together."""
    similarity = texts.todok()
    opposed = _opposed(votes, params)
    for row, column in sorted(opposed | _negated(statements, texts)):
        text = float(similarity.get((row, column), 0.0))
        negated = text > 0 and _one_negates(statements[row], statements[column])
        pair = _pair(statements, row, column, text, votes, params, "")
        if (row, column) not in opposed and not (negated and (pair.correlation is None or pair.correlation < 0)):
            continue
        cues = ["one of them says no where the other does not"] if negated else []
        cues += [f"the texts are alike ({text:.2f} of 1)"] if text else []
        yield _with_reason(pair, "; ".join([_votes_in_words(pair), *cues]))


def _opposed(votes: _Votes | None, params: Parameters) -> set[tuple[int, int]]:
    if votes is None:
        return set()
    enough = votes.common >= params.alike.min_common_voters
    opposed = enough & (votes.surely_below <= params.alike.max_contradiction_correlation)
    rows, columns = np.nonzero(np.triu(opposed, k=1))
    return set(zip(rows.tolist(), columns.tolist(), strict=True))


def _negated(statements: Sequence[Statement], texts: sparse.csr_array) -> set[tuple[int, int]]:
    rows, columns = sparse.coo_array(texts).coords
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {(row, column) for row, column in pairs if _one_negates(statements[row], statements[column])}


def _one_negates(one: Statement, other: Statement) -> bool:
    """An odd number of words for no in one of two texts of the same language, an even number in the other."""
    return one.language == other.language and _says_no(one) != _says_no(other)


def _says_no(statement: Statement) -> bool:
    words = re.findall(r"\w+", statement.text.casefold().replace("n't", "nt").replace("n’t", "nt"))
    negations = NEGATIONS.get(statement.language, frozenset())
    found = [word for word in words if word in negations]
    if statement.language == "fr":  # "ne ... pas" is one no: the second half says it too
        found = [word for word in found if word not in ("ne", "n")]
    return len(found) % 2 == 1


def _pair(
    statements: Sequence[Statement],
    row: int,
    column: int,
    similarity: float,
    votes: _Votes | None,
    params: Parameters,
    reason: str,
) -> Pair:
    common = int(votes.common[row, column]) if votes else 0
    enough = votes is not None and common >= params.alike.min_common_voters
    return Pair(
        first=statements[row].id,
        second=statements[column].id,
        text_similarity=round(similarity, 6),
        common_voters=common,
        vote_agreement=round(float(votes.agreement[row, column]), 6) if votes and enough else None,
        correlation=round(float(votes.correlation[row, column]), 6) if votes and enough else None,
        reason=reason,
    )


def _with_reason(pair: Pair, reason: str) -> Pair:
    return Pair(**{**pair.__dict__, "reason": reason})


def _votes_in_words(pair: Pair) -> str:
    if pair.vote_agreement is None or pair.correlation is None:
        return f"{pair.common_voters} people voted on both: too few to compare votes"
    return (
        f"of {pair.common_voters:,} who voted on both, {pair.vote_agreement:.0%} voted alike"
        f" (correlation {pair.correlation:+.2f})"
    )
