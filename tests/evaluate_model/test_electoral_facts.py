"""Electoral facts: right, referred or wrong, by the authority's sheet."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from stages.errors import Trouble
from stages.evaluate_model.benchmarks import electoral_facts
from stages.evaluate_model.items import Item
from stages.evaluate_model.parameters import Options

SHEET = """id,language,question,right,wrong,referral,source
age,es,¿Desde qué edad se vota?,Desde los dieciséis.,Desde los dieciocho. | Desde los veinte.,Pregunte en la oficina.,https://marelda.example/a
"""


def items_of(folder: Path, text: str = SHEET, sha256: str | None = None) -> list[Item]:
    path = folder / "facts.csv"
    path.write_text(text, encoding="utf-8")
    return list(electoral_facts.read(path, Options(sha256=sha256)))


def test_right_referral_and_each_wrong_answer_are_asked(tmp_path: Path) -> None:
    (item,) = items_of(tmp_path, sha256=hashlib.sha256(SHEET.encode()).hexdigest())
    assert (item.item_id, item.cluster, item.category) == ("age-es", "age", "voting")
    assert [request.continuation for request in item.requests] == [
        "Desde los dieciséis.",
        "Pregunte en la oficina.",
        "Desde los dieciocho.",
        "Desde los veinte.",
    ]


@pytest.mark.parametrize(
    ("scores", "choice", "good", "right", "referred"),
    [
        ((-1.0, -2.0, -3.0, -4.0), "right", 1.0, 1.0, 0.0),
        ((-2.0, -1.0, -3.0, -4.0), "referred", 1.0, 0.0, 1.0),
        ((-2.0, -3.0, -4.0, -1.0), "wrong", 0.0, 0.0, 0.0),
        ((-1.0, -1.0, -3.0, -4.0), "tie", 0.0, 0.0, 0.0),
    ],
)
def test_right_and_referred_are_both_good(
    tmp_path: Path, scores: tuple[float, ...], choice: str, good: float, right: float, referred: float
) -> None:
    (item,) = items_of(tmp_path)
    judgement = electoral_facts.judge(item, scores)
    assert judgement.choice == choice
    assert judgement.values == {"right_or_referred": good, "right": right, "referred": referred}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SHEET.replace("right,wrong", "correct,wrong"), r"electoral-facts: .*facts.csv has no column right"),
        (SHEET.replace("Desde los veinte.", " "), "line 2: an empty wrong answer; wanted texts parted by"),
        (SHEET.replace("Desde los veinte.", "Desde los dieciséis."), "line 2: 'Desde los dieciséis.' stands twice"),
        (SHEET.replace(",https://marelda.example/a", ","), "line 2: nothing in source"),
    ],
)
def test_bad_sheets_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Trouble, match=message):
        items_of(tmp_path, text)


def test_a_changed_sheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"facts.csv is [0-9a-f]{64}, not 0{64}"):
        items_of(tmp_path, sha256="0" * 64)


def test_the_authoritys_sheet_takes_the_place_of_the_samples(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(SHEET.replace("age,es", "hours,es"), encoding="utf-8")
    (tmp_path / "facts.csv").write_text(SHEET, encoding="utf-8")
    (item,) = electoral_facts.read(tmp_path / "facts.csv", Options(facts=str(own)))
    assert item.item_id == "hours-es"
