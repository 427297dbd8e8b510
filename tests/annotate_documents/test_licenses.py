"""A licence is an SPDX expression or it is unclear; the manifest counts before the document's own words."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stages.annotate_documents import licenses
from stages.annotate_documents.licenses import License, read_manifest, spdx, understood
from stages.errors import Trouble


@pytest.mark.parametrize(
    ("words", "expression"),
    [
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("odc-by-1.0", "ODC-By-1.0"),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        ("(MIT AND CC0-1.0) OR etalab-2.0", "(MIT AND CC0-1.0) OR etalab-2.0"),
        ("LicenseRef-UY-Datos-Abiertos", "LicenseRef-UY-Datos-Abiertos"),
        ("CC-BY-4.0 OR LicenseRef-UN-UDHR", "CC-BY-4.0 OR LicenseRef-UN-UDHR"),
        ("public domain", ""),
        ("Unlicense / amtliche Werke (§5 UrhG)", ""),
        ("see LICENSE in repo", ""),
        ("CC-BY-9.9", ""),
        ("", ""),
    ],
)
def test_spdx_or_unclear(words: str, expression: str) -> None:
    assert spdx(words) == expression


def test_the_manifest_counts_first(tmp_path: Path) -> None:
    path = tmp_path / "licenses.csv"
    path.write_text(
        "source,license,url,evidence\nBOE,LicenseRef-BOE,https://boe.example/aviso,Aviso legal: reutilización\n",
        encoding="utf-8",
    )
    rows = [("BOE", "public domain"), ("Udala", "cc0-1.0"), ("Ajuntament", "se pot usar"), ("Ajuntament", "")]
    assert list(understood(rows, read_manifest(path))) == [
        License("LicenseRef-BOE", "Aviso legal: reutilización https://boe.example/aviso"),
        License("CC0-1.0", "the document's own licence field"),
        License("", "no SPDX expression: 'se pot usar'"),
        License("", "no licence is named"),
    ]
    assert read_manifest(tmp_path / "none.csv") == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("source,license\nBOE,MIT\n", "lacks the column url, evidence"),
        ("source,license,url,evidence\nBOE,free,,\n", "line 2: license is 'free'"),
        ("source,license,url,evidence\nBOE,MIT,,\nBOE,MIT,,\n", "line 3: 'BOE' is there a second time"),
    ],
)
def test_a_broken_manifest_is_one_line(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "licenses.csv").write_text(content, encoding="utf-8")
    with pytest.raises(Trouble, match=words):
        read_manifest(tmp_path / "licenses.csv")


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("impatient_threads")
def test_workers_may_meet_their_first_licence_at_the_same_time() -> None:
    words, start = ["MIT", "CC0-1.0 OR MIT", "CC-BY-4.0", "Apache-2.0 AND MIT"], threading.Barrier(4)

    def parse(said: str) -> str:
        start.wait()
        return spdx(said)

    for _ in range(5):
        licenses._spdx_with.cache_clear()
        licenses._spdx_with(())  # one parser for all, which was never used
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(parse, words)) == words
