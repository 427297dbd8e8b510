"""`commons snapshot` as people use it: another process, a kill in the middle, the same command again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from stages.ingest_deliberation import sources
from tests.ingest_deliberation.server import Site, serve

TEXT = {"translations": [{"locale": "ca", "text": "Que l'assistent parli clar.", "machineTranslated": False}]}


def proposal(number: int) -> dict[str, object]:
    return {"id": str(number), "title": TEXT, "body": {"translations": []}, "state": "", "voteCount": number}


def start(site: Site, folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "flows.commands", "snapshot", site.url, str(folder), "--source", "decidim_api"]
    return subprocess.Popen(
        [*command, "--component", "12", *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def test_a_killed_snapshot_continues_and_tells_the_way_from_there(tmp_path: Path) -> None:
    site = Site(proposals=[proposal(number) for number in range(1, 31)], max_page=2)
    with serve(site):
        first = start(site, tmp_path / "city", "--per-minute", "240")
        deadline = time.monotonic() + 60
        while len(site.asked) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        killed_after = len(site.asked)
        assert 4 <= killed_after < 15
        assert not (tmp_path / "city").exists()
        second = start(site, tmp_path / "city", "--per-minute", "60000")
        said, trouble = second.communicate(timeout=60)
    assert second.returncode == 0, trouble
    assert said.startswith("continuing after ")
    assert len(site.asked) <= killed_after + 12  # 15 pages in all; at least 3 of them were not asked for again
    assert f"ingest_deliberation.source: decidim_api\n  ingest_deliberation.path: {tmp_path / 'city'}" in said
    found = sources.read("decidim_api", tmp_path / "city", "ca")
    assert [statement.supports for statement in found.statements] == list(range(1, 31))
    assert found.kind == "counts"


def test_trouble_is_one_line(tmp_path: Path) -> None:
    with serve(Site()) as site:
        ended = start(site, tmp_path / "city", "--component", "99")
        said, trouble = ended.communicate(timeout=60)
    assert ended.returncode == 2, said
    assert trouble.count("\n") == 1
    assert trouble.startswith("commons: ")
