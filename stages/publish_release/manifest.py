"""The manifest of a release: every file with its size and sha256, and the release's id, which follows from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from stages.publish_release import layout
from stages.records import Record

SCHEMA = "democratic-commons/release@1"


class ReleasedFile(Record):
    """One file of the release; `path` is relative to the manifest."""

    path: str
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    role: str
    media_type: str


class Licences(Record):
    """The terms of what is released, as SPDX expressions; the corpus keeps the licence of each document."""

    model: str
    data: str


class Manifest(Record):
    """What is in a release. It has no date: the same content is the same release, whenever it is made."""

    schema_version: str
    release: str
    title: str
    constitution_version: str
    simulated: bool
    licences: Licences
    files: tuple[ReleasedFile, ...]


def release_id(version: str, files: Iterable[ReleasedFile]) -> str:
    """The constitution's version and a fingerprint of all files: sha256 over `sha256sum`-like lines, sorted by path."""
    lines = [f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path)]
    return f"{version}-{hashlib.sha256(''.join(lines).encode()).hexdigest()[:12]}"


def list_files(folder: Path) -> list[ReleasedFile]:
    """Every file of the folder except the manifest itself, sorted by path."""
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [_released(folder, path) for path in paths if path != layout.MANIFEST]


def _released(folder: Path, path: str) -> ReleasedFile:
    with (folder / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # reads in blocks: weights are never held in memory
    size = (folder / path).stat().st_size
    return ReleasedFile(
        path=path, bytes=size, sha256=digest, role=layout.role(path), media_type=layout.media_type(path)
    )


def make_manifest(folder: Path, title: str, version: str, simulated: bool, licences: Licences) -> Manifest:
    """The manifest of the files in the folder."""
    files = list_files(folder)
    return Manifest(
        schema_version=SCHEMA,
        release=release_id(version, files),
        title=title,
        constitution_version=version,
        simulated=simulated,
        licences=licences,
        files=tuple(files),
    )
