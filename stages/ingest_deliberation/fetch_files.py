"""Fetch an export's files (a Polis export, Decidim's open data) into a pinned snapshot; a broken download resumes."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

from stages.errors import Trouble
from stages.ingest_deliberation import pinned
from stages.ingest_deliberation.opening import unpack
from stages.ingest_deliberation.polite import REDIRECTS, Manners, Polite, check_answer, check_url, client, host

if TYPE_CHECKING:
    import httpx

# The files of a Polis export as the sources read them -> the names under which servers offer them.
POLIS_FILES = {
    "comments.csv": ("comments.csv",),
    "votes.csv": ("votes.csv",),
    "participants-votes.csv": ("participants-votes.csv", "participant-votes.csv"),
    "summary.csv": ("summary.csv",),
}
OPEN_DATA = "/open-data/download"  # where a Decidim instance offers its zip
MAX_REDIRECTS = 5
STEP = 10 << 20  # bytes between two lines of progress


@dataclass
class State:
    """What is there already; written after every file."""

    request: str  # sha256 of what was asked for: an address may hold a secret and is not written
    files: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    zip_sha256: str = ""
    version: dict[str, str] = field(default_factory=dict)  # of the file being fetched: its ETag or Last-Modified

    def write(self, folder: Path) -> None:
        pinned.write_whole(folder / pinned.STATE, pinned.canonical(asdict(self)))


@dataclass(frozen=True)
class Errand:
    """What is fetched with what."""

    polite: Polite
    manners: Manners
    say: Callable[[str], None]
    max_bytes: int


def fetch(url: str, folder: Path, source: str, components: Sequence[str], errand: Errand) -> None:
    """Fetch the export at `url` into `folder`; the same call continues what was interrupted."""
    url = address(url, source)
    state = _begin(folder, url, source, components)
    partial = pinned.partial_of(folder)
    single = "" if url.endswith("/") else _file_name(url, source)
    with client(url, errand.manners) as http:
        if single:
            _fetch_one(http, url, single, state, partial, errand)
            _check_single(partial, single, state, source)
        else:
            _fetch_polis_folder(http, url, state, partial, errand)
    if components:
        lines = "component\n" + "".join(f"{number}\n" for number in sorted(set(components), key=int))
        pinned.write_whole(partial / "components.csv", lines.encode())  # not pinned: it may be edited
    about = {"source": source, "url": _public(url), "components": sorted(set(components), key=int)}
    about |= {
        "absent": state.absent,
        "zip_sha256": state.zip_sha256,
        "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    pinned.finish(folder, about, state.files)


def address(url: str, source: str) -> str:
    """The URL to fetch; the bare address of a Decidim instance means its open data."""
    parts = urlsplit(check_url(url))
    if source == "decidim" and parts.path in {"", "/"}:
        return urlunsplit((parts.scheme, parts.netloc, OPEN_DATA, "", ""))
    return url


def _public(url: str) -> str:
    """The URL without its query, which may hold a signature."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def _file_name(url: str, source: str) -> str:
    csv = urlsplit(url).path.lower().endswith(".csv")
    return ("proposals.csv" if source == "decidim" else "comments.csv") if csv else "export.zip"


