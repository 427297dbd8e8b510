"""The node writes one row per document in every table, the same bytes whatever happens on the way."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.annotate_documents import judging
from stages.annotate_documents.annotate import license_ranks, setting, version
from stages.annotate_documents.parameters import Parameters
from stages.annotate_documents.shards import read_shard
from stages.annotate_documents.stage import annotate_all
from stages.errors import Trouble

Make = Callable[..., Parameters]
Given = tuple[Path, Path]
ONE_ROW_EACH = ("documents", "language", "quality", "duplicates", "license", "opt_out")


def write(folder: Path, rows: list[dict[str, Any]], name: str = "a.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def read(out: Path, table: str) -> list[dict[str, Any]]:
    return [row for part in sorted((out / table).iterdir()) for row in pq.read_table(part).to_pylist()]


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_document_is_judged(tmp_path: Path, make: Make, rows: list[dict[str, Any]], given: Given) -> None:
    rows += [
        rows[0] | {"id": "copy", "source": "gazette"},
        rows[1] | {"id": "mail", "text": "Escriu a bustia@ca.example"},
    ]
    documents = write(tmp_path / "documents", rows)
    manifest = "source,license,url,evidence\ngazette,CC0-1.0,https://g.example,the imprint\n"
    (documents / "licenses.csv").write_text(manifest, encoding="utf-8")
    told = annotate_all([documents], *given, tmp_path / "out", make())
    out = tmp_path / "out"
    assert told.startswith("judged 42 documents (0.0 MB) of 1 files in ")
    names = sorted(path.name for path in (out / "documents").iterdir())
    assert len(names) > 3
    for table in (*ONE_ROW_EACH, "personal_data", "contamination"):
        assert sorted(path.name for path in (out / table).iterdir()) == names
    for table in ONE_ROW_EACH:
        assert [row["id"] for row in read(out, table)] == [row["id"] for row in rows]
    by_id = {table: {row["id"]: row for row in read(out, table)} for table in ONE_ROW_EACH}
    assert by_id["opt_out"]["ca-0"]["verdict"] == "refused"
    assert by_id["opt_out"]["eu-1"]["verdict"] == "not captured"
    assert by_id["license"]["ca-0"] == {"id": "ca-0", "license": "CC0-1.0", "evidence": "the imprint https://g.example"}
    assert by_id["license"]["ca-1"]["license"] == "CC-BY-4.0"
    assert {row["identified"] for id_, row in by_id["language"].items() if id_.startswith("eu")} == {"eu"}
    copy, first = by_id["duplicates"]["copy"], by_id["duplicates"][rows[0]["id"]]
    assert copy["text_hash"] == first["text_hash"]
    assert [copy["exact"], first["exact"]] == [False, True] or [copy["exact"], first["exact"]] == [True, False]
    assert {(row["id"], row["kind"]) for row in read(out, "personal_data")} == {("mail", "e-mail")}
    assert {(row["id"], row["benchmark"], row["item"]) for row in read(out, "contamination")} == {
        ("en-3", "quiz", "items:q1")
    }
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["documents"] == 42
    assert metrics["opt-out refused"] == 9
    assert metrics["exact duplicates"] == 1
    assert not [name for name in metrics if name.startswith("left out")]
    by_source = json.loads((out / "sources.json").read_text(encoding="utf-8"))
    assert sum(row["documents"] for row in by_source) == 42
    assert not (tmp_path / ".out.work").exists()


def test_what_cannot_be_read_is_in_errors_json(
    tmp_path: Path, make: Make, rows: list[dict[str, Any]], given: Given
) -> None:
    documents = write(tmp_path / "documents", rows)
    (documents / "b.jsonl").write_bytes(b'{"id": "x"}\n{"id": "y", "text": "\xff"}\n')
    (documents / "c.parquet").write_bytes(b"PAR1")
    told = annotate_all([documents], *given, tmp_path / "out", make())
    assert told.endswith("left out file damaged or cut off 0, no text field 1, not UTF-8 1")
    errors = json.loads((tmp_path / "out" / "errors.json").read_text(encoding="utf-8"))
    assert [(e["file"], e["reason"], e["documents"]) for e in errors] == [
        ("b.jsonl", "no text field", 1),
        ("b.jsonl", "not UTF-8", 1),
        ("c.parquet", "file damaged or cut off", 0),
    ]
    with pytest.raises(Trouble, match=r"^b\.jsonl, line 1: no text field"):
        annotate_all([documents], *given, tmp_path / "out", make(on_error="stop"))
    with pytest.raises(Trouble, match=r"share left out.*nothing was written"):
        annotate_all([documents], *given, tmp_path / "other", make(max_refused_share=0.01))
    assert not (tmp_path / "other").exists()


def test_no_document_at_all_is_trouble(tmp_path: Path, make: Make, given: Given) -> None:
    documents = write(tmp_path / "documents", [{"id": "a", "text": " "}])
    with pytest.raises(Trouble, match=r"no document could be read \(empty text 1\); wanted at least one"):
        annotate_all([documents], *given, tmp_path / "out", make())


def test_the_bytes_depend_on_no_circumstance(
    tmp_path: Path, make: Make, rows: list[dict[str, Any]], given: Given
) -> None:
    documents = write(tmp_path / "documents", rows)
    annotate_all([documents], *given, tmp_path / "one", make())
    annotate_all([documents], *given, tmp_path / "two", make(workers=3))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_large_corpus_is_read_again_and_a_small_one_is_not(
    tmp_path: Path, make: Make, rows: list[dict[str, Any]], given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents, again = write(tmp_path / "documents", rows), list[Path]()

    def reading(path: Path, *columns: list[str]) -> pa.Table:
        again.append(path)
        return read_shard(path, *columns)

    monkeypatch.setattr(judging, "read_shard", reading)
    annotate_all([documents], *given, tmp_path / "small", make())
    assert not again
    monkeypatch.setattr(judging, "HELD_BYTES", 1000)
    annotate_all([documents], *given, tmp_path / "large", make())
    assert {path.name for path in again} == {"documents.parquet"}
    assert contents(tmp_path / "small") == contents(tmp_path / "large")


@pytest.mark.filterwarnings("ignore:Please install grpcio-status:ImportWarning")  # of a package that Ray brings along
def test_ray_gives_the_same_bytes(tmp_path: Path, make: Make, rows: list[dict[str, Any]], given: Given) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("the extra 'cluster' is not installed")
    documents = write(tmp_path / "documents", rows)
    annotate_all([documents], *given, tmp_path / "native", make())
    code = (
        "import sys; from pathlib import Path\n"
        "from stages.annotate_documents.parameters import Parameters\n"
        "from stages.annotate_documents.stage import annotate_all\n"
        "a, b, c, d, e = sys.argv[1:]\n"
        "annotate_all([a], Path(b), Path(c), Path(d), Parameters.model_validate_json(e))\n"
    )
    given_params = make(engine="ray", workers=2).model_dump_json()
    subprocess.run([sys.executable, "-c", code, documents, *given, tmp_path / "ray", given_params], check=True)
    assert contents(tmp_path / "native") == contents(tmp_path / "ray")


PLUG_IN = """
import os, signal
from pathlib import Path

