"""Turn what people wrote in a web editor (HTML) into plain text: nothing of it comes alive, hidden parts are dropped."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from stages.ingest_deliberation.clean_text import clean

# What a browser does not show as text: its content is a program, a style or another document.
DROPPED = {"script", "style", "template", "iframe", "object", "svg", "math", "head", "noscript"}
BLOCKS = {
    "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
BULLET = "• "

# Pictures pasted into the editor come as megabytes of base64 inside an attribute: not text.
DATA_URI = re.compile(r"""(["'])data:[^"']*\1""", re.IGNORECASE)

UNCLOSED = re.compile(r"<(?![^<>]*>)")


def plain(html: str) -> str:
    """The text of `html`: one line per paragraph or list item (items begin with a bullet), links by their words."""
    reader = _Reader()
    reader.feed(_tame(DATA_URI.sub('""', html)))
    reader.close()
    lines = (clean(line) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line and line != BULLET.strip())


def _tame(html: str) -> str:
    """The same text for the parser, without what it gives up on or takes minutes for."""
    kept = []
    while True:
        shown, comment, html = html.partition("<!--")
        kept.append(shown)
        if not comment:
            break
        html = html.partition("-->")[2]  # a comment that never ends hides the rest, as in browsers
    # A `<` without its `>` is text; html.parser would search to the end for every one of them.
    return UNCLOSED.sub("&lt;", "".join(kept)).replace("<![", "&lt;![")


class _Reader(HTMLParser):
    """Collects text; `parts` holds pieces, with a line end wherever a block begins or ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._dropping = ""  # the element that is being passed over
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping:
            self._depth += tag == self._dropping
        elif tag in DROPPED:
            self._dropping, self._depth = tag, 1
        elif tag in BLOCKS:
            self.parts.append("\n" + (BULLET if tag == "li" else ""))
        elif tag in {"td", "th"}:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            self._depth -= tag == self._dropping
            if not self._depth:
                self._dropping = ""
        elif tag in BLOCKS:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS and not self._dropping:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            # A line end inside a paragraph is white space in HTML; only blocks make lines.
            self.parts.append(data.replace("\n", " "))
