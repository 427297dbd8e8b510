"""A snapshot is fetched politely, continues after a kill, and is refused when it is not as it was fetched."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from stages.errors import TransientTrouble, Trouble
from stages.ingest_deliberation import pinned, sources
from stages.ingest_deliberation.polite import Manners, Polite, check_url, retry_after
from stages.ingest_deliberation.snapshot import recognise, take
from tests.ingest_deliberation.server import Site, serve

FAST = Manners(per_minute=1_000_000, attempts=4, timeout_seconds=5)


def proposal(number: int, **changes: Any) -> dict[str, Any]:
    """A proposal as the API gives it."""
    text = {"locale": "eu", "text": f"<p>{number}. proposamena: euskaraz ere bai.</p>", "machineTranslated": False}
    machine = {"locale": "es", "text": f"Propuesta {number}: también en euskera.", "machineTranslated": True}
    return {
        "id": str(number),
        "title": {"translations": [{"locale": "eu", "text": f"Izenburua {number}", "machineTranslated": False}]},
        "body": {"translations": [machine, text]},
        "state": "accepted",
        "withdrawn": False,
        "official": number == 1,
        "publishedAt": "2024-05-01T10:00:00Z",
        "voteCount": None if number % 2 else number,
        "likes": [{"id": str(100 + number % 3)}, None],
        "author": {"id": "7"},
        "comments": [{"id": str(number), "createdAt": "2024-05-02T10:00:00Z", "alignment": -1, "author": {"id": "55"}}],
        "amendments": [],
    } | changes


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Site(proposals=[proposal(number) for number in range(1, 8)], max_page=3)) as site:
        yield site


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waiting times, which are not waited for."""
    asked: list[float] = []
    original = Polite.__init__

    def init(self: Polite, manners: Manners, say: Any, sleep: Any = asked.append, clock: Any = lambda: 1e9) -> None:
        original(self, manners, say, sleep, clock)

    monkeypatch.setattr(Polite, "__init__", init)
    return asked


def fetch(site: Site, folder: Path, **changes: Any) -> list[str]:
    said: list[str] = []
    settings: dict[str, Any] = {"source": "decidim_api", "components": ["12"], "manners": FAST, "say": said.append}
    take(site.url, folder, **(settings | changes))
    return said


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("page-*.json"))}


def test_all_pages_are_fetched_and_read_the_same_every_time(site: Site, tmp_path: Path) -> None:
    said = fetch(site, tmp_path / "one")
    fetch(site, tmp_path / "two")
    assert [ask["variables"]["after"] for ask in site.asked[:3]] == [None, "3", "6"]
    assert said[-1] == "component 12: page 3, 7 proposals so far"
    assert content(tmp_path / "one") == content(tmp_path / "two")
    one, two = (sources.read("decidim_api", tmp_path / name, "eu") for name in ("one", "two"))
    assert one.statements == two.statements
    assert one.inputs == two.inputs
    assert "fetched_at" not in str(one)
    assert one.topic == "AA eta hiria"


def test_what_the_api_tells_becomes_a_conversation_by_approval(site: Site, tmp_path: Path) -> None:
    fetch(site, tmp_path / "s")
    found = sources.read("decidim_api", tmp_path / "s", "eu")
    first, second = found.statements[:2]
    assert first.text == "Izenburua 1. 1. proposamena: euskaraz ere bai."
    assert first.translations == {"es": ("Propuesta 1: también en euskera.", True)}
    assert (first.supports, second.supports) == (None, 2)  # null: the instance hides it
    assert (first.seed, first.author, second.author) == (True, "", "7")
    assert found.kind == "approval"
    assert found.votes.participants == ("100", "101", "102", "55")
    assert sorted(map(int, found.votes.vote)) == [-1] * 7 + [1] * 7
    assert found.quirks["likes of people without a public account, left out"] == 7
    assert not any("same name" in guarantee for guarantee in found.lost)


