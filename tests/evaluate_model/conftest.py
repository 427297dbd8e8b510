"""A tiny random model that the tests of this node share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tiny_model import write_tiny_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as a folder."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def opened(model_folder: Path) -> tuple[Any, Any]:
    """The model and its tokenizer, opened as the node opens them."""
    from stages.evaluate_model.language_model import open_model

    return open_model(model_folder, "float32", threads=1)
