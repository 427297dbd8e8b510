"""The rules by which a document stays or goes, in their order, each told as which documents break it and at what value.

Order: what was withdrawn, by what right, opt-out, language, length, quality, toxicity, benchmarks' items; then the rules
that look at other documents too (`clusters.py`, `mix.py`): duplicates, and the largest number per language.
The first rule that a document breaks is its reason; all others that it breaks are written down beside it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.curate_corpus.attributes import Judged
from stages.curate_corpus.licenses import choose_license
from stages.curate_corpus.parameters import Parameters, Quality, Thresholds
from stages.errors import Trouble

Flags = NDArray[np.bool_]
Told = tuple[str, str]  # what was found, what was wanted


class Limit(NamedTuple):
    """A quality rule: the parameter that holds its threshold, the attribute it looks at, and its name in words."""

    family: str
    parameter: str
    said: str

    @property
    def rule(self) -> str:
        """Its name in the decision log."""
        return f"{self.family}_{self.parameter}"

    @property
    def column(self) -> str:
        """The attribute."""
        return self.parameter[4:]

    @property
    def at_most(self) -> bool:
        """Whether the threshold is the most that is allowed."""
        return self.parameter.startswith("max_")


LIMITS = (
    Limit("gopher", "min_words", "too few words"),
    Limit("gopher", "max_words", "too many words"),
    Limit("gopher", "min_mean_word_length", "words very short"),
    Limit("gopher", "max_mean_word_length", "words very long"),
    Limit("gopher", "max_symbol_word_ratio", "many # or …"),
    Limit("gopher", "min_alpha_word_share", "few words with letters"),
    Limit("gopher", "max_bullet_line_share", "nearly only bullet points"),
    Limit("gopher", "max_ellipsis_line_share", "many lines cut off with …"),
    Limit("gopher", "max_duplicate_line_share", "many lines repeated"),
    Limit("gopher", "max_duplicate_line_character_share", "much text in repeated lines"),
    *(Limit("gopher", f"max_top_{n}gram_share", f"one run of {n} words again and again") for n in (2, 3, 4)),
    *(Limit("gopher", f"max_duplicate_{n}gram_share", f"repeated runs of {n} words") for n in range(5, 11)),
    Limit("gopher", "min_stop_words", "none of the language's usual small words"),
    Limit("c4", "max_curly_brackets", "curly brackets, as in program code"),
    Limit("c4", "max_lorem_ipsum", "filler text (lorem ipsum)"),
    Limit("fineweb", "max_short_line_share", "nearly only short lines"),
    Limit("fineweb", "min_terminal_line_share", "few lines end like a sentence"),
    Limit("fineweb", "max_duplicate_line_character_share", "much text in repeated lines"),
)
REMOVED, LICENSE, OPT_OUT, LANGUAGE, MIXED = "removed", "license", "opt_out", "language", "mixed_language"
SHORT, LONG, TOXIC, CONTAMINATION = "short", "long", "toxicity", "contamination"
DUPLICATE, NEAR_DUPLICATE, MAXIMUM = "duplicate", "near_duplicate", "maximum"
QUALITY = tuple(limit.rule for limit in LIMITS)
OWN = (REMOVED, LICENSE, OPT_OUT, LANGUAGE, MIXED, SHORT, LONG, *QUALITY, TOXIC, CONTAMINATION)
ORDER = (*OWN, DUPLICATE, NEAR_DUPLICATE, MAXIMUM)


class Finding(NamedTuple):
    """Which documents of a shard break a rule; `tell` gives what was found and wanted for one of them."""

    rule: str
    broken: Flags
    tell: Callable[[int], Told]


def findings(judged: Judged, params: Parameters) -> list[Finding]:
    """What every rule that looks at a document alone says of a shard, in the rules' order."""
    return [
        _removed(judged, params),
        _license(judged, params),
        _opt_out(judged, params),
        _language(judged, params),
        *_mixed(judged, params),
        *_length(judged, params),
        *_quality(judged, params, params.quality.families),
        *_toxicity(judged, params),
        _contamination(judged, params),
    ]


