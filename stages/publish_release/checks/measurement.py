"""Do the scores, the comparison and its verdicts follow from the models' answers, item by item?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stages.plan import PLAN, sha256_of
from stages.publish_release import layout
from stages.publish_release.checks.release import MOST_RESAMPLES, Failed, Release, fail_on, settings_of, some
from stages.publish_release.opening import Unreadable, Unsafe
from stages.publish_release.recomparison import Cell, Settings, Side, cell_of, cell_of_score, recompare
from stages.records import Comparison, Endpoint, EvaluationPlan, Score

TOLERANCE = 1e-9


def scores_recompute(release: Release) -> str:
    """Every score and its interval follow from the outcomes item by item."""
    recomputed = 0
    for model, benchmark in release.measured():
        folder = f"{layout.SCORES}/{model}/{benchmark}"
        stated = _scores(release, folder)
        fail_on(_scores_differ(folder, stated, release.recomputed(folder)))
        recomputed += len(stated)
    if not recomputed:
        raise Failed("the release holds no scores")
    return f"{recomputed} scores with intervals, from {len(release.measured())} lists of item outcomes"


def _scores_differ(folder: str, stated: Sequence[Score], expected: Sequence[Score]) -> Iterator[str]:
    ours = {_cell(score): score for score in expected}
    theirs = {_cell(score): score for score in stated}
    for cell in sorted({*ours, *theirs}):
        name = f"{folder}: {_place(cell)}"
        if cell not in theirs:
            yield f"{name} was left out (the items give {ours[cell].value:g})"
        elif cell not in ours:
            yield f"{name} has no items behind it"
        else:
            yield from _fields_differ(name, theirs[cell], ours[cell], "the items give")


def _fields_differ(name: str, told: Score | Comparison, found: Score | Comparison, giver: str) -> Iterator[str]:
    """Every field that is told differently, also where one side tells a figure and the other none."""
    for field, ours in found.model_dump().items():
        theirs = getattr(told, field)
        numbers = isinstance(ours, (int, float)) and isinstance(theirs, (int, float))
        if not (math.isclose(theirs, ours, rel_tol=0, abs_tol=TOLERANCE) if numbers else theirs == ours):
            yield f"{name}: {field} is told as {_figure(theirs)}, {giver} {_figure(ours)}"


def _place(cell: Sequence[str]) -> str:
    """The cell in words; group and polarity, which stand last, only where it is one of those."""
    return ", ".join(cell[:-2] if tuple(cell[-2:]) == ("all", "all") else cell)


def _figure(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def same_questions(release: Release) -> str:
    """Base and tuned model answered the same items of the same benchmarks, and no benchmark was left out."""
    measured = release.measured()
    benchmarks = {model: {name for owner, name in measured if owner == model} for model in ("base", "tuned")}
    if benchmarks["base"] != benchmarks["tuned"] or not benchmarks["base"]:
        raise Failed(
            f"base was measured on {some(sorted(benchmarks['base']))}, tuned on {some(sorted(benchmarks['tuned']))}"
        )
    planned = _planned(release)
    if planned and planned != benchmarks["base"]:
        raise Failed(f"planned were {some(sorted(planned))}, told are {some(sorted(benchmarks['base']))}")
    total = 0
    for benchmark in sorted(benchmarks["base"]):
        _same_conditions(release, benchmark)
        base, tuned = (_questions(release, f"{layout.SCORES}/{model}/{benchmark}") for model in ("base", "tuned"))
        if base != tuned:
            apart = sorted(base.keys() ^ tuned.keys()) or [name for name in base if base[name] != tuned[name]]
            raise Failed(f"{benchmark}: base and tuned did not answer the same items ({some(apart)})")
        total += len(base)
    return f"{total:,} items, the same before and after"


def _same_conditions(release: Release, benchmark: str) -> None:
    """Both models were asked from the same files and judged in the same way."""
    base, tuned = (
        release.bundle.json(f"{layout.SCORES}/{model}/{benchmark}/benchmark.json") for model in ("base", "tuned")
    )
    if base["files"] != tuned["files"]:
        raise Failed(f"{benchmark}: base and tuned were asked from different files")
    if base["settings"] != tuned["settings"]:
        raise Failed(f"{benchmark}: base and tuned were measured with different settings")


def measured_as_planned(release: Release) -> str:
    """What was measured, and how it was judged, was fixed before training; a later change is told with its reason."""
    plan = release.bundle.record(f"{layout.COMPARISON}/{PLAN}", EvaluationPlan)
    if plan.sha256 != sha256_of(plan):
        raise Failed(f"the plan tells the sha256 {plan.sha256[:12]}…, its content has {sha256_of(plan)[:12]}…")
    fail_on(_not_as_planned(release, plan))
    params = _comparison_params(release)
    if Endpoint.model_validate(params["primary"]) != plan.primary:
        raise Failed("the comparison names another result than was named in the plan")
    if (params.get("margins") or {}) != plan.margins:
        raise Failed("the comparison was made with other margins than were planned")
    trained = str(release.bundle.json(f"{layout.MODEL}/training.json").get("plan") or "")
    if trained == plan.sha256:
        return f"the plan {plan.sha256[:12]}… stood before training: {plan.primary.benchmark}, {plan.primary.metric}"
    if not str(params.get("amended") or "").strip():
        found = f"the plan {trained[:12]}…" if trained else "no plan"
        raise Failed(f"the model was trained under {found}, measured under {plan.sha256[:12]}…, and nobody says why")
    return f"AMENDED after training: {params['amended']}"


def _not_as_planned(release: Release, plan: EvaluationPlan) -> Iterator[str]:
    for model, benchmark in release.measured():
        about = release.bundle.json(f"{layout.SCORES}/{model}/{benchmark}/benchmark.json")
        if benchmark not in plan.benchmarks:
            yield f"{benchmark} was measured and not planned"
        elif about.get("plan") != plan.sha256:
            yield f"{model} was measured on {benchmark} by another plan"
        elif about["files"] != plan.benchmarks[benchmark].files:
            yield f"{model} was measured on {benchmark} with other items than were planned"


def comparison_recomputes(release: Release) -> str:
    """Every row of the comparison, its interval, its test and its verdict follow from the answers; none is left out."""
    rows = _comparisons(release)
    benchmarks = sorted({benchmark for _, benchmark in release.measured()})
    fail_on(
        f"the comparison tells of {row.benchmark}, which was not measured"
        for row in rows
        if row.benchmark not in benchmarks
    )
    for benchmark in benchmarks:
        told = {cell_of(row): row for row in rows if row.benchmark == benchmark}
        base, tuned = (_side(release, f"{layout.SCORES}/{model}/{benchmark}") for model in ("base", "tuned"))
        settings = _comparison_settings(release, benchmark)
        asked = [[(item.item_id, item.variant) for item in side.items] for side in (base, tuned)]
        if set(asked[0]) != set(asked[1]):
            raise Unreadable(f"{benchmark}: base and tuned did not answer the same items")
        found = recompare(benchmark, base, tuned, release.constitution, settings)
        fail_on(_comparisons_differ(benchmark, told, found))
    if len(rows) != len({(row.benchmark, cell_of(row)) for row in rows}):
        raise Failed("the comparison tells a result twice")
    return f"{len(rows)} comparisons with tests and verdicts, none left out"


def _comparisons_differ(
    benchmark: str, told: Mapping[Cell, Comparison], found: Mapping[Cell, Comparison]
) -> Iterator[str]:
    for cell in sorted({*told, *found}):
        name = f"{benchmark}, {_place(cell)}"
        if cell not in told:
            yield f"the comparison leaves out {name}, which is {found[cell].verdict}"
        elif cell not in found:
            yield f"{name} has no answers behind it"
        elif told[cell].verdict != found[cell].verdict:
            yield f"{name} is told as {told[cell].verdict}, the answers make it {found[cell].verdict}"
        else:
            yield from _fields_differ(name, told[cell], found[cell], "the answers give")


def _scores(release: Release, folder: str) -> list[Score]:
    return [Score.model_validate(row) for row in release.bundle.json(f"{folder}/scores.json")]


def _comparisons(release: Release) -> list[Comparison]:
    return [Comparison.model_validate(row) for row in release.bundle.json(f"{layout.COMPARISON}/comparisons.json")]


def _side(release: Release, folder: str) -> Side:
    """From the answers alone, so that a false score is found by its own check and not by this one."""
    return Side(release.items(folder), {cell_of_score(score): score for score in release.recomputed(folder)})


def _comparison_settings(release: Release, benchmark: str) -> Settings:
    """As the base model's measurement and the parameters in the chain tell them."""
    recorded = settings_of(release, f"{layout.SCORES}/base/{benchmark}")
    params = _comparison_params(release)
    if not 0 < params["permutations"] <= MOST_RESAMPLES:
        raise Unsafe(
            f"The comparison asks for {params['permutations']:,} permutations; at most {MOST_RESAMPLES:,} are drawn."
        )
    named = params["primary"]
    primary = named["metric"] if named["benchmark"] == benchmark else None
    shared = {name: recorded[name] for name in ("resamples", "seed", "confidence", "min_items")}
    return Settings(
        **shared,
        permutations=params["permutations"],
        primary=primary,
        category=named.get("category", "all"),
        margins=params.get("margins") or {},
    )


def _comparison_params(release: Release) -> Mapping[str, Any]:
    for node in release.chain.nodes:
        if "compare_models" in node.params:
            found: Mapping[str, Any] = node.params["compare_models"]
            return found
    raise Unreadable("the chain does not tell the parameters of compare_models")


def _questions(release: Release, folder: str) -> dict[str, tuple[object, ...]]:
    items = release.items(folder)
    asked: dict[str, tuple[object, ...]] = {
        " ".join(filter(None, (item.item_id, item.variant))): (
            item.language, item.category, item.cluster, item.group, item.polarity, item.principle_ids
        )
        for item in items
    }  # fmt: skip
    if len(asked) != len(items):
        raise Failed(f"{folder} counts an item twice")
    return asked


def _planned(release: Release) -> set[str]:
    """The benchmarks that the parameters named."""
    for node in release.chain.nodes:
        section = node.params.get("evaluate_model")
        if isinstance(section, dict) and isinstance(section.get("benchmarks"), list):
            return {str(name) for name in section["benchmarks"]}
    return set()


def _cell(score: Score) -> tuple[str, ...]:
    return score.benchmark, score.metric, score.language, score.category, score.group, score.polarity
