"""Look at a file's bytes before reading it: its fingerprint, its encoding, and whether every line is one record."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stages.errors import Trouble

BLOCK = 8 * 2**20  # bytes read at once
# Bytes of one line: a row of the widest table (a vote on each of a million statements) fits; more is no table, and
# would have to be held in memory whole.
LONGEST_LINE = 16 * 2**20

# Lines of cells of which a quoted one is quoted whole, with neither quotes nor line ends inside: such a file is read
# alike by every CSV reader, so the fast one may be trusted with it.
PLAIN_LINES = re.compile(rb'(?:(?:"[^"\r\n]*+"|[^",\r\n]*+)(?:,|\r?\n|\Z))*+\Z')


@dataclass(frozen=True)
class Inspection:
    """What was found."""

    sha256: str
    plain: bool  # every line is one record; False: perhaps not, only the strict reader can tell
    hexadecimal: bool  # "0x" stands somewhere
    lines: int


def inspect(path: Path) -> Inspection:
    """Read the file once; raises Trouble where it is missing, not UTF-8 (with the line) or has a line without end."""
    digest = hashlib.sha256()
    plain, hexadecimal = True, False
    begins = lines = 0
    for block in _blocks(path):
        digest.update(block)
        _check_encoding(path, begins, block)
        plain = plain and _is_plain(block)
        hexadecimal = hexadecimal or (b"x" in block and b"0x" in block) or (b"X" in block and b"0X" in block)
        begins += len(block)
        lines += block.count(b"\n") + (not block.endswith(b"\n"))
    return Inspection(digest.hexdigest(), plain, hexadecimal, lines)


def _blocks(path: Path) -> Iterator[bytes]:
    """The file in pieces that end where a line ends."""
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                rest = b"" if block.endswith(b"\n") else file.readline(LONGEST_LINE)
                if len(rest) == LONGEST_LINE:
                    raise Trouble(f"{path}, line {_line_at(path, file.tell() - LONGEST_LINE)}: {LINE_TOO_LONG}")
                yield block + rest
    except OSError as error:
        raise unreadable(path, error) from None


def _line_at(path: Path, byte: int) -> int:
    """The number of the line that holds this byte; counted only where there is trouble to tell."""
    line = 1
    with path.open("rb") as file:
        while byte > 0 and (block := file.read(min(BLOCK, byte))):
            line += block.count(b"\n")
            byte -= len(block)
    return line


LINE_TOO_LONG = f"the line is longer than {LONGEST_LINE // 2**20} MiB; wanted a table: export the file again."


def unreadable(path: Path, error: OSError) -> Trouble:
    """One line for a file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return Trouble(f"{path} is missing; wanted a file there: check the path, or export the conversation again.")
    return Trouble(
        f"{path} cannot be read ({error.strerror}); wanted a file there: check the path and its permissions."
    )


def _check_encoding(path: Path, begins: int, block: bytes) -> None:
    if block.isascii():
        return
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Trouble(
            f"{path}, line {_line_at(path, begins + error.start)}: byte 0x{block[error.start]:02x} is not UTF-8; wanted UTF-8 throughout:"
            " save the file as UTF-8."
        ) from None


def _is_plain(block: bytes) -> bool:
    if b'"' not in block:
        return b"\r" not in block or block.count(b"\r") == block.count(b"\r\n")
    return PLAIN_LINES.match(block) is not None
