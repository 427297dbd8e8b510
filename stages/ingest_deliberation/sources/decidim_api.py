"""Read a snapshot that `commons snapshot` fetched from a Decidim instance's GraphQL API: no network, the same every time.

People are told apart by the numbers of their accounts (names are not fetched); the numbers become keyed hashes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stages.artifact import read_json
from stages.errors import Trouble
from stages.ingest_deliberation import pinned
from stages.ingest_deliberation.conversation import Conversation
from stages.ingest_deliberation.fetch_pages import SOURCE
from stages.ingest_deliberation.graphql import title
from stages.ingest_deliberation.proposals import Alignment, Proposal, Wordings, conversation

AGAIN = "fetch the snapshot again"


def read(path: Path, language: str) -> Conversation:
    """Read the snapshot's folder at `path`; refuses an incomplete or altered one."""
    if not path.is_dir():
        raise Trouble(f"{path} is not a folder; wanted a snapshot of decidim_api: make one with `commons snapshot`.")
    about = pinned.verify(path, needed=True)
    if about.get("source") != SOURCE:
        raise Trouble(
            f"{path} is a snapshot of {about.get('source')}; wanted {SOURCE}: set ingest_deliberation.source."
        )
    _check_no_more(path, about["files"])
    counts: Counter[str] = Counter()
    nodes, names = _nodes(path, about["files"], language, counts)
    amending = {str(one["emendation"]["id"]) for _, node in nodes for one in _list(node, "amendments") if _emends(one)}
    proposals, alignments = [], []
    for place, node in nodes:
        if str(node["id"]) in amending:
            counts["amendments to other proposals, left out"] += 1
        elif "publishedAt" in node and not node["publishedAt"]:
            counts["drafts that were never published, left out"] += 1
        else:
            proposals.append(_proposal(place, node, counts))
            alignments += list(_alignments(place, node))
    if not proposals:
        raise Trouble(f"{path} holds no proposal; wanted at least one: check the component's number and {AGAIN}.")
    return conversation(
        proposals,
        alignments,
        language,
        by_name=False,
        side_files=path,
        topic="; ".join(names),
        url=str(about.get("url", "")),
        quirks=counts,
        inputs=about["files"],
    )


def _check_no_more(path: Path, files: Mapping[str, str]) -> None:
    for page in sorted(path.rglob("page-*.json")):
        if page.relative_to(path).as_posix() not in files:
            raise Trouble(f"{page} is not in {pinned.DESCRIPTION}; wanted only what was fetched: remove it.")


def _nodes(
    path: Path, files: Mapping[str, str], language: str, counts: Counter[str]
) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    """Every proposal once, with its page, and the components' names."""
    nodes: dict[str, tuple[str, dict[str, Any]]] = {}
    names: dict[str, str] = {}
    for file in sorted(files):
        page = read_json(path / file)
        names[str(page["component"]["id"])] = title(page["component"].get("name"), language)
        for node in page["proposals"]:
            place, before = nodes.setdefault(str(node["id"]), (str(path / file), node))
            if before is not node:
                counts["proposals that two pages hold alike, counted once"] += 1
                if before != node:
                    raise Trouble(
                        f"{path / file}: proposal {node['id']} differs from {place}; wanted one state of the platform:"
                        f" it changed while it was fetched, {AGAIN}."
                    )
    ordered = [names[number] for number in sorted(names) if names[number]]
    return list(nodes.values()), ordered


def _list(node: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in node.get(name) or [] if one]


def _emends(amendment: Mapping[str, Any]) -> bool:
    return bool((amendment.get("emendation") or {}).get("id"))


def _proposal(place: str, node: Mapping[str, Any], counts: Counter[str]) -> Proposal:
    here = f"{place}, proposal {node['id']}"
    supports = node.get("voteCount")
    if supports is not None and (not isinstance(supports, int) or supports < 0):
        raise Trouble(f"{here}: voteCount is {str(supports)[:20]!r}; wanted a whole number or null: {AGAIN}.")
    likes = [*(node.get("likes") or []), *(node.get("endorsements") or [])]
    people = sorted({_person(one) for one in likes} - {""})
    counts["likes of people without a public account, left out"] += sum(not _person(one) for one in likes)
    return Proposal(
        id=_number(here, node["id"]),
        place=here,
        title=_wordings(node.get("title")),
        body=_wordings(node.get("body")),
        state=str(node.get("state") or ""),
        withdrawn=bool(node.get("withdrawn")),
        supports=supports,
        likes=tuple(people),
        author="" if node.get("official") else _person(node.get("author")),
        official=bool(node.get("official")),
    )


def _number(place: str, value: Any) -> int:
    if not str(value).isdecimal():
        raise Trouble(f"{place}: id is {str(value)[:20]!r}; wanted a whole number: {AGAIN}.")
    return int(value)


def _person(author: Any) -> str:
    number = (author or {}).get("id")
    return str(number) if number else ""


def _wordings(field: Any) -> Wordings:
    human: dict[str, str] = {}
    machine: dict[str, str] = {}
    for one in (field or {}).get("translations") or []:
        if one and one.get("text"):
            (machine if one.get("machineTranslated") else human)[str(one.get("locale") or "")] = str(one["text"])
    return Wordings(human, machine)


def _alignments(place: str, node: Mapping[str, Any]) -> Iterator[Alignment]:
    """The comments on the proposal itself; replies to them are not asked for."""
    for comment in _list(node, "comments"):
        here = f"{place}, comment {comment.get('id')}"
        value = comment.get("alignment") or 0
        if value not in (-1, 0, 1):
            raise Trouble(f"{here}: alignment is {str(value)[:20]!r}; wanted -1, 0 or 1: {AGAIN}.")
        order = (str(comment.get("createdAt") or ""), _number(here, comment.get("id")))
        yield Alignment(_number(here, node["id"]), _person(comment.get("author")), value, order)
