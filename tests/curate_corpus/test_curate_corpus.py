"""The node as a whole: on the sample with its planted faults, on a larger corpus, and as a process."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stages import gate
from stages.curate_corpus import expectations
from stages.curate_corpus.__main__ import main
from stages.curate_corpus.curate import Curation, curate
from stages.curate_corpus.language_id import load_identifier
from stages.curate_corpus.parameters import Columns, Parameters
from stages.curate_corpus.readers import read_documents, smallest_by_hash
from stages.curate_corpus.report import metrics, summary
from stages.errors import Trouble
from stages.params import load
from stages.records import Document

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample" / "documents"
CIVIC = ROOT / ".." / "shared" / "data" / "corpus" / "civic_small.parquet"


@pytest.fixture(scope="module")
def params() -> Parameters:
    return load("curate_corpus", Parameters, ROOT / "params.yaml")


def test_the_planted_faults_of_the_sample_are_found_with_their_reason(params: Parameters) -> None:
    identify = load_identifier(params.languages, params.language_identification.confusable)
    curation = curate(read_documents(SAMPLE, params.files, params.columns), params, identify)
    found = {document.id: "keep" for document in curation.kept} | {drop.id: drop.rule for drop in curation.dropped}
    with (SAMPLE / "planted.csv").open(encoding="utf-8", newline="") as file:
        planted = {row["id"]: row["expected"] for row in csv.DictReader(file)}
    expected = {id: "keep" if verdict == "pii" else verdict for id, verdict in planted.items()}
    assert found == expected
    assert [document.id for document in curation.kept] == sorted(document.id for document in curation.kept)
    masked = {document.id for document in curation.kept if "[EMAIL]" in document.text or "[PHONE]" in document.text
              or "[IBAN]" in document.text or "[IP]" in document.text}  # fmt: skip
    assert masked == {id for id, verdict in planted.items() if verdict == "pii"}
    counts = metrics(curation, 0)
    assert counts["documents read"] == len(planted) == counts["documents kept"] + counts["documents dropped"]
    assert summary(curation).startswith(f"kept {len(curation.kept)} of {len(planted)} (license ")


@pytest.mark.skipif(not CIVIC.exists(), reason="needs shared/data/corpus/civic_small.parquet beside the repository")
def test_real_documents_with_other_column_names(params: Parameters) -> None:
    documents, left = smallest_by_hash(read_documents(CIVIC, "*", Columns(language="lang", license="license_id")), 40)
    assert (len(documents), left) == (400, 21_422)
    identify = load_identifier(params.languages, params.language_identification.confusable)
    curation = curate(documents, params, identify)
    rules = Counter((drop.language, drop.rule) for drop in curation.dropped)
    assert rules["de", "language"] == 40
    assert all(drop.value == "LicenseRef-UY-Datos-Abiertos" for drop in curation.dropped
               if drop.language == "es" and drop.rule == "license" and "UN" not in drop.value)  # fmt: skip
    assert sum(document.language == "eu" for document in curation.kept) > 30


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Make the working directory one with this project's parameters, changed as given, and the node's arguments set."""

    def make(documents: Path, **changes: object) -> Path:
        everything = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        everything["curate_corpus"].update(changes)
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(everything), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["curate_corpus", "--documents", str(documents), "--out", "corpus"])
        return tmp_path / "corpus"

    return make


@pytest.mark.filterwarnings("ignore")  # Great Expectations' own
def test_the_node_writes_everything_twice_the_same(workspace: Callable[..., Path]) -> None:
    out = workspace(SAMPLE, max_documents_per_language=12)
    said = main()
    assert said.startswith("kept ")
    first = {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert sorted(first) == [
        "attribution.md", "documents.jsonl", "dropped.jsonl", "gate.json", "kept-and-dropped.png", "metrics.json",
    ]  # fmt: skip
    gate = json.loads(first["gate.json"])
    assert {entry["success"] for entries in gate.values() for entry in entries} == {True}
    assert str(out.parent).encode() not in b"".join(first.values())
    assert main() == said
    assert {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()} == first


def test_a_source_without_a_usable_document_is_trouble(workspace: Callable[..., Path], tmp_path: Path) -> None:
    source = tmp_path / "d.jsonl"
    source.write_text('{"id": "1", "text": "Labur.", "license": "CC0-1.0"}\n', encoding="utf-8")
    out = workspace(source)
    with pytest.raises(Trouble, match=r"kept 0 of 1 \(language 1\); wanted at least one: check"):
        main()
    assert not out.exists()


def test_a_misspelt_parameter_is_trouble(workspace: Callable[..., Path]) -> None:
    workspace(SAMPLE, min_charcters=5)
    with pytest.raises(Trouble, match=r"'curate_corpus.min_charcters' \(did you mean 'min_characters'\?\)"):
        main()


@pytest.mark.filterwarnings("ignore")
def test_the_gate_refuses_what_the_rules_let_through(tmp_path: Path, params: Parameters) -> None:
    leaked = Document(id="a", text="a@b.example", language="ca", source="s", url="", license="CC0-1.0")
    tables = expectations.tables(Curation([leaked], [], Counter()), read=1)
    with pytest.raises(Trouble, match="residual personal data"):
        gate.enforce(tmp_path, tables, expectations.expected(params))
    assert not (tmp_path / "gate.json").exists()
