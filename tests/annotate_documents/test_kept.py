"""Arrays that take long to build are built once, and never read where they are damaged or of something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from stages.annotate_documents.kernels import kept as module
from stages.annotate_documents.kernels.kept import kept


class Squares(NamedTuple):
    numbers: Any
    squares: Any


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setattr(module.numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    return []


def squares(count: int, built: list[int]) -> Squares:
    def build() -> Squares:
        built.append(count)
        return Squares(np.arange(count), np.arange(count) ** 2)

    return kept(Squares, ("squares", count), build)


def test_what_was_built_is_read_again_and_cannot_be_written(built: list[int]) -> None:
    for found in (squares(5, built), squares(5, built)):
        assert [column.tolist() for column in found] == [[0, 1, 2, 3, 4], [0, 1, 4, 9, 16]]
        assert not found.squares.flags.writeable
        assert found.squares.ctypes.data % 64 == 0
    assert built == [5]


def test_of_one_kind_the_newest_is_kept(built: list[int], tmp_path: Path) -> None:
    squares(5, built)
    held = squares(6, built)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert squares(5, built).squares.tolist() == [0, 1, 4, 9, 16]
    assert held.squares.tolist()[-1] == 25  # though its file is gone
    assert built == [5, 6, 5]


@pytest.mark.parametrize("damage", ["cut", "gone", "other"])
def test_damaged_ones_are_built_anew(built: list[int], tmp_path: Path, damage: str) -> None:
    squares(500, built)
    (folder,) = (tmp_path / "cache").iterdir()
    path = folder / "squares.npy"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:300])
    elif damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"no array")
    assert squares(500, built).squares[-1] == 499**2
    assert squares(500, built).squares[-1] == 499**2
    assert built == [500, 500]


def test_where_nothing_can_be_written_all_works(built: list[int], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be", encoding="utf-8")
    for _ in range(2):
        found = squares(5, built)
        assert found.squares.tolist() == [0, 1, 4, 9, 16]
        assert not found.squares.flags.writeable
    assert built == [5, 5]
