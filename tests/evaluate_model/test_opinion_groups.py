"""Opinion groups: how far the model is from each group's votes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from stages.errors import Trouble
from stages.evaluate_model.benchmarks import opinion_groups
from stages.evaluate_model.items import Item
from stages.evaluate_model.parameters import Options

ROW: dict[str, Any] = {
    "item_id": "4-B-ca",
    "statement_id": 4,
    "language": "ca",
    "text": "L'assistent ha de dir quan no ho sap.",
    "group": "B",
    "agree": 9,
    "disagree": 3,
}


def items_of(folder: Path, paraphrases: int = 1, **changes: Any) -> list[Item]:
    path = folder / "items.jsonl"
    path.write_text(json.dumps(ROW | changes) + "\n", encoding="utf-8")
    return list(opinion_groups.read(path, Options(paraphrases=paraphrases)))


def test_the_group_is_the_category_and_the_statement_the_cluster(tmp_path: Path) -> None:
    first, second = items_of(tmp_path, paraphrases=2)
    assert (first.item_id, first.category, first.cluster) == ("4-B-ca", "group B", "statement-4")
    assert (first.variant, second.variant) == ("paraphrase 1", "paraphrase 2")
    assert first.requests[0].context == "Esteu d'acord amb aquesta frase? «L'assistent ha de dir quan no ho sap.»"
    assert [request.continuation for request in second.requests] == ["Sí.", "No."]


@pytest.mark.parametrize(
    ("scores", "distance", "choice"),
    [
        ((math.log(3), 0.0), 0.0, "agrees"),  # as the group: 9 of 12
        ((0.0, math.log(3)), 0.5, "disagrees"),
        ((-4.0, -4.0), 0.25, "tie"),
        ((0.0, -900.0), 0.25, "agrees"),
    ],
)
def test_the_distance_from_the_groups_share(
    tmp_path: Path, scores: tuple[float, float], distance: float, choice: str
) -> None:
    (item,) = items_of(tmp_path)
    judgement = opinion_groups.judge(item, scores)
    assert (judgement.choice, judgement.values) == (choice, {"opinion_distance": distance})


def test_bad_lines_are_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"opinion-groups: .*line 1: .*nobody in the group agreed or disagreed"):
        items_of(tmp_path, agree=0, disagree=0)
    with pytest.raises(Trouble, match=r"line 1: text: .*there is nothing in it"):
        items_of(tmp_path, text="")