def _begin(folder: Path, url: str, source: str, components: Sequence[str]) -> State:
    partial = pinned.partial_of(folder)
    request = hashlib.sha256("\n".join([url, source, *sorted(components)]).encode()).hexdigest()
    path = partial / pinned.STATE
    if not path.exists():
        state = State(request)
        state.write(partial)
        return state
    try:
        state = State(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise Trouble(f"{path} cannot be read; remove {partial} and run the command again.") from None
    if state.request != request:
        raise Trouble(
            f"{partial} holds half a snapshot of something else; give the same address, or remove that folder."
        )
    return state


def _fetch_polis_folder(http: httpx.Client, url: str, state: State, partial: Path, errand: Errand) -> None:
    for name, offered in POLIS_FILES.items():
        if name in state.files or name in state.absent:
            continue
        for candidate in offered:
            if _fetch_one(http, urljoin(url, candidate), name, state, partial, errand, may_be_absent=True):
                break
        else:
            state.absent.append(name)
            state.write(partial)
    if "comments.csv" not in state.files or not {"votes.csv", "participants-votes.csv"} & state.files.keys():
        shutil.rmtree(partial)
        raise Trouble(
            f"{_public(url)} offers {', '.join(state.files) or 'nothing'}; wanted comments.csv and votes.csv or"
            " participants-votes.csv: check the address (it ends in / and holds the export's files)."
        )


def _fetch_one(
    http: httpx.Client,
    url: str,
    name: str,
    state: State,
    partial: Path,
    errand: Errand,
    may_be_absent: bool = False,
) -> bool:
    """Fetch one file; False where the server does not have it."""
    if name in state.files:
        return True
    download = _Download(http, url, partial / (name + ".part"), state, partial, errand)
    if not errand.polite.patiently(url, lambda: download.go(may_be_absent)):
        return False
    path = partial / (name + ".part")
    state.files[name] = pinned.sha256_of(path)
    size = path.stat().st_size
    path.rename(partial / name)
    state.version = {}
    state.write(partial)
    errand.say(f"{name}: {size:,} bytes, sha256 {state.files[name]}")
    return True


@dataclass
class _Download:
    """One file that grows with every attempt."""

    http: httpx.Client
    url: str
    path: Path
    state: State
    folder: Path
    errand: Errand

    def go(self, may_be_absent: bool) -> bool:
        """Fetch what is missing; False for 404 where that may be."""
        url = self.url
        for _ in range(MAX_REDIRECTS):
            have = self.path.stat().st_size if self.path.exists() else 0
            headers = self._headers(have)
            with self.http.stream("GET", url, headers=headers) as response:
                if response.status_code in REDIRECTS and "location" in response.headers:
                    url = check_url(urljoin(url, response.headers["location"]))
                    continue
                if response.status_code in {404, 410} and may_be_absent:
                    return False
                if response.status_code == 416:  # what is here is longer than the file there
                    self._forget()
                    continue
                check_answer(response)
                self._take(response, have if response.status_code == 206 else 0)
                return True
        raise Trouble(f"{_public(self.url)} leads from one address to the next without end; give the last one.")

    def _headers(self, have: int) -> dict[str, str]:
        version = self.state.version.get(self.path.name, "")
        if not have or not version:
            return {"Accept-Encoding": "identity"}
        # If-Range: the rest only if the file is still the same one, else all of it.
        return {"Accept-Encoding": "identity", "Range": f"bytes={have}-", "If-Range": version}

    def _forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self.state.version = {}

    def _take(self, response: httpx.Response, have: int) -> None:
        if have and not re.match(rf"bytes {have}-", response.headers.get("content-range", "")):
            self._forget()
            raise Trouble(f"{host(self.url)} sent another part than was asked for; run the command again.")
        tag = response.headers.get("etag", "")
        version = tag if tag and not tag.startswith("W/") else response.headers.get("last-modified", "")
        self.state.version = {self.path.name: version} if version else {}
        self.state.write(self.folder)
        size, said = have, have
        with self.path.open("ab" if have else "wb") as file:
            for piece in response.iter_raw():
                size += len(piece)
                if size > self.errand.max_bytes:
                    self._too_large()
                file.write(piece)
                if size - said >= STEP:
                    said = size
                    self.errand.say(f"{self.path.name.removesuffix('.part')}: {size >> 20} MiB so far")

    def _too_large(self) -> None:
        self.path.unlink()
        raise Trouble(
            f"{_public(self.url)} is larger than {self.errand.max_bytes >> 20} MiB; check the address, or raise --max-mib."
        )


def _check_single(partial: Path, name: str, state: State, source: str) -> None:
    """Name the single file after what it is, and unpack a Polis export; raises Trouble where it is neither zip nor CSV."""
    path = partial / name
    if zipfile.is_zipfile(path):
        wanted = "export.zip"
    else:
        start = path.read_bytes()[:2000].lstrip(b"\xef\xbb\xbf \r\n\t")
        if source != "decidim" or start[:1] in {b"<", b"{", b""} or start[:2] == b"PK":
            kind = "a broken zip" if start[:2] == b"PK" else "a web page" if start[:1] == b"<" else "no zip"
            shutil.rmtree(partial)
            raise Trouble(f"What was fetched is {kind}; wanted the export as a zip or CSV: check the address.")
        wanted = "proposals.csv"
    if wanted != name:
        path.rename(partial / wanted)
        state.files[wanted] = state.files.pop(name)
    if source == "polis":
        _unpack(partial, wanted, state)


def _unpack(partial: Path, name: str, state: State) -> None:
    """A Polis export as its files, which people can look at; the zip's sha256 stays in the description."""
    inside = partial / "export"
    shutil.rmtree(inside, ignore_errors=True)
    inside.mkdir()
    unpack(partial / name, inside)
    state.zip_sha256 = state.files.pop(name)
    for path in sorted(inside.rglob("*")):
        if path.is_file():
            state.files[path.relative_to(partial).as_posix()] = pinned.sha256_of(path)
    (partial / name).unlink()