HERE = Path(__file__).parent

def score(texts):
    with (HERE / "scored.log").open("a") as file:
        file.writelines(text[:60].replace("\\n", " ") + "\\n" for text in texts)
    if (HERE / "kill").exists() and len((HERE / "scored.log").read_text().splitlines()) > 15:
        os.kill(os.getpid(), signal.SIGKILL)
    return [len(text) / 10_000 for text in texts]
"""
RUN = """
import json, sys
from pathlib import Path
from stages.annotate_documents.parameters import Parameters
from stages.annotate_documents.stage import annotate_all
documents, captures, benchmarks, out, params = sys.argv[1:]
annotate_all([documents], Path(captures), Path(benchmarks), Path(out), Parameters.model_validate_json(params))
"""


def test_a_killed_run_goes_on_where_it_was(
    tmp_path: Path, make: Make, rows: list[dict[str, Any]], given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = write(tmp_path / "documents", rows)
    (tmp_path / "deadly.py").write_text(PLUG_IN, encoding="utf-8")
    (tmp_path / "kill").touch()
    params = make(toxicity_plug_in="deadly:score")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])]))
    command = [sys.executable, "-c", RUN, documents, *given, tmp_path / "out", params.model_dump_json()]
    killed = subprocess.run(command, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    scored = (tmp_path / "scored.log").read_text(encoding="utf-8").splitlines()
    assert 15 < len(scored) < 40
    assert not (tmp_path / "out").exists()
    (tmp_path / "kill").unlink()
    (tmp_path / "scored.log").unlink()
    subprocess.run(command, check=True, capture_output=True)
    again = (tmp_path / "scored.log").read_text(encoding="utf-8").splitlines()
    part_sizes = [pq.read_metadata(p).num_rows for p in sorted((tmp_path / "out" / "documents").iterdir())]
    unfinished = max(part_sizes)  # the one shard that was being judged
    assert len(again) <= 40 - len(scored) + unfinished
    assert set(again) | set(scored) == {row["text"][:60] for row in rows}
    monkeypatch.syspath_prepend(tmp_path)
    annotate_all([documents], *given, tmp_path / "whole", params)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert len(read(tmp_path / "out", "toxicity")) == 40


def test_a_sample_is_gated_where_there_are_many(
    tmp_path: Path, make: Make, rows: list[dict[str, Any]], given: Given
) -> None:
    documents = write(tmp_path / "documents", rows)
    annotate_all([documents], *given, tmp_path / "out", make(gate_rows=5))
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["documents"] == 40  # the counts are of all


def test_the_key_of_a_shard_changes_with_what_it_depends_on(tmp_path: Path, make: Make, given: Given) -> None:
    first = version(setting(make(), *given, None))
    assert version(setting(make(workers=4, engine="ray", max_refused_share=0.1), *given, None)) == first
    assert version(setting(make(languages=["ca"]), *given, None)) != first
    assert version(setting(make(), *given, b"source,license,url,evidence\n")) != first
    robots = given[0] / "ca.example" / "robots.txt"
    robots.write_text("User-agent: *\nAllow: /\n", encoding="utf-8")
    assert version(setting(make(), *given, None)) != first


def test_the_better_licence_ranks_first() -> None:
    order = {"CC0-1.0": 0, "CC-BY-4.0": 1, "MIT": 2}
    said = ["CC0-1.0", "MIT OR CC-BY-4.0", "MIT AND CC0-1.0", "(MIT AND CC0-1.0) OR CC0-1.0", "GPL-3.0-only", ""]
    assert license_ranks(said, order) == [0, 1, 2, 0, 3, 4]


def test_parameters_that_cannot_hold_are_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="a document must fit into a shard"):
        make(max_document_megabytes=2, shard_megabytes=1)
    with pytest.raises(ValueError, match="revision"):
        make(hugging_face={"repo": "a/b", "revision": "main"})


@pytest.mark.skipif(
    not (Path(__file__).parents[2] / ".." / "shared" / "data" / "corpus" / "civic_small.parquet").exists(),
    reason="the shared corpus is not here",
)
def test_a_real_corpus_in_ten_languages(tmp_path: Path, make: Make) -> None:
    corpus = Path(__file__).parents[2] / ".." / "shared" / "data" / "corpus" / "civic_small.parquet"
    table = pq.read_table(corpus).slice(0, 6000)
    (tmp_path / "documents").mkdir()
    pq.write_table(table, tmp_path / "documents" / "civic.parquet")
    columns = {"license": "license_id"}
    params = make(max_document_megabytes=1, shard_megabytes=1, columns=columns)
    annotate_all([tmp_path / "documents"], None, None, tmp_path / "out", params)
    found = {row["id"]: row for row in read(tmp_path / "out", "documents")}
    assert len(found) == 6000
    for row in table.select(["id", "text", "lang"]).slice(100, 50).to_pylist():
        assert (found[row["id"]]["text"], found[row["id"]]["language"]) == (row["text"], row["lang"])
