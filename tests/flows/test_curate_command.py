"""`commons curate` makes a corpus of any documents, with a reason for each, outside the pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from flows.commands import main

SENTENCES = {
    "ca": "El ple de l’ajuntament aprova l’ordenança número {n} que la gent del barri {w} va demanar, i la publica al butlletí.",
    "eu": "Udalbatzak {n}. ordenantza onartu du, {w} auzoko herritarrek eskatu zutena da, eta aldizkarian argitaratu dute.",
}
PARAMS = {
    "annotate_documents": {"languages": ["ca", "eu"], "shard_megabytes": 1, "max_document_megabytes": 1},
    "curate_corpus": {
        "languages": ["ca", "eu"],
        "licenses": ["CC0-1.0", "CC-BY-4.0"],
        "min_characters": 20,
        "quality": {"families": [], "default": {}, "overrides": []},
        "gates": {"max_drop_share": 1.0, "min_documents": 1, "min_language_share": 0.0},
    },
}


def run(*arguments: object) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["curate", *map(str, arguments)])
    assert ended.value.code in (0, None), ended.value.code


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    with (folder / "texts.jsonl").open("w", encoding="utf-8") as file:
        for n in range(12):
            for language, sentence in SENTENCES.items():
                text = sentence.format(n=n, w=" ".join(f"{language}{n}x{k}" for k in range(5)))
                row = {"id": f"{language}-{n}", "text": text, "lang": language, "source": "alt" if n % 4 == 0 else "bo"}
                file.write(json.dumps(row | {"license": "CC0-1.0" if n else "see repo"}) + "\n")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS), encoding="utf-8")
    return folder


def decisions(out: Path) -> dict[str, tuple[bool, str]]:
    return {row["id"]: (row["kept"], row["rule"]) for row in pq.read_table(out / "decisions.parquet").to_pylist()}


def test_documents_become_a_corpus_with_reasons(documents: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(documents, "--out", out, "--params", tmp_path / "params.yaml")
    found = decisions(out)
    assert len(found) == 24
    assert {id_ for id_, (kept, rule) in found.items() if rule == "license"} == {"ca-0", "eu-0"}
    assert sum(kept for kept, _ in found.values()) == 22
    corpus = [row["id"] for part in (out / "corpus").iterdir() for row in pq.read_table(part).to_pylist()]
    assert sorted(corpus) == sorted(id_ for id_, (kept, _) in found.items() if kept)
    assert (out / "report.html").exists()
    assert (out / "attributes" / "quality" / "part-00000.parquet").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["documents", "out", "params.yaml"]

    removed = PARAMS | {
        "curate_corpus": PARAMS["curate_corpus"]
        | {"remove": [{"source": "alt", "reason": "asked", "date": "2026-03-01"}]}
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(removed), encoding="utf-8")
    run("--attributes", out / "attributes", "--out", out, "--params", tmp_path / "params.yaml")
    assert sum(kept for kept, _ in decisions(out).values()) == 18
    assert (out / "attributes" / "quality" / "part-00000.parquet").exists()


def test_what_datatrove_and_dolma_read_is_read_back_the_same(documents: Path, tmp_path: Path) -> None:
    run(documents, "--out", tmp_path / "out", "--params", tmp_path / "params.yaml", "--datatrove")
    run(tmp_path / "out" / "datatrove", "--out", tmp_path / "again", "--params", tmp_path / "params.yaml")
    first, again = (pq.read_table(tmp_path / name / "corpus").to_pylist() for name in ("out", "again"))
    assert len(first) == 22
    assert again == first


def test_a_foreign_folder_is_never_replaced(documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["curate", str(documents), "--out", str(documents)])
    assert ended.value.code == 2
    assert "is there and holds other things" in capsys.readouterr().err
    assert (documents / "texts.jsonl").exists()


def test_nothing_to_curate_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["curate", "--out", str(tmp_path / "out")])
    assert "curate wants either documents (INPUT…) or --attributes" in capsys.readouterr().err
