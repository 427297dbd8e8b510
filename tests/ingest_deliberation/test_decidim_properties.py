"""Whatever an export holds, reading ends in a conversation or in one line of trouble; the order never matters."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import Trouble
from stages.ingest_deliberation import sources
from stages.ingest_deliberation.clean_text import has_invisible
from stages.ingest_deliberation.html_text import plain

TRIES = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
PIECES = st.sampled_from(["<p>", "</p>", "<", ">", "<!--", "-->", "<![", "]]>", "&lt;", "&", "<script>", "</script>",
                          '<a href="', '"', "'", "</", "<?", "ñ", "ura", " ", "\n", "\u200b", "<li>", "@ane", "a@b.eus"])  # fmt: skip
HTML = st.lists(PIECES, max_size=25).map("".join)
CELL = st.one_of(HTML, st.sampled_from(["", "0", "1", "-1", "7", "true", "withdrawn", "x;y", 'a"b']))
COLUMNS = ["id", "title/eu", "title", "body/eu", "body/machine_translations/es", "state", "votes", "likes/user_likes",
           "likes/total_count", "is_amend", "published_at", "withdrawn", "author/name", "component/id"]  # fmt: skip


@TRIES
@given(HTML)
def test_any_html_becomes_text_without_invisible_characters(html: str) -> None:
    text = plain(html)
    assert not any(has_invisible(line) for line in text.split("\n"))
    assert not any(line != line.strip() or not line for line in text.split("\n") if text)


@TRIES
@given(st.binary(max_size=300), st.sampled_from([b"", b"id;title;body\n", b"id,title/eu,body/eu,votes\n1,"]))
def test_any_bytes_end_in_a_conversation_or_one_line(content: bytes, start: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "proposals.csv"
        path.write_bytes(start + content)
        try:
            assert sources.read("decidim", path, "eu").statements
        except Trouble as trouble:
            assert "\n" not in str(trouble)
            assert "proposals.csv" in str(trouble)


@TRIES
@given(
    st.lists(st.lists(CELL, min_size=len(COLUMNS) - 1, max_size=len(COLUMNS) - 1), min_size=1, max_size=6), st.randoms()
)
def test_any_table_reads_the_same_in_any_order(cells: list[list[str]], chance: object) -> None:
    rows = [dict(zip(COLUMNS, [str(number), *line], strict=True)) for number, line in enumerate(cells, start=1)]
    first = outcome(rows, COLUMNS, ";")
    columns, mixed = list(COLUMNS), list(rows)
    chance.shuffle(columns)  # type: ignore[attr-defined]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    again = outcome(mixed, columns, ",")
    if isinstance(first, str) or isinstance(again, str):
        assert isinstance(first, str) and isinstance(again, str)  # the first bad row differs, that it is bad does not
    else:
        assert first == again


def outcome(rows: list[dict[str, str]], columns: list[str], delimiter: str) -> object:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "proposals.csv"
        path.write_text(out.getvalue(), encoding="utf-8", newline="")
        try:
            found = sources.read("decidim", path, "eu")
        except Trouble as trouble:
            return str(trouble)
    votes = found.votes
    table = (votes.participants, votes.participant.tolist(), votes.statement.tolist(), votes.vote.tolist())
    return found.statements, table, list(found.quirks.items()), found.kind
