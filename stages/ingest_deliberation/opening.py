"""Open an export that is a folder or a .zip, and find the folder in it that holds the files."""

from __future__ import annotations

import errno
import lzma
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from stages.errors import Trouble

# A zip may say little and unpack to much: these bound the disk that one can take.
MOST_BYTES = 2 * 2**30
MOST_FILES = 10_000
MOST_TIMES = 250  # a table of votes packs 10 to 50 times, a crafted file 1,000 times
RATIO_FROM = 2**24  # bytes; below, a high ratio does no harm

# What unpacking a damaged archive ends in, by its way of packing.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError, RuntimeError,
           ValueError, OverflowError)  # fmt: skip


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder of an export: `path` itself, or what a zip holds for as long as the block lasts; a file stays a file."""
    if re.match(r"https?:/", str(path)):
        url = re.sub(r"^(https?):/+", r"\1://", str(path))
        raise Trouble(
            f"{url} is an address; wanted a folder or file, so that the same bytes are read every time:"
            f" run `commons snapshot {url} FOLDER` first and give that folder."
        )
    if not path.exists():
        raise Trouble(f"{path} does not exist; wanted an export as a folder or .zip: check the path.")
    if path.is_dir() or (not zipfile.is_zipfile(path) and path.suffix.lower() != ".zip"):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="export-") as name:
        try:
            unpack(path, Path(name))
            yield Path(name)
        except Trouble as trouble:  # name the zip, not the folder that nobody will find
            raise type(trouble)(str(trouble).replace(name, str(path))) from None


def unpack(archive: Path, folder: Path) -> None:
    """Write the tables of the zip into `folder`; refuses what would land elsewhere or grow without measure."""
    try:
        with zipfile.ZipFile(archive) as opened_zip:
            members = [member for member in opened_zip.infolist() if not member.is_dir()]
            _check(archive, members)
            for member in members:
                if _wanted(member.filename):
                    target = folder / member.filename
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with opened_zip.open(member) as packed, target.open("xb") as file:
                        shutil.copyfileobj(packed, file, 2**20)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise Trouble(f"{archive} holds a file twice; wanted each once: unpack it and give the folder.") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _damaged(archive, error) from None  # a position before the file's start, or data that bz2 refuses
    except DAMAGED as error:
        raise _damaged(archive, error) from None


def _damaged(archive: Path, error: Exception) -> Trouble:
    reason = " ".join(str(error).split())[:120]
    return Trouble(f"{archive} cannot be unpacked ({reason}); wanted a whole .zip: export it again.")


def _wanted(name: str) -> bool:
    """Not the notes that macOS adds."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" not in parts and not parts[-1].startswith("._")


def _check(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        name = member.filename
        parts = PurePosixPath(name).parts
        if ".." in parts or name.startswith("/") or "\\" in name or ":" in name or len(name) > 500 or not parts:
            raise _refused(archive, f"a file named {name[:60]!r}", "names inside the archive")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _refused(archive, f"{name[:60]!r} as a link", "plain files")
        if member.flag_bits & 1:
            raise _refused(archive, f"{name[:60]!r} behind a password", "files without a password")
        if member.file_size > max(RATIO_FROM, MOST_TIMES * member.compress_size):
            raise _refused(archive, f"{name[:60]!r}, which unpacks to {member.file_size:,} bytes", "tables")
    total = sum(member.file_size for member in members)
    if total > MOST_BYTES or len(members) > MOST_FILES:
        raise _refused(
            archive, f"{len(members):,} files of {total:,} bytes", f"at most {MOST_FILES:,} of {MOST_BYTES:,} bytes"
        )


def _refused(archive: Path, found: str, wanted: str) -> Trouble:
    return Trouble(f"{archive} holds {found}; wanted {wanted}: if you trust it, unpack it and give the folder.")


def find_root(folder: Path, file: str) -> tuple[Path, int]:
    """The folder that holds `file`, and how many copies of it lie deeper; it may be one that `folder` holds."""
    found = sorted(folder.rglob(file), key=lambda path: (len(path.parts), str(path)))
    if not found:
        return folder, 0
    nearest = [path.parent for path in found if len(path.parts) == len(found[0].parts)]
    if len(nearest) > 1:
        names = ", ".join(parent.name[:40] for parent in nearest[:5])
        raise Trouble(f"{folder} holds several exports ({names}); wanted one: give the folder of one of them.")
    copies = [path for path in found[1:] if nearest[0] in path.parents]
    if len(copies) < len(found) - 1:
        other = next(path for path in found[1:] if path not in copies)
        raise Trouble(
            f"{folder} holds {file} in {nearest[0].name} and {other.parent.name}; wanted one: give its folder."
        )
    return nearest[0], len(copies)
