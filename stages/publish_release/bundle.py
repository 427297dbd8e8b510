"""Copy the artifacts into the release as they are: the names and bytes stay, so that DVC's hashes can be recomputed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from stages.errors import Trouble

# Weights are linked, not copied: a second copy of 14 GB helps nobody. Small files are copied, so that someone who
# edits the release by hand does not edit the artifact it was made from.
LINK_FROM_BYTES = 64 * 2**20


def copy_artifacts(folders: Mapping[Path, Path]) -> int:
    """Copy each artifact to its place; return the number of files."""
    return sum(_copy_folder(source, target) for source, target in sorted(folders.items()))


def _copy_folder(source: Path, target: Path) -> int:
    if not source.is_dir():
        raise Trouble(f"{source} is missing; wanted the artifact's folder there: run `dvc repro` first.")
    files = [path for path in sorted(source.rglob("*")) if not path.is_dir()]
    if not files:
        raise Trouble(f"{source} is empty; wanted the artifact there: run `dvc repro` first.")
    for path in files:
        _copy_file(path.resolve(), target / path.relative_to(source))  # DVC may keep its files as symbolic links
    return len(files)


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.stat().st_size >= LINK_FROM_BYTES:
        try:
            os.link(source, target)
            return
        except OSError:  # another file system, or one without hard links
            pass
    shutil.copyfile(source, target)
