"""A real HTTP server on loopback that behaves like a Decidim instance or a file server, also badly."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Site:
    """What the server holds, how it misbehaves, and what it was asked."""

    proposals: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    max_page: int = 50
    refuse_pages_above: int | None = None  # answers with an error about complexity
    absent: set[tuple[str, str]] = field(default_factory=set)  # (type, field) that this version lacks
    trouble: list[str] = field(default_factory=list)  # one per request, the first first; "" answers well
    drop_after: int = 100  # bytes, for "drop"
    token: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve(site: Site) -> Iterator[Site]:
    """Run the server in a thread."""
    handler = type("Handler", (_Handler,), {"site": site})
    server = _Server(("127.0.0.1", 0), handler)
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up (or is killed) is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._note(**body)
        if self.site.token and self.headers.get("Authorization") != f"Bearer {self.site.token}":
            self._send(401, b"{}")
            return
        answer = json.dumps(_answer(self.site, body)).encode()
        self._answer_or_trouble(answer)

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self._note(path=self.path, range=self.headers.get("Range"))
        if path in self.site.redirects:
            self._send(302, b"", None, Location=self.site.redirects[path])
        elif path not in self.site.files:
            self._send(404, b"")
        else:
            content, tag = self.site.files[path], f'"{hash(self.site.files[path])}"'
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            begin = int(found.group(1)) if found and self.headers.get("If-Range") == tag else 0
            more = {"ETag": tag}
            if begin:
                more["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            self._answer_or_trouble(content[begin:], 206 if begin else 200, **more)

    def _note(self, **what: Any) -> None:
        self.site.asked.append(what | {"authorization": self.headers.get("Authorization")})

    def _answer_or_trouble(self, content: bytes, status: int = 200, **headers: str) -> None:
        trouble = self.site.trouble.pop(0) if self.site.trouble else ""
        if trouble == "drop":
            self._send(status, content, cut=self.site.drop_after, **headers)
        elif trouble.startswith("429") or trouble.startswith("5"):
            code, _, wait = trouble.partition(" ")
            self._send(int(code), b"later", cut=None, **({"Retry-After": wait} if wait else {}))
        elif trouble == "html":
            self._send(200, b"<html>down for maintenance</html>")
        else:
            self._send(status, content, cut=None, **headers)

    def _send(self, status: int, content: bytes, cut: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if cut is None else content[:cut])
        if cut is not None:
            self.close_connection = True


def _answer(site: Site, body: dict[str, Any]) -> dict[str, Any]:
    query, variables = body["query"], body.get("variables") or {}
    if "participatoryProcesses" in query:
        one = {
            "id": "12",
            "__typename": "Proposals",
            "name": {"translations": [{"locale": "eu", "text": "AA eta hiria"}]},
        }
        other = {"id": "13", "__typename": "Meetings", "name": None}
        return {"data": {"participatoryProcesses": [{"components": [one, other]}], "assemblies": []}}
    lacking = [(type_, name) for type_, name in sorted(site.absent) if re.search(rf"\b{name}\b", query)]
    if lacking:
        return {"errors": [{"message": f"Field '{name}' doesn't exist on type '{type_}'"} for type_, name in lacking]}
    first = variables["first"]
    if site.refuse_pages_above is not None and first > site.refuse_pages_above:
        return {"errors": [{"message": f"Query has complexity of {first * 200}, which exceeds max complexity of 5000"}]}
    if variables["component"] != "12":
        return {
            "data": {"component": None if variables["component"] == "99" else {"__typename": "Meetings", "id": "13"}}
        }
    begin = int(variables["after"] or 0)
    end = min(begin + min(first, site.max_page), len(site.proposals))
    edges = [{"node": node} for node in site.proposals[begin:end]]
    info = {"hasNextPage": end < len(site.proposals), "endCursor": str(end) if edges else None}
    name = {"translations": [{"locale": "eu", "text": "AA eta hiria"}, {"locale": "es", "text": "IA y ciudad"}]}
    return {"data": {"component": {"__typename": "Proposals", "id": "12", "name": name,
                                   "proposals": {"pageInfo": info, "edges": edges}}}}  # fmt: skip
