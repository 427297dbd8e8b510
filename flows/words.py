"""What a node said of the outputs that are now there, found by the node's entry in `dvc.lock`.

A node's last words may tell of other outputs: where a parameter is put back, DVC brings the earlier ones from its cache.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from stages.lineage import LOCK
from stages.tracking import HOME

WORDS = HOME / "words"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 0.05 s for the demo's lock, 0.6 s without libyaml


def lock_entry(node: str) -> dict[str, Any]:
    """The node's entry in `dvc.lock`, empty where it has none; read while no DVC writes the file (0.7 s for the demo's)."""
    from dvc.lock import make_lock
    from dvc.repo import Repo

    with Repo(".") as repo:
        kind = repo.config["core"].get("hardlink_lock", False)
        # not repo.lock, which shows in a terminal that it waits
        with make_lock(repo.lock.lockfile, tmp_dir=repo.tmp_dir, hardlink_lock=kind, wait=True):
            text = LOCK.read_text(encoding="utf-8") if LOCK.exists() else ""
    entry: dict[str, Any] = (yaml.load(text, Loader=LOADER) or {}).get("stages", {}).get(node, {})  # noqa: S506 - safe
    return entry


def keep(node: str, entry: dict[str, Any], words: str) -> None:
    """Keep the words of the execution that `entry` tells of, beside those of earlier ones."""
    WORDS.mkdir(parents=True, exist_ok=True)
    partial = _file(node).with_suffix(".partial")
    partial.write_text(json.dumps(_known(node) | {_name(entry): words}, indent=1), encoding="utf-8")
    partial.rename(_file(node))


def find(node: str, entry: dict[str, Any]) -> str:
    """The words of the execution that `entry` tells of; empty where they are not known."""
    return _known(node).get(_name(entry), "")


def _known(node: str) -> dict[str, str]:
    known: dict[str, str] = json.loads(_file(node).read_text(encoding="utf-8")) if _file(node).exists() else {}
    return known


def _name(entry: dict[str, Any]) -> str:
    """Of command, inputs, parameters and outputs: equal outputs of other inputs may be told in other words."""
    return hashlib.sha256(json.dumps(entry, sort_keys=True, default=str).encode()).hexdigest()


def _file(node: str) -> Path:
    return WORDS / f"{node}.json"
