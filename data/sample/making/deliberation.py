"""Simulate a city deliberation and write it as a Polis export.

Nobody voted here: statements.yaml says how likely each planted opinion group is to agree with each statement,
and this file plays a month of visits in which every visitor is shown some of the statements that exist by then.
The same seed writes the same bytes.

    python data/sample/making/deliberation.py data/sample/making/statements.yaml data/sample/deliberation
"""

import csv
import io
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

SEED = 20250203
GROUP_SIZES = {"efficiency": 168, "caution": 148, "community": 120}
DAYS_OPEN = 28
OPENING = datetime(2025, 2, 3, 7, 0, tzinfo=UTC)  # 08:00 in the city; all of it lies in winter time
CITY_OFFSET = timedelta(hours=1)  # CET
SEED_STATEMENTS = 40  # written by the organiser before opening, so everybody can be shown them
LATE_STATEMENTS = 14  # the last ones, which few visitors are left to see
LATE_FROM_DAY, LATE_TO_DAY = 20, 26
MODERATION_HOURS = 14  # a statement that is moderated out stays visible this long
VOTED_SHARE = (0.26, 0.60)  # of all statements, by one participant
SHORT_VISITORS, SHORT_VOTES = 12, (7, 20)
SESSIONS = (1, 1, 1, 2, 2, 3)  # visits of a participant, drawn evenly from these
PASS_SHARE = 0.35  # of the votes that are not "agree"
MAX_DRIFT = 0.25  # how far a participant may drift from their group towards the mean of all groups
SAME_MIND = 0.92  # chance that the same mind decides a statement and its near-duplicate
REVOTE_SHARE = 0.006
ORGANISER = 0

# What participants declared of themselves, and the invented city's census. Online, the old and the south are missing.
CENSUS = {
    "age": {"16-29": 0.19, "30-49": 0.32, "50-64": 0.25, "65+": 0.24},
    "district": {"centre": 0.22, "harbour": 0.18, "north": 0.31, "south": 0.27, "islands": 0.02},
}
CAME = {  # chance of each value among those who took part, by planted group
    "efficiency": {"age": (0.34, 0.44, 0.16, 0.06), "district": (0.38, 0.14, 0.36, 0.12, 0.0)},
    "caution": {"age": (0.16, 0.36, 0.29, 0.19), "district": (0.26, 0.20, 0.36, 0.18, 0.0)},
    "community": {"age": (0.27, 0.39, 0.23, 0.11), "district": (0.18, 0.32, 0.26, 0.24, 0.0)},
}
DECLARED_SHARE = 0.9  # of the participants, who say anything about themselves
ANSWERED_SHARE = 0.97  # of the questions, by one who does

AGREE, PASS, DISAGREE = 1, 0, -1
MS_PER_SECOND, SECONDS_PER_DAY = 1000, 86400
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

TOPIC = "How should our city's AI assistant behave? (SIMULATED)"
DESCRIPTION = """This deliberation is SIMULATED: its participants, their votes and their groups were made by a program.

In the story, the invented city of Marelda asks its residents one question,
"How should our city's AI assistant behave?", in English, French, Spanish, Catalan and Basque.

Each statement is kept in the one language in which it was written."""


@dataclass(frozen=True)
class Statement:
    """What a citizen wrote, and how likely each planted group is to agree."""

    id: int
    language: str
    text: str
    agree: dict[str, float]
    moderated: int
    twin: int | None  # the statement it nearly repeats
    opposite: int | None  # the statement it contradicts


@dataclass(frozen=True)
class Vote:
    """One row of votes.csv."""

    time_ms: int
    statement: int
    voter: int
    value: int


@dataclass
class Participant:
    """A simulated person: their group, what they think of each statement, and when they visit."""

    id: int
    group: str
    opinions: list[int]
    votes_wanted: int
    visits_ms: list[int]
    seen: set[int] = field(default_factory=set)


