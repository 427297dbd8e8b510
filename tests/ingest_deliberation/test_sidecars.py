"""Declared attributes, census shares and languages are read beside any export, and mistakes in them are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.errors import Trouble
from stages.ingest_deliberation.sidecars import UNKNOWN_PARTICIPANTS, sidecars
from tests.ingest_deliberation.exports import write


def test_what_is_not_there_says_nothing(tmp_path: Path) -> None:
    nothing = sidecars(tmp_path, ["1"])
    assert (nothing.attributes, nothing.census, nothing.languages, nothing.quirks, nothing.inputs) == (
        {},
        {},
        {},
        {},
        {},
    )


def test_attributes_are_read_by_participant_and_an_empty_one_was_not_declared(tmp_path: Path) -> None:
    write(tmp_path / "participants.csv", ["district", "participant", "age"], ["Añorga", "07", "16-29"],
          ["", "8", " 65+ "], ["", "9", ""], ["Gros", "404", "65+"])  # fmt: skip
    found = sidecars(tmp_path, ["7", "8", "9"])
    assert found.attributes == {"7": {"district": "Añorga", "age": "16-29"}, "8": {"age": "65+"}}
    assert found.quirks == {UNKNOWN_PARTICIPANTS: 1}
    assert list(found.inputs) == ["participants.csv"]


def test_census_values_that_nobody_declared_are_kept(tmp_path: Path) -> None:
    write(
        tmp_path / "census.csv",
        ["share", "attribute", "value"],
        [0.625, "district", "Gros"],
        [0.375, "district", "Uharteak"],
    )
    assert sidecars(tmp_path, []).census == {"district": {"Gros": 0.625, "Uharteak": 0.375}}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("census.csv", "attribute,value,share\nage,16-29,60\nage,65+,40\n", r"line 2: share is '60'; wanted a number from 0 to 1"),
        ("census.csv", "attribute,value,share\nage,16-29,0.5\nage,65+,0.4\n", r"shares of 'age' sum to 0\.900; wanted 1"),
        ("census.csv", "attribute,value,share\nage,16-29,nan\n", r"line 2: share is 'nan'"),
        ("census.csv", "attribute,value,share\nage,16-29,0.5\nage,16-29,0.5\n", r"line 3: .* is there a second time"),
        ("census.csv", "attribute,value,share\nage,,1\n", r"line 2: attribute or value is empty"),
        ("census.csv", "attribute,share\nage,1\n", r"line 1: the header lacks value"),
        ("participants.csv", "id,age\n1,65+\n", r"line 1: the header lacks participant"),
        ("participants.csv", "participant,age\n1,65+\n01,65+\n", r"line 3: participant '1' is there a second time"),
        ("participants.csv", "participant,age\n,65+\n", r"line 2: participant is empty"),
        ("participants.csv", "participant,mail\n1,ane@example.org\n", r"line 2: 'mail' holds an e-mail address"),
        ("participants.csv", "participant,\n1,a\n", r"line 1: a column has no name"),
        ("statement-languages.csv", "comment-id,language\n0,fr\n0,eu\n", r"line 3: comment-id 0 is there a second time"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path: Path, file: str, text: str, message: str) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(Trouble, match=message):
        sidecars(tmp_path, ["1"])


def test_a_column_that_names_single_people_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "participants.csv", ["participant", "street"], *[[n, f"{n} Rue Bleue"] for n in range(201)])
    with pytest.raises(Trouble, match=r"line 202: 'street' has more than 200 different values"):
        sidecars(tmp_path, [])
