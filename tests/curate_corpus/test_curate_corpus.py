"""The node as a whole: its files, its gates and its pages."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.curate_corpus import croissant
from stages.curate_corpus.__main__ import curate, main
from stages.curate_corpus.parameters import Parameters
from stages.errors import Trouble
from stages.params import load
from tests.curate_corpus.tables import GOOD_TEXT, document, write_attributes

ROOT = Path(__file__).parents[2]
Make = Callable[..., Parameters]
pytestmark = pytest.mark.filterwarnings("ignore")  # Great Expectations' own
HOSTILE = 'Diari <script>alert("1")</script> {{ 7 * 7 }}'


def attributes_of(folder: Path, **said: Any) -> Path:
    shards = [
        [document("a", source=HOSTILE, language="oc"), document("b", license__license="CC-BY-SA-4.0")],
        [document("c", quality__curly_brackets=1), document("d", license__license=""), document("e", language="fr")],
    ]
    return write_attributes(folder, shards, spans=[("a", "NATIONAL_ID", 0, 5)], **said)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_node_writes_everything_twice_the_same(tmp_path: Path, make: Make) -> None:
    attributes = attributes_of(tmp_path / "attributes")
    assert (
        curate(attributes, tmp_path / "one", make()) == "kept 2 of 5 (c4_max_curly_brackets 1, language 1, license 1)"
    )
    curate(attributes, tmp_path / "two", make())
    first = files(tmp_path / "one")
    assert sorted(first) == [
        "attribution.md", "corpus/part-00000.parquet", "croissant.json", "data-card.md", "data-docs/index.html",
        "decisions.parquet", "gate.json", "metrics.json", "obligations.json",
        "plots/kept-and-dropped.png", "report.html",
    ]  # fmt: skip
    assert files(tmp_path / "two") == first
    assert str(tmp_path).encode() not in b"".join(first.values())
    metrics = json.loads(first["metrics.json"])
    assert (metrics["documents read"], metrics["documents kept"], metrics["dropped: licence"]) == (5, 2, 1)
    assert (metrics["masked: national identity numbers"], metrics["masked: phone numbers"]) == (1, 0)


class Page(HTMLParser):
    """Collects the tags, their attributes and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data


@pytest.fixture
def report(tmp_path: Path, make: Make) -> str:
    attributes = attributes_of(tmp_path / "attributes")
    errors = [{"file": "b.parquet", "reason": "cut off", "documents": 3, "first": "row 9", "found": "<i>"}]
    (attributes / "errors.json").write_text(json.dumps(errors), encoding="utf-8")
    removed = make(remove=[{"source": "butlletí", "reason": "R", "date": "2026-03-01"}], languages=["oc", "ca"])
    curate(attributes, tmp_path / "corpus", removed)
    return (tmp_path / "corpus" / "report.html").read_text("utf-8")


def test_the_report_needs_nothing_else_and_runs_nothing(report: str) -> None:
    page = Page(report)
    assert "script" not in {tag for tag, _ in page.tags}
    assert not [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "style")]
    assert not [v for _, attributes in page.tags for name, v in attributes.items() if name.startswith("on")]
    assert all(attributes["href"].startswith("#") for tag, attributes in page.tags if tag == "a")  # type: ignore[union-attr]
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    style = re.search(r"<style>(.*?)</style>", report, re.DOTALL)
    assert style and policy
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert ("html", {"lang": "en"}) in page.tags


def test_the_report_says_what_by_what_right_and_what_was_left_out(report: str) -> None:
    said = " ".join(Page(report).said.split())
    assert HOSTILE in said  # as text
    assert "{{ 7 * 7 }}" in report and "<script" not in report
    assert "Made of: 1 of 5 documents that were read (20.0 %), Occitan 1." in said
    assert "By what right: CC-BY-4.0 (1). None of them asks that adaptations carry the same licence." in said
    assert "Left out: 4 documents: 4 withdrawn on request." in said
    assert "butlletí (2026-03-01: R)" in said
    assert "1 national identity numbers were replaced by placeholders" in said
    assert "b.parquetcut off3" in said.replace(" ", "").replace("cutoff", "cut off")
    rows = re.findall(r"<tr><th>(curly brackets[^<]*)</th><td class=\"number all\">1 <small>0</small>", report)
    assert rows == ["curly brackets, as in program code (C4)"]


def test_share_alike_is_said_first(tmp_path: Path, make: Make) -> None:
    curate(attributes_of(tmp_path / "attributes"), tmp_path / "corpus", make())
    said = " ".join(Page((tmp_path / "corpus" / "report.html").read_text("utf-8")).said.split())
    assert "CC-BY-SA-4.0 asks that adaptations are passed on under the same licence." in said
    assert json.loads((tmp_path / "corpus" / "obligations.json").read_text("utf-8"))["share_alike"] is True
    card = (tmp_path / "corpus" / "data-card.md").read_text("utf-8")
    assert "| CC-BY-SA-4.0 | 1 | yes |" in card
    assert "- Documents: 2 of 5 read" in card


def test_the_croissant_file_has_what_the_standard_asks(tmp_path: Path, make: Make) -> None:
    curate(attributes_of(tmp_path / "attributes"), tmp_path / "corpus", make(about__published="2026-03-01"))
    record = json.loads((tmp_path / "corpus" / "croissant.json").read_text("utf-8"))
    for key in ("@context", "@type", "conformsTo", "name", "description", "license", "url", "creator", "datePublished",
                "version", "distribution", "recordSet"):  # fmt: skip
        assert record[key]
    assert record["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert record["license"] == [
        "https://spdx.org/licenses/CC-BY-4.0.html",
        "https://spdx.org/licenses/CC-BY-SA-4.0.html",
    ]
    decisions = next(entry for entry in record["distribution"] if entry["@id"] == "decisions.parquet")
    assert decisions["sha256"] == hashlib.sha256((tmp_path / "corpus" / "decisions.parquet").read_bytes()).hexdigest()
    columns = {field["source"]["extract"]["column"] for field in record["recordSet"][0]["field"]}
    assert columns == set(croissant.DOCUMENT_FIELDS)


