"""What people wrote in a web editor becomes plain text, and nothing of it comes alive."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from stages.ingest_deliberation.html_text import plain
from stages.ingest_deliberation.private_text import E_MAILS, MENTIONS, redacted


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Més carrils bici.</p><p>I més ombra.</p>", "Més carrils bici.\nI més ombra."),
        ("<ul><li>Uno</li><li>Dos<ol><li>Tres</li></ol></li></ul>", "• Uno\n• Dos\n• Tres"),
        ('Ikusi <a href="javascript:alert(1)">hemen</a>, mesedez.', "Ikusi hemen, mesedez."),
        ("l&#39;aigua &amp; el sòl&nbsp;net &eacute;s", "l'aigua & el sòl net és"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("a < b and 3 <4 <3", "a < b and 3 <4 <3"),
        ("un text\nsense marques", "un text sense marques"),
        ("<script>alert('x')</script>Net<style>p{}</style>", "Net"),
        ("Abans<script>mai tancat <p>perdut", "Abans"),
        ("<scr<script>ipt>alert(1)</script>", "<scr"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),  # as text; pages escape it
        ("a<!-- <p>amagat</p> < -->b<!-- mai tancat <p>c", "ab"),
        ("x<!-- hidden -->y<![CDATA[z]]><![if lt IE]>", "xy<![CDATA[z]]><![if lt IE]>"),
        ("<iframe src=a>dins</iframe><svg><text>t</text></svg>fora", "fora"),
        ("<td>a</td><td>b</td>", "a b"),
        ("zero\u200bample\u202e", "zeroample"),
        ("<ul><li></li><li>  </li></ul>", ""),
        ("", ""),
    ],
)
def test_html_becomes_text(html: str, text: str) -> None:
    assert plain(html) == text


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<a ", "</", "&", "<![", "<p>", "<?", '<a b="', "<script>", "<!", "<a b='>", "<p><!-- "]
)
def test_malformed_text_costs_no_more_than_its_length(piece: str) -> None:
    start = time.monotonic()
    plain(piece * (200_000 // len(piece)))
    assert time.monotonic() - start < 5


def test_pasted_pictures_are_no_text() -> None:
    assert plain(f'a<img src="data:image/png;base64,{"A" * 3_000_000}">b') == "ab"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Escriu a joana.puig@example.cat!", "Escriu a [e-mail]!"),
        ("Idatzi: ane+1@epostak.eus edo jon(at)adibidea.eus", "Idatzi: [e-mail] edo [e-mail]"),
        ("Ho diu @joana_p, no 3@4", "Ho diu [person], no 3@4"),
        ("gid://decidim-city/Decidim::User/12 hi és", "[person] hi és"),
    ],
)
def test_addresses_and_mentions_give_way_to_placeholders(text: str, expected: str) -> None:
    counts: Counter[str] = Counter()
    assert redacted(text, counts) == expected
    assert counts[E_MAILS] == expected.count("[e-mail]")
    assert counts[MENTIONS] == expected.count("[person]")


@pytest.mark.parametrize("piece", ["a", "a.", "a@", "gid://", "@", "a@b.", "(at)"])
def test_looking_for_addresses_costs_no_more_than_the_text_s_length(piece: str) -> None:
    start = time.monotonic()
    redacted(piece * (200_000 // len(piece)), Counter())
    assert time.monotonic() - start < 5
