"""Read the headers of safetensors files: which tensors, of what type and shape, without loading any."""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stages.errors import Trouble
from stages.fetch_base_model.files import INDEX, weight_files, weight_map

MAX_HEADER_BYTES = 100_000_000  # the safetensors library's own limit
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


class Tensor(NamedTuple):
    """What a header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of values."""
        return math.prod(self.shape)


class Weights(NamedTuple):
    """All tensors of a model, by name."""

    tensors: Mapping[str, Tensor]

    @property
    def parameters(self) -> int:
        """The number of values in all tensors; tied tensors are stored, and counted, once."""
        return sum(tensor.size for tensor in self.tensors.values())

    @property
    def dtypes(self) -> list[str]:
        """The types in use, the one with most values first."""
        sizes: Counter[str] = Counter()
        for tensor in self.tensors.values():
            sizes[tensor.dtype] += tensor.size
        return sorted(sizes, key=lambda dtype: (-sizes[dtype], dtype))


def read_weights(folder: Path) -> Weights:
    """The tensors of all weight files; raises Trouble where a header is damaged or the index does not fit."""
    tensors: dict[str, Tensor] = {}
    place: dict[str, str] = {}
    for name in weight_files(folder):
        for tensor, described in read_header(folder / name).items():
            if tensor in tensors:
                raise Trouble(f"{folder}: tensor {tensor!r} is in {place[tensor]} and in {name}; wanted it once.")
            tensors[tensor], place[tensor] = described, name
    if not tensors:
        raise Trouble(f"{folder}: the weight files hold no tensor; get the model again.")
    if (folder / INDEX).exists():
        _check_index(folder, place)
    return Weights(tensors)


def _check_index(folder: Path, place: Mapping[str, str]) -> None:
    mapping = weight_map(folder)
    wrong = sorted(name for name in mapping.keys() | place.keys() if mapping.get(name) != place.get(name))
    if wrong:
        name = wrong[0]
        raise Trouble(
            f"{folder / INDEX} says tensor {name!r} is in {mapping.get(name, 'no file')}, found it in "
            f"{place.get(name, 'none')} ({len(wrong)} such); get the model again."
        )


def read_header(path: Path) -> dict[str, Tensor]:
    """The tensors of one file; every byte behind the header must belong to exactly one of them."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise _damaged(path, "its first eight bytes are not the length of a header")
        raw = file.read(length)
    try:
        header = json.loads(raw)
        header.pop("__metadata__", None)
        spans = [_span(name, entry) for name, entry in header.items()]
        tensors = {name: Tensor(entry["dtype"], tuple(entry["shape"])) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"its header cannot be read: {error}") from None
    end = 0
    for first, last in sorted(spans):
        if first != end:
            raise _damaged(path, f"its tensors leave a gap or overlap at byte {end}")
        end = last
    if end != size - 8 - length:
        raise _damaged(path, f"its tensors take {end:,} bytes, the file has {size - 8 - length:,}")
    return tensors


def _span(name: str, entry: Mapping[str, Any]) -> tuple[int, int]:
    first, last = entry["data_offsets"]
    if entry["dtype"] not in BYTES:
        raise ValueError(f"tensor {name!r} has the type {entry['dtype']!r}; known: {', '.join(BYTES)}")
    if last - first != math.prod(entry["shape"]) * BYTES[entry["dtype"]]:
        raise ValueError(f"tensor {name!r} has another size than its shape says")
    return first, last


def _damaged(path: Path, found: str) -> Trouble:
    return Trouble(f"{path} is not a whole safetensors file ({found}); get it again.")
