"""The rules by which a document stays or goes, in their order, each told as which documents break it and at what value.

Order: what was withdrawn, by what right, opt-out, language, length, quality, toxicity, benchmarks' items; then the rules
that look at other documents too (`clusters.py`, `mix.py`): duplicates, and the largest number per language.
The first rule that a document breaks is its reason; all others that it breaks are written down beside it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.curate_corpus.attributes import DOCUMENTS, TOXICITY, Coded, Flags, Judged, Rows
from stages.curate_corpus.licenses import choose_license
from stages.curate_corpus.parameters import Parameters, Quality, Thresholds
from stages.errors import Trouble

Told = tuple[pa.Array, pa.Array]  # for each of some rows what was found, and what was wanted


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
    """Which documents of a shard break a rule; `tell` gives what was found and wanted for some of them."""

    rule: str
    broken: Flags
    tell: Callable[[Rows], Told]


def findings(judged: Judged, spoken: Coded, params: Parameters) -> list[Finding]:
    """What every rule that looks at a document alone says of a shard, in the rules' order; `spoken` are its languages."""
    return [
        _removed(judged, params),
        _license(judged, params),
        _opt_out(judged, params),
        _language(judged, spoken, params),
        *_mixed(judged, params),
        *_length(judged, params),
        *_quality(judged, spoken, params, params.quality.families),
        *_toxicity(judged, params),
        _contamination(judged, params),
    ]


def idle_findings(judged: Judged, spoken: Coded, params: Parameters) -> list[Finding]:
    """What the families of quality rules that are switched off would say."""
    off = [family for family in Thresholds.model_fields if family not in params.quality.families]
    return _quality(judged, spoken, params, off)


def languages_of(judged: Judged, params: Parameters) -> Coded:
    """The language of each document: as declared, or where none is and the parameters say so, as identified."""
    declared = judged.coded(DOCUMENTS, "language")
    if params.language_identification.undeclared == "drop":
        return declared
    identified = judged.coded("language", "identified")
    sure = judged.numbers("language", "probability") >= params.language_identification.min_probability
    nothing = declared.where(lambda language: not language)
    words = [*declared.words, *identified.words, ""]
    unsure = np.int32(len(words) - 1)
    found = np.where(sure, identified.codes + np.int32(len(declared.words)), unsure)
    return Coded(words, np.where(nothing, found, declared.codes))


@functools.lru_cache(maxsize=4096)
def chosen_license(expression: str, allowed: tuple[str, ...]) -> str:
    """The allowed licence that the expression offers; empty where it offers none."""
    return choose_license(expression, allowed) or ""


def _removed(judged: Judged, params: Parameters) -> Finding:
    asked = {
        removal.source: f"not withdrawn (withdrawn on {removal.date}: {removal.reason})" for removal in params.remove
    }
    sources = judged.coded(DOCUMENTS, "source")

    def tell(rows: Rows) -> Told:
        return sources.map("source {}".format).at(rows), sources.map(lambda source: asked.get(source, "")).at(rows)

    return Finding(REMOVED, sources.where(asked.__contains__), tell)


def _license(judged: Judged, params: Parameters) -> Finding:
    expressions = judged.coded("license", "license")

    def tell(rows: Rows) -> Told:
        named = expressions.at(rows)
        unclear = judged.coded("license", "evidence").map("unclear ({})".format).at(rows)
        return pc.if_else(pc.equal(named, ""), unclear, named), same_words(f"one of {', '.join(params.licenses)}", rows)

    return Finding(LICENSE, expressions.where(lambda e: not chosen_license(e, params.licenses)), tell)


def _opt_out(judged: Judged, params: Parameters) -> Finding:
    verdicts = judged.coded("opt_out", "verdict")
    wanted = {"allowed", "not captured"} if params.opt_out.not_captured == "keep" else {"allowed"}

    def tell(rows: Rows) -> Told:
        days = judged.coded("opt_out", "captured").map(lambda day: f", captured {day}" if day else "")
        evidence = judged.coded("opt_out", "evidence").at(rows)
        found = _joined(verdicts.at(rows), " (", evidence, days.at(rows), ")")
        return found, same_words(" or ".join(sorted(wanted)), rows)

    return Finding(OPT_OUT, verdicts.where(lambda verdict: verdict not in wanted), tell)


def _language(judged: Judged, spoken: Coded, params: Parameters) -> Finding:
    limits = params.language_identification
    identified, probability = judged.coded("language", "identified"), judged.numbers("language", "probability")
    undeclared = spoken.where(lambda language: language not in params.languages)
    numbers = {language: place for place, language in enumerate(dict.fromkeys((*spoken.words, *identified.words)))}
    read = identified.numbers(numbers.__getitem__)
    other = identified.where(bool) & (read != spoken.numbers(numbers.__getitem__))
    sure = probability >= np.float32(limits.min_probability)

    def tell(rows: Rows) -> Told:
        stated = spoken.map(lambda language: language or "none stated").at(rows)
        likely = _each(probability[rows], "{:.2f}".format)
        reads = _joined("reads as ", identified.at(rows), " (probability ", likely, ")")
        wanted = same_words(f"one of {', '.join(params.languages)}", rows)
        is_undeclared = pa.array(undeclared[rows])
        found = pc.if_else(is_undeclared, stated, reads)
        return found, pc.if_else(is_undeclared, wanted, spoken.map("{}, as stated".format).at(rows))

    return Finding(LANGUAGE, undeclared | (other & sure), tell)


