"""Every format gives the same records; what is broken is counted with its file and reason, and the rest goes on."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.annotate_documents import exchange, formats, readers
from stages.annotate_documents.documents import DOCUMENT
from stages.annotate_documents.formats import Reading
from stages.annotate_documents.parameters import Columns
from stages.annotate_documents.problems import Problems
from stages.annotate_documents.seen_ids import NEW, OTHER_TEXT, SAME_TEXT, SeenIds
from stages.annotate_documents.sources import Source, address, find_sources, read_beside
from stages.errors import Trouble

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
COLUMNS = Columns(license="license_id")
FOUND = [
    dict.fromkeys(DOCUMENT.names, "")
    | {
        "id": "1",
        "text": "Què voleu?",
        "language": "ca",
        "source": "s",
        "license": "CC0-1.0",
        "url": "u",
        "title": "t",
    },
    dict.fromkeys(DOCUMENT.names, "") | {"id": "2", "text": 'Zer "nahi"\nduzue?', "language": "eu", "source": "s"},
]
CSV = 'id,text,lang,source,license_id,url,title\n1,Què voleu?,ca,s,CC0-1.0,u,t\n2,"Zer ""nahi""\nduzue?",eu,s,,,\n'


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def read(
    path: Path | str, problems: Problems | None = None, columns: Columns = COLUMNS, max_bytes: int = 10_000_000
) -> list[dict[str, Any]]:
    reading = Reading(columns, max_bytes, problems or Problems(stop=True))
    sources = find_sources(path, "*", formats.READERS)
    return [row for batch in readers.read(sources, reading) for row in batch.to_pylist()]


def problems_of(path: Path, max_bytes: int = 10_000_000) -> tuple[list[str], list[tuple[str, str, int, str]]]:
    """The ids that were read, and (file, reason, documents, first place) of what was not."""
    problems = Problems()
    ids = [row["id"] for row in read(path, problems, max_bytes=max_bytes)]
    return ids, [(p["file"], p["reason"], p["documents"], p["first"]) for p in problems.listed()]


def write(folder: Path, form: str) -> Path:
    path = folder / f"documents.{form}"
    content = CSV.encode() if "csv" in form else lines(ROWS)
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif form.endswith(".gz"):
        path.write_bytes(gzip.compress(content))
    elif form.endswith(".zst"):
        path.write_bytes(zstandard.compress(content))
    else:
        path.write_bytes(content)
    return path


FORMS = ["parquet", "jsonl", "jsonl.gz", "jsonl.zst", "json.gz", "csv", "csv.gz", "csv.zst"]


@pytest.mark.parametrize("form", FORMS)
def test_all_formats_give_the_same_documents(tmp_path: Path, form: str) -> None:
    write(tmp_path, form)
    assert read(tmp_path) == FOUND


def test_a_text_file_is_a_document(tmp_path: Path) -> None:
    (tmp_path / "actes").mkdir()
    (tmp_path / "actes" / "ple.txt").write_text("L’acta del ple.\nS’aprova.", encoding="utf-8")
    (tmp_path / "licenses.csv").write_text("source,license,url,evidence\n", encoding="utf-8")  # no documents
    found = read(tmp_path)
    assert [(row["id"], row["text"]) for row in found] == [("actes/ple.txt", "L’acta del ple.\nS’aprova.")]
    assert read_beside(tmp_path, "licenses.csv") == b"source,license,url,evidence\n"
    assert read_beside(tmp_path, "other.csv") is None


def test_ids_are_made_from_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(lines([{"text": "Hola"}, {"text": "Adéu"}]))
    (tmp_path / "a.csv").write_text("text\nKaixo\n", encoding="utf-8")
    pq.write_table(pa.table({"text": ["Bonjorn"]}), tmp_path / "c.parquet")
    assert [row["id"] for row in read(tmp_path)] == ["a.csv#2", "b.jsonl#1", "b.jsonl#2", "c.parquet#1"]


def test_datatrove_and_dolma_rows_keep_fields_in_metadata(tmp_path: Path) -> None:
    dolma = {
        "id": "a",
        "text": "Bonjour",
        "source": "bo",
        "added": "2025-11-03",
        "created": "",
        "metadata": {"url": "u"},
    }
    datatrove = {"id": "b", "text": "Salut", "metadata": {"language": "fr", "license": "CC0-1.0"}}
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines([dolma, datatrove])))
    pq.write_table(pa.Table.from_pylist([datatrove | {"id": "c"}]), tmp_path / "b.parquet")
    found = read(tmp_path, columns=Columns())
    assert [(row["source"], row["retrieved"], row["url"]) for row in found[:1]] == [("bo", "2025-11-03", "u")]
    assert [(row["id"], row["language"], row["license"]) for row in found[1:]] == [
        ("b", "fr", "CC0-1.0"),
        ("c", "fr", "CC0-1.0"),
    ]


def test_what_is_written_for_datatrove_and_dolma_is_read_back(tmp_path: Path) -> None:
    rows = [row | {"retrieved": "2025-11-03", "kind": "law"} for row in FOUND]
    table = pa.Table.from_pylist(rows, schema=DOCUMENT)
    assert exchange.write_parts([table.slice(0, 1), table.slice(1)], tmp_path / "a") == 2
    assert read(tmp_path / "a", columns=Columns()) == rows
    exchange.write_parts([table.slice(0, 1), table.slice(1)], tmp_path / "b")
    for part in ("part-00000.jsonl.gz", "part-00001.jsonl.gz"):
        assert (tmp_path / "a" / part).read_bytes() == (tmp_path / "b" / part).read_bytes()


def test_nothing_to_read_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"holds no file '\*' that can be read; wanted one of: \.parquet"):
        read(tmp_path)
    with pytest.raises(Trouble, match="is missing; wanted documents there"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "content", "reason", "documents", "first"),
    [
        ("b.jsonl", b'{"id": "x"\n{"id": "y", "text": "t"}\n', "not JSON", 1, "line 1"),
        ("b.jsonl", b'[1]\n{"id": "y", "text": "t"}\n', "not a JSON object", 1, "line 1"),
        ("b.jsonl", b'{"id": "x", "text": 7}\n{"id": "y", "text": "t"}\n', "no text field", 1, "line 1"),
        ("b.jsonl", b'{"id": "y", "text": "t"}\n{"id": "x", "text": "\xe9"}\n', "not UTF-8", 1, "line 2"),
        ("b.jsonl", b'{"id": "x", "text": "\\ud800"}\n{"id": "y", "text": "t"}\n', "not UTF-8", 1, "line 1"),
        ("b.jsonl", b'{"id": "x", "text": " \\n\\u00a0"}\n{"id": "y", "text": "t"}\n', "empty text", 1, "line or row 1"),
        ("b.jsonl", b'{"text": "x", "y": ' + b"[" * 2_000 + b"]" * 2_000 + b'}\n{"id": "y", "text": "t"}\n', "not JSON", 1, "line 1"),
        ("b.jsonl", b"[" * 100_000 + b'\n{"id": "y", "text": "t"}\n', "not JSON", 1, "line 1"),
        ("b.csv", b"id,text\nx,a,b\ny,t\n", "another number of cells than the header", 1, "line 2"),
        ("b.csv", b'id,text\ny,t\nx,"a\nb\n', "not CSV", 1, "after line 2"),
        ("b.csv", b"id,text\nx,\xe9\ny,t\n", "not UTF-8", 1, "line 2"),
        ("b.csv", b"id,words\nx,a\n", "no text field", 0, ""),
        ("b.txt", b"\xff\xfe", "not UTF-8", 1, ""),
        ("b.txt", b"", "empty text", 1, ""),
        ("b.parquet", b"PAR1 no", "file damaged or cut off", 0, ""),
        ("b.jsonl.zst", b"no zstd", "file damaged or cut off", 0, ""),
        ("b.jsonl.gz", b"no gzip", "file damaged or cut off", 0, ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_counted_and_the_rest_goes_on(
    tmp_path: Path, name: str, content: bytes, reason: str, documents: int, first: str
) -> None:
    for good in ("a.jsonl", "c.jsonl"):
        (tmp_path / good).write_bytes(lines([{"id": good, "text": "Kaixo"}]))
    (tmp_path / name).write_bytes(content)
    ids, told = problems_of(tmp_path)
    assert told == [(name, reason, documents, first)]
    assert ids == ["a.jsonl", *(["y"] if b'"y"' in content or b"y,t" in content else []), "c.jsonl"]
    with pytest.raises(Trouble, match=rf"^{name}.*: {reason}.*set annotate_documents.on_error to skip\.$"):
        read(tmp_path)


TEXTS = st.text(st.sampled_from('aé’\ud800\udc00😀\0\n"\\\u2028'), max_size=4)
NUMBERS = st.sampled_from([0, -0.0, 2**53 + 1, -(2**64), 10**30, 1e22, 5e-324, 0.1, float("nan"), float("-inf")])
VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.sampled_from([None, True, "Kaixo"])),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "text", "é"]), inner, max_size=2)
    ),
    max_leaves=4,
)
OBJECTS = st.fixed_dictionaries(
    {"text": st.just("Kaixo") | VALUES}, optional={"id": VALUES, "metadata": VALUES, "x": VALUES}
)
DAMAGE = [
    b"\xe9", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\0", b"\r", b"\x0b", b"\\ud800", b"\\ud83d\\ude00", b"\\x", b'"',
    b"{", b"}", b",", b',"text":"b"', b"NaN", b"Inf", b"-", b"01", b"1e400", b"9" * 4301, b"[" * 300 + b"]" * 300,
    b"[" * 2000 + b"]" * 2000,
]  # fmt: skip


@given(OBJECTS | VALUES, st.booleans(), st.just(b"") | st.sampled_from(DAMAGE), st.integers(0, 60), st.integers(0, 2))
@settings(deadline=None, max_examples=400)
def test_a_line_is_what_json_says(value: Any, ascii_only: bool, damage: bytes, at: int, gone: int) -> None:
    whole = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    line = whole[:at] + damage + whole[at + gone :] if damage else whole
    problems = Problems()
    source = Source("a.jsonl", -1, lambda: io.BytesIO(line))
    found = [row for batch in formats.batches(source, Reading(Columns(), 9_000, problems)) for row in batch.to_pylist()]
    expected = said_by_json(line)
    assert [(row["id"], row["text"]) for row in found] == ([expected] if isinstance(expected, tuple) else [])
    assert list(problems.by_reason()) == ([expected] if isinstance(expected, str) and expected else [])


def said_by_json(line: bytes) -> tuple[str, str] | str:
    """The id and the text of a line, or the reason why there are none ("" where the line is blank)."""
    if not line.strip():
        return ""
    try:
        value = json.loads(line.decode())
        if not isinstance(value, dict):
            return "not a JSON object"
        inner = value["metadata"] if isinstance(value.get("metadata"), dict) else {}
        id_, text = (inner.get(name) if value.get(name) is None else value[name] for name in ("id", "text"))
        if not isinstance(text, str):
            return "no text field"
        id_ = "" if id_ is None else str(id_)
        (id_ + text).encode()
    except UnicodeError:
        return "not UTF-8"
    except (ValueError, RecursionError):
        return "not JSON"
    return id_, text


@pytest.mark.parametrize("form", ["jsonl.gz", "jsonl.zst", "csv.gz"])
def test_a_compressed_file_that_is_cut_off_keeps_what_came_before(tmp_path: Path, form: str) -> None:
    rows = [{"id": str(n), "text": os.urandom(3000).hex()} for n in range(1000)]
    plain = (
        lines(rows) if "jsonl" in form else "".join(["id,text\n", *(f"{r['id']},{r['text']}\n" for r in rows)]).encode()
    )
    whole = gzip.compress(plain) if form.endswith(".gz") else zstandard.compress(plain)
    (tmp_path / f"a.{form}").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b.jsonl").write_bytes(lines([{"id": "after", "text": "Kaixo"}]))
    ids, told = problems_of(tmp_path)
    assert 100 < len(ids) < 900
    assert ids == [*map(str, range(len(ids) - 1)), "after"]
    assert ("file damaged or cut off", 0) in {(reason, documents) for _, reason, documents, _ in told}


def test_a_damaged_gzip_checksum_is_told(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(lines([{"id": str(n), "text": os.urandom(3000).hex()} for n in range(100)])))
    whole[-6] ^= 0xFF
    (tmp_path / "a.jsonl.gz").write_bytes(bytes(whole))
    ids, told = problems_of(tmp_path)
    assert len(ids) > 85  # the last 64 KB of text may be lost
    assert told == [("a.jsonl.gz", "file damaged or cut off", 0, f"after line {len(ids)}")]


def test_a_damaged_row_group_loses_its_rows_alone(tmp_path: Path) -> None:
    rows = [{"id": str(n), "text": os.urandom(200).hex()} for n in range(300)]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=100, write_page_checksum=True)
    about = pq.read_metadata(path).row_group(1).column(1)
    content = bytearray(path.read_bytes())
    middle = about.dictionary_page_offset + about.total_compressed_size // 2
    content[middle : middle + 50] = bytes(50)
    path.write_bytes(bytes(content))
    ids, told = problems_of(tmp_path)
    assert ids == [str(n) for n in [*range(100), *range(200, 300)]]
    assert told == [("a.parquet", "file damaged or cut off", 100, "rows 101 to 200")]


def test_text_that_is_not_utf8_in_parquet_loses_its_rows_alone(tmp_path: Path) -> None:
    texts = pa.array([b"bo", b"dolent \xe9", b"bo"], pa.binary())
    table = pa.table({"id": ["1", "2", "3"], "text": texts})
    pq.write_table(table, tmp_path / "binary.parquet")
    broken = pa.Array.from_buffers(pa.string(), 3, texts.buffers())
    pq.write_table(pa.table({"id": ["4", "5", "6"], "text": broken}), tmp_path / "string.parquet")
    ids, told = problems_of(tmp_path)
    assert ids == ["1", "3", "4", "6"]
    assert told == [("binary.parquet", "not UTF-8", 1, "row 2"), ("string.parquet", "not UTF-8", 1, "row 2")]


def test_an_id_twice_is_repeated_or_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(
        lines([{"id": 7, "text": "x"}, {"id": "8", "text": "y"}, {"id": "7", "text": "x"}])
    )
    (tmp_path / "b.jsonl").write_bytes(lines([{"id": "8", "text": "z"}, {"id": "9", "text": "z"}]))
    ids, told = problems_of(tmp_path)
    assert ids == ["7", "8", "9"]
    assert told == [
        ("a.jsonl", readers.REPEATED, 1, "line or row 3"),
        ("b.jsonl", readers.OTHER_TEXT, 1, "line or row 1"),
    ]
    with pytest.raises(Trouble, match=r"^b\.jsonl, line or row 1: same id as before, other text \(8\)"):
        read(tmp_path)  # a repeated row loses nothing, so it does not stop the run


@given(st.lists(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xyz")), max_size=12), max_size=8))
@settings(deadline=None)
def test_seen_ids_say_what_a_dictionary_says(batches: list[list[tuple[str, str]]]) -> None:
    seen, known = SeenIds(), dict[str, str]()
    for batch in batches:
        expected = []
        for id_, text in batch:
            expected.append(NEW if id_ not in known else SAME_TEXT if known[id_] == text else OTHER_TEXT)
            known.setdefault(id_, text)
        assert seen.verdicts([i.encode() for i, _ in batch], [t.encode() for _, t in batch]).tolist() == expected


@pytest.mark.parametrize("form", [*FORMS, "txt", "txt.gz", "md"])
def test_a_document_that_is_too_large_is_refused(tmp_path: Path, form: str) -> None:
    rows = [{"id": "1", "text": "petit"}, {"id": "2", "text": "gros " * 600_000}, {"id": "3", "text": "petit"}]
    path = tmp_path / f"b.{form}"
    if "csv" in form:
        content = "id,text\n" + "".join(f"{row['id']},{row['text']}\n" for row in rows)
    else:
        content = lines(rows).decode() if "json" in form else rows[1]["text"]
    packed = content.encode()
    packed = gzip.compress(packed) if form.endswith("gz") else zstandard.compress(packed) if "zst" in form else packed
    path.write_bytes(packed)
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    (tmp_path / "c.jsonl").write_bytes(lines([{"id": "after", "text": "Kaixo"}]))
    ids, told = problems_of(tmp_path, max_bytes=1_000_000)
    assert [reason for _, reason, *_ in told] == [formats.TOO_LARGE]
    kept = {"csv": ["1"], "txt": [], "md": []}.get(form.split(".")[0], ["1", "3"])  # after it, CSV cannot be told apart
    assert ids == [*kept, "after"]


def test_a_row_group_with_a_huge_page_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = [{"id": str(n), "text": "x" * (130_000_000 if n == 150 else 10)} for n in range(300)]
    pq.write_table(pa.Table.from_pylist(huge), tmp_path / "a.parquet", row_group_size=100, compression="zstd")
    ids, told = problems_of(tmp_path, max_bytes=1_000_000)
    assert len(ids) == 200
    assert told == [("a.parquet", formats.TOO_LARGE, 100, "rows 101 to 200")]
    many = [{"id": str(n), "text": f"{n} " * 4000} for n in range(3000)]  # a large column of small texts
    pq.write_table(pa.Table.from_pylist(many), tmp_path / "a.parquet", data_page_size=100_000, use_dictionary=False)
    assert problems_of(tmp_path, max_bytes=1_000_000) == ([str(n) for n in range(3000)], [])


GIANT = """
import gzip, resource, sys
from pathlib import Path
import pyarrow as pa
from stages.annotate_documents import formats, readers
from stages.annotate_documents.parameters import Columns
from stages.annotate_documents.problems import Problems
from stages.annotate_documents.sources import find_sources
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
problems = Problems()
reading = formats.Reading(Columns(), 1_000_000, problems)
read = readers.read(find_sources(sys.argv[1], "*", formats.READERS), reading)
print(sum(batch.num_rows for batch in read), problems.by_reason())
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_gigabyte_in_one_line_costs_no_memory(tmp_path: Path) -> None:
    million = b"x" * 1_000_000
    with gzip.open(tmp_path / "a.jsonl.gz", "wb", compresslevel=1) as file:
        file.write(b'{"id": "1", "text": "')
        for _ in range(1000):
            file.write(million)
        file.write(b'"}\n{"id": "2", "text": "Kaixo"}\n')
    told = subprocess.run([sys.executable, "-c", GIANT, tmp_path], capture_output=True, text=True, check=True).stdout
    counts, megabytes = told.splitlines()
    assert counts == "1 {'document too large': 1}"
    assert int(megabytes) < 100, "the line was held in memory"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of a store that speaks S3 (moto's), through its address on this machine."""
    server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    import boto3
    import s3fs

    store = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    host, port = store.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    boto3.client("s3").create_bucket(Bucket="texts")
    yield "texts"
    s3fs.S3FileSystem.clear_instance_cache()
    store.stop()


def test_a_prefix_of_s3_reads_as_a_folder(tmp_path: Path, bucket: str) -> None:
    import boto3

    for form in ("parquet", "jsonl.zst"):
        boto3.client("s3").upload_file(str(write(tmp_path, form)), bucket, f"laws/{form}/documents.{form}")
    boto3.client("s3").put_object(Bucket=bucket, Key="laws/licenses.csv", Body=b"source,license,url,evidence\n")
    problems = Problems()
    assert read(Path(f"s3://{bucket}/laws"), problems) == FOUND  # a Path, as the command line gives it
    assert problems.listed()[0]["file"] == "parquet/documents.parquet"  # the second of the same documents
    assert problems.by_reason() == {readers.REPEATED: 2}
    assert read_beside(f"s3://{bucket}/laws", "licenses.csv") == b"source,license,url,evidence\n"
    with pytest.raises(Trouble, match=r"^s3://texts/other holds no file"):
        read(f"s3://{bucket}/other")


def test_an_address_keeps_its_slashes() -> None:
    assert address(Path("s3://bucket/a")) == "s3://bucket/a"
    assert address("data/sample") == "data/sample"
