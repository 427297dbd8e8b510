"""Parameters of the tests: literal, so that a change of the project's own thresholds changes no test of a rule."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from stages.curate_corpus.parameters import Parameters

PLAIN: dict[str, Any] = {
    "about": {"name": "Textos oberts", "description": "Prova.", "publisher": "Ajuntament", "url": "https://a.example/"},
    "licenses": ["CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0"],
    "opt_out": {"not_captured": "keep"},
    "languages": ["ca", "oc", "es"],
    "language_identification": {"min_probability": 0.7, "max_other_share": 0.5},
    "min_characters": 50,
    "max_characters": 1000,
    "quality": {
        "families": ["gopher", "c4", "fineweb"],
        "default": {
            "gopher": {"min_words": 20, "max_duplicate_line_share": 0.3, "min_stop_words": 2},
            "c4": {"max_curly_brackets": 0, "max_lorem_ipsum": 0},
            "fineweb": {"min_terminal_line_share": 0.12},
        },
    },
    "contamination": {"max_runs": 0},
    "duplicates": {"min_jaccard": 0.7},
    "gates": {
        "max_near_duplicate_share": 0.01,
        "max_residual_personal_data": 0,
        "max_drop_share": 0.5,
        "min_documents": 20,
        "min_language_share": 0.0,
        "sample": 1000,
    },
}


@pytest.fixture
def make() -> Callable[..., Parameters]:
    """Parameters with some changed; nested ones are said as `gates__sample`."""

    def changed(**changes: Any) -> Parameters:
        values = copy.deepcopy(PLAIN)
        for name, value in changes.items():
            *path, last = name.split("__")
            place = values
            for part in path:
                place = place.setdefault(part, {})
            place[last] = value
        return Parameters.model_validate(values)

    return changed
