"""Ask a Decidim instance's GraphQL API for the proposals of a component, page by page.

Names are never asked for: people are told apart by the numbers of their accounts. The query goes 8 levels deep and
uses no alias (an instance allows 15 levels and 5 aliases by default). Fields that this version of Decidim does not
have (likes were endorsements) are left out after it says so; a page that is too complex is asked for in halves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from stages.errors import Trouble
from stages.ingest_deliberation.clean_text import clean
from stages.ingest_deliberation.polite import Later, Polite, check_answer, host

if TYPE_CHECKING:
    import httpx

# type -> field -> the type it leads to ("" for a plain value). Both vocabularies: endorsements until 0.29, then likes.
FIELDS: dict[str, dict[str, str]] = {
    "Proposal": {
        "id": "",
        "title": "TranslatedField",
        "body": "TranslatedField",
        "state": "",
        "withdrawn": "",
        "official": "",
        "publishedAt": "",
        "voteCount": "",
        "likes": "Author",
        "endorsements": "Author",
        "author": "Author",
        "comments": "Comment",
        "amendments": "Amendment",
    },
    "TranslatedField": {"translations": "LocalizedString"},
    "LocalizedString": {"locale": "", "text": "", "machineTranslated": ""},
    "Author": {"id": ""},
    "Comment": {"id": "", "createdAt": "", "alignment": "", "author": "Author"},
    "Amendment": {"emendation": "AmendableEntityInterface"},
    "AmendableEntityInterface": {"id": ""},
}
NEEDED = {("Proposal", "id"), ("Proposal", "title"), ("LocalizedString", "locale"), ("LocalizedString", "text")}
NO_FIELD = re.compile(r"Field '(\w+)' doesn't exist on type '(\w+)'")
TOO_MUCH = re.compile(r"complexity|page size|per page|too many|max(?:imum)? (?:depth|limit)", re.IGNORECASE)
THROTTLED = re.compile(r"throttl|rate limit|timeout|timed out", re.IGNORECASE)

MAX_ANSWER = 64 << 20  # bytes of one page
PAGE_SIZE = 50  # Decidim's default maximum


@dataclass(frozen=True)
class Ask:
    """What is asked for, as far as the instance allows."""

    page_size: int = PAGE_SIZE
    absent: frozenset[tuple[str, str]] = frozenset()  # (type, field) that this version does not have

    def query(self) -> str:
        """The query for one page of a component's proposals."""
        return (
            "query($component: ID!, $first: Int!, $after: String) { component(id: $component) { __typename id"
            " name { translations { locale text } } ... on Proposals { proposals(first: $first, after: $after)"
            " { pageInfo { hasNextPage endCursor } edges { node { " + self._selection("Proposal") + " } } } } } }"
        )

    def _selection(self, type_: str) -> str:
        chosen = []
        for name, leads_to in FIELDS[type_].items():
            inner = self._selection(leads_to) if leads_to else ""
            if (type_, name) not in self.absent and (inner or not leads_to):
                chosen.append(f"{name} {{ {inner} }}" if inner else name)
        return " ".join(chosen)


@dataclass(frozen=True)
class Page:
    """One page of proposals."""

    component: dict[str, Any]  # id, type and name
    nodes: list[dict[str, Any]]
    cursor: str
    more: bool