def _mixed(judged: Judged, params: Parameters) -> list[Finding]:
    most = params.language_identification.max_other_share
    if most is None:
        return []
    return [_above(MIXED, judged.numbers("language", "other_share"), most, "{:.4g} in other languages")]


def _length(judged: Judged, params: Parameters) -> list[Finding]:
    characters = judged.numbers("quality", "characters")
    least, most = params.min_characters, params.max_characters

    def told(wanted: str) -> Callable[[Rows], Told]:
        return lambda rows: (_each(characters[rows], "{} characters".format), same_words(wanted, rows))

    return [
        Finding(SHORT, characters < least, told(f"at least {least}")),
        Finding(LONG, characters > most, told(f"at most {most}")),
    ]


def _toxicity(judged: Judged, params: Parameters) -> list[Finding]:
    most = params.toxicity.max_score
    if most is None:
        return []
    if not judged.has_toxicity:
        raise Trouble(
            f"curate_corpus.toxicity.max_score is {most}, but no scores were given; wanted a table toxicity:"
            " name a model in annotate_documents, or set max_score to null."
        )
    return [_above(TOXIC, judged.numbers(TOXICITY, "score"), most, "{:.4g}")]


def _above(rule: str, values: NDArray[np.float32], most: float, form: str) -> Finding:
    return Finding(
        rule,
        values > np.float32(most),
        lambda rows: (_each(values[rows], form.format), same_words(f"at most {most:g}", rows)),
    )


def _contamination(judged: Judged, params: Parameters) -> Finding:
    table, most = "contamination", params.contamination.max_runs
    whole = judged.coded(table, "how").where(lambda how: how == "whole item")
    counts = whole | (judged.numbers(table, "runs") > most)
    row_of_hit = judged.rows_of(table)
    broken = np.zeros(len(judged), np.bool_)
    broken[row_of_hit[counts & (row_of_hit >= 0)]] = True
    shown = 3  # items: more would make lines long, all are in the table

    def tell(rows: Rows) -> Told:
        hits: dict[int, list[str]] = {row: [] for row in rows.tolist()}
        for hit in np.flatnonzero(counts & np.isin(row_of_hit, rows)).tolist():
            benchmark, item, how, runs = (
                judged.column(table, name)[hit].as_py() for name in ("benchmark", "item", "how", "runs")
            )
            hits[int(row_of_hit[hit])].append(f"{benchmark} {item} ({how}, {runs})")
        told = [
            ", ".join(found[:shown]) + (f" and {len(found) - shown} more" if len(found) > shown else "")
            for found in hits.values()
        ]
        return pa.array(told, pa.string()), same_words(f"at most {most} runs and no whole item", rows)

    return Finding(CONTAMINATION, broken, tell)


def _quality(judged: Judged, spoken: Coded, params: Parameters, families: Sequence[str]) -> list[Finding]:
    """One finding per quality rule; documents of a language and kind are held against their own thresholds."""
    kinds = judged.coded(DOCUMENTS, "kind")
    pairs, group_of = np.unique(spoken.codes * np.int64(len(kinds.words)) + kinds.codes, return_inverse=True)
    thresholds = [
        thresholds_for(params.quality, spoken.words[pair // len(kinds.words)], kinds.words[pair % len(kinds.words)])
        for pair in pairs.tolist()
    ]
    found = []
    for limit in (limit for limit in LIMITS if limit.family in families):
        of_groups = np.array([_number(of_group[limit.rule]) for of_group in thresholds], np.float32)
        if np.isnan(of_groups).all():  # switched off for every text here
            nothing = np.zeros(len(judged), np.bool_)
            found.append(Finding(limit.rule, nothing, lambda rows: (same_words("", rows), same_words("", rows))))
            continue
        values, wanted = judged.numbers("quality", limit.column).astype(np.float32), of_groups[group_of]
        found.append(Finding(limit.rule, _breaks(limit, values, wanted), _tell_limit(limit, values, wanted)))
    return found


def _number(threshold: float | None) -> float:
    """A threshold that is switched off is no number, which nothing is above or below."""
    return float("nan") if threshold is None else threshold


def _tell_limit(limit: Limit, values: NDArray[np.float32], wanted: NDArray[np.float32]) -> Callable[[Rows], Told]:
    """In words what was found and wanted."""
    found = (limit.column.replace("_", " ") + " {:.4g}").format
    bound = ("at most {:g}" if limit.at_most else "at least {:g}").format
    return lambda rows: (_each(values[rows], found), _each(wanted[rows], bound))


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


def _each(values: NDArray[Any], form: Callable[[Any], str]) -> pa.Array:
    """The values in words; those that are the same are put into words once."""
    different, places = np.unique(values, return_inverse=True)
    return pa.array([form(value) for value in different.tolist()], pa.string()).take(places)


def same_words(text: str, rows: Rows) -> pa.Array:
    """The same of every row."""
    return pa.repeat(pa.scalar(text, pa.string()), len(rows))


def _joined(*parts: pa.Array | str) -> pa.Array:
    """The parts of every row one after the other."""
    return pc.binary_join_element_wise(*parts, pa.scalar("", pa.string()))
