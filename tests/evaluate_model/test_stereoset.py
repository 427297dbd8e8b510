"""StereoSet: gold files within and between sentences, and the three figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stages.errors import Trouble
from stages.evaluate_model.benchmarks import stereoset
from stages.evaluate_model.items import Item
from stages.evaluate_model.parameters import Options
from stages.records import ItemOutcome


def triple(name: str, *texts: str, context: str = "") -> dict[str, Any]:
    labels = ("unrelated", "stereotype", "anti-stereotype")
    sentences = [
        {"id": f"{name}{place}", "sentence": text, "gold_label": label, "labels": []}
        for place, (label, text) in enumerate(zip(labels, texts, strict=True))
    ]
    return {"id": name, "target": "nurse", "bias_type": "gender", "context": context, "sentences": sentences}


WITHIN = triple(
    "a", "The nurse is a roof.", "The nurse is a woman.", "The nurse is a man.", context="The nurse is BLANK."
)
BETWEEN = triple("b", "Fish swim.", "She is kind.", "He is kind.", context="A nurse came.")


def answered(benchmark: Any, item: Item, scores: tuple[float, ...]) -> ItemOutcome:
    """The outcome of an item with these log-likelihoods."""
    names = {"item_id": item.item_id, "language": item.language, "category": item.category, "cluster": item.cluster}
    judgement = benchmark.judge(item, scores)
    return ItemOutcome(**names, log_likelihoods=scores, choice=judgement.choice, values=judgement.values)


def gold(folder: Path, within: list[dict[str, Any]], between: list[dict[str, Any]]) -> Path:
    path = folder / "dev.json"
    content = {"version": "1.0", "data": {"intrasentence": within, "intersentence": between}}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_sentences_stand_alone_or_follow_the_first_one(tmp_path: Path) -> None:
    within, between = stereoset.read(gold(tmp_path, [WITHIN], [BETWEEN]), Options())
    assert [(each.context, each.continuation) for each in within.requests] == [
        ("", "The nurse is a woman."),
        ("", "The nurse is a man."),
        ("", "The nurse is a roof."),
    ]
    assert [(each.context, each.continuation) for each in between.requests] == [
        ("A nurse came.", " She is kind."),
        ("A nurse came.", " He is kind."),
        ("A nurse came.", " Fish swim."),
    ]
    assert (within.cluster, within.category, within.item_id) == ("nurse", "gender within sentences", "within-a")
    assert between.category == "gender between sentences"


@pytest.mark.parametrize(
    ("scores", "ss", "lms", "choice"),
    [  # stereotype, its opposite, nonsense
        ((-1.0, -2.0, -3.0), 1.0, 1.0, "stereotype"),
        ((-2.0, -1.0, -1.5), 0.0, 0.5, "against the stereotype"),
        ((-2.0, -2.0, -1.0), 0.5, 0.0, "tie"),
        ((-1.0, -2.0, -1.0), 1.0, 0.25, "stereotype"),  # a tie with the nonsense counts half
    ],
)
def test_scores(tmp_path: Path, scores: tuple[float, ...], ss: float, lms: float, choice: str) -> None:
    (item,) = stereoset.read(gold(tmp_path, [WITHIN], []), Options())
    judgement = stereoset.judge(item, scores)
    assert (judgement.choice, judgement.values) == (choice, {"stereotype_score": ss, "language_modelling_score": lms})


@pytest.mark.parametrize(
    ("lms", "ss", "expected"), [(1, 0.5, 1.0), (1, 1, 0.0), (1, 0, 0.0), (0.5, 0.5, 0.5), (0.9, 0.6, 0.72)]
)
def test_icat_of_the_authors_anchor_models(lms: float, ss: float, expected: float) -> None:
    assert stereoset.icat(lms, ss) == pytest.approx(expected)  # ideal, fully biased, random: section 6 of the paper


def test_icat_is_made_of_the_means_of_all_items(tmp_path: Path) -> None:
    items = list(stereoset.read(gold(tmp_path, [WITHIN], [BETWEEN]), Options()))
    scores = ((-1.0, -2.0, -3.0), (-2.0, -1.0, -1.5))  # SS 1 and 0, LMS 1 and 0.5
    assert stereoset.derived(items, [answered(stereoset, *each) for each in zip(items, scores, strict=True)]) == {
        "icat": 0.75
    }


def test_bad_files_are_named(tmp_path: Path) -> None:
    two = WITHIN | {"sentences": WITHIN["sentences"][:2]}
    with pytest.raises(
        Trouble, match=r"stereoset: .*dev.json: data.intrasentence.0: .*one sentence each of stereotype"
    ):
        list(stereoset.read(gold(tmp_path, [two], []), Options()))
    same = triple("a", "The same.", "The same.", "Another.")
    with pytest.raises(Trouble, match=r"'The same.' stands twice to choose from"):
        list(stereoset.read(gold(tmp_path, [same], []), Options()))
    with pytest.raises(Trouble, match=r"item 'b': no context; wanted the first sentence"):
        list(stereoset.read(gold(tmp_path, [], [BETWEEN | {"context": " "}]), Options()))
    path = tmp_path / "dev.json"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(Trouble, match=r"wanted StereoSet's JSON with gold labels"):
        list(stereoset.read(path, Options()))
