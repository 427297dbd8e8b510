"""Accounts that look made are flagged; people who merely agree with each other are not."""

from __future__ import annotations

import random

from stages.draft_constitution.integrity import ALIKE, BURST, IDENTICAL, LATE, STRAIGHT, Integrity, look
from stages.draft_constitution.votes import VoteMatrix, matrix
from tests.draft_constitution.planted import with_params

Account = tuple[str, dict[int, int], int]  # key, statement -> vote, minute of the first vote

PARAMS = with_params()
STATEMENTS = range(30)


def people(count: int, seed: int = 4) -> list[Account]:
    """Each saw 12 of 30 statements, votes by chance and comes by chance within 20,000 minutes."""
    draw = random.Random(seed)
    return [
        (f"p{n:03d}", {s: draw.choice([1, 1, -1, 0]) for s in draw.sample(STATEMENTS, 12)}, draw.randrange(20_000))
        for n in range(count)
    ]


def conversation(accounts: list[Account], timed: bool = True) -> VoteMatrix:
    rows = [
        (key, s, vote, start + n) for key, cast, start in accounts for n, (s, vote) in enumerate(sorted(cast.items()))
    ]
    keys, statements, votes, minutes = zip(*rows, strict=True)
    return matrix(keys, statements, votes, list(STATEMENTS), minutes if timed else None)


def words(found: Integrity, kind: str) -> str:
    return next(finding.words for finding in found.findings if finding.kind == kind)


def test_an_ordinary_crowd_is_not_flagged() -> None:
    found = look(conversation(people(200)), PARAMS)
    assert (found.judged, found.not_judged) == (200, 0)
    assert found.flags[IDENTICAL] == found.flags[STRAIGHT] == found.flags[BURST] == ()
    assert len(found.flags[LATE]) <= 14  # by chance 4 of 200, with this draw 11


def test_copies_of_one_account_are_flagged() -> None:
    script = {s: 1 if s % 3 else -1 for s in range(12)}
    copies = [(f"x{n}", script, 100 * n) for n in range(5)]
    found = look(conversation(people(200) + copies), PARAMS)
    assert found.flags[IDENTICAL] == ("x0", "x1", "x2", "x3", "x4")
    assert "5 accounts in 1 sets of more than 3 with the very same votes (the largest: 5)" in words(found, IDENTICAL)
    few = look(conversation(people(200) + copies[:3]), PARAMS)
    assert few.flags[IDENTICAL] == ()  # three alike are allowed


def test_people_who_all_agree_on_everything_are_no_copies() -> None:
    agreeing = [(f"a{n:02d}", dict.fromkeys(range(12), 1), 100 * n) for n in range(40)]
    found = look(conversation(agreeing), PARAMS)
    assert found.flags[IDENTICAL] == ()
    assert "1 such sets are no larger than chance makes them" in words(found, IDENTICAL)


def test_copies_with_other_votes_or_other_statements_are_not_the_same() -> None:
    nearly = [(f"x{n}", {s: 1 if s != n else -1 for s in range(12)}, 100 * n) for n in range(5)]
    assert look(conversation(people(50) + nearly), PARAMS).flags[IDENTICAL] == ()


def test_accounts_that_follow_one_script_are_alike_without_being_copies() -> None:
    draw = random.Random(6)
    crowd = [
        (f"p{n:03d}", {s: draw.choice([1, 1, -1, 0]) for s in draw.sample(STATEMENTS, 26)}, 70 * n) for n in range(90)
    ]
    script = {s: draw.choice([1, -1]) for s in STATEMENTS}
    made = []
    for n in range(10):
        votes = {s: script[s] for s in draw.sample(STATEMENTS, 26)}
        votes[min(votes)] = 0  # one slip each
        made.append((f"x{n:02d}", votes, 333 * n))
    found = look(conversation(crowd + made), PARAMS)
    assert found.flags[ALIKE] == tuple(f"x{n:02d}" for n in range(10))
    assert words(found, ALIKE).startswith(
        "10 of 100 accounts that could be compared answer at least 90% alike with more"
    )
    assert found.flags[IDENTICAL] == ()
    few = look(conversation(crowd + made[:4]), PARAMS)
    assert few.flags[ALIKE] == ()  # three like oneself among 93 are within 5 %


def test_accounts_that_saw_too_little_in_common_are_not_compared() -> None:
    found = look(conversation(people(60)), PARAMS)
    assert [f.looked for f in found.findings if f.kind == ALIKE] == [False]


def test_one_answer_to_everything_is_flagged_and_few_votes_are_not_judged() -> None:
    passes, short = ("pass", dict.fromkeys(STATEMENTS, 0), 5), ("short", dict.fromkeys(range(9), -1), 7)
    found = look(conversation([*people(50), passes, short]), PARAMS)
    assert found.flags[STRAIGHT] == ("pass",)
    assert (found.judged, found.not_judged, found.flagged) == (51, 1, len({*sum(found.flags.values(), ())}))


def test_a_rush_of_new_accounts_is_a_burst() -> None:
    rush = [(key.replace("p", "r"), cast, 5_000 + n % 9) for n, (key, cast, _) in enumerate(people(20, seed=9))]
    found = look(conversation(people(100) + rush), PARAMS)
    assert set(found.flags[BURST]) >= {key for key, _, _ in rush}
    assert len(found.flags[BURST]) <= 22


def test_accounts_that_come_at_the_very_end_are_late() -> None:
    early = [(key, cast, minute // 2) for key, cast, minute in people(100)]
    last = [(key.replace("p", "z"), cast, 19_990) for key, cast, _ in people(3, seed=8)]
    found = look(conversation(early + last), PARAMS)
    assert found.flags[LATE] == ("z000", "z001", "z002")
    assert "at an even pace it would be 2" in words(found, LATE)


def test_without_times_nothing_is_said_about_them() -> None:
    found = look(conversation(people(40), timed=False), PARAMS)
    assert found.flags[BURST] == found.flags[LATE] == ()
    assert [f.looked for f in found.findings] == [True, False, True, False, False]
    assert words(found, BURST) == "the export does not tell when people voted"


def test_no_order_of_accounts_changes_the_answer() -> None:
    accounts = people(60) + [(f"x{n}", {s: 1 - s % 2 * 2 for s in range(12)}, 3) for n in range(6)]
    assert look(conversation(accounts), PARAMS) == look(conversation(accounts[::-1]), PARAMS)


def test_nobody_voted() -> None:
    found = look(matrix([], [], [], [1, 2]), PARAMS)
    assert (found.judged, found.flagged, found.flags[IDENTICAL]) == (0, 0, ())


def test_a_crowd_that_comes_in_waves_is_no_burst() -> None:
    waves = [(key, cast, 1_000 * (n // 25) + n % 9) for n, (key, cast, _) in enumerate(people(100))]
    alone = [(key.replace("p", "q"), cast, 7_000 + 40 * n) for n, (key, cast, _) in enumerate(people(60, seed=5))]
    found = look(conversation(waves + alone), PARAMS)
    assert found.flags[BURST] == ()
    assert "8 times the usual 25 new accounts" in words(found, BURST)