def test_no_name_is_ever_asked_for(site: Site, tmp_path: Path) -> None:
    fetch(site, tmp_path / "s")
    query = site.asked[0]["query"]
    assert "nickname" not in query
    assert query.count("name") == query.count("__typename") + 1  # the component's own name
    depth = max(query[:end].count("{") - query[:end].count("}") for end in range(len(query)))
    assert depth <= 15


def test_amendments_are_left_out(site: Site, tmp_path: Path) -> None:
    site.proposals[0]["amendments"] = [{"emendation": {"id": "3"}}]
    site.proposals[4]["publishedAt"] = None
    fetch(site, tmp_path / "s")
    found = sources.read("decidim_api", tmp_path / "s", "eu")
    assert [statement.id for statement in found.statements] == [1, 2, 4, 6, 7]
    assert found.quirks["amendments to other proposals, left out"] == 1
    assert found.quirks["drafts that were never published, left out"] == 1


def test_an_older_version_is_asked_for_what_it_has(site: Site, tmp_path: Path) -> None:
    site.absent = {("Proposal", "likes"), ("LocalizedString", "machineTranslated"), ("Proposal", "withdrawn")}
    for one in site.proposals:
        one["endorsements"] = one.pop("likes")
    fetch(site, tmp_path / "s")
    assert "likes" not in site.asked[-1]["query"]
    assert "endorsements { id }" in site.asked[-1]["query"]
    assert sources.read("decidim_api", tmp_path / "s", "eu").kind == "approval"
    about = json.loads((tmp_path / "s" / "snapshot.json").read_text(encoding="utf-8"))
    assert ["Proposal", "likes"] in about["fields_absent"]


def test_a_page_too_complex_is_asked_for_in_halves(site: Site, tmp_path: Path) -> None:
    site.refuse_pages_above, site.max_page = 2, 50
    fetch(site, tmp_path / "s")
    assert [ask["variables"]["first"] for ask in site.asked] == [50, 25, 12, 6, 3, 1, *[1] * 6]


def test_retry_after_is_honoured_and_the_rest_backs_off_without_chance(
    site: Site, tmp_path: Path, waits: list[float]
) -> None:
    site.trouble = ["429 17", "503", "drop", "", "500"]
    fetch(site, tmp_path / "s")
    assert [wait for wait in waits if wait >= 1] == [17.0, 2.0, 4.0, 1.0]
    assert len(content(tmp_path / "s")) == 3


def test_a_server_that_stays_away_leaves_a_snapshot_that_continues(site: Site, tmp_path: Path) -> None:
    site.trouble = ["", "503", "503", "503", "503"]
    with pytest.raises(TransientTrouble, match="continues where it stopped"):
        fetch(site, tmp_path / "s")
    assert not (tmp_path / "s").exists()
    with pytest.raises(Trouble, match="incomplete snapshot"):
        sources.read("decidim_api", tmp_path / ".s.partial", "eu")
    before = len(site.asked)
    said = fetch(site, tmp_path / "s")
    assert said[0] == "continuing after 1 pages, 3 proposals"
    assert site.asked[before]["variables"]["after"] == "3"
    fetch(site, tmp_path / "whole")
    assert content(tmp_path / "s") == content(tmp_path / "whole")


def test_a_long_retry_after_is_left_to_the_user(site: Site, tmp_path: Path, waits: list[float]) -> None:
    site.trouble = ["429 7200"]
    with pytest.raises(TransientTrouble, match="come back in 7200 seconds"):
        fetch(site, tmp_path / "s")
    assert not [wait for wait in waits if wait >= 1]


