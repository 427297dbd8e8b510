"""Flag accounts whose votes look made: copies, too many that answer alike, one answer to everything, arrivals in a rush.

A flag is a question, not a verdict: flagged votes stay, and `sensitivity.py` shows the draft without them. What each
kind cannot see is said beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stages.draft_constitution.parameters import Integrity as Limits
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.votes import VoteMatrix

Rows = NDArray[np.int64]

IDENTICAL, ALIKE, STRAIGHT = "identical votes", "alike votes", "one answer"
BURST, LATE = "burst", "late"
BY_CHANCE = 0.001  # chance, over all sets of identical accounts, below which chance does not explain one
COMPARED = (200, 1000)  # fewest and most accounts that all others are compared with: an even draw by key
COMPARISONS = 1_000_000_000  # votes times accounts compared: a few seconds
CHUNK = 2_000_000  # votes looked at together: bounds memory
ROWS_AT_ONCE = 5_000
FEWEST_COMPARED = 20  # accounts; a share of fewer says nothing
CODES = 4  # a vote is stored as 1, 2 or 3


@dataclass(frozen=True)
class Finding:
    """What one kind of check found."""

    kind: str
    looked: bool  # False where the export does not tell what the check needs
    accounts: int
    words: str


@dataclass(frozen=True)
class Integrity:
    """Flagged accounts by kind; one account can be under several."""

    flags: dict[str, tuple[str, ...]]  # kind -> participants, sorted; kinds without any are there, empty
    findings: tuple[Finding, ...]
    judged: int  # accounts with enough votes
    not_judged: int
    flagged: int  # accounts under at least one kind


@dataclass(frozen=True)
class _Rows:
    """What is read off each account's votes in one pass."""

    votes: Rows
    most_common: Rows  # how often the account gave its most frequent answer
    same: NDArray[np.uint64]  # two accounts with the same votes have the same number
    shown: NDArray[np.uint64]  # two accounts that voted on the same statements have the same number
    chance: NDArray[np.float64]  # log of the chance of these votes, from how everybody voted on each statement


def look(votes: VoteMatrix, params: Parameters) -> Integrity:
    """Check every account with enough votes; no order of the accounts changes the answer."""
    limits = params.integrity
    rows = _read(votes)
    judged = np.flatnonzero(rows.votes >= limits.min_votes)
    found = [
        _identical(rows, judged, limits),
        _alike(votes, judged, limits),
        _straight(rows, judged, limits),
        *_in_time(votes, judged, limits),
    ]
    flags = {finding.kind: tuple(sorted(votes.participants[row] for row in accounts)) for finding, accounts in found}
    return Integrity(
        flags=flags,
        findings=tuple(finding for finding, _ in found),
        judged=len(judged),
        not_judged=len(votes.participants) - len(judged),
        flagged=len({participant for accounts in flags.values() for participant in accounts}),
    )


def _read(votes: VoteMatrix) -> _Rows:
    people, statements = votes.coded.shape
    log_share = _log_shares(votes)
    generator = np.random.default_rng(0)  # random numbers of 64 bits: sums of different votes do not meet by accident
    of_vote = generator.integers(0, 2**63, statements * CODES, dtype=np.uint64)
    of_statement = generator.integers(0, 2**63, statements, dtype=np.uint64)
    lengths = np.diff(votes.coded.indptr).astype(np.int64)
    rows = _Rows(
        lengths,
        np.zeros(people, np.int64),
        np.zeros(people, np.uint64),
        np.zeros(people, np.uint64),
        np.zeros(people),
    )
    for start, end in _chunks(votes.coded.indptr):
        filled = start + np.flatnonzero(lengths[start:end])
        if not len(filled):
            continue
        first = int(votes.coded.indptr[start])
        begins = votes.coded.indptr[filled].astype(np.int64) - first
        cells = slice(first, int(votes.coded.indptr[end]))
        statement, code = votes.coded.indices[cells].astype(np.int64), votes.coded.data[cells].astype(np.int64)
        rows.same[filled] = np.add.reduceat(of_vote[statement * CODES + code], begins)
        rows.shown[filled] = np.add.reduceat(of_statement[statement], begins)
        rows.chance[filled] = np.add.reduceat(log_share[statement, code], begins)
        answers = [np.add.reduceat((code == answer).astype(np.int64), begins) for answer in range(1, CODES)]
        rows.most_common[filled] = np.max(answers, axis=0)
    return rows


