"""Did the publisher say no? Read from captured robots.txt, tdmrep.json, ai.txt, headers and meta tags, never from the net.

A capture is a folder per host beside the documents, made when they were collected:

    captures/<host>/capture.json    {"captured": "2025-11-03"}
    captures/<host>/robots.txt      RFC 9309
    captures/<host>/ai.txt          Spawning's: the same syntax, for uses of AI alone
    captures/<host>/tdmrep.json     TDM Reservation Protocol (W3C community group), /.well-known/tdmrep.json
    captures/<host>/pages.jsonl     {"url": …, "headers": {"tdm-reservation": "1"}, "meta": {"tdm-reservation": "1"}}

A document is refused where any of the three ways refuses it. Within the TDM Reservation Protocol a header overrules the
file and a meta tag overrules the header (its section "Processing priority"); in the file the first matching rule counts.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from protego import Protego

from stages.artifact import read_json, read_text
from stages.errors import Trouble

Verdict = Literal["allowed", "refused", "not captured"]
RESERVATION = "tdm-reservation"


@dataclass(frozen=True)
class OptOut:
    """What was found for one document, with the evidence in words and the day of the capture."""

    verdict: Verdict
    evidence: str
    captured: str


NOT_CAPTURED = OptOut("not captured", "no capture of this host", "")
NO_ADDRESS = OptOut("not captured", "no address", "")


@dataclass(frozen=True)
class Capture:
    """What one host said on one day."""

    captured: str
    robots: Any = None  # Protego
    ai: Any = None  # Protego
    rules: tuple[tuple[str, bool], ...] = ()  # tdmrep.json in its order: pattern, reserved
    pages: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)  # url -> headers, meta


def read_captures(folder: Path) -> dict[str, Capture]:
    """Every host's capture below the folder, by host in lower case; raises Trouble that names what cannot be read."""
    if not folder.is_dir():
        raise Trouble(f"{folder} is missing; wanted a folder of captures, one folder per host (it may be empty).")
    return {path.name.casefold(): _capture(path) for path in sorted(folder.iterdir()) if path.is_dir()}


def _capture(folder: Path) -> Capture:
    about = read_json(folder / "capture.json")
    if not isinstance(about, dict) or not isinstance(about.get("captured"), str):
        raise Trouble(
            f'{folder / "capture.json"} does not say when; wanted {{"captured": "2025-11-03"}}: write the day.'
        )
    return Capture(
        captured=about["captured"],
        robots=_rules_file(folder / "robots.txt"),
        ai=_rules_file(folder / "ai.txt"),
        rules=_tdm_rules(folder / "tdmrep.json"),
        pages=_pages(folder / "pages.jsonl"),
    )


def _rules_file(path: Path) -> Any:
    return Protego.parse(read_text(path)) if path.exists() else None


def _tdm_rules(path: Path) -> tuple[tuple[str, bool], ...]:
    if not path.exists():
        return ()
    content = read_json(path)
    if not isinstance(content, list) or not all(isinstance(r, dict) and "location" in r for r in content):
        raise Trouble(f'{path} is no list of rules with "location"; wanted TDMRep\'s format: capture it again.')
    return tuple((str(rule["location"]), str(rule.get(RESERVATION, 0)) == "1") for rule in content)


def _pages(path: Path) -> dict[str, dict[str, dict[str, str]]]:
    if not path.exists():
        return {}
    pages = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        try:
            page = json.loads(line)
            said = {
                where: {k.casefold(): str(v) for k, v in page.get(where, {}).items()} for where in ("headers", "meta")
            }
            pages[page["url"]] = said
        except (json.JSONDecodeError, KeyError, AttributeError, TypeError):
            raise Trouble(
                f'{path}, line {number}: wanted {{"url": …, "headers": {{…}}, "meta": {{…}}}}: mend it.'
            ) from None
    return pages


def verdicts(urls: Iterable[str], captures: Mapping[str, Capture], agents: Sequence[str]) -> Iterator[OptOut]:
    """The verdict on each address; `agents` are the crawlers of AI whose exclusion counts as a refusal."""
    wanted = tuple(agents)
    for url in urls:
        # Where no host was captured, addresses need not be read; else most begin as another did.
        capture = captures.get(_host("/".join(url.split("/", 3)[:3]))) if captures else None
        yield (NOT_CAPTURED if url else NO_ADDRESS) if capture is None else _verdict(url, capture, wanted)


@functools.lru_cache(maxsize=65_536)
def _host(address: str) -> str:
    """The host of an address, or of its beginning up to the third slash; empty where it cannot be read."""
    try:
        return (urlsplit(address).hostname or "").casefold()
    except ValueError:  # a bracket without its other
        return ""


def _verdict(url: str, capture: Capture, agents: tuple[str, ...]) -> OptOut:
    for refusal in (_robots(url, capture, agents), _ai(url, capture), _tdm(url, capture)):
        if refusal:
            return OptOut("refused", refusal, capture.captured)
    looked_at = [
        name
        for name, there in (
            ("robots.txt", capture.robots is not None),
            ("ai.txt", capture.ai is not None),
            ("TDMRep", bool(capture.rules or capture.pages)),
        )
        if there
    ]
    return OptOut("allowed", f"nothing in {', '.join(looked_at) or 'the capture'} refuses it", capture.captured)


def _robots(url: str, capture: Capture, agents: tuple[str, ...]) -> str:
    if capture.robots is None:
        return ""
    refused = [agent for agent in agents if not capture.robots.can_fetch(url, agent)]
    return f"robots.txt excludes {', '.join(refused)}" if refused else ""


def _ai(url: str, capture: Capture) -> str:
    refused = capture.ai is not None and not capture.ai.can_fetch(url, "*")
    return "ai.txt excludes it" if refused else ""


def _tdm(url: str, capture: Capture) -> str:
    """The reservation that counts for the page: its meta tag, else its header, else the host's file."""
    page = capture.pages.get(url, {})
    for where, words in (("meta", "its meta tag"), ("headers", "its HTTP header")):
        if RESERVATION in page.get(where, {}):
            return f"{words} reserves text and data mining" if page[where][RESERVATION] == "1" else ""
    for location, reserved in capture.rules:
        if _matches(location, url):
            return f"tdmrep.json reserves {location}" if reserved else ""
    return ""


def _matches(location: str, url: str) -> bool:
    """Patterns are those of robots.txt (`*`, `$`, prefixes), so its parser reads them."""
    return not _pattern(location).can_fetch(url, "*")


@functools.lru_cache(maxsize=4096)
def _pattern(location: str) -> Any:
    return Protego.parse(f"User-agent: *\nDisallow: {' '.join(location.split())}\n")
