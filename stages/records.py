"""The records on the edges of the pipeline, in the field's own words; each node's output is made of these."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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
    exposure: the share of participants who voted on it, 0 to 1.
    """

    gac: float
    gac_geometric_mean: float
    lower_bound: float
    exposure: float


class Principle(Record):
    """A rule for the assistant, with the statements and votes it stands on."""

    id: str  # "p" and the statement id in three digits: stable while the statement exists
    text: str
    language: str
    statement_ids: tuple[int, ...]
    votes: dict[str, VoteCount]  # opinion group -> counts
    scores: ConsensusScores
    selection: str  # why it was selected, in words


class RejectedStatement(Record):
    """A statement that did not become a principle, and why."""

    statement_id: int
    text: str
    language: str
    votes: dict[str, VoteCount]
    scores: ConsensusScores | None  # None where moderation kept it from being scored
    reason: str


class Decision(Record):
    """What people decided on one drafted principle."""

    principle: str
    decision: Literal["accept", "reword", "merge", "reject"]
    reason: str
    by: str  # role, never a name
    text: str | None = None  # reword: the new text
    into: str | None = None  # merge: the principle that takes it in


class RatifiedPrinciple(Principle):
    """A principle as adopted; `amended_from` keeps the drafted text where people reworded it."""

    decision: Decision
    amended_from: str | None = None


class Constitution(Record):
    """The ratified constitution: what the model is taught and measured against."""

    title: str
    version: str  # semantic
    status: Literal["ratified"]
    question: str
    languages: tuple[str, ...]
    principles: tuple[RatifiedPrinciple, ...]
    declined: tuple[Decision, ...]  # drafted principles that people rejected or merged


class Document(Record):
    """A text of the corpus and the right to use it."""

    id: str
    text: str
    language: str
    source: str
    url: str
    license: str  # SPDX expression
    title: str = ""


class DroppedDocument(Record):
    """A document that was left out: the rule, the value that was found and what the rule wanted."""

    id: str
    source: str
    language: str
    rule: str
    value: str
    wanted: str


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
    principle_ids: tuple[str, ...] = ()
    log_likelihoods: tuple[float, ...]  # natural log, one per candidate
    choice: str  # what the model chose, in the benchmark's words
    values: dict[str, float]


class Score(Record):
    """The mean of one metric over a slice of items, with a confidence interval from resampled clusters."""

    benchmark: str
    metric: str
    language: str  # "all" or one
    category: str  # "all" or one
    value: float
    low: float
    high: float
    items: int
    clusters: int


class Comparison(Record):
    """Base against tuned on the same items.

    `difference` = tuned - base with its paired interval; `improvement` = how much nearer to the metric's target
    (positive is better); p_value from sign flips of cluster means, p_adjusted by Holm within the benchmark, for all items, principles and parts apart.
    """

    benchmark: str
    metric: str
    language: str
    category: str
    principle_id: str = Field(default="all", description="'all' or one principle")
    base: float
    tuned: float
    base_low: float
    base_high: float
    tuned_low: float
    tuned_high: float
    difference: float
    low: float
    high: float
    improvement: float
    improvement_low: float
    improvement_high: float
    p_value: float
    p_adjusted: float
    items: int
    clusters: int
    verdict: Literal["better", "worse", "within noise", "too few items"]
