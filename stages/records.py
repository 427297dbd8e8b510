"""The records on the edges of the pipeline, in the field's own words; each node's output is made of these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

# Why a statement did not become a principle, by a short name to count by.
RejectionCode = Literal[
    "below_threshold",
    "low_exposure",
    "place",
    "moderated",
    "not_moderated",
    "no_text",
    "duplicate_of",
    "contradicts",
    "out_of_scope",
    "personal_data",
]


class Record(BaseModel):
    """A line of a file between nodes: unknown fields are refused, values are not changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Statement(Record):
    """What one participant wrote, for others to vote on."""

    id: int
    text: str
    language: str  # ISO 639-1
    moderated: int  # Polis: -1 out, 0 not looked at, 1 in
    author: str  # keyed hash; empty where the export does not tell
    seed: bool = False  # written by the organisers to begin with
    supports: int | None = None  # where the platform publishes only how many supported it (Decidim)
    translations: dict[str, Wording] = {}  # language -> wording; never replaces `text`
    label: str = ""  # a charter's: number and title of its article, e.g. "1.2 Privacy"


class Participant(Record):
    """A participant and what they declared of themselves; a line only where something was declared."""

    participant: str  # keyed hash
    attributes: dict[str, str]  # e.g. {"age": "16-29", "district": "north"}


class Vote(Record):
    """A participant's latest vote on a statement: 1 agree, -1 disagree, 0 pass. Unseen has no row."""

    participant: str  # keyed hash
    statement_id: int
    vote: Literal[-1, 0, 1]


class VoteCount(Record):
    """How a group voted on one statement."""

    agree: int
    disagree: int
    passed: int


class ConsensusScores(Record):
    """How far all opinion groups agree with one statement.

    gac: group-informed consensus, the product over groups of (agrees + 1) / (votes + 2) (Small et al. 2021, Polis);
    gac_geometric_mean: its g-th root, comparable across numbers of groups;
    lower_bound: the smallest group's one-sided Beta lower bound of the agree rate;
    exposure: the share of participants who voted on it, 0 to 1;
    smallest_cell: the fewest votes of any group;
    weighted_agree: the agree rate of all voters weighted to the census, None where no census was given.
    """

    gac: float
    gac_geometric_mean: float
    lower_bound: float
    exposure: float
    smallest_cell: int = 0
    weighted_agree: float | None = None


class Wording(Record):
    """A text in one language and where the words come from."""

    value: str
    origin: Literal[
        "source", "human", "machine"
    ]  # the citizens' own words, people's rewording or translation, a machine's
    reviewer: str = ""  # role of who checked a translation


class StatementSource(Record):
    """A statement that a principle stands on."""

    statement_id: int
    platform: str
    relation: Literal["verbatim", "merged", "reworded"]
    language: str
    author: str = ""  # keyed hash; empty where the export does not tell


class Selection(Record):
    """Why a statement became a principle."""

    rule: str
    rank: int  # 1: first
    threshold: float | None = None  # what the rule wanted, where it is one number
    reason: str  # in words


class Moderation(Record):
    """What moderators decided about a statement; an appeal's state is carried where the platform tells it."""

    state: Literal["out", "not looked at", "in"]
    reason: str = ""
    appeal: str = ""


class Ballots(Record):
    """How those who decided voted."""

    yes: Annotated[int, Field(ge=0)]
    no: Annotated[int, Field(ge=0)]
    abstain: Annotated[int, Field(ge=0)] = 0


class Decision(Record):
    """What people decided on one drafted principle."""

    principle: str
    decision: Literal["accept", "reword", "merge", "reject"]
    reason: str
    by: str  # role, never a name
    text: str | None = None  # reword: the new text
    into: str | None = None  # merge: the principle that takes it in
    ballots: Ballots | None = None
    drafted: str | None = None  # the drafted text where it was not adopted: a reader of the constitution has no draft


