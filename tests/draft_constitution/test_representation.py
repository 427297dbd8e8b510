"""Weights bring those who took part to the census; who did not come is named."""

from __future__ import annotations

import pytest

from stages.draft_constitution import representation
from stages.draft_constitution.representation import Representation, publishable, weigh
from stages.errors import Trouble


def people(**cells: int) -> dict[str, dict[str, str]]:
    """So many people of each "gender_district"."""
    declared = {}
    for cell, count in cells.items():
        gender, district = cell.split("_")
        for number in range(count):
            declared[f"{cell}{number:03d}"] = {"gender": gender, "district": district}
    return declared


def shares(found: Representation, attribute: str) -> dict[str, float]:
    return {m.value: m.weighted_share for m in found.margins if m.attribute == attribute}


def test_one_margin_by_hand() -> None:
    # 6 women and 2 men where half of the people are men: 4/6 and 4/2; n_eff = 8^2 / (6 (2/3)^2 + 2 2^2) = 6
    declared = {f"w{n}": {"gender": "woman"} for n in range(6)} | {f"m{n}": {"gender": "man"} for n in range(2)}
    found = weigh(declared, {"gender": {"woman": 0.5, "man": 0.5}}, list(declared), {"w0": "A", "m0": "A", "m1": "B"})
    assert found.weights["w0"] == pytest.approx(2 / 3, abs=1e-6)
    assert found.weights["m0"] == 2.0
    assert found.effective_n == pytest.approx(6.0)
    assert found.design_effect == pytest.approx(8 / 6, abs=1e-6)
    assert found.effective_by_group == {"A": pytest.approx((8 / 3) ** 2 / (4 / 9 + 4), abs=1e-5), "B": 1.0}
    assert found.undeclared == found.trimmed == 0


def test_two_margins_by_hand() -> None:
    # 40 10 / 20 30 with both margins 50:50. Raking keeps the odds ratio 6, so the cells are a, 1/2-a with
    # (a / (1/2 - a))^2 = 6, a = .355051: weights .355051/.40, .144949/.10, .144949/.20, .355051/.30
    declared = people(woman_north=40, man_north=10, woman_south=20, man_south=30)
    census = {"gender": {"woman": 50.0, "man": 50.0}, "district": {"north": 0.5, "south": 0.5}}
    found = weigh(declared, census, list(declared), {})
    by_cell = {
        key: round(found.weights[f"{key}000"], 4) for key in ("woman_north", "man_north", "woman_south", "man_south")
    }
    assert by_cell == {"woman_north": 0.8876, "man_north": 1.4495, "woman_south": 0.7247, "man_south": 1.1835}
    assert shares(found, "gender") == {"man": 0.5, "woman": 0.5}
    assert shares(found, "district") == {"north": 0.5, "south": 0.5}
    assert found.rounds < representation.ROUNDS


def test_who_did_not_come_is_named() -> None:
    declared = people(woman_north=45, man_north=5)
    census = {"district": {"north": 0.6, "south": 0.4}, "gender": {"woman": 0.5, "man": 0.5}}
    found = weigh(declared, census, list(declared), {})
    assert found.missing == ("district: south",)
    assert found.verdict.startswith(
        "nobody of district: south; few of gender: man (10 % of participants, 50 % of the people); weighted to the"
        " census, 50 participants tell as much as "
    )
    row = next(m for m in found.margins if m.value == "south")
    assert (row.participants, row.raw_share, row.weighted_share, row.census_share) == (0, 0.0, 0.0, 0.4)


def test_who_declared_nothing_counts_once() -> None:
    declared = people(woman_north=6, man_north=2)
    everybody = [*declared, "u1", "u2"]
    found = weigh(declared, {"gender": {"woman": 0.5, "man": 0.5}}, everybody, {})
    assert found.weights["u1"] == found.weights["u2"] == 1.0
    assert (found.undeclared, len(found.weights)) == (2, 10)
    assert found.verdict.endswith("2 declared nothing and count once")


def test_who_declared_one_of_two_attributes_is_fitted_on_that_one() -> None:
    declared = people(woman_north=4, man_south=4) | {"half": {"gender": "woman"}, "far": {"gender": "not told"}}
    census = {"gender": {"woman": 0.5, "man": 0.5}, "district": {"north": 0.5, "south": 0.5}}
    found = weigh(declared, census, list(declared), {})
    assert shares(found, "gender")["woman"] == pytest.approx(shares(found, "gender")["man"], abs=1e-3)
    assert found.weights["far"] == 1.0
    assert [m.census_share for m in found.margins if m.value == "not told"] == [None]


def test_no_voice_speaks_for_a_crowd() -> None:
    declared = {f"w{n}": {"gender": "woman"} for n in range(99)} | {"m": {"gender": "man"}}
    found = weigh(declared, {"gender": {"woman": 0.5, "man": 0.5}}, list(declared), {})
    assert found.weights["m"] == pytest.approx(representation.LARGEST, rel=1e-6)
    assert found.trimmed == 1
    assert shares(found, "gender")["man"] < 0.1  # what the bound leaves unfitted can be seen


def test_without_a_census_everybody_counts_once() -> None:
    found = weigh({"a": {"age": "16-29"}}, {}, ["a", "b"], {"a": "A"})
    assert (found.weights, found.design_effect, found.effective_by_group) == ({}, None, {})
    assert found.verdict == "no census was given: it is not known who is missing"
    assert [(m.value, m.participants) for m in found.margins] == [("16-29", 1)]


def test_an_impossible_census_is_one_line() -> None:
    with pytest.raises(Trouble, match=r"census\.csv: the shares of 'age' are -0\.1, 1\.1; wanted none below 0"):
        weigh({"a": {"age": "old"}}, {"age": {"old": -0.1, "young": 1.1}}, ["a"], {})


def test_no_order_changes_the_weights() -> None:
    declared = people(woman_north=7, man_north=3, woman_south=2, man_south=5)
    census = {"gender": {"woman": 0.5, "man": 0.5}, "district": {"north": 0.4, "south": 0.6}}
    turned = {name: dict(reversed(values.items())) for name, values in reversed(census.items())}
    again = weigh(dict(reversed(declared.items())), turned, sorted(declared, reverse=True), {})
    assert again == weigh(declared, census, list(declared), {})


def test_small_counts_and_those_that_would_tell_them_are_not_published() -> None:
    ages = ["16-29"] * 30 + ["30-64"] * 12 + ["65+"] * 3
    declared = {f"p{n:02d}": {"age": age} for n, age in enumerate(ages)}
    census = {"age": {"16-29": 0.2, "30-64": 0.5, "65+": 0.25, "100+": 0.05}}
    found = weigh(declared, census, list(declared), {})
    assert "65+ (7 % of participants, 25 % of the people)" in found.verdict
    shown = publishable(found, 5)
    told = {margin.value: margin.participants for margin in shown.margins}
    # 30-64 is hidden too, or the three would follow from the total
    assert told == {"16-29": 30, "30-64": None, "65+": None, "100+": 0}
    assert [m.raw_share for m in shown.margins if m.participants is None] == [None, None]
    assert "7 %" not in shown.verdict and "27 %" not in shown.verdict
    assert "age: 65+ (too few to say how many)" in shown.verdict and "nobody of age: 100+" in shown.verdict
    assert shown.weights == found.weights
    assert publishable(found, 1) == found
