"""`commons compare` does the paired statistics on any two folders of scores, and refuses what cannot be compared."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flows import compare_command
from stages.artifact import write_json, write_jsonl
from stages.errors import Trouble
from stages.records import ItemOutcome


def compare(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    compare_command.add(parser.add_subparsers())
    options = parser.parse_args(["compare", *map(str, arguments)])
    return int(options.act(options))


def write(folder: Path, right: Callable[[int], bool], **about: Any) -> Path:
    """120 items of 24 templates in two languages: accuracy rises or falls, unknown answers do not change."""
    items = [
        ItemOutcome(
            item_id=f"q{n}", language=("eu", "fr")[n % 2], category="Religion", cluster=f"t{n % 24:02d}", choice="x",
            log_likelihoods=(-1.0, -2.0),
            values={"accuracy_ambiguous": float(right(n)), "unknown_disambiguated": float(n % 5 == 0)},
        )
        for n in range(120)
    ]  # fmt: skip
    write_jsonl(folder / "items.jsonl", items)
    told = {"name": "bbq", "files": {"a": "0"}, "settings": {"min_items": 30, "resamples": 500}} | about
    write_json(folder / "benchmark.json", told)
    return folder


def not_every(share: int, number: int) -> bool:
    return number % share > 0


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return write(tmp_path / "base", lambda n: n % 4 > 0)


@pytest.fixture
def after(tmp_path: Path) -> Path:
    return write(tmp_path / "tuned", lambda n: n % 3 == 0 and n % 4 > 0)


def test_the_table_puts_regressions_first_and_tells_what_could_have_been_found(
    before: Path, after: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(before, after, "--primary", "bbq:accuracy_ambiguous", "--margin", "unknown_disambiguated=0.05") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["verdict", "what", "where"]
    # In Basque only 4 of the 12 templates change: the two ways of 16 that are as far apart give p = 0.125, for two languages 0.25.
    assert [line.split("  ")[0] for line in lines[1:5]] == ["worse", "worse", "within noise", "equivalent"]
    assert "  0.2500  " in lines[3]
    assert "bbq: accuracy_ambiguous *   all items" in lines[1]
    assert "  0.750   0.250  -0.500  " in lines[1]
    assert lines[-1].endswith("Within noise does not say that nothing changed.")


def test_the_json_is_that_of_the_pipeline_and_is_written(
    before: Path, after: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(before, after, "--json", "--out", tmp_path / "out") == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows == json.loads((tmp_path / "out" / "comparisons.json").read_text(encoding="utf-8"))
    cells = {(row["metric"], row["language"]): row for row in rows}
    assert cells["accuracy_ambiguous", "all"]["verdict"] == "worse"
    assert cells["accuracy_ambiguous", "eu"]["family"] == "exploration"
    assert cells["unknown_disambiguated", "all"]["difference"] == 0.0
    assert compare(before, after, "--json", "--out", tmp_path / "out") == 0  # its own folder may be replaced


def test_a_folder_of_several_benchmarks_is_compared_one_by_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for model, share in (("base", 4), ("tuned", 2)):
        for name in ("bbq", "esbbq"):
            write(tmp_path / model / name, partial(not_every, share), name=name)
    assert compare(tmp_path / "base", tmp_path / "tuned", "--json") == 0
    assert {row["benchmark"] for row in json.loads(capsys.readouterr().out)} == {"bbq", "esbbq"}
    (tmp_path / "tuned" / "esbbq" / "items.jsonl").unlink()
    write(tmp_path / "tuned" / "cabbq", lambda n: True, name="cabbq")
    with pytest.raises(Trouble, match=r"do not hold the same benchmarks \(cabbq, esbbq in one only\)"):
        compare(tmp_path / "base", tmp_path / "tuned")


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"files": {"a": "1"}}, "different files (a: '0' and '1'); measure both again"),
        ({"settings": {"min_items": 30, "resamples": 500, "prompt": "b"}}, "different settings (prompt: None and 'b')"),
        ({"plan": "abc"}, "different plan (None and 'abc')"),
        ({"name": "esbbq"}, "wanted one benchmark"),
    ],
)
def test_what_was_not_measured_alike_is_refused(
    before: Path, tmp_path: Path, about: dict[str, Any], message: str
) -> None:
    other = write(tmp_path / "other", lambda n: True, **about)
    with pytest.raises(Trouble) as trouble:
        compare(before, other)
    assert message in str(trouble.value)


def test_other_items_and_wrong_words_are_refused(before: Path, after: Path, tmp_path: Path) -> None:
    lines = (after / "items.jsonl").read_text(encoding="utf-8").splitlines()
    (after / "items.jsonl").write_text("\n".join(lines[1:]), encoding="utf-8")
    with pytest.raises(Trouble, match=r"item 1 is 'q0' for .*base and 'q1' for .*tuned; wanted the same items"):
        compare(before, after)
    with pytest.raises(Trouble, match="was given twice"):
        compare(before, before)
    with pytest.raises(Trouble, match=r"holds no items\.jsonl"):
        compare(before, tmp_path / "nothing")
    write(after, lambda n: True)
    with pytest.raises(Trouble, match="--primary is 'bbq'; wanted BENCHMARK:METRIC, one of: bbq:accuracy_ambiguous"):
        compare(before, after, "--primary", "bbq")
    with pytest.raises(Trouble, match="--margin is 'accuracy_ambiguous=-1'"):
        compare(before, after, "--margin", "accuracy_ambiguous=-1")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("x", encoding="utf-8")
    with pytest.raises(Trouble, match="holds other things"):
        compare(before, after, "--out", tmp_path / "mine")
