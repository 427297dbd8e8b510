"""Placeholders in place of personal data, and the second look at what is left."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.curate_corpus.masking import Span, mask, residual, residuals


def test_spans_become_typed_placeholders() -> None:
    text = "Idatzi ane@udala.example helbidera edo deitu 943 000 000."
    masked, counts = mask(text, [Span(45, 56, "PHONE"), Span(7, 24, "e-mail")])
    assert masked == "Idatzi [EMAIL] helbidera edo deitu [PHONE]."
    assert counts == {"e-mail": 1, "PHONE": 1}


@pytest.mark.parametrize(
    ("spans", "masked"),
    [
        ([Span(1, 4, "A"), Span(2, 6, "B")], "0[A]6789"),
        ([Span(0, 8, "A"), Span(2, 4, "B")], "[A]89"),
        ([Span(2, 4, "B"), Span(2, 6, "A")], "01[A]6789"),
        ([Span(0, 2, "A"), Span(2, 4, "B")], "[A][B]456789"),
        ([Span(8, 10, "A")], "01234567[A]"),
        ([], "0123456789"),
    ],
)
def test_of_spans_that_overlap_one_placeholder_hides_both(spans: list[Span], masked: str) -> None:
    assert mask("0123456789", spans)[0] == masked


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("escriviu a júlia.puig@ajuntament.example", 1),
        ("a [EMAIL] o @alcaldia, §1.2@3", 0),
        ("ES91 2100 0418 4502 0005 1332", 1),
        ("FR1420041010050500013M02606", 1),
        ("ES91 2100 0418 4502 0005 1333", 0),  # the check digits do not hold
        ("article 12.3, 1999-2000, R2D2", 0),
    ],
)
def test_what_is_left_is_found_by_another_search(text: str, left: int) -> None:
    assert residual(text) == left


def test_a_text_made_to_blow_up_the_search_takes_no_time() -> None:
    assert residual("a" * 300_000 + "@" + "a." * 50_000) == 0
    assert residual("AB12" * 100_000) == 0


@given(
    st.lists(
        st.text(st.sampled_from("ES91 2100 0418 4502 0005 1332٣٤@a.és") | st.characters(codec="utf-8"), max_size=60)
    )
)
def test_many_texts_are_searched_as_each_alone(texts: list[str]) -> None:
    texts += ["ES91 2100 0418 4502 0005 1332", "ES٩١ 2100 0418 4502 0005 1332", "a@b.example", "plain"]
    assert residuals(pa.array(texts, pa.large_string())).tolist() == [residual(text) for text in texts]
    assert residuals(pa.array(texts[-4:], pa.large_string())).tolist() == [1, 1, 1, 0]
