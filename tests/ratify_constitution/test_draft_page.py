"""Those who decide see each principle with its votes and what to look at."""

from __future__ import annotations

from pathlib import Path

from stages.artifact import write_json
from stages.ratify_constitution.draft_page import draft_page, notes
from stages.records import Wording
from tests.ratify_constitution.drafted import DRAFT, draft, principle


def test_pairs_are_named_from_both_sides_with_the_reason(tmp_path: Path) -> None:
    first, second, *others = DRAFT.principles
    flagged = draft(
        principles=(
            first.model_copy(update={"conflicts": ("p002", "p003")}),
            second.model_copy(update={"conflicts": ("p001",)}),
            *others,
        )
    )
    write_json(
        tmp_path / "alike.json",
        {
            "duplicates": [{"first": 3, "second": 44, "reason": "nearly the same words"}],
            "contradictions": [{"first": 1, "second": 2, "reason": "votes correlate at -0.6"}],
        },
    )
    assert notes(flagged, tmp_path) == {
        "p001": ("may contradict p002 (votes correlate at -0.6)", "may contradict p003"),
        "p002": ("may contradict p001 (votes correlate at -0.6)",),
        "p003": ("may say the same as statement 44 (nearly the same words)",),
        "p004": (),
        "p005": (),
    }
    assert notes(DRAFT, tmp_path / "nothing")["p001"] == (), "not every draft has votes to compare"


def test_the_page_shows_text_votes_translations_and_notes_without_markup_of_their_own() -> None:
    translated = {"fr": Wording(value="Achetez <i>mon</i> vélo.", origin="machine")}
    drafted = draft(principles=(principle("p005", "Buy <b>my</b> *bike*.", "en", texts=translated),))
    page = draft_page(drafted, {"p005": ("may contradict p001",)})
    assert "> Buy &lt;b&gt;my&lt;/b&gt; \\*bike\\*." in page
    assert "fr (machine translation): Achetez &lt;i&gt;mon&lt;/i&gt; vélo." in page
    assert "| A | 90 % | 9 | 1 | 0 |" in page
    assert "**Look at:** may contradict p001" in page
    assert "simulated: nobody voted here" in page
