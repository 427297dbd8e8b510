"""Walk the page headers of a Parquet column, to know how large its pages are before one is read.

A value lies within one page, so that a page shows how much memory its largest value can take. Page headers are Thrift
structs in the compact protocol (parquet-format, `PageHeader`: 2 uncompressed_page_size, 3 compressed_page_size).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

HEADER_BYTES = 1 << 16  # a header holds at most some statistics; those of long values are cut by the writers


def page_sizes(file: BinaryIO, chunk: Any) -> Iterator[int]:
    """The uncompressed size of each page of a column chunk (pyarrow's ColumnChunkMetaData)."""
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
        start = min(start, chunk.dictionary_page_offset)
    end = start + chunk.total_compressed_size
    while start < end:
        file.seek(start)
        size, compressed, header = _page_header(file.read(HEADER_BYTES))
        yield size
        start += header + compressed


def _page_header(data: bytes) -> tuple[int, int, int]:
    """Uncompressed and compressed size of the page, and the header's own length."""
    fields, at = _struct(data, 0, {})
    if not {2, 3} <= fields.keys() or fields[3] < 0:
        raise ValueError("no page header where one should be")
    return fields[2], fields[3], at


def _struct(data: bytes, at: int, fields: dict[int, int]) -> tuple[dict[int, int], int]:
    number = 0
    while True:
        head = _byte(data, at)
        at += 1
        kind = head & 0x0F
        if kind == 0:
            return fields, at
        if head >> 4:
            number += head >> 4
        else:
            zigzag, at = _varint(data, at)
            number = (zigzag >> 1) ^ -(zigzag & 1)
        fields[number], at = _value(data, at, kind)


def _value(data: bytes, at: int, kind: int) -> tuple[int, int]:
    """The value where it is a number, 0 for others, and where the next field begins."""
    if kind in (1, 2):  # true, false
        return 0, at
    if kind == 3:
        return 0, at + 1
    if kind in (4, 5, 6):
        zigzag, at = _varint(data, at)
        return (zigzag >> 1) ^ -(zigzag & 1), at
    if kind == 7:  # double
        return 0, at + 8
    if kind == 8:
        length, at = _varint(data, at)
        return 0, at + length
    if kind == 12:
        _, at = _struct(data, at, {})
        return 0, at
    raise ValueError(f"a page header has no field of kind {kind}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = _byte(data, at)
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise ValueError("a page header is cut off")
    return data[at]