def test_requests_keep_their_distance() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    polite = Polite(Manners(per_minute=100), print, sleep, lambda: now[0])
    for _ in range(4):
        polite.patiently("https://city.example/api", lambda: None)
    assert slept == [0.6, 0.6, 0.6]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda folder: (folder / "component-12/page-00002.json").write_text("{}"), "page-00002.json is not as it was"),
        (lambda folder: (folder / "component-12/page-00002.json").unlink(), "page-00002.json is missing"),
        (lambda folder: (folder / "component-12/page-00004.json").write_text("{}"), "page-00004.json is not in"),
        (lambda folder: (folder / "snapshot.json").unlink(), "has no snapshot.json"),
        (lambda folder: (folder / "snapshot.json").write_text("{}"), "not a snapshot's description"),
        (lambda folder: (folder / "snapshot.json").write_text("{"), "not valid JSON"),
    ],
)
def test_an_altered_snapshot_is_refused_by_name(site: Site, tmp_path: Path, harm: Any, words: str) -> None:
    fetch(site, tmp_path / "s")
    harm(tmp_path / "s")
    with pytest.raises(Trouble, match=words):
        sources.read("decidim_api", tmp_path / "s", "eu")


def test_a_page_changed_between_two_fetches_is_refused(site: Site, tmp_path: Path) -> None:
    site.trouble = ["", "", *["503"] * 4]
    with pytest.raises(TransientTrouble):
        fetch(site, tmp_path / "s")
    (tmp_path / ".s.partial/component-12/page-00001.json").write_text("{}", encoding="utf-8")
    with pytest.raises(Trouble, match=r"page-00001\.json was changed since it was fetched"):
        fetch(site, tmp_path / "s")


def test_a_proposal_that_changed_while_it_was_fetched_is_refused(site: Site, tmp_path: Path) -> None:
    site.proposals = [proposal(1), proposal(2), proposal(3), proposal(1)]
    fetch(site, tmp_path / "same")
    found = sources.read("decidim_api", tmp_path / "same", "eu")
    assert found.quirks["proposals that two pages hold alike, counted once"] == 1
    site.proposals[3] = proposal(1, state="rejected")
    fetch(site, tmp_path / "other")
    with pytest.raises(Trouble, match="proposal 1 differs from"):
        sources.read("decidim_api", tmp_path / "other", "eu")


@pytest.mark.parametrize(
    ("components", "words"),
    [
        (["99"], "no public component 99"),
        (["13"], "Component 13 of .* holds Meetings; wanted Proposals"),
        ([], r"wanted --component ID; with proposals: 12 \(AA eta hiria\)\.$"),
        (["x"], "no component's number"),
    ],
)
def test_a_wrong_component_is_named(site: Site, tmp_path: Path, components: list[str], words: str) -> None:
    with pytest.raises(Trouble, match=words):
        fetch(site, tmp_path / "s", components=components)


def test_the_component_may_stand_in_the_address(site: Site, tmp_path: Path) -> None:
    take(f"{site.url}/processes/ia/f/12/proposals", tmp_path / "s", manners=FAST, say=lambda _: None)
    assert len(content(tmp_path / "s")) == 3


def test_half_a_snapshot_of_something_else_is_not_mixed_in(site: Site, tmp_path: Path) -> None:
    site.trouble = ["", *["503"] * 4]
    with pytest.raises(TransientTrouble):
        fetch(site, tmp_path / "s")
    with pytest.raises(Trouble, match="holds half a snapshot of"):
        fetch(site, tmp_path / "s", components=["12", "14"])


def test_a_sign_in_is_asked_for_and_the_token_is_written_nowhere(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    site.token = "s3cret-token"
    with pytest.raises(Trouble, match="COMMONS_DECIDIM_TOKEN"):
        fetch(site, tmp_path / "s")
    monkeypatch.setenv("COMMONS_DECIDIM_TOKEN", site.token)
    with caplog.at_level("DEBUG"):
        said = fetch(site, tmp_path / "s")
    assert site.asked[-1]["authorization"] == "Bearer s3cret-token"
    everything = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file())
    assert site.token not in everything + caplog.text + "".join(said)