def _chunks(indptr: NDArray[np.int32]) -> Iterator[tuple[int, int]]:
    """Ranges of rows with about CHUNK votes each."""
    start, people = 0, len(indptr) - 1
    while start < people:
        end = int(np.searchsorted(indptr, int(indptr[start]) + CHUNK, side="right")) - 1
        end = min(max(end, start + 1), people)
        yield start, end
        start = end


def _log_shares(votes: VoteMatrix) -> NDArray[np.float64]:
    """Log of the share of each answer (column) among the votes on each statement (row), half a vote added to each."""
    counts = np.zeros(votes.coded.shape[1] * CODES)
    for start, end in _chunks(votes.coded.indptr):
        cells = slice(int(votes.coded.indptr[start]), int(votes.coded.indptr[end]))
        keys = votes.coded.indices[cells].astype(np.int64) * CODES + votes.coded.data[cells]
        counts += np.bincount(keys, minlength=len(counts))
    table = counts.reshape(-1, CODES) + 0.5
    table[:, 0] = 1.0  # no vote has this code
    logs: NDArray[np.float64] = np.log(table / table[:, 1:].sum(axis=1, keepdims=True))
    return logs


def _identical(rows: _Rows, judged: Rows, limits: Limits) -> tuple[Finding, Rows]:
    """Sets of accounts with the very same votes on the very same statements, larger than chance makes them.

    By chance means: so many accounts saw just these statements, and each vote is as likely as its share among all.
    Opinions hang together, so chance makes somewhat larger sets than that: the limit in accounts comes first.
    """
    from scipy.stats import poisson

    _, first, member, sizes = np.unique(rows.same[judged], return_index=True, return_inverse=True, return_counts=True)
    _, place, saw = np.unique(rows.shown[judged], return_inverse=True, return_counts=True)
    expected = saw[place[first]] * np.exp(rows.chance[judged[first]])
    many = sizes > limits.max_identical_accounts
    beyond_chance = poisson.sf(sizes - 1, expected) < BY_CHANCE / max(int(many.sum()), 1)
    flagged = judged[(many & beyond_chance)[member]]
    largest = int(sizes[many & beyond_chance].max()) if len(flagged) else 0
    words = (
        f"{len(flagged):,} accounts in {int((many & beyond_chance).sum()):,} sets of more than"
        f" {limits.max_identical_accounts} with the very same votes (the largest: {largest});"
        f" {int((many & ~beyond_chance).sum()):,} such sets are no larger than chance makes them."
        " Copies that differ in one vote, or were shown other statements, are not seen"
    )
    return Finding(IDENTICAL, True, len(flagged), words), flagged