def idle_findings(judged: Judged, params: Parameters) -> list[Finding]:
    """What the families of quality rules that are switched off would say."""
    off = [family for family in Thresholds.model_fields if family not in params.quality.families]
    return _quality(judged, params, off)


def languages_of(judged: Judged, params: Parameters) -> list[str]:
    """The language of each document: as declared, or where none is and the parameters say so, as identified."""
    declared = judged.documents["language"].to_pylist()
    if params.language_identification.undeclared == "drop":
        return declared
    identified = judged.words("language", "identified")
    sure = judged.column("language", "probability") >= params.language_identification.min_probability
    return [said or (found if is_sure else "") for said, found, is_sure in zip(declared, identified, sure, strict=True)]


@functools.lru_cache(maxsize=4096)
def chosen_license(expression: str, allowed: tuple[str, ...]) -> str:
    """The allowed licence that the expression offers; empty where it offers none."""
    return choose_license(expression, allowed) or ""


def _removed(judged: Judged, params: Parameters) -> Finding:
    asked = {removal.source: removal for removal in params.remove}
    sources = judged.documents["source"].to_pylist()

    def tell(row: int) -> Told:
        removal = asked[sources[row]]
        return f"source {removal.source}", f"not withdrawn (withdrawn on {removal.date}: {removal.reason})"

    return Finding(REMOVED, _flags(source in asked for source in sources), tell)


def _license(judged: Judged, params: Parameters) -> Finding:
    expressions, evidence = judged.words("license", "license"), judged.words("license", "evidence")
    wanted = f"one of {', '.join(params.licenses)}"

    def tell(row: int) -> Told:
        return expressions[row] or f"unclear ({evidence[row]})", wanted

    return Finding(LICENSE, _flags(not chosen_license(e, params.licenses) for e in expressions), tell)


def _opt_out(judged: Judged, params: Parameters) -> Finding:
    verdicts, evidence = judged.words("opt_out", "verdict"), judged.words("opt_out", "evidence")
    captured = judged.words("opt_out", "captured")
    wanted = {"allowed", "not captured"} if params.opt_out.not_captured == "keep" else {"allowed"}

    def tell(row: int) -> Told:
        day = f", captured {captured[row]}" if captured[row] else ""
        return f"{verdicts[row]} ({evidence[row]}{day})", " or ".join(sorted(wanted))

    return Finding(OPT_OUT, _flags(verdict not in wanted for verdict in verdicts), tell)


def _language(judged: Judged, params: Parameters) -> Finding:
    limits = params.language_identification
    stated = languages_of(judged, params)
    identified, probability = judged.words("language", "identified"), judged.column("language", "probability")
    undeclared = _flags(language not in params.languages for language in stated)
    other = _flags(found not in ("", said) for found, said in zip(identified, stated, strict=True))
    sure = probability >= np.float32(limits.min_probability)

    def tell(row: int) -> Told:
        if undeclared[row]:
            return stated[row] or "none stated", f"one of {', '.join(params.languages)}"
        return f"reads as {identified[row]} (probability {probability[row]:.2f})", f"{stated[row]}, as stated"

    return Finding(LANGUAGE, undeclared | (other & sure), tell)


def _mixed(judged: Judged, params: Parameters) -> list[Finding]:
    most = params.language_identification.max_other_share
    return [] if most is None else [_above(MIXED, judged.column("language", "other_share"), most, "in other languages")]


def _length(judged: Judged, params: Parameters) -> list[Finding]:
    characters = judged.column("quality", "characters")
    least, most = params.min_characters, params.max_characters
    return [
        Finding(SHORT, characters < least, lambda row: (f"{characters[row]} characters", f"at least {least}")),
        Finding(LONG, characters > most, lambda row: (f"{characters[row]} characters", f"at most {most}")),
    ]


