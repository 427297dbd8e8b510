"""The release: whole, the same every time, without secrets, with a chain that tells content and not history."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from conftest import PARAMS, PATHS, REPRESENTATION, VOTES, make_workspace, write_lock

from stages.errors import Trouble
from stages.lineage import NodeLineage
from stages.params import parse
from stages.publish_release.__main__ import main
from stages.publish_release.bundle import copy_artifacts
from stages.publish_release.chain import build_chain, withhold
from stages.publish_release.manifest import Manifest
from stages.publish_release.parameters import Parameters
from stages.publish_release.scan import Finding, scan, scan_lines


def publish_in(workspace: Path, monkeypatch: pytest.MonkeyPatch, out: str = "data/release") -> str:
    """Run the node's main in the workspace."""
    monkeypatch.chdir(workspace)
    argv = [word for name, place in PATHS.items() for word in (f"--{name}", place)]
    monkeypatch.setattr(sys, "argv", ["publish_release", *argv, "--out", out])
    return main()


@pytest.fixture
def own_workspace(tmp_path: Path) -> Path:
    """A workspace to be changed."""
    return make_workspace(tmp_path / "own")


def digest(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_artifacts_are_copied_as_they_are(published: Path, workspace: Path) -> None:
    for name, place in {"draft": "constitution/draft", "model": "model"}.items():
        assert digest(published / place) == digest(workspace / PATHS[name])
    assert digest(published / "deliberation").items() <= digest(workspace / PATHS["deliberation"]).items()
    assert not (published / "base").exists()  # base and intermediate model are named in the chain, not copied


def test_what_people_declared_of_themselves_is_not_published(published: Path, workspace: Path) -> None:
    told = workspace / PATHS["deliberation"] / "participants.csv"
    missing = {"participants.csv"}
    assert digest(workspace / PATHS["deliberation"]).keys() - digest(published / "deliberation").keys() == missing
    chain = json.loads((published / "chain.json").read_text())
    assert chain["withheld"] == [
        {
            "bytes": told.stat().st_size,
            "md5": hashlib.md5(told.read_bytes()).hexdigest(),
            "path": "deliberation/participants.csv",
            "reason": "what single participants declared of themselves",
        }
    ]
    every = b"".join(path.read_bytes() for path in published.rglob("*") if path.is_file())
    assert b"16-29" in every  # of the census
    assert b"a000000000000003,16-29" not in every


def test_a_weight_for_each_participant_is_kept_in_the_house(
    own_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_workspace / PATHS["draft"] / "representation.json").write_text(
        json.dumps({**REPRESENTATION, "weights": {"a000000000000003": 1.7}})
    )
    write_lock(own_workspace)
    with pytest.raises(Trouble, match=r"a weight for each participant in constitution/draft/representation.json"):
        publish_in(own_workspace, monkeypatch)


def test_the_manifest_covers_all_files_and_names_the_release(published: Path) -> None:
    manifest = Manifest.model_validate_json((published / "manifest.json").read_text())
    found = digest(published)
    del found["manifest.json"]
    assert {file.path: file.sha256 for file in manifest.files} == found
    # Anyone can make the number again: sha256sum over all files but the manifest, sorted by path.
    listing = "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(found.items()))
    assert manifest.release == f"1.2.0-{hashlib.sha256(listing.encode()).hexdigest()[:12]}"
    assert {file.role for file in manifest.files} >= {"model", "constitution", "scores", "lineage", "document", "gate"}
    assert manifest.simulated


def test_the_same_content_is_the_same_release(
    published: Path, own_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = yaml.safe_load((own_workspace / "dvc.lock").read_text())
    for entry in lock["stages"].values():  # another history: code and commands differ
        entry["cmd"] += " --verbose"
        entry["deps"][-1]["md5"] = "d" * 32
    lock["stages"]["publish_release"] = {"cmd": "x", "outs": [{"path": "data/release", "md5": "f" * 32}]}
    (own_workspace / "dvc.lock").write_text(yaml.safe_dump(lock))
    told = publish_in(own_workspace, monkeypatch)
    assert digest(own_workspace / "data/release") == digest(published)
    assert told.startswith("release 1.2.0-") and told.endswith("53 files, 0.2 MB")


def test_the_chain_tells_data_and_parameters_but_no_secret_and_no_machine(published: Path) -> None:
    chain = json.loads((published / "chain.json").read_text())
    names = [node["node"] for node in chain["nodes"]]
    assert names.index("draft_constitution") < names.index("generate_preferences") < names.index("finetune_dpo")
    assert "curate_corpus@old" not in names  # an old entry that nothing reads
    assert "publish_release" not in names
    first = next(node for node in chain["nodes"] if node["node"] == "ingest_deliberation")
    assert first["inputs"] == [{"bytes": 12, "external": True, "md5": "e" * 32, "path": "export"}]
    assert first["params"]["x"] == {"path": "x", "salt": "(withheld)"}
    compared = next(node for node in chain["nodes"] if node["node"] == "compare_models")
    assert "data/scores/tuned/bbq" in [link["path"] for link in compared["inputs"]]
    assert "stages/records.py" not in (published / "chain.json").read_text()


def test_an_artifact_that_dvc_did_not_make_is_refused(own_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (own_workspace / "data/deliberation/votes.csv").open("a") as file:
        file.write("z,0,1,\n")
    with pytest.raises(Trouble, match=r"data/deliberation is not what dvc.lock tells of; .* run `dvc repro` first"):
        publish_in(own_workspace, monkeypatch)
    assert not (own_workspace / "data/release").exists()


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("corpus/attribution.md", "key AKIAIOSFODNN7EXAMPLE", "an AWS key id in corpus/attribution.md, line 1"),
        ("model/training.json", '{"cache": "/home/ada/models"}', "an absolute path in model/training.json, line 1"),
        ("model/optimizer.pt", "x", "runs code"),
        ("comparison/extra.safetensors", "x", "weights outside model"),
    ],
)
def test_the_gate_keeps_it_in_the_house(
    own_workspace: Path, monkeypatch: pytest.MonkeyPatch, path: str, content: str, told: str
) -> None:
    first, rest = path.split("/", 1)
    folder = {"corpus": "data/corpus", "model": "models/tuned", "comparison": "data/comparison"}[first]
    (own_workspace / folder / rest).write_text(content)
    write_lock(own_workspace)
    with pytest.raises(Trouble, match="nothing was written") as trouble:
        publish_in(own_workspace, monkeypatch)
    assert told in str(trouble.value)
    assert not (own_workspace / "data/release").exists()


def test_missing_things_are_told_in_one_line(own_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(own_workspace / "data/scores/tuned/bbq")
    with pytest.raises(
        Trouble, match=r"^data/scores/tuned/bbq is missing; wanted the artifact there: run `dvc repro` first\.$"
    ):
        publish_in(own_workspace, monkeypatch)


def test_scores_of_a_benchmark_that_was_taken_out_are_not_published(
    own_workspace: Path, monkeypatch: pytest.MonkeyPatch, published: Path
) -> None:
    left_over = own_workspace / "data/scores/base/old"
    left_over.mkdir()
    (left_over / "items.jsonl").write_text("{}\n")
    write_lock(own_workspace)
    publish_in(own_workspace, monkeypatch)
    assert digest(own_workspace / "data/release") == digest(published)


SECRETS = {
    "a Hugging Face token": "token: hf_abcdefghijklmnopqrstuvwx",
    "an AWS key id": "AKIAIOSFODNN7EXAMPLE",
    "a private key": "-----BEGIN EC PRIVATE KEY-----",
    "a bearer token": "Authorization: Bearer abcdefghijklmnopqrstuvwxyz",
    "a JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijkl",
    "a password in an address": "postgresql://mlflow:geheim@db/mlflow",
    "an absolute path": '"path": "/home/ada/data"',
}


@pytest.mark.parametrize("what", SECRETS)
def test_the_scan_finds(what: str) -> None:
    assert [finding.what for finding in scan_lines("x.json", ["ok", SECRETS[what]])] == [what]


@pytest.mark.parametrize(
    "line",
    [
        "Bearer of news; see https://a.example/home/ada/x and http://b.example:8080/tmp/y",
        "hf_ is a prefix, AKIA is not a key, l'assistant répond /à tous/",
        "and/or, 24/7, </home>, ../home/x, data/tmp/x",
    ],
)
def test_the_scan_leaves_ordinary_text_alone(line: str) -> None:
    assert list(scan_lines("x.md", [line])) == []


def test_a_path_in_a_document_is_not_ours() -> None:
    assert list(scan_lines("corpus/corpus/part-00000.parquet", ["see /home/user/notes"])) == []


def test_a_secret_in_a_document_is_found(tmp_path: Path) -> None:
    table = pa.table(
        {"id": ["a", "b"], "text": pa.array(["well", SECRETS["an AWS key id"]], pa.large_string()), "n": [1, 2]}
    )
    pq.write_table(table, tmp_path / "part.parquet", compression="zstd")
    assert list(scan(tmp_path, ["part.parquet"])) == [Finding("part.parquet", 2, "an AWS key id")]


def test_parameters_lose_secrets_and_places() -> None:
    params = {
        "salt": "abc",
        "hub_token": "t",
        "max_tokens": 5,
        "path": "../shared/model",
        "url": "https://a/b",
        "empty_salt": "",
    }
    told = {
        "empty_salt": "",
        "hub_token": "(withheld)",
        "max_tokens": 5,
        "path": "model",
        "salt": "(withheld)",
        "url": "https://a/b",
    }
    assert withhold(params) == told


def test_an_artifact_without_lineage_is_refused() -> None:
    lock = {"a": NodeLineage(inputs={}, outputs={"data/x": "1"}, code={}, params={})}
    with pytest.raises(Trouble, match=r"dvc.lock does not say which node made data/y"):
        build_chain(lock, ["data/x", "data/y"], {})


def test_large_weights_are_linked_and_small_files_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.publish_release.bundle.LINK_FROM_BYTES", 10)
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "model.safetensors").write_bytes(b"0123456789")
    (source / "config.json").write_bytes(b"{}")
    assert copy_artifacts(target, {source: "model"}) == 2
    assert (source / "model.safetensors").samefile(target / "model/model.safetensors")
    assert not (source / "config.json").samefile(target / "model/config.json")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"page_languages": ["xx"]}, "publish_release.page_languages.0"),
        ({"page_languages": []}, "publish_release.page_languages"),
        (
            {"licence_model": "MIT"},
            r"unknown parameter 'publish_release.licence_model' \(did you mean 'license_model'\?\)",
        ),
        ({"model_name": "../x"}, "publish_release.model_name"),
    ],
)
def test_wrong_parameters_are_named(change: dict[str, object], told: str) -> None:
    with pytest.raises(Trouble, match=told):
        parse("publish_release", PARAMS.model_dump(mode="json") | change, Parameters)


def test_the_fixture_is_a_real_deliberation() -> None:
    assert len(VOTES) == 121
