"""The names of rules, kinds of personal data and verdicts in words, and the colours and patterns of reasons in drawings."""

from __future__ import annotations

from dataclasses import dataclass

from stages.curate_corpus import rules
from stages.curate_corpus.tally import KEPT

FAMILIES = {"gopher": "Gopher", "c4": "C4", "fineweb": "FineWeb"}
RULES = {
    KEPT: "kept",
    rules.REMOVED: "withdrawn on request",
    rules.LICENSE: "no licence that allows it",
    rules.OPT_OUT: "the publisher said no",
    rules.LANGUAGE: "another language",
    rules.MIXED: "much in another language",
    rules.SHORT: "too short",
    rules.LONG: "too long",
    rules.TOXIC: "insulting, by a model's score",
    rules.CONTAMINATION: "holds a test's questions",
    rules.DUPLICATE: "the same words as another",
    rules.NEAR_DUPLICATE: "nearly the same as another",
    rules.MAXIMUM: "beyond the limit per language",
} | {limit.rule: f"{limit.said} ({FAMILIES[limit.family]})" for limit in rules.LIMITS}


@dataclass(frozen=True)
class Reason:
    """Rules that are drawn as one: what they are about, why it matters, and how it looks."""

    name: str
    told: str  # after a number: 12 …
    why: str
    rules: tuple[str, ...]
    colour: str  # Okabe and Ito's, which colour-blind readers can tell apart
    pattern: str  # tells the same without colour: see sankey.PATTERNS


QUALITY = tuple(limit.rule for limit in rules.LIMITS)
REASONS = (
    Reason("kept", "kept", "is in the corpus", (KEPT,), "#009E73", "plain"),
    Reason(
        "withdrawn", "withdrawn on request", "its publisher or author asked for it", (rules.REMOVED,), "#000000", "dots"
    ),
    Reason(
        "no clear right",
        "without a licence that clearly allows it",
        "no licence that allows it, or none that is clear",
        (rules.LICENSE,),
        "#D55E00",
        "rising",
    ),
    Reason(
        "opt-out",
        "whose publisher refuses use by AI",
        "the publisher refuses use by AI",
        (rules.OPT_OUT,),
        "#56B4E9",
        "falling",
    ),
    Reason(
        "language",
        "in other languages",
        "not in one of the languages",
        (rules.LANGUAGE, rules.MIXED),
        "#0072B2",
        "upright",
    ),
    Reason("length", "too short or too long", "too short or too long", (rules.SHORT, rules.LONG), "#F0E442", "flat"),
    Reason(
        "quality",
        "that read like lists, leftovers or repetition",
        "lists, leftovers of web pages, repetition",
        (*QUALITY, rules.TOXIC),
        "#CC79A7",
        "grid",
    ),
    Reason(
        "test questions",
        "with questions that the model is tested with",
        "holds what the model is tested with",
        (rules.CONTAMINATION,),
        "#4D4D4D",
        "crosses",
    ),
    Reason(
        "duplicate",
        "copies of others",
        "the text is there already",
        (rules.DUPLICATE, rules.NEAR_DUPLICATE),
        "#E69F00",
        "rings",
    ),
    Reason(
        "limit",
        "beyond the limit of their language",
        "more than is wanted of a language",
        (rules.MAXIMUM,),
        "#BBBBBB",
        "waves",
    ),
)
REASON_OF = {rule: reason for reason in REASONS for rule in reason.rules}

PERSONAL_DATA = {
    "email": "e-mail addresses",
    "e-mail": "e-mail addresses",
    "phone": "phone numbers",
    "iban": "bank accounts",
    "ip": "IP addresses",
    "ipv4": "IPv4 addresses",
    "ipv6": "IPv6 addresses",
    "card": "payment cards",
    "payment card": "payment cards",
    "national id": "national identity numbers",
    "ip address": "IP addresses",
    "national_id": "national identity numbers",
    "name": "names",
    "person": "names",
}
OPT_OUT = {
    "allowed": "looked up: nothing refuses it",
    "refused": "looked up: the publisher refuses it",
    "not captured": "not looked up",
}
# Names that metrics have had since the first release, so that runs can be compared.
METRICS = {
    "license": "licence",
    "near_duplicate": "near duplicate",
    "opt_out": "opt-out",
    "mixed_language": "mixed language",
}


def rule_in_words(rule: str) -> str:
    """What the rule found, for people."""
    return RULES.get(rule, rule.replace("_", " "))


def kind_in_words(kind: str) -> str:
    """What the placeholders stand for."""
    return PERSONAL_DATA.get(kind.lower(), kind.lower().replace("_", " "))


def metric_name(rule: str) -> str:
    """The rule in the name of a metric."""
    return METRICS.get(rule, rule.replace("_", " "))
