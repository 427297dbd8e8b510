"""Weigh those who took part to the census, and say in words who is missing.

Raking (iterative proportional fitting, Deming and Stephan 1940): the weights are multiplied, attribute by attribute,
until those who declared it are spread as the people are. No weight is let above LARGEST times the mean or below its
inverse, as is usual (DeBell and Krosnick 2009, for the American National Election Studies): a single voice then never
speaks for a crowd, and what the bound leaves unfitted shows in the weighted shares. People who declared nothing weigh
1; who declared some attributes is fitted on these. What weighting costs is Kish's design effect,
n sum(w^2) / (sum w)^2: so many times fewer people would tell as much, had they been drawn from the people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from stages.draft_constitution.groupings import hidden_cells
from stages.errors import Trouble

Floats = NDArray[np.float64]

LARGEST = 5.0  # times the mean weight
ROUNDS = 100  # two or three attributes settle in about ten
SETTLED = 1e-9  # largest change of a weight in a round
NEAR = 1e-6  # of the bound
DECIMALS = 6
FAR = 0.5  # a value with less than this part of its census share is named as missing


@dataclass(frozen=True)
class Margin:
    """One declared value: how many people have it, of those who took part and of the people.

    The last three are None where they would tell of single people (`publishable`).
    """

    attribute: str
    value: str
    census_share: float | None  # None where the census does not know the value
    raw_share: float | None  # of those who declared this attribute
    weighted_share: float | None
    participants: int | None


@dataclass(frozen=True)
class Representation:
    """How far those who took part resemble the people."""

    weights: dict[str, float]  # participant -> weight; empty where there is no census
    margins: tuple[Margin, ...]
    design_effect: float | None  # None where there is no census
    effective_n: float | None
    effective_by_group: dict[str, float]
    undeclared: int  # participants of whom no attribute of the census is known: they weigh 1
    trimmed: int  # weights that stand at the bound
    rounds: int
    missing: tuple[str, ...]  # "attribute: value" of which nobody came
    verdict: str


@dataclass(frozen=True)
class _Attribute:
    """One attribute of the census: the place of each participant's value, -1 where it is not known."""

    name: str
    values: tuple[str, ...]
    shares: Floats  # of the census, of the values that somebody has, adding up to 1
    place: NDArray[np.int64]


def weigh(
    attributes: Mapping[str, Mapping[str, str]],
    census: Mapping[str, Mapping[str, float]],
    participants: Sequence[str],
    labels: Mapping[str, str],
) -> Representation:
    """Rake the participants to every attribute of the census; nothing is weighted where there is none."""
    people = sorted(participants)
    _refuse_impossible(census)
    margins_of = [_attribute(name, census[name], people, attributes) for name in sorted(census)]
    known = np.zeros(len(people), dtype=bool)
    for attribute in margins_of:
        known |= attribute.place >= 0
    if not known.any():
        return _unweighted(attributes, census, people)
    weights, rounds = _rake(margins_of, known)
    margins = tuple(_margins(people, attributes, census, weights))
    missing = tuple(f"{m.attribute}: {m.value}" for m in margins if m.census_share and not m.participants)
    effect, effective = _kish(weights)
    return Representation(
        weights={person: round(float(weight), DECIMALS) for person, weight in zip(people, weights, strict=True)},
        margins=margins,
        design_effect=effect,
        effective_n=effective,
        effective_by_group=_effective_by_group(people, weights, labels),
        undeclared=int((~known).sum()),
        trimmed=int((_at_bound(weights) & known).sum()),
        rounds=rounds,
        missing=missing,
        verdict=_in_words(margins, missing, len(people), int((~known).sum()), effect, effective),
    )


def publishable(found: Representation, min_shown: int) -> Representation:
    """Without counts of fewer than `min_shown` people, and without those from which such a count would follow."""
    margins = []
    for _, group in groupby(found.margins, key=lambda margin: margin.attribute):
        values = list(group)
        hidden = hidden_cells(np.array([[margin.participants] for margin in values], dtype=np.int64), min_shown)[:, 0]
        margins += [_hidden(margin) if hide else margin for margin, hide in zip(values, hidden, strict=True)]
    told = {(margin.attribute, margin.value) for margin in margins if margin.participants is not None}
    verdict = found.verdict
    for margin in found.margins:
        if (margin.attribute, margin.value) not in told:
            verdict = verdict.replace(_few(margin), f"{margin.attribute}: {margin.value} (too few to say how many)")
    return replace(found, margins=tuple(margins), verdict=verdict)


def _hidden(margin: Margin) -> Margin:
    return replace(margin, raw_share=None, weighted_share=None, participants=None)


def _refuse_impossible(census: Mapping[str, Mapping[str, float]]) -> None:
    for attribute, shares in sorted(census.items()):
        if any(share < 0 for share in shares.values()) or sum(shares.values()) <= 0:
            raise Trouble(
                f"census.csv: the shares of '{attribute}' are {', '.join(f'{s:g}' for s in shares.values())};"
                " wanted none below 0 and a sum above 0: correct the census table."
            )