def _toxicity(judged: Judged, params: Parameters) -> list[Finding]:
    most = params.toxicity.max_score
    if most is None:
        return []
    if "toxicity" not in judged.tables:
        raise Trouble(
            f"curate_corpus.toxicity.max_score is {most}, but no scores were given; wanted a table toxicity:"
            " name a model in annotate_documents, or set max_score to null."
        )
    return [_above(TOXIC, judged.column("toxicity", "score"), most, "")]


def _above(rule: str, values: NDArray[np.float32], most: float, unit: str) -> Finding:
    return Finding(
        rule, values > np.float32(most), lambda row: (f"{values[row]:.4g} {unit}".strip(), f"at most {most:g}")
    )


def _contamination(judged: Judged, params: Parameters) -> Finding:
    hits: dict[str, list[str]] = {}
    for hit in judged.tables["contamination"].to_pylist():
        if hit["how"] == "whole item" or hit["runs"] > params.contamination.max_runs:
            hits.setdefault(hit["id"], []).append(f"{hit['benchmark']} {hit['item']} ({hit['how']}, {hit['runs']})")
    ids = judged.documents["id"].to_pylist()
    shown = 3  # items: more would make lines long, all are in the table

    def tell(row: int) -> Told:
        found = hits[ids[row]]
        more = f" and {len(found) - shown} more" if len(found) > shown else ""
        return ", ".join(found[:shown]) + more, f"at most {params.contamination.max_runs} runs and no whole item"

    return Finding(CONTAMINATION, _flags(id in hits for id in ids), tell)


def _quality(judged: Judged, params: Parameters, families: Sequence[str]) -> list[Finding]:
    """One finding per quality rule; documents of a language and kind are held against their own thresholds."""
    kinds = list(zip(languages_of(judged, params), judged.documents["kind"].to_pylist(), strict=True))
    groups = {group: number for number, group in enumerate(sorted(set(kinds)))}
    group_of = np.fromiter((groups[kind] for kind in kinds), np.int32, len(kinds))
    thresholds = [thresholds_for(params.quality, *group) for group in groups]
    found = []
    for limit in (limit for limit in LIMITS if limit.family in families):
        values = judged.column("quality", limit.column).astype(np.float32)
        wanted = np.array([_number(of_group[limit.rule]) for of_group in thresholds], np.float32)[group_of]
        found.append(Finding(limit.rule, _breaks(limit, values, wanted), _tell_limit(limit, values, wanted)))
    return found


def _number(threshold: float | None) -> float:
    """A threshold that is switched off is no number, which nothing is above or below."""
    return float("nan") if threshold is None else threshold


def _tell_limit(limit: Limit, values: NDArray[np.float32], wanted: NDArray[np.float32]) -> Callable[[int], Told]:
    """In words what was found and wanted."""
    name = limit.column.replace("_", " ")
    bound = "at most" if limit.at_most else "at least"
    return lambda row: (f"{name} {values[row]:.4g}", f"{bound} {wanted[row]:g}")


def _breaks(limit: Limit, values: NDArray[np.float32], wanted: NDArray[np.float32]) -> Flags:
    """Compared in the attributes' own precision, so that a value that equals the threshold stays."""
    if limit.at_most:
        return values > wanted
    return (values >= 0) & (values < wanted)  # -1: stop words of a language that has no list


def thresholds_for(quality: Quality, language: str, kind: str) -> dict[str, float | None]:
    """The threshold of every quality rule for texts of a language and kind: later overrides count before earlier ones."""
    merged = {limit.rule: _threshold(quality.default, limit) for limit in LIMITS}
    for override in quality.overrides:
        if override.language in (None, language) and override.kind in (None, kind):
            for limit in LIMITS:
                if limit.parameter in getattr(override, limit.family).model_fields_set:
                    merged[limit.rule] = _threshold(override, limit)
    return merged


def _threshold(thresholds: Thresholds, limit: Limit) -> float | None:
    value: float | None = getattr(getattr(thresholds, limit.family), limit.parameter)
    return value


def _flags(values: object) -> Flags:
    return np.fromiter(values, np.bool_)  # type: ignore[call-overload]
