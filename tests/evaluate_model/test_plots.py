"""A model's scores as a picture: all slices on it or counted, each panel with its meaning, names no mathematics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stages.evaluate_model.plots import draw_scores
from stages.metrics import METRICS
from stages.records import Score


def score(**changed: Any) -> Score:
    row = {
        "benchmark": "bbq", "metric": "bias_ambiguous", "language": "all", "category": "all", "value": 0.1, "low": 0.0,
        "high": 0.2, "items": 100, "clusters": 25,
    }  # fmt: skip
    return Score.model_validate(row | changed)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that were closed."""
    import matplotlib.pyplot as plt

    figures: list[Any] = []
    monkeypatch.setattr(plt, "close", figures.append)
    return figures


def words(figure: Any) -> list[str]:
    from matplotlib.text import Text

    return [" ".join(text.get_text().split()) for text in figure.findobj(Text)]


def test_every_panel_says_what_its_metric_means(tmp_path: Path, drawn: list[Any]) -> None:
    metrics = ("bias_ambiguous", "accuracy_ambiguous", "accuracy_pro", "accuracy_anti")
    scores = [score(metric=metric, range_low=0.05, range_high=0.15) for metric in metrics]
    scores += [score(category="US$ and $", clusters=3), score(group="old"), score(polarity="neg")]
    draw_scores(tmp_path / "plots" / "scores.png", scores, "bbq", 0.95)
    (figure,) = drawn
    said = words(figure)
    for metric in metrics:
        known = METRICS[metric]
        assert f"{known.target_words} Meaning: {known.meaning} Limit: {known.caution}" in said
    assert r"US\$ and \$" in said
    assert "old" not in said  # groups stand in scores.json
    assert len([axis for axis in figure.axes if axis.axison]) == 4
    assert figure.get_size_inches()[0] <= 14  # however many metrics there are


def test_slices_that_find_no_place_are_counted(tmp_path: Path, drawn: list[Any]) -> None:
    scores = [score(category=f"c{number:02d}") for number in range(45)]
    draw_scores(tmp_path / "scores.png", scores, "bbq", 0.95)
    said = words(drawn[0])
    assert any("5 more slices stand in scores.json" in text for text in said)
    assert "c39" in said
    assert "c40" not in said