def _attribute(
    name: str, shares: Mapping[str, float], people: Sequence[str], attributes: Mapping[str, Mapping[str, str]]
) -> _Attribute:
    """The census over the values that somebody has: nobody can be weighted up to stand for those who did not come."""
    declared = [attributes.get(person, {}).get(name) for person in people]
    values = tuple(value for value in sorted(shares) if shares[value] > 0 and value in set(declared))
    places = {value: place for place, value in enumerate(values)}
    wanted = np.array([shares[value] for value in values], dtype=np.float64)
    place = np.array([places.get(value, -1) if value is not None else -1 for value in declared], dtype=np.int64)
    return _Attribute(name, values, wanted / wanted.sum() if len(values) else wanted, place)


def _rake(margins: Sequence[_Attribute], known: NDArray[np.bool_]) -> tuple[Floats, int]:
    weights = np.ones(len(known))
    for round_number in range(1, ROUNDS + 1):
        before = weights.copy()
        for margin in margins:
            _fit(weights, margin)
        weights[known] = _bounded(weights[known])
        if np.abs(weights - before).max() < SETTLED:
            return weights, round_number
    return weights, ROUNDS


def _bounded(weights: Floats) -> Floats:
    """With a mean of 1, as those have who declared nothing, and none further from it than LARGEST allows."""
    for _ in range(ROUNDS):
        mean = weights.mean()
        bounded = np.clip(weights, mean / LARGEST, mean * LARGEST)  # lowers the mean, so again
        if np.array_equal(bounded, weights):
            break
        weights = bounded
    return np.asarray(weights / weights.mean())


def _fit(weights: Floats, margin: _Attribute) -> None:
    """Spread those who declared the attribute as the census does; together they keep their weight."""
    declared = margin.place >= 0
    if not declared.any():
        return
    found = np.bincount(margin.place[declared], weights=weights[declared], minlength=len(margin.values))
    weights[declared] *= (margin.shares * found.sum() / found)[margin.place[declared]]


def _at_bound(weights: Floats) -> NDArray[np.bool_]:
    return (weights >= LARGEST * (1 - NEAR)) | (weights <= (1 + NEAR) / LARGEST)


def _kish(weights: Floats) -> tuple[float, float]:
    """The design effect and the effective number of people."""
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    return round(len(weights) / effective, DECIMALS), round(effective, DECIMALS)


def _effective_by_group(people: Sequence[str], weights: Floats, labels: Mapping[str, str]) -> dict[str, float]:
    groups = np.array([labels.get(person, "") for person in people])
    return {str(group): _kish(weights[groups == group])[1] for group in np.unique(groups) if group}


def _margins(
    people: Sequence[str],
    attributes: Mapping[str, Mapping[str, str]],
    census: Mapping[str, Mapping[str, float]],
    weights: Floats,
) -> list[Margin]:
    """Every value of the census and every value that somebody declared, of every attribute."""
    rows = []
    for name in sorted({*census, *(name for person in people for name in attributes.get(person, {}))}):
        declared = np.array([attributes.get(person, {}).get(name, "") for person in people])
        total, total_weight = int((declared != "").sum()), float(weights[declared != ""].sum())
        for value in sorted({*census.get(name, {}), *(str(v) for v in np.unique(declared) if v)}):
            has = declared == value
            rows.append(
                Margin(
                    attribute=name,
                    value=value,
                    census_share=census.get(name, {}).get(value),
                    raw_share=round(float(has.sum() / total), DECIMALS) if total else 0.0,
                    weighted_share=round(float(weights[has].sum() / total_weight), DECIMALS) if total else 0.0,
                    participants=int(has.sum()),
                )
            )
    return rows


def _unweighted(
    attributes: Mapping[str, Mapping[str, str]], census: Mapping[str, Mapping[str, float]], people: Sequence[str]
) -> Representation:
    """Nothing to weigh by: everybody counts once, and nobody can say who is missing."""
    found = "no census was given" if not census else "nobody declared anything that the census tells"
    return Representation(
        weights={},
        margins=tuple(_margins(people, attributes, census, np.ones(len(people)))),
        design_effect=None,
        effective_n=None,
        effective_by_group={},
        undeclared=len(people),
        trimmed=0,
        rounds=0,
        missing=(),
        verdict=f"{found}: it is not known who is missing",
    )


def _in_words(
    margins: Sequence[Margin], missing: Sequence[str], people: int, undeclared: int, effect: float, effective: float
) -> str:
    few = [_few(m) for m in margins if m.census_share and m.raw_share and m.raw_share < FAR * m.census_share]
    parts = [f"nobody of {'; '.join(missing)}"] if missing else []
    parts += [f"few of {'; '.join(few)}"] if few else []
    parts += ["no part of the people in the census is missing"] if not parts else []
    parts.append(
        f"weighted to the census, {people:,} participants tell as much as {effective:,.0f} (design effect {effect:.2f})"
    )
    if undeclared:
        parts.append(f"{undeclared:,} declared nothing and count once")
    return "; ".join(parts)


def _few(margin: Margin) -> str:
    came, live = 100 * (margin.raw_share or 0), 100 * (margin.census_share or 0)
    return f"{margin.attribute}: {margin.value} ({came:.0f} % of participants, {live:.0f} % of the people)"