class Principle(Record):
    """A rule for the assistant, with the statements and votes it stands on; drafted, then decided on by people."""

    id: str  # "p" and the statement id in three digits: stable while the statement exists
    language: str  # of the adopted wording: translations never replace it
    texts: dict[str, Wording]  # language -> wording; always holds `language`
    sources: tuple[StatementSource, ...]  # the first is the one it was drafted from; merged ones follow
    votes: dict[str, VoteCount]  # opinion group -> counts on the first source
    votes_total: VoteCount  # of everybody, also of those without a group
    scores: ConsensusScores | None  # None where the platform tells no votes, only counts of supports or a text
    selection: Selection
    conflicts: tuple[str, ...] = ()  # principles that may contradict it: flagged, for people to decide
    category: tuple[str, ...] = ()
    moderation: Moderation = Moderation(state="not looked at")
    license: str = ""
    decision: Decision | None = None  # None: only drafted
    amended_from: str | None = None  # the drafted text where people reworded it

    @property
    def text(self) -> str:
        """The adopted wording."""
        return self.texts[self.language].value

    @property
    def statement_ids(self) -> tuple[int, ...]:
        """The statements behind it, that of the draft first."""
        return tuple(source.statement_id for source in self.sources)


class RejectedStatement(Record):
    """A statement that did not become a principle, and why."""

    statement_id: int
    text: str
    language: str
    votes: dict[str, VoteCount]
    scores: ConsensusScores | None  # None where moderation kept it from being scored
    code: RejectionCode = "below_threshold"
    reason: str  # in words, with the figures


class Gate(Record):
    """A check of the deliberation's quality: what was found, what was wanted."""

    name: str
    passed: bool
    value: float | None  # None where it could not be measured
    wanted: str
    reason: str = ""  # in words


class Process(Record):
    """The deliberation behind a constitution."""

    platform: str
    url: str = ""
    question: str
    simulated: bool
    participants: int
    votes: int
    inputs: dict[str, str] = {}  # file of the deliberation (statements.jsonl, votes.csv) -> its sha256


class OpinionGroup(Record):
    """A group of people who vote alike."""

    id: str
    participants: int
    effective: float | None = None  # participants after weighting to the census (Kish)


class Method(Record):
    """How the draft was made: enough to make it again."""

    code: str  # version of this software
    parameters: str  # sha256 of the canonical JSON of the node's parameters
    seed: int
    rule: str
    groups: tuple[OpinionGroup, ...]
    reliable: bool  # whether the opinion groups can be relied on
    verdict: str  # in words, e.g. "no reliable groups: …"
    stability_mean: float | None = None  # adjusted Rand index over resamples of people
    stability_lowest: float | None = None
    gates: tuple[Gate, ...] = ()


class Parent(Record):
    """The version that this one amends."""

    version: str
    sha256: str  # of its constitution.json


class Quorum(Record):
    """How many had to be present for the decisions to count, and how many were."""

    wanted: Annotated[int, Field(ge=1)]
    present: Annotated[int, Field(ge=0)]


class Ratification(Record):
    """Who adopted the constitution."""

    by: str  # role, never a name
    quorum: Quorum | None = None
    ballots: Ballots | None = None  # on the whole, where there was such a vote
    date: str = ""  # ISO 8601, as written in the decisions file


class Amendment(Record):
    """One difference to the version before."""

    principle: str
    change: Literal["added", "removed", "reworded"]
    before: str | None = None
    after: str | None = None
    reason: str = ""


class Constitution(Record):
    """A constitution, drafted or ratified: what the model is taught and measured against.

    Its JSON Schema is stages/constitution.schema.json.
    """

    schema_version: Literal["1"] = "1"
    id: str = "constitution"  # stays the same over versions
    version: str  # semantic
    title: str
    status: Literal["draft", "ratified", "superseded"]
    question: str
    license: str = ""
    languages: tuple[str, ...]
    process: Process | None = None
    method: Method | None = None
    parent: Parent | None = None
    ratification: Ratification | None = None
    principles: tuple[Principle, ...]
    declined: tuple[Decision, ...] = ()  # drafted principles that people rejected or merged
    rejected: tuple[RejectedStatement, ...] = ()  # statements that were not drafted
    amendments: tuple[Amendment, ...] = ()


class Document(Record):
    """A text of the corpus and the right to use it: a row of `corpus/*.parquet`, read by stages/corpus.py."""

    id: str
    text: str
    language: str
    source: str
    url: str
    license: str  # SPDX expression
    title: str = ""


class Revision(Record):
    """A teacher's critique of a first answer by one principle, and the revised answer."""

    id: str
    language: str
    principle_ids: tuple[str, ...]  # empty for a benign prompt
    kind: Literal["probe", "benign"]
    prompt: str
    initial: str
    critique: str
    revision: str
    teacher: str  # e.g. "written:democratic-commons@1", "rule:adopted-over-rejected@1", "endpoint:model@revision"


class PreferencePair(Record):
    """Of two answers to a prompt, the one that follows the constitution (`chosen`)."""

    id: str
    language: str
    principle_ids: tuple[str, ...]
    kind: Literal["probe", "benign"]
    prompt: str
    chosen: str
    rejected: str
    teacher: str


