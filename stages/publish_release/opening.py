"""Look into a release, folder or zip, without trusting it: nothing is extracted, run or imported, and sizes have caps.

A zip is read in place, so no member can be written anywhere; what is odd (symlinks, `..`, bombs) is refused in one line.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import BaseModel, ValidationError

from stages.errors import Trouble
from stages.publish_release import layout

R = TypeVar("R", bound=BaseModel)

MOST_FILES = 20_000
MOST_BYTES = 2 * 2**40  # 2 TiB: above the largest open-weights model known
MOST_JSON_BYTES = 256 * 2**20
MOST_LINE_BYTES = 8 * 2**20
MOST_RATIO = 200  # text packs about 1:10, a bomb 1:1000 and more
RATIO_COUNTS_ABOVE = 16 * 2**20  # small files may pack well without being a bomb
BLOCK = 2**20


class Unsafe(Trouble):
    """The bundle is built to harm whoever opens it, or is broken in a way that honest tools do not make."""


class Unreadable(Trouble):
    """A file of the bundle is missing or does not hold what its name promises."""


class Bundle(ABC):
    """The files of a release by relative POSIX path; open only through `open_bundle`."""

    def __init__(self, sizes: dict[str, int], oddities: list[str]) -> None:
        self.sizes = sizes
        self.oddities = oddities  # entries that are neither a file nor a folder with files, in words

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """The file's bytes as a stream."""

    def blocks(self, name: str) -> Iterator[bytes]:
        """The file in blocks; stops where it is longer than its stated size."""
        if name not in self.sizes:
            raise Unreadable(f"{name} is missing")
        left = self.sizes[name]
        try:
            with self.open(name) as file:
                while block := file.read(BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise Unsafe(f"{name} is longer than it says; the bundle is broken or made to harm.")
                    yield block
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
            raise Unreadable(f"{name} cannot be read ({type(error).__name__})") from None

    def head(self, name: str, length: int) -> bytes:
        """The first bytes of the file, at most `length`."""
        begin = b""
        for block in self.blocks(name):
            begin += block
            if len(begin) >= length:
                break
        return begin[:length]

    def digests(self, name: str) -> tuple[int, str, str]:
        """Size, sha256 and md5, in one pass."""
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        for block in self.blocks(name):
            sha256.update(block)
            md5.update(block)
            size += len(block)
        return size, sha256.hexdigest(), md5.hexdigest()

    def text(self, name: str) -> str:
        """A whole text file; refused above the cap."""
        if self.sizes.get(name, 0) > MOST_JSON_BYTES:
            raise Unsafe(f"{name} has {self.sizes[name]:,} bytes; at most {MOST_JSON_BYTES:,} are read whole.")
        try:
            return b"".join(self.blocks(name)).decode("utf-8")
        except UnicodeDecodeError:
            raise Unreadable(f"{name} is not UTF-8") from None

    def json(self, name: str) -> Any:
        """The content of a JSON file."""
        try:
            return json.loads(self.text(name), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{name} is not valid JSON ({type(error).__name__})") from None

    def record(self, name: str, model: type[R]) -> R:
        """The content of a JSON file as a record."""
        return _validated(name, model, self.json(name))

    def lines(self, name: str) -> Iterator[str]:
        """The lines of a text file, one at a time; a line has a cap too."""
        rest = b""
        for block in self.blocks(name):
            *whole, rest = (rest + block).split(b"\n")
            if len(rest) > MOST_LINE_BYTES:
                raise Unsafe(f"{name} has a line of more than {MOST_LINE_BYTES:,} bytes; such a line is not read.")
            yield from (_decoded(name, line) for line in whole)
        if rest:
            yield _decoded(name, rest)

    def records(self, name: str, model: type[R]) -> Iterator[R]:
        """The records of a JSON Lines file."""
        for number, line in enumerate(self.lines(name), start=1):
            if line.strip():
                try:
                    content = json.loads(line, parse_constant=_no_constant)
                except (ValueError, RecursionError):
                    raise Unreadable(f"{name}, line {number}, is not valid JSON") from None
                yield _validated(f"{name}, line {number},", model, content)


class _Folder(Bundle):
    def __init__(self, root: Path, sizes: dict[str, int], oddities: list[str]) -> None:
        super().__init__(sizes, oddities)
        self.root = root

    def open(self, name: str) -> IO[bytes]:
        # O_NOFOLLOW: a file that became a symlink since the listing is not followed out of the bundle.
        return os.fdopen(os.open(self.root / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")


class _Zip(Bundle):
    def __init__(self, archive: zipfile.ZipFile, prefix: str, sizes: dict[str, int], oddities: list[str]) -> None:
        super().__init__(sizes, oddities)
        self.archive, self.prefix = archive, prefix

    def open(self, name: str) -> IO[bytes]:
        return self.archive.open(self.prefix + name)


def open_bundle(path: Path) -> Bundle:
    """Look at every entry of the folder or zip; raises Unsafe or Trouble before anything in it is read."""
    if path.is_dir():
        return _open_folder(path)
    if path.is_file():
        return _open_zip(path)
    raise Trouble(f"{path} is not there; wanted a release: a folder with {layout.MANIFEST}, or a zip of one.")


def safe_name(name: str) -> bool:
    """Whether the path stays inside the bundle and can be written on any system."""
    parts = name.split("/")
    plain = "\\" not in name and ":" not in name and all(character.isprintable() for character in name)
    return bool(name) and plain and all(part not in ("", ".", "..") for part in parts)


def _open_folder(root: Path) -> Bundle:
    sizes: dict[str, int] = {}
    oddities: list[str] = []
    _walk(root, "", sizes, oddities)
    return _Folder(root, sizes, oddities)


def _walk(root: Path, below: str, sizes: dict[str, int], oddities: list[str]) -> None:
    entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    if not entries:
        oddities.append(f"{below or 'the bundle'} is an empty folder")
    for entry in entries:
        name = f"{below}/{entry.name}" if below else entry.name
        mode = entry.stat(follow_symlinks=False).st_mode
        if not safe_name(name):
            raise Unsafe(f"The bundle holds the odd file name {name!r}; it is not looked at further.")
        if stat.S_ISLNK(mode):
            oddities.append(f"{name} is a symbolic link")
        elif stat.S_ISDIR(mode):
            _walk(root, name, sizes, oddities)
        elif stat.S_ISREG(mode):
            sizes[name] = entry.stat(follow_symlinks=False).st_size
        else:
            oddities.append(f"{name} is neither a file nor a folder")
        if len(sizes) > MOST_FILES:
            raise Unsafe(f"The bundle holds more than {MOST_FILES:,} files; it is not looked at further.")


def _open_zip(path: Path) -> Bundle:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Trouble(f"{path} is not a zip that can be read ({error}); wanted a release: a folder or a zip.") from None
    members = archive.infolist()
    _check_members(path, members)
    prefix = _common_prefix([member.filename for member in members])
    sizes = {member.filename[len(prefix) :]: member.file_size for member in members if not member.is_dir()}
    return _Zip(archive, prefix, sizes, _empty_folders(members, prefix))


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    if len(members) > MOST_FILES:
        raise Unsafe(f"{path.name} holds {len(members):,} entries; at most {MOST_FILES:,} are looked at.")
    for member in members:
        name = member.filename.rstrip("/")
        if not safe_name(name) or member.orig_filename != member.filename:
            raise Unsafe(f"{path.name} holds {member.orig_filename!r}, a path that leads out of the bundle; refused.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise Unsafe(f"{path.name} holds the symbolic link {name}; refused.")
        if name.casefold() in seen:
            raise Unsafe(f"{path.name} holds {name} twice; refused, for two programs could read different files.")
        if member.flag_bits & 0x1:
            raise Unsafe(f"{path.name} holds the encrypted file {name}; refused, for a release is public.")
        if member.file_size > RATIO_COUNTS_ABOVE and member.file_size > MOST_RATIO * max(member.compress_size, 1):
            raise Unsafe(f"{path.name}: {name} would unpack to {member.file_size:,} bytes (a zip bomb); refused.")
        seen.add(name.casefold())
    total = sum(member.file_size for member in members)
    packed = max(path.stat().st_size, 1)
    if total > MOST_BYTES or (total > RATIO_COUNTS_ABOVE and total > MOST_RATIO * packed):
        raise Unsafe(f"{path.name} would unpack to {total:,} bytes (a zip bomb); refused.")


def _common_prefix(names: list[str]) -> str:
    """The one folder that holds everything, as `zip -r` of a folder makes it, or nothing."""
    tops = {name.split("/", 1)[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and layout.MANIFEST not in names else ""


def _empty_folders(members: list[zipfile.ZipInfo], prefix: str) -> list[str]:
    names = [member.filename for member in members]
    folders = [name for name in names if name.endswith("/") and name != prefix]
    return [
        f"{folder[len(prefix) :].rstrip('/')} is an empty folder"
        for folder in folders
        if not any(name != folder and name.startswith(folder) for name in names)
    ]


def _decoded(name: str, line: bytes) -> str:
    try:
        return line.decode("utf-8").removesuffix("\r")
    except UnicodeDecodeError:
        raise Unreadable(f"{name} is not UTF-8") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _validated(place: str, model: type[R], content: Any) -> R:
    try:
        return model.model_validate(content)
    except (ValidationError, ValueError, RecursionError) as error:
        problem = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise Unreadable(f"{place} does not fit the record {model.__name__}: {problem}") from None