class Api:
    """A Decidim instance's API; `ask` is what it turned out to allow."""

    def __init__(self, url: str, http: httpx.Client, polite: Polite, ask: Ask) -> None:
        self.url, self._http, self._polite, self.ask = url, http, polite, ask

    def page(self, component: str, after: str | None) -> Page:
        """The page of proposals after the cursor."""
        while True:
            variables = {"component": component, "first": self.ask.page_size, "after": after}
            answer = self._answer({"query": self.ask.query(), "variables": variables})
            if not answer.get("errors"):
                return _page(self.url, component, answer.get("data"), after)
            self.ask = self._less(answer["errors"])

    def proposal_components(self) -> list[tuple[str, str]]:
        """Number and name of the components with proposals in all processes and assemblies."""
        fields = "components { id __typename name { translations { locale text } } }"
        query = f"{{ participatoryProcesses {{ {fields} }} assemblies {{ {fields} }} }}"
        data = self._answer({"query": query}).get("data") or {}
        spaces = [space for name in ("participatoryProcesses", "assemblies") for space in data.get(name) or []]
        found = [one for space in spaces for one in (space or {}).get("components") or []]
        return [(str(one["id"]), title(one.get("name"))) for one in found if one.get("__typename") == "Proposals"]

    def _answer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        return self._polite.patiently(self.url, lambda: self._once(content))

    def _once(self, content: Mapping[str, Any]) -> dict[str, Any]:
        with self._http.stream("POST", self.url, json=content) as response:
            check_answer(response)
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_ANSWER:
                    raise Trouble(f"{self.url} sent more than {MAX_ANSWER >> 20} MiB for one page; ask its operators.")
        try:
            answer = json.loads(bytes(body))
        except ValueError:
            raise Trouble(f"{self.url} did not answer in JSON; wanted a GraphQL API: check the address.") from None
        if not isinstance(answer, dict):
            raise Trouble(f"{self.url} did not answer as GraphQL; wanted data or errors: check the address.")
        if any(THROTTLED.search(message) for message in _messages(answer.get("errors") or [])):
            raise Later("says that it is asked too much")
        return answer

    def _less(self, errors: Sequence[Any]) -> Ask:
        """What is asked for next after the instance refused; raises Trouble where it refuses for another reason."""
        absent = {pair for message in _messages(errors) for pair in _absent(message)}
        if absent - self.ask.absent:
            if absent & NEEDED:
                raise Trouble(f"{host(self.url)} has no {'.'.join(min(absent & NEEDED))}; wanted a Decidim API.")
            return replace(self.ask, absent=self.ask.absent | absent)
        if self.ask.page_size > 1 and any(TOO_MUCH.search(message) for message in _messages(errors)):
            return replace(self.ask, page_size=self.ask.page_size // 2)
        first = next(iter(_messages(errors)), "no message")
        raise Trouble(
            f"{host(self.url)} refuses the query: {clean(first)[:200]!r}; check the component and the rights."
        )


def _messages(errors: Sequence[Any]) -> list[str]:
    return [str(error.get("message", "")) if isinstance(error, dict) else str(error) for error in errors]


def _absent(message: str) -> set[tuple[str, str]]:
    """The fields that a message says do not exist; under every type of ours where its type has another name here."""
    pairs = set()
    for name, type_ in NO_FIELD.findall(message):
        types = [type_] if type_ in FIELDS else list(FIELDS)
        pairs |= {(one, name) for one in types if name in FIELDS[one]}
    return pairs


def _page(url: str, component: str, data: Any, after: str | None) -> Page:
    found = data.get("component") if isinstance(data, dict) else None
    if not found:
        raise Trouble(f"{host(url)} has no public component {component}; wanted one with proposals: check its number.")
    if found.get("__typename") != "Proposals":
        kind = clean(str(found.get("__typename")))[:40]
        raise Trouble(f"Component {component} of {host(url)} holds {kind}; wanted Proposals: check its number.")
    try:
        listed = found["proposals"]
        info, nodes = listed["pageInfo"], [edge["node"] for edge in listed["edges"] if edge and edge["node"]]
        more, cursor = bool(info["hasNextPage"]), str(info["endCursor"] or "")
    except (KeyError, TypeError):
        raise Trouble(f"{host(url)} sent a page without proposals or pageInfo; wanted a Decidim API.") from None
    if more and (not cursor or cursor == after):
        raise Trouble(f"{host(url)} says that more pages follow but not where ({cursor[:20]!r}); ask its operators.")
    about = {"id": str(found.get("id")), "name": found.get("name")}
    return Page(about, nodes, cursor, more)


def title(name: Any, language: str = "") -> str:
    """A translated name in the language, else in the first of the alphabet."""
    texts = {}
    for one in (name or {}).get("translations") or []:
        if one and one.get("text"):
            texts[str(one.get("locale"))] = clean(str(one["text"]))
    return texts.get(language) or (texts[min(texts)] if texts else "")


def endpoint(url: str) -> tuple[str, str]:
    """The API's address and the component that the URL names, if any.

    `https://host/processes/name/f/12/` is component 12 of the instance at `https://host`.
    """
    parts = urlsplit(url)
    path, component = parts.path.rstrip("/"), ""
    inside = re.search(r"/(?:processes|assemblies|conferences|initiatives|votings)/.*$", path)
    if inside:
        number = re.search(r"/f/(\d+)(?:/|$)", inside.group(0))
        component = number.group(1) if number else ""
        path = path[: inside.start()]
    if not path.endswith(("/api", "/api/graphql")):
        path += "/api"
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), component