def test_a_web_page_in_place_of_the_api_is_named(site: Site, tmp_path: Path) -> None:
    site.trouble = ["html"]
    with pytest.raises(Trouble, match="did not answer in JSON"):
        fetch(site, tmp_path / "s")


# --- files


def archive(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as opened:
        for name, text in files.items():
            opened.writestr(zipfile.ZipInfo(name.replace("__", "-") + ".csv"), text)
    return content.getvalue()


OPEN_DATA = archive(
    city__open__data__proposals="id;component/id;title/eu;body/eu;votes\n4;12;Ura;Ur garbia.;3\n5;13;A;B;1\n"
)
COMMENTS = "timestamp,comment-id,author-id,agrees,disagrees,moderated,comment-body\n1000,0,5,1,0,1,Ur garbia.\n"
VOTES = "timestamp,comment-id,voter-id,vote\n1000,0,5,1\n1001,0,6,-1\n"


def test_open_data_is_fetched_and_a_dropped_download_resumes(site: Site, tmp_path: Path) -> None:
    site.files = {"/open-data/download": OPEN_DATA}
    site.trouble, site.drop_after = ["drop", "drop"], 60
    fetch(site, tmp_path / "s", source="decidim", components=["12"])
    assert [ask["range"] for ask in site.asked] == [None, "bytes=60-", "bytes=120-"]
    assert (tmp_path / "s" / "export.zip").read_bytes() == OPEN_DATA
    found = sources.read("decidim", tmp_path / "s", "eu")
    assert [(statement.id, statement.supports) for statement in found.statements] == [(4, 3)]


def test_altered_open_data_is_refused_by_name(site: Site, tmp_path: Path) -> None:
    site.files = {"/open-data/download": OPEN_DATA}
    fetch(site, tmp_path / "s", source="decidim", components=[])
    (tmp_path / "s" / "export.zip").write_bytes(archive(proposals="id;title;body\n4;Ura;Garbia.\n"))
    for path in (tmp_path / "s", tmp_path / "s" / "export.zip"):
        with pytest.raises(Trouble, match=r"export\.zip is not as it was fetched"):
            sources.read("decidim", path, "eu")


def test_a_file_that_changed_meanwhile_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.files = {"/open-data/download": OPEN_DATA}
    site.trouble, site.drop_after = ["drop", "503", "503", "503"], 60
    with pytest.raises(TransientTrouble):
        fetch(site, tmp_path / "s", source="decidim", components=[])
    newer = archive(proposals="id;title;body;votes\n9;Airea;Aire garbia.;1\n")
    site.files = {"/open-data/download": newer}
    fetch(site, tmp_path / "s", source="decidim", components=[])
    assert (tmp_path / "s" / "export.zip").read_bytes() == newer


def test_a_polis_zip_is_unpacked_and_pinned(site: Site, tmp_path: Path) -> None:
    site.files = {"/x.zip": archive(comments=COMMENTS, votes=VOTES)}
    site.redirects = {"/moved.zip": "/x.zip"}
    assert take(f"{site.url}/moved.zip?signature=s3cret", tmp_path / "s", manners=FAST, say=lambda _: None) == "polis"
    assert "s3cret" not in (tmp_path / "s" / "snapshot.json").read_text(encoding="utf-8")
    assert len(sources.read("polis", tmp_path / "s", "eu").votes) == 2


def test_a_polis_folder_is_fetched_file_by_file(site: Site, tmp_path: Path) -> None:
    site.files = {"/r/comments.csv": COMMENTS.encode(), "/r/votes.csv": VOTES.encode()}
    take(f"{site.url}/r/", tmp_path / "s", "polis", manners=FAST, say=lambda _: None)
    about = json.loads((tmp_path / "s" / "snapshot.json").read_text(encoding="utf-8"))
    assert about["absent"] == ["participants-votes.csv", "summary.csv"]
    assert len(sources.read("polis", tmp_path / "s", "eu").votes) == 2
    site.files = {}
    with pytest.raises(Trouble, match=r"offers nothing; wanted comments\.csv"):
        take(f"{site.url}/r/", tmp_path / "none", "polis", manners=FAST, say=lambda _: None)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"<html>", "a web page"), (OPEN_DATA[:80], "a broken zip"), (b"", "no zip")],
)
def test_a_download_that_is_no_export_is_named(site: Site, tmp_path: Path, content: bytes, words: str) -> None:
    site.files = {"/open-data/download": content}
    with pytest.raises(Trouble, match=words):
        fetch(site, tmp_path / "s", source="decidim", components=[])
    assert not list(tmp_path.iterdir())


