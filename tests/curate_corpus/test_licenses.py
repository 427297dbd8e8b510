"""Which licence an expression offers, and what is asked of those who pass the texts on."""

from __future__ import annotations

import pytest

from stages.curate_corpus.attribution import attribution, escape_markdown, link, obligations_record
from stages.curate_corpus.licenses import choose_license
from stages.curate_corpus.tally import Right, Tally

ALLOWED = ("CC0-1.0", "CC-BY-4.0", "MIT")


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("cc-by-4.0", "CC-BY-4.0"),
        ("GPL-3.0-only OR MIT OR CC0-1.0", "MIT"),
        ("(CC-BY-NC-4.0 OR CC0-1.0)", "CC0-1.0"),
        ("(CC-BY-NC-4.0 AND MIT) OR CC0-1.0", "CC0-1.0"),
        ("((MIT OR CC-BY-NC-4.0))", "MIT"),
        ("CC-BY-NC-4.0 AND MIT", None),
        # each of these binds to the non-commercial licence too
        ("CC-BY-NC-4.0 AND (MIT OR CC0-1.0)", None),
        ("(MIT OR CC0-1.0) AND CC-BY-NC-4.0", None),
        ("(MIT OR ISC) AND (CC-BY-NC-4.0 OR CC0-1.0)", None),
        ("CC-BY-NC-4.0", None),
        ("MIT WITH some-exception", None),
        ("", None),
    ],
)
def test_the_allowed_licence_that_an_expression_offers(expression: str, chosen: str | None) -> None:
    assert choose_license(expression, ALLOWED) == chosen


def test_the_attribution_list_names_every_source_as_text() -> None:
    tally = Tally(
        rights={
            ("Diari *oficial* <b>|x", "CC-BY-4.0"): Right(2, 10, "licenses.csv", "https://a.example/1", "2025-11-03"),
            ("Pàgina", "CC-BY-SA-4.0"): Right(1, 5, "peu de pàgina", "javascript:alert(1)"),
        }
    )
    text = attribution(tally)
    assert "| Diari \\*oficial\\* &lt;b&gt;\\|x | CC-BY-4.0 | 2 | name the author or publisher" in text
    assert "| licenses.csv | 2025-11-03 | <https://a.example/1> |" in text
    assert "| javascript:alert(1) |" in text
    assert "**Share-alike**: CC-BY-SA-4.0 ask" in text


def test_obligations_go_on_to_the_model_card() -> None:
    tally = Tally(
        rights={("a", "CC0-1.0"): Right(2, 10), ("b", "CC-BY-SA-4.0"): Right(1, 5), ("c", "CC0-1.0"): Right(1, 1)}
    )
    record = obligations_record(tally)
    assert (record["share_alike"], record["attribution"]) == (True, True)
    zero = next(entry for entry in record["licenses"] if entry["license"] == "CC0-1.0")
    assert (zero["documents"], zero["sources"], zero["share_alike"]) == (3, ["a", "c"], False)
    assert zero["address"] == "https://spdx.org/licenses/CC0-1.0.html"
    only_zero = obligations_record(Tally(rights={("a", "CC0-1.0"): Right(1, 1)}))
    assert (only_zero["share_alike"], only_zero["attribution"]) == (False, False)


def test_terms_that_only_a_person_can_read_say_so() -> None:
    record = obligations_record(Tally(rights={("a", "LicenseRef-UY"): Right(1, 1)}))
    assert record["licenses"][0]["asks"] == ["not a standard licence: read the source's own terms"]
    assert record["licenses"][0]["address"] == ""


def test_markdown_is_escaped() -> None:
    assert escape_markdown("a\n[b](c) `d`") == "a \\[b\\](c) \\`d\\`"
    assert link("https://a.example/> <script>") == "https://a.example/&gt; &lt;script&gt;"