def _alike(votes: VoteMatrix, judged: Rows, limits: Limits) -> tuple[Finding, Rows]:
    """Accounts that give nearly the same answers as many others do, on the statements that both saw.

    Scripted accounts need not be copies: where statements are routed, each sees others. At 0.9 and 4 % it finds at most
    2 % of the real accounts in seven of eleven open conversations, 5 to 7 % in two, and more where a camp votes as one
    (22 % in Austria's climate assembly) or few came (London); of invented ones see infra/brigade.py.
    """
    wanted = int(np.clip(COMPARISONS // max(votes.coded.nnz, 1), *COMPARED))
    drawn = judged[np.unique(np.linspace(0, len(judged) - 1, min(wanted, len(judged))).astype(np.int64))]
    flagged, comparable = [np.empty(0, np.int64)], 0
    answers_drawn, seen_drawn = _answers(votes, drawn).T.tocsc(), _shown(votes, drawn).T.tocsc()
    for start in range(0, len(judged), ROWS_AT_ONCE):
        rows = judged[start : start + ROWS_AT_ONCE]
        common = (_shown(votes, rows) @ seen_drawn).toarray()
        same = (_answers(votes, rows) @ answers_drawn).toarray()
        compared = (common >= limits.min_common) & (rows[:, None] != drawn[None, :])
        alike = (compared & (same >= limits.alike_share * common)).sum(axis=1)
        enough = compared.sum(axis=1) >= FEWEST_COMPARED
        comparable += int(enough.sum())
        flagged.append(rows[enough & (alike > limits.max_alike_accounts * compared.sum(axis=1))])
    found = np.concatenate(flagged)
    words = (
        f"{len(found):,} of {comparable:,} accounts that could be compared answer at least {limits.alike_share:.0%} alike"
        f" with more than {limits.max_alike_accounts:.0%} of the others, on {limits.min_common} or more statements that both"
        " saw. People of one mind do so too"
    )
    return Finding(ALIKE, comparable > 0, len(found), words), found


def _shown(votes: VoteMatrix, rows: Rows) -> sparse.csr_array:
    """1 where an account (row) voted on a statement (column)."""
    part = votes.coded[rows]
    return sparse.csr_array((np.ones(part.nnz, np.float32), part.indices, part.indptr), shape=part.shape)


def _answers(votes: VoteMatrix, rows: Rows) -> sparse.csr_array:
    """1 where an account gave an answer: a column for each answer to each statement."""
    part = votes.coded[rows]
    columns = part.indices * CODES + part.data
    shape = (part.shape[0], part.shape[1] * CODES)
    return sparse.csr_array((np.ones(part.nnz, np.float32), columns, part.indptr), shape=shape)


def _straight(rows: _Rows, judged: Rows, limits: Limits) -> tuple[Finding, Rows]:
    flagged = judged[rows.most_common[judged] >= limits.straight_line_share * rows.votes[judged]]
    words = (
        f"{len(flagged):,} accounts gave the same answer to at least {limits.straight_line_share:.0%} of what they saw."
        " People who like everything do so too"
    )
    return Finding(STRAIGHT, True, len(flagged), words), flagged


def _in_time(votes: VoteMatrix, judged: Rows, limits: Limits) -> Iterator[tuple[Finding, Rows]]:
    nobody = np.empty(0, np.int64)
    first, last = _first_minutes(votes)
    judged = judged[first[judged] >= 0]
    if not len(judged):
        for kind in (BURST, LATE):
            yield Finding(kind, False, 0, "the export does not tell when people voted"), nobody
        return
    yield _burst(first, judged, limits)
    yield _late(first, last, judged, limits)


def _first_minutes(votes: VoteMatrix) -> tuple[Rows, int]:
    """When each account first voted, -1 where that is not known, and the minute of the last vote of all."""
    first = np.full(len(votes.participants), -1, dtype=np.int64)
    if votes.minutes is None or not len(votes.minutes):
        return first, 0
    filled = np.flatnonzero(np.diff(votes.coded.indptr))
    known = np.where(votes.minutes < 0, np.iinfo(np.int32).max, votes.minutes)
    earliest = np.minimum.reduceat(known, votes.coded.indptr[filled])
    first[filled] = np.where(earliest == np.iinfo(np.int32).max, -1, earliest)
    return first, int(votes.minutes.max())


def _burst(first: Rows, judged: Rows, limits: Limits) -> tuple[Finding, Rows]:
    """Accounts that came in a stretch with far more new accounts than the stretch of a typical account has.

    Typical of accounts, not of stretches: people come when a talk or a letter calls them, and most stretches are empty.
    """
    stretch = first[judged] // limits.burst_minutes
    _, member, arrivals = np.unique(stretch, return_inverse=True, return_counts=True)
    usual = float(np.median(arrivals[member]))
    crowded = arrivals >= limits.burst_times_usual * usual
    flagged = judged[crowded[member]]
    words = (
        f"{len(flagged):,} accounts came in {int(crowded.sum()):,} stretches of {limits.burst_minutes} minutes with at least"
        f" {limits.burst_times_usual:g} times the usual {usual:g} new accounts. An invitation by post or press does the same"
    )
    return Finding(BURST, True, len(flagged), words), flagged


def _late(first: Rows, last: int, judged: Rows, limits: Limits) -> tuple[Finding, Rows]:
    begin = int(first[first >= 0].min())
    border = last - limits.late_share * (last - begin)
    flagged = judged[(first[judged] >= border) & (first[judged] > begin)]
    expected = limits.late_share * len(judged)
    words = (
        f"{len(flagged):,} accounts cast their first vote in the last {limits.late_share:.0%} of the time;"
        f" at an even pace it would be {expected:,.0f}"
    )
    return Finding(LATE, True, len(flagged), words), flagged
