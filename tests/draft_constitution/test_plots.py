"""The pictures say in their title what is seen, stay readable for many principles, and have the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.draft_constitution import charts, plots
from stages.draft_constitution.opinion_groups import Grouping
from tests.draft_constitution.looked_at import about, drafted_of, params, planted

ALL = ["consensus-versus-division.png", "consensus.png", "k-stability.png", "opinion-groups.png"]


@pytest.fixture
def titles(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The title of each picture by its file's name."""
    seen: dict[str, str] = {}
    save = plots._save

    def noted(figure: Any, axes: Any, path: Path) -> None:
        seen[path.name] = axes.get_title(loc="left")
        save(figure, axes, path)

    monkeypatch.setattr(plots, "_save", noted)
    yield seen


def test_four_pictures_with_titles_in_words_and_the_same_bytes_again(tmp_path: Path, titles: dict[str, str]) -> None:
    material, drafted = planted()
    for folder in ("one", "two"):
        plots.draw(tmp_path / folder, material.about, drafted, params())
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ALL
    for name in ALL:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        assert "(simulated)" in titles[name]
    assert "2 groups that can be relied on" in titles["opinion-groups.png"]
    assert titles["consensus.png"].startswith("Every opinion group agrees with these 4 principles")


def test_groups_that_do_not_hold_are_called_not_reliable_in_the_title(tmp_path: Path, titles: dict[str, str]) -> None:
    unsure = _crowd(3, reliable=False)
    plots.opinion_groups(tmp_path / "map.png", unsure, seed=1, simulated=False)
    assert titles["map.png"] == "People who vote alike lie close together: these 2 groups are NOT reliable"


def test_a_large_crowd_is_drawn_by_lot_the_same_way_each_time(
    tmp_path: Path, titles: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "MOST_POINTS", 10)
    crowd = _crowd(40, reliable=True)
    plots.opinion_groups(tmp_path / "map.png", crowd, seed=1, simulated=False)
    assert "10 of 40 people, drawn by lot" in titles["map.png"]
    assert charts.sample(crowd, 10, seed=1) == charts.sample(_crowd(40, reliable=True, backwards=True), 10, seed=1)
    assert charts.sample(crowd, 10, seed=1) != charts.sample(crowd, 10, seed=2)


def test_more_principles_than_fit_are_cut_and_the_title_says_so(
    tmp_path: Path, titles: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "MOST_LINES", 3)
    material, drafted = planted()
    plots.draw(tmp_path, material.about, drafted, params())
    assert "the best 3 of 4 principles" in titles["consensus.png"]


def test_no_votes_no_pictures_and_no_principles_no_picture_of_them(tmp_path: Path) -> None:
    told, text = drafted_of(None, "text", rule="all")
    plots.draw(tmp_path / "text", told, text, params(rule="all"))
    assert not (tmp_path / "text").exists()
    told, refused = drafted_of([(f"p{n}", s, -1) for n in range(12) for s in range(5)], "votes")
    plots.draw(tmp_path / "refused", about(), refused, params())
    assert "consensus.png" not in {path.name for path in (tmp_path / "refused").iterdir()}


def _crowd(people: int, reliable: bool, backwards: bool = False) -> Grouping:
    names = [f"p{number:02d}" for number in range(people)]
    points = {name: (float(place), float(place % 3)) for place, name in enumerate(names)}
    order = names[::-1] if backwards else names
    return Grouping(
        labels={name: "A" if int(name[1:]) % 2 else "B" for name in order},
        points={name: points[name] for name in order},
        stability={},
        chosen="fixed",
        separation_p=None,
        reliable=reliable,
        verdict="",
    )


@pytest.mark.parametrize("people", [1, 3])
def test_hardly_anybody_still_gives_pictures(tmp_path: Path, people: int) -> None:
    told, drafted = drafted_of([(f"p{n}", s, 1) for n in range(people) for s in range(5)], "votes", rule="all")
    plots.draw(tmp_path, told, drafted, params(rule="all"))
    assert "opinion-groups.png" in {path.name for path in tmp_path.iterdir()}


def test_without_groups_no_letter_is_put_on_people(tmp_path: Path, titles: dict[str, str]) -> None:
    everybody = [(f"p{n:02d}", s, 1 if (n + s) % 5 else -1) for n in range(12) for s in range(5)]
    told, drafted = drafted_of(everybody, "votes", threshold=0.1)
    assert drafted.found
    assert set(drafted.found.grouping.labels.values()) == {"A"}
    plots.draw(tmp_path, told, drafted, params(threshold=0.1))
    assert "no division into groups" in titles["opinion-groups.png"]
    assert titles["consensus.png"].startswith("The crowd, in which no groups were told apart, agrees with")
    assert "no groups were told apart" in titles["consensus-versus-division.png"]
