"""A pinned snapshot: a folder of downloaded files with snapshot.json, which says where they came from and their sha256.

`commons snapshot` writes it; a source that reads the folder calls `verify` first. The day of the download lies in
snapshot.json only: what is made from the same files is the same whenever they were fetched.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.artifact import read_json, write_json
from stages.errors import Trouble

DESCRIPTION, STATE = "snapshot.json", "state.json"
FORMAT = "commons-snapshot/1"


def partial_of(folder: Path) -> Path:
    """Where the snapshot grows until it is whole."""
    return folder.with_name(f".{folder.name}.partial")


def write_whole(path: Path, content: bytes) -> str:
    """Write the file under another name first, then rename; return its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    return hashlib.sha256(content).hexdigest()


def sha256_of(path: Path) -> str:
    """The file's sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(content: Any) -> bytes:
    """JSON whose bytes depend on the content only."""
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def finish(folder: Path, description: Mapping[str, Any], files: Mapping[str, str]) -> None:
    """Give the whole snapshot its name; `files` is name -> sha256."""
    partial = partial_of(folder)
    write_json(partial / DESCRIPTION, {**description, "format": FORMAT, "files": dict(files)})
    (partial / STATE).unlink(missing_ok=True)
    for path in sorted(partial.rglob("*")):
        if path.is_file() and path.suffix == ".part":
            path.unlink()
    partial.rename(folder)


def verify(path: Path, needed: bool = False) -> dict[str, Any]:
    """The description of the snapshot at `path`, empty where it is none; raises Trouble where it is not as fetched.

    A file inside a snapshot's folder is checked alone. needed: refuse what is no snapshot.
    """
    folder = path if path.is_dir() else path.parent
    if not (folder / DESCRIPTION).exists():
        return _none(path, needed)
    about = read_json(folder / DESCRIPTION)
    files = about.get("files") if isinstance(about, dict) else None
    if not isinstance(files, dict) or about.get("format") != FORMAT:
        raise Trouble(
            f"{folder / DESCRIPTION} is not a snapshot's description; wanted format {FORMAT}: {_again(folder)}"
        )
    for name, digest in sorted(files.items()):
        if path.is_dir() or path.name == name:
            _check(folder, str(name), str(digest))
    return about


def _none(path: Path, needed: bool) -> dict[str, Any]:
    if path.is_dir() and ((path / STATE).exists() or path.name.endswith(".partial")):
        raise Trouble(f"{path} is an incomplete snapshot; wanted a whole one: run the same `commons snapshot` again.")
    if needed:
        raise Trouble(f"{path} has no {DESCRIPTION}; wanted a snapshot's folder: make one with `commons snapshot`.")
    return {}


def _check(folder: Path, name: str, digest: str) -> None:
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise Trouble(f"{folder / DESCRIPTION} names {name[:60]!r}, which lies outside; {_again(folder)}")
    if not path.is_file():
        raise Trouble(f"{path} is missing from the snapshot; wanted all {DESCRIPTION} names: {_again(folder)}")
    if sha256_of(path) != digest:
        raise Trouble(f"{path} is not as it was fetched (its sha256 differs from {DESCRIPTION}): {_again(folder)}")


def _again(folder: Path) -> str:
    return f"remove {folder} and run `commons snapshot` again."