class ItemOutcome(Record):
    """What a model did on one benchmark item.

    `values` holds the item's contribution to each metric (absent where the metric does not apply);
    a score is their mean, so anyone can recompute it. `cluster` names the template the item was made from:
    items of one cluster are near copies and are resampled together.
    """

    item_id: str
    language: str
    category: str
    cluster: str
    variant: str = ""  # how it was asked: an order of the answers, a paraphrase; "" where there is one way only
    group: str = ""  # the stereotyped group that the item is about
    polarity: str = ""  # whether it speaks ill or well of the group, in the benchmark's words
    principle_ids: tuple[str, ...] = ()
    log_likelihoods: tuple[float, ...] = ()  # natural log, one per candidate
    answers: tuple[str, ...] = ()  # what the model wrote, one per prompt
    choice: str  # what the model chose, in the benchmark's words
    values: dict[str, float]


class Score(Record):
    """The mean of one metric over a slice of items, with a confidence interval from resampled clusters.

    The category "macro" is the mean of the categories, each weighing the same. `standard_error` is cluster-robust, in
    closed form (None for a single cluster); the range is that of the means over the ways of asking (None for one way).
    """

    benchmark: str
    metric: str
    language: str  # "all" or one
    category: str  # "all", "macro" or one
    group: str = "all"  # or one
    polarity: str = "all"  # or one
    value: float
    low: float
    high: float
    standard_error: float | None = None
    range_low: float | None = None
    range_high: float | None = None
    items: int  # different ones: an item asked in several ways counts once
    clusters: int


class Comparison(Record):
    """Base against tuned on the same items.

    `difference` = tuned - base with its paired interval; `improvement` = how much nearer to the metric's target
    (positive is better). `p_value` from swapping base and tuned in whole clusters; `p_adjusted` by Holm within the
    benchmark and the family (the primary result, named before training, keeps its own); `q_value` by Benjamini and
    Hochberg for exploration, which decides there.
    """

    benchmark: str
    metric: str
    language: str
    category: str
    group: str = "all"
    polarity: str = "all"
    principle_id: str = Field(default="all", description="'all' or one principle")
    family: Literal["primary", "overall", "category", "principle", "exploration"]
    base: float
    tuned: float
    base_low: float
    base_high: float
    tuned_low: float
    tuned_high: float
    difference: float
    low: float
    high: float
    standard_error: float | None = None  # of the difference, cluster-robust
    improvement: float
    improvement_low: float
    improvement_high: float
    p_value: float
    p_adjusted: float
    q_value: float | None = None
    mde: float | None = None  # minimum detectable change: the smallest true one found with 80 % power
    margin: float | None = None  # changes smaller than this do no harm, as said before training; None: not said
    p_equivalence: float | None = None  # that the change is as large as the margin (TOST); None without a margin
    p_equivalence_adjusted: float | None = None  # as the family's other tests are
    base_range_low: float | None = None  # smallest and largest mean over the ways of asking; None for one way
    base_range_high: float | None = None
    tuned_range_low: float | None = None
    tuned_range_high: float | None = None
    range_low: float | None = None  # of the difference
    range_high: float | None = None
    items: int
    clusters: int
    verdict: Literal["better", "worse", "within noise", "equivalent", "too few items"]


class Endpoint(Record):
    """The one result named before training."""

    benchmark: str
    metric: str
    category: Literal["all", "macro"] = "all"  # over all items, or the mean of the categories


class PlannedBenchmark(Record):
    """What both models will be asked on one benchmark."""

    files: dict[str, str]  # path below items/<benchmark> -> sha256
    items: int  # different ones
    asked: str  # sha256 over every item, prompt and request as the benchmark's code words them
    says: str  # one sentence: what the model is shown and how its answer is taken
    normalisation: str
    options: dict[str, Any]


class EvaluationPlan(Record):
    """What will be measured and how it will be judged, fixed before training; `sha256` is over all the rest."""

    benchmarks: dict[str, PlannedBenchmark]
    primary: Endpoint
    margins: dict[str, float]  # metric, or benchmark:metric -> the change below which no harm was done
    families: dict[str, Literal["alone", "holm", "benjamini-hochberg"]]
    resamples: int
    permutations: int
    seed: int
    confidence: float
    min_items: int
    framework: str | None  # sha256 of the framework of principles
    sha256: str = ""
