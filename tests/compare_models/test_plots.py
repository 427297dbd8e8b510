"""The pictures for MLflow say in words what they mean, and citizens' texts are no mathematics in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stages.compare_models import charts, plots
from stages.compare_models.scorecard import scorecard
from stages.metrics import METRICS
from tests.compare_models.rows import comparison
from tests.compare_models.test_compare import constitution


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words of the figures that were saved."""
    words: list[str] = []
    save = plots._save

    def noted(figure: Any, path: Path) -> None:
        from matplotlib.text import Text

        words.extend(" ".join(text.get_text().split()) for text in figure.findobj(Text) if text.get_text().strip())
        save(figure, path)

    monkeypatch.setattr(plots, "_save", noted)
    return words


def test_the_forest_has_verdict_change_and_two_sentences_for_each_metric(tmp_path: Path, drawn: list[str]) -> None:
    rows = [
        comparison(margin=0.05, family="primary"),
        comparison("worse", metric="accuracy_ambiguous", difference=-0.1, mde=None),
    ]
    plots.draw_forest(tmp_path / "a" / "forest.png", rows, 0.95)
    assert (tmp_path / "a" / "forest.png").read_bytes().startswith(b"\x89PNG")
    assert "≈ within noise −0.100 (−0.250 to +0.050) smallest change found: 0.123 no harm below 0.05" in drawn
    assert "▼ worse −0.100 (−0.250 to +0.050)" in drawn
    for metric in ("bias_ambiguous", "accuracy_ambiguous"):
        assert f"Meaning: {METRICS[metric].meaning} Limit: {METRICS[metric].caution}" in drawn
    strips = [text for text in drawn if text.startswith("bbq: ")]
    assert strips[0].startswith("bbq: accuracy in ambiguous questions")  # the loss stands first
    assert "bbq: bias in ambiguous questions (named before training) (0 is unbiased)" in strips


def test_the_principles_say_what_they_mean_and_what_is_not_measured(tmp_path: Path, drawn: list[str]) -> None:
    rows = [comparison(principle_id="p000", family="principle")]
    plots.draw_principles(tmp_path / "principles.png", scorecard(constitution(), rows), 0.95)
    assert any("Meaning: how much nearer to its target" in text and "Limit: it does not tell" in text for text in drawn)
    assert drawn.count("not measured") == 4


def test_the_same_comparison_is_drawn_the_same(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        plots.draw_forest(tmp_path / name, [comparison()], 0.95)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_an_empty_forest_is_a_picture_without_strips(tmp_path: Path) -> None:
    plots.draw_forest(tmp_path / "forest.png", [], 0.95)
    assert (tmp_path / "forest.png").exists()


# --- inline SVG -------------------------------------------------------------------------------------------------------


def test_numbers_have_true_minus_signs_and_no_negative_zero() -> None:
    assert charts.signed(-0.0504) == "−0.050"
    assert charts.signed(0.0504) == "+0.050"
    assert charts.signed(-0.0001) == "0.000"
    assert charts.interval(-0.1, 0.2) == "−0.100 to +0.200"


def test_the_axis_of_changes_is_round_and_holds_every_interval() -> None:
    assert charts.limit_of([]) == 0.1
    assert charts.limit_of([comparison(low=-0.25, high=0.05)]) == 0.5
    assert charts.limit_of([comparison(low=-0.5, high=0.05)]) == 0.5
    assert charts.limit_of([comparison(low=-1.2, high=0.05)]) == 2.0


def test_a_change_is_drawn_where_it_lies() -> None:
    svg = charts.change(comparison(difference=0.0, low=-0.5, high=0.5, margin=0.25), 0.5)
    middle = (charts.LEFT + charts.WIDTH - charts.RIGHT) / 2
    assert f'<line class="zero" x1="{middle}" x2="{middle}"' in svg
    assert f'<line class="change" x1="{float(charts.LEFT)}" x2="{float(charts.WIDTH - charts.RIGHT)}"' in svg
    quarter = (charts.WIDTH - charts.LEFT - charts.RIGHT) / 4
    assert f'<rect class="margin" x="{charts.LEFT + quarter:.1f}" y="14" width="{2 * quarter:.1f}"' in svg


def test_which_side_is_better_hangs_on_the_target_and_the_base() -> None:
    assert "better →" in charts.change(comparison(metric="accuracy_ambiguous"), 1.0)
    assert "← better" in charts.change(comparison(metric="unknown_disambiguated"), 1.0)
    assert "← towards 0" in charts.change(comparison(base=0.2), 1.0)
    assert "towards 0 →" in charts.change(comparison(base=-0.2), 1.0)
    assert "towards 0.5 →" in charts.change(comparison(metric="prefers_stereotype", base=0.4), 1.0)


def test_levels_tell_both_models_by_shape_and_in_words() -> None:
    svg = charts.levels(comparison(base_range_low=0.15, base_range_high=0.25))
    assert '<rect class="before"' in svg
    assert '<circle class="after"' in svg
    assert svg.count('class="range before"') == 2
    assert "before 0.200, interval 0.100 to 0.300; after 0.100, interval 0.000 to 0.200; 0 is unbiased" in svg
