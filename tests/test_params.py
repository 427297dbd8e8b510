"""A misspelt parameter stops the run with one line that names it and the known ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from stages import params
from stages.errors import Trouble
from stages.params import Section, load


class Inner(Section):
    """A record inside a section."""

    level: int = 1


class Sample(Section):
    """A section with a bounded number, a required text and a nested record."""

    threshold: float = Field(gt=0, lt=1)
    name: str
    inner: Inner = Inner()


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_section_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "sample: {threshold: 0.6, name: Donostia}\n")
    assert load("sample", Sample, path) == Sample(threshold=0.6, name="Donostia")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "sample: {treshold: 0.6, threshold: 0.5, name: a}",
            r"unknown parameter 'sample.treshold' \(did you mean 'threshold'\?\)",
        ),
        (
            "sample: {threshold: 0.5, name: a, inner: {levle: 2}}",
            r"'sample.inner.levle' \(did you mean 'level'\?\); known: level",
        ),
        ("sample: {threshold: 0.5}", "parameter 'sample.name' is missing"),
        (
            "sample: {threshold: 1.5, name: a}",
            "parameter 'sample.threshold' is 1.5; wanted: Input should be less than 1",
        ),
        ("other: {}", "has no section 'sample'"),
        ("sample: [", "is not valid YAML"),
        ("just words", "holds str; wanted sections"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Trouble, match=words) as caught:
        load("sample", Sample, written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_every_section_of_the_project_fits_its_record() -> None:
    nodes = [
        path.name for path in (Path(__file__).parents[1] / "stages").iterdir() if (path / "parameters.py").exists()
    ]
    params.check_all(sorted(nodes), Path(__file__).parents[1] / "params.yaml")
