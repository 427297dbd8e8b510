"""Lay a few parameters over `params.yaml`, keeping its comments: how one tree runs on other inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages.errors import Trouble
from stages.params import PARAMS_FILE, read_file


def apply(overlay: Path, params: Path = PARAMS_FILE) -> None:
    """Write the overlay's values into `params` (sections are merged, other values replaced), whole or not at all."""
    from ruamel.yaml import YAML

    read_file(overlay)  # one clear line where it is missing or not YAML
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 120
    content = yaml.load(params.read_text(encoding="utf-8"))
    changed = merge(content, yaml.load(overlay.read_text(encoding="utf-8")))
    partial = params.with_name(f".{params.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)
    partial.replace(params)
    print(f"{params}: {changed} values from {overlay} (undo: git checkout {params} dvc.lock, then commons run)")


def merge(content: dict[str, Any], values: dict[str, Any], place: str = "") -> int:
    """Put `values` into `content`, section by section; return how many values changed."""
    changed = 0
    for key, value in values.items():
        if not place and key not in content:
            raise Trouble(f"The overlay has an unknown section '{key}'; known: {', '.join(content)}.")
        if isinstance(value, dict) and isinstance(content.get(key), dict):
            changed += merge(content[key], value, f"{place}{key}.")
        elif content.get(key) != value or key not in content:
            content[key] = value
            changed += 1
    return changed
