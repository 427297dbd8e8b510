"""Copy the artifacts into the release as they are: names and bytes stay, so that DVC's hashes can be recomputed.

Only personal files (layout.PERSONAL) stay out; the chain tells their hash, so that the artifact is still recognised.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from stages.errors import Trouble
from stages.lineage import dvc_md5
from stages.publish_release import layout
from stages.publish_release.chain import WithheldFile

# Weights are linked, not copied: a second copy of 14 GB helps nobody. Small files are copied, so that someone who
# edits the release by hand does not edit the artifact it was made from.
LINK_FROM_BYTES = 64 * 2**20


def copy_artifacts(release: Path, places: Mapping[Path, str]) -> int:
    """Copy each artifact to its place in the release; return the number of files copied."""
    return sum(_copy_folder(source, release, place) for source, place in sorted(places.items()))


def withheld(places: Mapping[Path, str]) -> list[WithheldFile]:
    """The personal files of the artifacts, sorted by their place."""
    found = [
        WithheldFile(path=path, md5=dvc_md5(file), bytes=file.stat().st_size, reason=layout.PERSONAL[path])
        for source, place in places.items()
        for path in layout.PERSONAL
        if path.startswith(place + "/") and (file := source / path[len(place) + 1 :]).is_file()
    ]
    return sorted(found, key=lambda item: item.path)


def _copy_folder(source: Path, release: Path, place: str) -> int:
    if not source.is_dir():
        raise Trouble(f"{source} is missing; wanted the artifact's folder there: run `dvc repro` first.")
    files = [path for path in sorted(source.rglob("*")) if not path.is_dir()]
    if not files:
        raise Trouble(f"{source} is empty; wanted the artifact there: run `dvc repro` first.")
    targets = {f"{place}/{path.relative_to(source).as_posix()}": path for path in files}
    published = [target for target in targets if target not in layout.PERSONAL]
    for target in published:
        _copy_file(targets[target].resolve(), release / target)  # DVC may keep its files as symbolic links
    return len(published)


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.stat().st_size >= LINK_FROM_BYTES:
        try:
            os.link(source, target)
            return
        except OSError:  # another file system, or one without hard links
            pass
    shutil.copyfile(source, target)