def test_a_download_larger_than_allowed_is_stopped(site: Site, tmp_path: Path) -> None:
    site.files = {"/open-data/download": b"x" * (3 << 20)}
    with pytest.raises(Trouble, match="larger than 2 MiB"):
        fetch(site, tmp_path / "s", source="decidim", components=[], max_mib=2)


def test_a_redirect_to_an_open_line_is_refused(site: Site, tmp_path: Path) -> None:
    site.redirects = {"/open-data/download": "http://city.example/data.zip"}
    with pytest.raises(Trouble, match="not encrypted"):
        fetch(site, tmp_path / "s", source="decidim", components=[])


def test_a_whole_snapshot_stays_as_it_is(site: Site, tmp_path: Path) -> None:
    fetch(site, tmp_path / "s")
    asked = len(site.asked)
    assert fetch(site, tmp_path / "s") == [
        f"{tmp_path / 's'} is whole already and stays as it is; remove it to fetch again."
    ]
    assert len(site.asked) == asked
    with pytest.raises(Trouble, match="is a snapshot of decidim_api; wanted polis"):
        fetch(site, tmp_path / "s", source="polis")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("x", encoding="utf-8")
    with pytest.raises(Trouble, match="is there and is no snapshot"):
        fetch(site, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    (tmp_path / "empty").mkdir()
    fetch(site, tmp_path / "empty")
    assert len(content(tmp_path / "empty")) == 3


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://city.example/api", "not encrypted"),
        ("https://joana:pw@city.example/api", "holds a name or password"),
        ("ftp://city.example", "not a web address"),
        ("city.example", "not a web address"),
        ("https://city.example:99999/", "not a web address"),
        ("https://[::1", "not a web address"),
        ("https://city.example/a b", "not a web address"),
    ],
)
def test_only_safe_addresses_are_asked(url: str, words: str) -> None:
    with pytest.raises(Trouble, match=words) as trouble:
        check_url(url)
    assert "pw" not in str(trouble.value).split()


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://city.example/processes/ia/f/12/", "decidim_api"),
        ("https://city.example/api", "decidim_api"),
        ("https://city.example/open-data/download", "decidim"),
        ("https://pol.example/api/v3/reportExport/r2abc/", "polis"),
        ("https://city.example/x.zip", "polis"),
    ],
)
def test_the_platform_shows_in_the_address(url: str, source: str) -> None:
    assert recognise(url) == source


def test_an_address_that_tells_nothing_asks_for_the_source() -> None:
    with pytest.raises(Trouble, match="give --source: polis, decidim, decidim_api"):
        recognise("https://city.example/")


def test_retry_after_may_be_a_date() -> None:
    wait = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30)))
    assert wait is not None and 25 < wait <= 30
    assert retry_after("soon") is None
    assert retry_after("5") == 5.0


def test_a_description_cannot_point_outside(tmp_path: Path) -> None:
    (tmp_path / "snapshot.json").write_text(
        json.dumps({"format": pinned.FORMAT, "files": {"../secret": "0"}}), encoding="utf-8"
    )
    with pytest.raises(Trouble, match="lies outside"):
        pinned.verify(tmp_path)
