"""Can the release be opened without harm: weights that are only numbers, and nothing that runs code."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from stages.publish_release import layout
from stages.publish_release.checks.release import Failed, Release, fail_on

DTYPE_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
MOST_HEADER_BYTES = 100_000_000  # the safetensors library's own limit
PICKLE_OR_ZIP = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")  # how files of torch.save begin


def weights_are_harmless(release: Release) -> str:
    """The model is safetensors with sound headers; nothing in the release can run code when it is loaded."""
    forbidden = [
        f"{path} is of a kind that can run code" for path in sorted(release.bundle.sizes) if layout.is_forbidden(path)
    ]
    fail_on(forbidden)
    weights = [path for path in sorted(release.bundle.sizes) if path.endswith(".safetensors")]
    inside = [path for path in weights if path.startswith(layout.MODEL + "/")]
    fail_on(f"{path} lies outside {layout.MODEL}/" for path in weights if path not in inside)
    if not inside:
        raise Failed(f"there are no weights in {layout.MODEL}/")
    tensors = sum(_tensors(release, path) for path in inside)
    for path in release.below(layout.MODEL):
        fail_on(_leads_to_code(release, path))
    return f"{tensors} tensors in {len(inside)} safetensors file{'s' if len(inside) > 1 else ''}, no pickle, no code"


def _tensors(release: Release, path: str) -> int:
    """How many tensors the header describes; raises Failed where they do not fill the file exactly."""
    size = release.bundle.sizes[path]
    length = int.from_bytes(release.bundle.head(path, 8), "little")
    if not 2 <= length <= min(size - 8, MOST_HEADER_BYTES):
        raise Failed(f"{path} is not safetensors: its header would have {length:,} bytes")
    try:
        header = json.loads(release.bundle.head(path, 8 + length)[8:])
        header.pop("__metadata__", None)
        spans = sorted(_span(tensor) for tensor in header.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Failed(f"{path} is not safetensors: its header cannot be read") from None
    end = 0
    for start, stop in spans:
        if start != end:
            raise Failed(f"{path} has a hole or an overlap at byte {end:,}: data that no tensor explains")
        end = stop
    if 8 + length + end != size or not spans:
        raise Failed(f"{path} does not end where its last tensor ends")
    return len(spans)


def _span(tensor: Mapping[str, Any]) -> tuple[int, int]:
    start, stop = (int(offset) for offset in tensor["data_offsets"])
    bits = math.prod(int(length) for length in tensor["shape"]) * DTYPE_BITS[tensor["dtype"]]
    if not 0 <= start <= stop or min(tensor["shape"], default=0) < 0 or (stop - start) * 8 != bits:
        raise ValueError("a tensor's shape does not fit its bytes")
    return start, stop


def _leads_to_code(release: Release, path: str) -> Iterator[str]:
    if release.bundle.head(path, 4).startswith(PICKLE_OR_ZIP):
        yield f"{path} begins as a pickle or an archive does"
    if path.endswith(".json"):
        keys = set(_keys(release.bundle.json(path)))
        yield from (f"{path} has {key}, which leads to foreign code" for key in layout.CODE_KEYS if key in keys)


def _keys(content: Any) -> Iterator[str]:
    """All keys at any depth (a vocabulary's words are not keys that transformers follows, so they are skipped)."""
    todo = [content]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            yield from value
            todo.extend(value[key] for key in value if key != "vocab")
        elif isinstance(value, list):
            todo.extend(item for item in value if isinstance(item, (dict, list)))