@pytest.mark.skipif(importlib.util.find_spec("mlcroissant") is None, reason="needs mlcroissant")
def test_the_croissant_file_is_read_by_its_makers_tool(tmp_path: Path, make: Make) -> None:
    import mlcroissant

    curate(attributes_of(tmp_path / "attributes"), tmp_path / "corpus", make(about__published="2026-03-01"))
    dataset = mlcroissant.Dataset(jsonld=str(tmp_path / "corpus" / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    documents = list(dataset.records("documents"))
    assert [record["documents/id"] for record in documents] == [b"a", b"b"]
    assert len(list(dataset.records("decisions"))) == 5


def test_nothing_kept_is_trouble_and_nothing_is_written(tmp_path: Path, make: Make) -> None:
    attributes = write_attributes(tmp_path / "attributes", [[document("a", language="fr")]])
    with pytest.raises(Trouble, match=r"kept 0 of 1 \(language 1\); wanted at least one: check"):
        curate(attributes, tmp_path / "corpus", make())
    assert not (tmp_path / "corpus").exists()


def shards_of(count: int, **said: Any) -> list[list[dict[str, Any]]]:
    return [[document(f"d{n}", **said) for n in range(count)]]


@pytest.mark.parametrize(
    ("changes", "said", "message"),
    [
        (
            {"gates__max_near_duplicate_share": 1},
            {"text": GOOD_TEXT + "ES91 2100 0418 4502 0005 1332"},
            "residual personal data",
        ),
        ({}, {"text": GOOD_TEXT}, "near-duplicate share"),
        ({"gates__min_documents": 2}, {"quality__curly_brackets": 1}, r"'drop share'.*0\.66"),
        ({"gates__min_language_share": 0.1}, {}, "'share', min_value=0.1"),
    ],
)
def test_a_gate_that_fails_stops_the_run_and_shows_what_was_found(
    tmp_path: Path, make: Make, changes: dict[str, Any], said: dict[str, Any], message: str
) -> None:
    shards = [*shards_of(2, **said), [document("good")]]
    attributes = write_attributes(tmp_path / "attributes", shards)
    with pytest.raises(Trouble, match=rf"Gate: .*{message}"):
        curate(attributes, tmp_path / "corpus", make(**changes))
    assert not (tmp_path / "corpus").exists()


def test_a_failing_gate_names_the_documents(tmp_path: Path, make: Make) -> None:
    from stages import gate
    from stages.curate_corpus import expectations, mix

    params = make()
    attributes = write_attributes(tmp_path / "attributes", [[document("a"), document("b"), document("c")]])
    (tmp_path / "corpus").mkdir()
    verdicts = mix.decide(attributes, params)
    mixed = mix.write(attributes, tmp_path / "corpus", params, verdicts)
    other = make(licenses=["CC0-1.0"])  # as if the rules had let through what the gate does not
    with pytest.raises(Trouble, match=r"rows=\[{'id': 'a', 'license': 'CC-BY-4.0'}, {'id': 'b',.*{'id': 'c',"):
        gate.enforce(tmp_path, expectations.tables(mixed, 3, 0, other), expectations.expected(other))


def test_the_gates_look_at_a_sample_where_there_are_many(tmp_path: Path, make: Make) -> None:
    attributes = write_attributes(tmp_path / "attributes", shards_of(200))
    from stages.curate_corpus import mix

    params = make(gates__sample=50)
    (tmp_path / "corpus").mkdir()
    mixed = mix.write(attributes, tmp_path / "corpus", params, mix.decide(attributes, params))
    assert 20 < len(mixed.sample) < 90
    below = set(mixed.sample["id"].to_pylist())
    hashes = {f"d{n}": hashlib.sha256(f"d{n}".encode()).digest() for n in range(200)}
    assert max(hashes[id] for id in below) < min(hashes[id] for id in hashes if id not in below)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Make the working directory one with this project's parameters, changed as given, and the node's arguments set."""

    def at(attributes: Path, **changes: object) -> Path:
        everything = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        everything["curate_corpus"].update(changes)
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(everything), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["curate_corpus", "--attributes", str(attributes), "--out", "corpus"])
        return tmp_path / "corpus"

    return at


def test_the_process_reads_its_section(workspace: Callable[..., Path], tmp_path: Path) -> None:
    out = workspace(write_attributes(tmp_path / "attributes", [[document("a")]]))
    assert main() == "kept 1 of 1"
    assert (out / "report.html").exists()


def test_a_misspelt_parameter_is_trouble(workspace: Callable[..., Path], tmp_path: Path) -> None:
    workspace(tmp_path, min_charcters=5)
    with pytest.raises(Trouble, match=r"'curate_corpus.min_charcters' \(did you mean 'min_characters'\?\)"):
        main()


def test_the_projects_parameters_are_those_of_the_papers() -> None:
    params = load("curate_corpus", Parameters, ROOT / "params.yaml")
    gopher = params.quality.default.gopher
    assert (gopher.max_top_2gram_share, gopher.max_duplicate_10gram_share) == (0.2, 0.1)  # Rae et al. 2021, table A1
