"""Find the files of documents: a file, a folder or a prefix of any store that fsspec knows, such as S3."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple, cast

from stages.errors import Trouble

MANIFEST = "licenses.csv"  # lies beside the documents and is none
SQUEEZED = re.compile(r"^([a-z][a-z0-9+]+):/(?!/)")  # what pathlib makes of "s3://"


class Source(NamedTuple):
    """One file of documents: its name in ids and messages, its size in bytes (-1: unknown), and how to open it."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


def address(path: str | Path) -> str:
    """The path as text, with both slashes of an address."""
    return SQUEEZED.sub(r"\1://", str(path))


def find_sources(path: str | Path, pattern: str, kinds: Iterable[str], prefix: str = "") -> list[Source]:
    """The readable files at `path` whose name fits `pattern`, sorted by name; raises Trouble where there is none."""
    where, suffixes = address(path), tuple(kinds)
    listed = _remote(where) if "://" in where else _local(Path(where))
    found = [
        source._replace(name=prefix + source.name)
        for source in sorted(listed, key=lambda source: source.name)
        if _wanted(source.name, pattern, suffixes)
    ]
    if not found:
        raise Trouble(
            f"{where} holds no file '{pattern}' that can be read; wanted one of: {', '.join(suffixes)}: "
            "check annotate_documents.path and annotate_documents.files."
        )
    return found


def _wanted(name: str, pattern: str, suffixes: tuple[str, ...]) -> bool:
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith((".", "_")) for part in parts)
    return not hidden and parts[-1] != MANIFEST and name.endswith(suffixes) and fnmatch.fnmatch(parts[-1], pattern)


def _local(path: Path) -> Iterator[Source]:
    if path.is_file():
        yield _file(path, path.name)
    elif path.is_dir():
        yield from (_file(p, p.relative_to(path).as_posix()) for p in path.rglob("*") if p.is_file())
    else:
        raise Trouble(f"{path} is missing; wanted documents there: set annotate_documents.path to a file or folder.")


def _file(path: Path, name: str) -> Source:
    return Source(name, path.stat().st_size, lambda: path.open("rb"))


def _remote(where: str) -> Iterator[Source]:
    store, root = _store(where)
    try:
        found = store.find(root, detail=True)
    except Exception as error:  # each store has exceptions of its own
        raise _unreachable(where, error) from None
    for name, about in found.items():
        relative = name.removeprefix(root).lstrip("/") or PurePosixPath(name).name
        yield Source(relative, int(about.get("size") or -1), _opener(store, name))


def _opener(store: Any, name: str) -> Callable[[], BinaryIO]:
    return lambda: cast(BinaryIO, store.open(name, "rb", block_size=1 << 23, cache_type="readahead"))


def _store(where: str) -> tuple[Any, str]:
    import fsspec

    try:
        store, root = fsspec.core.url_to_fs(where)
    except (ImportError, ValueError) as error:
        raise _unreachable(where, error) from None
    return store, root.rstrip("/")


def _unreachable(where: str, error: Exception) -> Trouble:
    return Trouble(
        f"{where} cannot be listed ({type(error).__name__}: {' '.join(str(error).split())}); check the address, and the"
        " credentials and endpoint in the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, …)."
    )


def read_beside(path: str | Path, name: str) -> bytes | None:
    """The content of a file that lies beside the documents; None where there is none."""
    where = address(path)
    if "://" not in where:
        folder = Path(where) if Path(where).is_dir() else Path(where).parent
        return (folder / name).read_bytes() if (folder / name).is_file() else None
    store, root = _store(where)
    for candidate in (f"{root}/{name}", f"{root.rpartition('/')[0]}/{name}"):
        if store.isfile(candidate):
            return cast(bytes, store.cat_file(candidate))
    return None