def read_statements(path: Path) -> list[Statement]:
    """Read statements.yaml; ids must count up from 0."""
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    if [row["id"] for row in rows] != list(range(len(rows))):
        raise ValueError(f"{path}: statement ids must be 0, 1, 2, ... in order.")
    return [
        Statement(
            row["id"],
            row["language"],
            row["text"],
            row["agree"],
            row["moderated"],
            row.get("near_duplicate_of"),
            row.get("contradicts"),
        )
        for row in rows
    ]


def opinion(inclination: float, agree: float) -> int:
    """Turn a person's inclination (uniform in 0..1) into a vote, given the probability of agreeing."""
    if inclination < agree:
        return AGREE
    return PASS if inclination < agree + (1 - agree) * PASS_SHARE else DISAGREE


def draw_opinions(statements: Sequence[Statement], group: str, rng: random.Random) -> list[int]:
    """Draw what one person thinks of every statement: twins alike, opposites opposed."""
    drift = rng.uniform(0, MAX_DRIFT)
    inclinations: list[float] = []
    opinions = []
    for statement in statements:
        inclination, same_mind = rng.random(), rng.random() < SAME_MIND
        if statement.twin is not None and same_mind:
            inclination = inclinations[statement.twin]
        elif statement.opposite is not None and statement.opposite < statement.id:
            inclination = 1 - inclinations[statement.opposite]
        inclinations.append(inclination)
        mean = sum(statement.agree.values()) / len(statement.agree)
        opinions.append(opinion(inclination, (1 - drift) * statement.agree[group] + drift * mean))
    return opinions


def after_opening_ms(days: float) -> int:
    """Epoch milliseconds of a moment counted in days from the opening."""
    return int((OPENING.timestamp() + days * SECONDS_PER_DAY) * MS_PER_SECOND)


def draw_participants(statements: Sequence[Statement], rng: random.Random) -> list[Participant]:
    """Draw everybody, numbered from 1 by first visit (0 is the organiser, who does not vote)."""
    groups = [group for group, size in GROUP_SIZES.items() for _ in range(size)]
    rng.shuffle(groups)
    firsts = sorted(DAYS_OPEN * rng.betavariate(1.1, 1.5) for _ in groups)
    short = set(rng.sample(range(len(groups)), SHORT_VISITORS))
    participants = []
    for index, (group, first) in enumerate(zip(groups, firsts, strict=True)):
        returns = [rng.uniform(first, DAYS_OPEN) for _ in range(rng.choice(SESSIONS) - 1)]
        wanted = round(rng.uniform(*VOTED_SHARE) * len(statements))
        if index in short:
            wanted, returns = rng.randint(*SHORT_VOTES), []
        visits = [after_opening_ms(day) for day in sorted([first, *returns])]
        participants.append(Participant(index + 1, group, draw_opinions(statements, group, rng), wanted, visits))
    return participants


def writing_times(count: int, rng: random.Random) -> list[int]:
    """When each statement was written, in epoch ms: seeds at the opening, most soon after, the last ones late."""
    middle = count - SEED_STATEMENTS - LATE_STATEMENTS
    days = [-0.5 + 0.01 * index for index in range(SEED_STATEMENTS)]
    days += sorted(rng.uniform(0.3, LATE_FROM_DAY - 4) for _ in range(middle))
    days += sorted(rng.uniform(LATE_FROM_DAY, LATE_TO_DAY) for _ in range(LATE_STATEMENTS))
    return [after_opening_ms(day) for day in days]


def draw_authors(
    statements: Sequence[Statement], written_ms: Sequence[int], participants: Sequence[Participant], rng: random.Random
) -> list[int]:
    """Name an author for each statement: the organiser, or somebody already present who agrees with it."""
    authors = [ORGANISER] * SEED_STATEMENTS
    for statement in statements[SEED_STATEMENTS:]:
        present = [p for p in participants if p.visits_ms[0] < written_ms[statement.id]]
        agreeing = [p for p in present if p.opinions[statement.id] == AGREE]
        authors.append(rng.choice(agreeing or present).id)
    return authors


