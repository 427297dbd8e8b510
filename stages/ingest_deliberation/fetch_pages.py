"""Fetch the proposals of a Decidim instance's components into a pinned snapshot; a killed fetch continues by cursor."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from stages.errors import Trouble
from stages.ingest_deliberation import pinned
from stages.ingest_deliberation.graphql import Api, Ask, Page, endpoint
from stages.ingest_deliberation.polite import Manners, Polite, check_url, client

TOKEN = "COMMONS_DECIDIM_TOKEN"  # for instances that want a sign-in; only ever in the environment  # noqa: S105
SOURCE = "decidim_api"


@dataclass
class State:
    """How far the fetch has come; written after every page."""

    url: str
    components: list[str]
    page_size: int
    absent: list[list[str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)  # page -> sha256
    component: int = 0  # index of the one being fetched
    cursor: str | None = None
    pages: int = 0  # of that component
    proposals: int = 0

    def write(self, folder: Path) -> None:
        pinned.write_whole(folder / pinned.STATE, pinned.canonical(asdict(self)))


def fetch(
    url: str,
    folder: Path,
    components: Sequence[str],
    polite: Polite,
    manners: Manners,
    say: Callable[[str], None],
) -> None:
    """Fetch into `folder`; the same call continues what was interrupted."""
    api_url, named = endpoint(check_url(url))
    wanted = sorted(set(components) | ({named} if named else set()), key=int)
    with client(api_url, manners, os.environ.get(TOKEN, "")) as http:
        api = Api(api_url, http, polite, Ask())
        if not wanted:
            raise _which(api, url)
        state = _begin(folder, api_url, wanted, say)
        api.ask = Ask(state.page_size, frozenset((type_, name) for type_, name in state.absent))
        partial = pinned.partial_of(folder)
        while state.component < len(wanted):
            _next_page(api, state, partial, say)
    about = {"source": SOURCE, "url": api_url, "components": wanted, "pages": len(state.files)}
    about |= {"fields_absent": state.absent, "fetched_at": datetime.now(UTC).isoformat(timespec="seconds")}
    pinned.finish(folder, about, state.files)


def _which(api: Api, url: str) -> Trouble:
    found = api.proposal_components()
    listed = ", ".join(f"{number} ({name[:40]})" if name else number for number, name in found[:10])
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""
    return Trouble(f"{url} names no component; wanted --component ID; with proposals: {listed or 'none'}{more}.")


def _begin(folder: Path, url: str, components: list[str], say: Callable[[str], None]) -> State:
    """The state that an interrupted fetch left, or a new one."""
    partial = pinned.partial_of(folder)
    path = partial / pinned.STATE
    if not path.exists():
        state = State(url, components, Ask().page_size)
        state.write(partial)
        return state
    try:
        state = State(**json.loads(path.read_text(encoding="utf-8")))
        same = (state.url, state.components) == (url, components)
    except (ValueError, TypeError):
        raise Trouble(f"{path} cannot be read; remove {partial} and run the command again.") from None
    if not same:
        raise Trouble(
            f"{partial} holds half a snapshot of {state.url}, components {', '.join(state.components)};"
            " wanted the same address and components: give them again, or remove that folder."
        )
    for name, digest in state.files.items():
        if not (partial / name).is_file() or pinned.sha256_of(partial / name) != digest:
            raise Trouble(f"{partial / name} was changed since it was fetched; remove {partial} and begin again.")
    say(f"continuing after {len(state.files)} pages, {state.proposals} proposals")
    return state


def _next_page(api: Api, state: State, partial: Path, say: Callable[[str], None]) -> None:
    component = state.components[state.component]
    page = api.page(component, state.cursor)
    name = f"component-{component}/page-{state.pages + 1:05}.json"
    state.files[name] = pinned.write_whole(partial / name, _content(page))
    state.pages += 1
    state.proposals += len(page.nodes)
    state.cursor = page.cursor if page.more else None
    state.page_size, state.absent = api.ask.page_size, sorted(map(list, api.ask.absent))
    say(f"component {component}: page {state.pages}, {state.proposals} proposals so far")
    if not page.more:
        state.component, state.pages = state.component + 1, 0
    state.write(partial)


def _content(page: Page) -> bytes:
    """What a page's file holds: no cursors, which some instances make anew for every request."""
    return pinned.canonical({"component": page.component, "proposals": page.nodes})
