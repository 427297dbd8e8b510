"""A publisher's no is found wherever it was said, with the evidence; silence is not consent to be invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.annotate_documents.opt_out import read_captures, verdicts
from stages.errors import Trouble

AGENTS = ("GPTBot", "CCBot", "Google-Extended")
PAGE = "https://www.udala.example/albisteak/1.html"


def host(folder: Path, name: str = "www.udala.example", **files: object) -> Path:
    place = folder / name
    place.mkdir(parents=True)
    (place / "capture.json").write_text('{"captured": "2025-11-03"}', encoding="utf-8")
    for file, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (place / file.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def verdict(folder: Path, url: str = PAGE) -> tuple[str, str, str]:
    (found,) = verdicts([url], read_captures(folder), AGENTS)
    return found.verdict, found.evidence, found.captured


def test_robots_that_name_a_crawler_of_ai(tmp_path: Path) -> None:
    host(
        tmp_path,
        robots_txt="User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\nAllow: /legeak/\n\nUser-agent: *\nDisallow: /barne/",
    )
    assert verdict(tmp_path) == ("refused", "robots.txt excludes GPTBot, CCBot", "2025-11-03")
    # the longer rule wins (RFC 9309), and the crawler without a group of its own follows the general one
    assert verdict(tmp_path, "https://www.udala.example/legeak/3")[0] == "allowed"
    assert (
        verdict(tmp_path, "https://www.udala.example/barne/3")[1]
        == "robots.txt excludes GPTBot, CCBot, Google-Extended"
    )


def test_ai_txt(tmp_path: Path) -> None:
    host(tmp_path, ai_txt="User-Agent: *\nDisallow: *.html\nAllow: /")
    assert verdict(tmp_path) == ("refused", "ai.txt excludes it", "2025-11-03")
    assert verdict(tmp_path, "https://www.udala.example/a.pdf") == (
        "allowed",
        "nothing in ai.txt refuses it",
        "2025-11-03",
    )


def test_the_first_matching_rule_of_tdmrep_counts(tmp_path: Path) -> None:
    rules = [
        {"location": "/albisteak/*.html$", "tdm-reservation": 0},
        {"location": "/albisteak/", "tdm-reservation": 1, "tdm-policy": "https://udala.example/policy"},
    ]
    host(tmp_path, tdmrep_json=rules)
    assert verdict(tmp_path)[0] == "allowed"
    assert verdict(tmp_path, "https://www.udala.example/albisteak/1")[1] == "tdmrep.json reserves /albisteak/"


@pytest.mark.parametrize(
    ("headers", "meta", "found"),
    [
        ({"TDM-Reservation": "1"}, {}, "its HTTP header reserves text and data mining"),
        ({"tdm-reservation": "1"}, {"tdm-reservation": "0"}, ""),
        ({"tdm-reservation": "0"}, {"tdm-reservation": 1}, "its meta tag reserves text and data mining"),
        ({}, {}, "tdmrep.json reserves /"),
    ],
)
def test_meta_overrules_header_overrules_file(
    tmp_path: Path, headers: dict[str, str], meta: dict[str, object], found: str
) -> None:
    page = json.dumps({"url": PAGE, "headers": headers, "meta": meta})
    host(tmp_path, tdmrep_json=[{"location": "/", "tdm-reservation": 1}], pages_jsonl=page)
    said = verdict(tmp_path)
    assert said[:2] == ("refused", found) if found else said[0] == "allowed"


def test_what_was_not_captured_is_said(tmp_path: Path) -> None:
    host(tmp_path)
    assert verdict(tmp_path) == ("allowed", "nothing in the capture refuses it", "2025-11-03")
    assert verdict(tmp_path, "https://beste.example/1") == ("not captured", "no capture of this host", "")
    assert verdict(tmp_path, "") == ("not captured", "no address", "")
    assert verdict(tmp_path, "https://WWW.Udala.example:443/x")[0] == "allowed"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"tdmrep_json": {"location": "/"}}, "tdmrep.json is no list of rules"),
        ({"pages_jsonl": "{"}, "pages.jsonl, line 1"),
        ({"capture_json": {"day": 3}}, "does not say when"),
    ],
)
def test_a_broken_capture_is_one_line(tmp_path: Path, files: dict[str, object], words: str) -> None:
    host(tmp_path, **files)
    with pytest.raises(Trouble, match=words):
        read_captures(tmp_path)


@pytest.mark.parametrize(
    "url", ["http://[half/a", "www.udala.example/a", "//", "https:///a", "mailto:ana@www.udala.example"]
)
def test_an_address_without_a_host_that_can_be_read_was_not_captured(tmp_path: Path, url: str) -> None:
    host(tmp_path, robots_txt="User-agent: *\nDisallow: /")
    assert verdict(tmp_path, url) == ("not captured", "no capture of this host", "")


@pytest.mark.parametrize(
    "url",
    [
        "HTTPS://WWW.Udala.Example:443/a",
        "//www.udala.example/a",
        "https://ana@www.udala.example?q=/a/b",
        "https://www.udala.example#a",
    ],
)
def test_a_host_is_found_however_its_address_is_written(tmp_path: Path, url: str) -> None:
    host(tmp_path, ai_txt="User-Agent: *\nDisallow: /")
    assert verdict(tmp_path, url)[0] != "not captured"


def test_without_captures_no_address_is_looked_at() -> None:
    found = list(verdicts([PAGE, "", "http://[half"], {}, AGENTS))
    assert [one.evidence for one in found] == ["no capture of this host", "no address", "no capture of this host"]
    assert {(one.verdict, one.captured) for one in found} == {("not captured", "")}
