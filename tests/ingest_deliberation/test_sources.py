"""Which source reads an export shows in the names of its files, or in a snapshot's description."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from stages.errors import Trouble
from stages.ingest_deliberation import pinned, sources


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (["comments.csv", "votes.csv", "README.md"], "polis"),
        (["inner/comments.csv"], "polis"),
        (["votes.csv", "statements.csv"], "tidy"),
        (["city.example-open-data-proposals.csv", "comments.csv"], "decidim"),
        (["carta.md"], "charter"),
    ],
)
def test_the_files_tell_the_platform(tmp_path: Path, files: list[str], source: str) -> None:
    for name in files:
        (tmp_path / "export" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "export" / name).write_text("x", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name in files:
            archive.writestr(name, "x")
    assert sources.recognise(tmp_path / "export") == source
    assert sources.recognise(tmp_path / "export.zip") == source


def test_a_snapshot_says_it(tmp_path: Path) -> None:
    about = {"format": pinned.FORMAT, "files": {}, "source": "decidim_api"}
    (tmp_path / "snapshot.json").write_text(json.dumps(about), encoding="utf-8")
    assert sources.recognise(tmp_path) == "decidim_api"


def test_names_that_tell_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    with pytest.raises(Trouble, match="give the source: charter, decidim, decidim_api, polis, tidy"):
        sources.recognise(tmp_path)
