"""Fingerprints of artifacts as DVC writes them, and what `dvc.lock` says of each node.

DVC names a file by the md5 of its bytes and a folder by the md5 of the list of its files (`.dir`), so that
anyone can recompute them; md5 is a name here, not a protection (the release manifest has sha256).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

LOCK = Path("dvc.lock")
CODE = "stages/"  # inputs below this are code, the others are data


@dataclass(frozen=True)
class NodeLineage:
    """What one node read and wrote: path -> DVC hash; `params` as they were."""

    inputs: dict[str, str]
    outputs: dict[str, str]
    code: dict[str, str]
    params: dict[str, Any]
    sizes: dict[str, int] = field(default_factory=dict)  # bytes of each data input and output


def dvc_md5(path: Path) -> str:
    """The hash DVC gives to this file or folder."""
    if path.is_dir():
        listing = [
            {"md5": _file_md5(file), "relpath": file.relative_to(path).as_posix()}
            for file in path.rglob("*")
            if file.is_file()
        ]
        listing.sort(key=lambda entry: entry["relpath"])  # by the written path: "a-b" before "a/b", as DVC 3.67 does
        return hashlib.md5(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
    return _file_md5(path)


def _file_md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def read_lock(path: Path = LOCK) -> dict[str, NodeLineage]:
    """Node -> lineage, from `dvc.lock`; empty where nothing ran yet."""
    if not path.exists():
        return {}
    stages = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("stages", {})
    return {name: lineage_of(entry) for name, entry in stages.items()}


def lineage_of(entry: dict[str, Any]) -> NodeLineage:
    """What one entry of `dvc.lock` tells."""
    deps = {dep["path"]: dep.get("md5", "") for dep in entry.get("deps", [])}
    return NodeLineage(
        inputs={path: md5 for path, md5 in deps.items() if not path.startswith(CODE)},
        outputs={out["path"]: out.get("md5", "") for out in entry.get("outs", [])},
        code={path: md5 for path, md5 in deps.items() if path.startswith(CODE)},
        params=entry.get("params", {}).get("params.yaml", {}),
        sizes={item["path"]: item.get("size", 0) for item in [*entry.get("deps", []), *entry.get("outs", [])]},
    )
