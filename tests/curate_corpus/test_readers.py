"""Documents are read from four formats; what is corrupt is named with file and line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.curate_corpus.parameters import Columns
from stages.curate_corpus.readers import read_documents, smallest_by_hash, source_files
from stages.errors import Trouble
from stages.records import Document

ROWS = [
    {"id": "1", "text": "Què voleu?", "lang": "ca", "source": "s", "license_id": "CC0-1.0", "url": "u", "title": "t"},
    {
        "id": "2",
        "text": 'Zer "nahi"\nduzue?',
        "lang": "eu",
        "source": "s",
        "license_id": None,
        "url": "",
        "title": None,
    },
]
COLUMNS = Columns(language="lang", license="license_id")


def write(folder: Path, form: str) -> Path:
    path = folder / f"documents.{form}"
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    if form == "jsonl":
        path.write_text(lines, encoding="utf-8")
    elif form == "jsonl.gz":
        path.write_bytes(gzip.compress(lines.encode()))
    elif form == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    else:
        path.write_text(
            'id,text,lang,source,license_id,url,title\n1,Què voleu?,ca,s,CC0-1.0,u,t\n2,"Zer ""nahi""\nduzue?",eu,s,,,\n',
            encoding="utf-8",
        )
    return path


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "parquet", "csv"])
def test_all_formats_give_the_same_documents(tmp_path: Path, form: str) -> None:
    write(tmp_path, form)
    found = list(read_documents(tmp_path, "*", COLUMNS))
    assert found == [
        Document(id="1", text="Què voleu?", language="ca", source="s", url="u", license="CC0-1.0", title="t"),
        Document(id="2", text='Zer "nahi"\nduzue?', language="eu", source="s", url="", license="", title=""),
    ]


def test_the_pattern_chooses_files(tmp_path: Path) -> None:
    write(tmp_path, "jsonl")
    (tmp_path / "planted.csv").write_text("id,expected\n1,keep\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("read me", encoding="utf-8")
    assert source_files(tmp_path, "documents.*") == [tmp_path / "documents.jsonl"]
    with pytest.raises(
        Trouble, match=r"planted.csv has no column 'text'; it has id, expected: name the one with the text"
    ):
        list(read_documents(tmp_path, "*", Columns(id="id", language="lang", license="license_id")))


def test_an_empty_folder_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"holds no file '\*' that can be read; wanted one of: \.jsonl"):
        list(read_documents(tmp_path, "*", COLUMNS))
    with pytest.raises(Trouble, match="is missing; wanted documents there"):
        list(read_documents(tmp_path / "nowhere", "*", COLUMNS))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"id": "1"\n', "a.jsonl, line 1 is not valid JSON"),
        ("a.jsonl", b"[1]\n", "a.jsonl, line 1 holds a list; wanted a JSON object"),
        ("a.jsonl", b'\n{"id": "1", "lang": "ca"}\n', "a.jsonl, line 2 has no 'text'"),
        ("a.jsonl", b'{"id": "", "text": "x"}\n', "a.jsonl, line 1 has an empty 'id'"),
        ("a.jsonl", '{"id": "1", "text": "é"}\n'.encode("latin-1"), "not UTF-8"),
        ("a.jsonl.gz", gzip.compress(b'{"id": "1", "text": "x"}\n')[:-9], "cut off or damaged"),
        ("a.parquet", b"PAR1 no", "not readable as Parquet"),
        ("a.csv", b"id,text,lang,source,license_id\n1,a,ca\n", "a.csv, line 2 has another number of cells"),
        ("a.csv", b'id,text,lang,source,license_id\n1,"a,ca,s,c\n', "not valid CSV"),
        ("a.csv", "id,text,lang,source,license_id\n1,é,ca,s,c\n".encode("latin-1"), "not UTF-8"),
    ],
)
def test_corrupt_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Trouble, match=message.replace("[", r"\[")):
        list(read_documents(tmp_path, "*", COLUMNS))


def test_an_id_twice_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 7, "text": "x"}\n{"id": "7", "text": "y"}\n', encoding="utf-8")
    with pytest.raises(Trouble, match=r"line 2: id '7' is also that of .*line 1; wanted an id once only"):
        list(read_documents(tmp_path, "*", COLUMNS))


def test_the_limit_takes_the_smallest_hashes_whatever_the_order() -> None:
    documents = [
        Document(id=f"{language}{n}", text="x", language=language, source="s", url="", license="")
        for language in ("ca", "eu")
        for n in range(20)
    ]
    taken, left = smallest_by_hash(documents, 3)
    again, _ = smallest_by_hash(documents[::-1], 3)
    assert left == 34
    assert sorted(d.id for d in taken) == sorted(d.id for d in again)
    assert sum(d.language == "ca" for d in taken) == 3
    assert smallest_by_hash(documents, None) == (documents, 0)