def visible(statement: Statement, written_ms: int, now_ms: int) -> bool:
    """Whether a visitor can be shown the statement now."""
    hours = (now_ms - written_ms) / (MS_PER_SECOND * 3600)
    return hours > 0 and (statement.moderated >= 0 or hours < MODERATION_HOURS)


def route(candidates: Iterable[int], votes_so_far: Sequence[int], wanted: int, rng: random.Random) -> list[int]:
    """Choose what to show: at random, but statements with few votes come forward, as Polis routes them."""
    keyed = sorted((rng.random() ** (1 / (1 + 8 * 2 ** (-votes_so_far[c] / 5))), c) for c in candidates)
    return [c for _, c in keyed[::-1][:wanted]]


def play_votes(
    statements: Sequence[Statement],
    written_ms: Sequence[int],
    authors: Sequence[int],
    participants: Sequence[Participant],
    rng: random.Random,
) -> list[Vote]:
    """Play all visits in order of time; authors agree with their own statement when they write it."""
    votes, counts = [], [0] * len(statements)
    for statement, author in enumerate(authors):
        if author != ORGANISER:
            votes.append(Vote(written_ms[statement] + 1, statement, author, AGREE))
            counts[statement] += 1
            participants[author - 1].seen.add(statement)
    visits = sorted((time, p.id, n) for p in participants for n, time in enumerate(p.visits_ms))
    for clock, person, number in visits:
        participant = participants[person - 1]
        left = participant.votes_wanted - len(participant.seen)
        share = -(-left // (len(participant.visits_ms) - number))  # spread what is left over the visits left
        candidates = [s.id for s in statements if s.id not in participant.seen and visible(s, written_ms[s.id], clock)]
        for statement in route(candidates, counts, max(share, 0), rng):
            clock += rng.randint(4_000, 26_000)  # ms to read one statement and vote
            votes.append(Vote(clock, statement, person, participant.opinions[statement]))
            counts[statement] += 1
            participant.seen.add(statement)
    return votes


def revise_some(votes: Sequence[Vote], rng: random.Random) -> list[Vote]:
    """Let a few people change their mind within the day; both rows stay in the history, as Polis keeps them."""
    revised = []
    for vote in votes:
        if rng.random() < REVOTE_SHARE:
            value = rng.choice([v for v in (AGREE, PASS, DISAGREE) if v != vote.value])
            revised.append(Vote(vote.time_ms + rng.randint(60_000, 80_000_000), vote.statement, vote.voter, value))
    return [*votes, *revised]


def latest_votes(votes: Iterable[Vote]) -> dict[tuple[int, int], int]:
    """The vote that counts, by (voter, statement): the last one in time."""
    return {(v.voter, v.statement): v.value for v in sorted(votes, key=lambda v: v.time_ms)}


def city_time(time_ms: int) -> str:
    """Write a moment as the older Polis exports do, without depending on the machine's language."""
    t = datetime.fromtimestamp(time_ms // MS_PER_SECOND, UTC) + CITY_OFFSET
    return f"{WEEKDAYS[t.weekday()]} {MONTHS[t.month - 1]} {t:%d %H:%M:%S} CET {t:%Y}"


def comments_table(
    statements: Sequence[Statement],
    written_ms: Sequence[int],
    authors: Sequence[int],
    votes: Sequence[Vote],
    rng: random.Random,
) -> list[list]:
    """comments.csv; like the real ones it is not sorted, and its counts include votes later changed."""
    rows = []
    for s in statements:
        values = [v.value for v in votes if v.statement == s.id]
        time_ms = written_ms[s.id]
        agrees, disagrees = values.count(AGREE), values.count(DISAGREE)
        rows.append([time_ms, city_time(time_ms), s.id, authors[s.id], agrees, disagrees, s.moderated, s.text])
    rng.shuffle(rows)
    header = ["timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body"]
    return [header, *rows]


def votes_table(votes: Iterable[Vote]) -> list[list]:
    """votes.csv: the whole history, by statement, voter and time."""
    ordered = sorted(votes, key=lambda v: (v.statement, v.voter, v.time_ms))
    rows = [[v.time_ms, city_time(v.time_ms), v.statement, v.voter, v.value] for v in ordered]
    return [["timestamp", "datetime", "comment-id", "voter-id", "vote"], *rows]


def participants_table(
    participants: Sequence[Participant], authors: Sequence[int], votes: Sequence[Vote], rng: random.Random
) -> list[list]:
    """participants-votes.csv: the matrix of votes that count; group-id stays blank, for the pipeline to find."""
    latest = latest_votes(votes)
    columns = sorted({statement for _, statement in latest})
    rows = []
    for p in participants:
        cells = [latest.get((p.id, column), "") for column in columns]
        given = [cell for cell in cells if cell != ""]
        counts = [authors.count(p.id), len(given), given.count(AGREE), given.count(DISAGREE)]
        rows.append([p.id, "", *counts, *cells])
    rng.shuffle(rows)
    return [["participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree", *columns], *rows]


def summary_table(participants: Sequence[Participant], authors: Sequence[int]) -> list[list]:
    """summary.csv: key and value per line; groups is 0 because none has been computed."""
    return [
        ["topic", TOPIC],
        ["url", "https://deliberation.marelda.example/assistant"],
        ["views", len(participants)],
        ["voters", len(participants)],
        ["voters-in-conv", len(participants)],
        ["commenters", len(set(authors))],
        ["comments", len(authors)],
        ["groups", 0],
        ["conversation-description", DESCRIPTION],
    ]


def attributes_table(participants: Sequence[Participant], rng: random.Random) -> list[list]:
    """participants.csv: what each declared of themselves; nobody has to, and some leave an answer out."""
    rows = []
    for p in sorted(participants, key=lambda p: p.id):
        answers = [rng.choices(list(CENSUS[name]), CAME[p.group][name])[0] for name in CENSUS]
        given = [answer if rng.random() < ANSWERED_SHARE else "" for answer in answers]
        if rng.random() < DECLARED_SHARE:
            rows.append([p.id, *given])
    return [["participant", *CENSUS], *rows]


def census_table() -> list[list]:
    """census.csv: the share of each value among all residents."""
    rows = [[name, value, share] for name, shares in CENSUS.items() for value, share in shares.items()]
    return [["attribute", "value", "share"], *rows]


def simulate(statements: Sequence[Statement], seed: int) -> dict[str, list[list]]:
    """Play the whole deliberation and return the tables of the export and of its sidecars, by file name."""
    rng = random.Random(seed)
    participants = draw_participants(statements, rng)
    written_ms = writing_times(len(statements), rng)
    authors = draw_authors(statements, written_ms, participants, rng)
    votes = revise_some(play_votes(statements, written_ms, authors, participants, rng), rng)
    return {
        "comments.csv": comments_table(statements, written_ms, authors, votes, rng),
        "votes.csv": votes_table(votes),
        "participants-votes.csv": participants_table(participants, authors, votes, rng),
        "summary.csv": summary_table(participants, authors),
        "statement-languages.csv": [["comment-id", "language"], *([s.id, s.language] for s in statements)],
        # drawn apart, so that the votes stay what they are
        "participants.csv": attributes_table(participants, random.Random(seed + 1)),
        "census.csv": census_table(),
        "planted-groups.csv": [["participant", "group"], *([p.id, p.group] for p in participants)],
    }


def write_table(path: Path, rows: Iterable[Iterable]) -> None:
    """Write one CSV under a temporary name, then rename it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text.getvalue(), encoding="utf-8", newline="\n")
    temporary.replace(path)


if __name__ == "__main__":
    source, folder = map(Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in simulate(read_statements(source), SEED).items():
        write_table(folder / name, table)
