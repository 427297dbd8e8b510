"""The same documents on this machine and on a Ray cluster of two workers with a token: the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.ray_cluster import cluster
from tests.conftest import ROOT

pytest.importorskip("ray", reason="Ray is not installed: pip install '.[cluster]'")


def curate(out: Path, params: Path, **environment: str) -> dict[str, bytes]:
    """The files that `commons curate` makes of the sample's documents, in a process of its own."""
    documents = ROOT / "data" / "sample" / "documents" / "documents.jsonl"
    command = [
        sys.executable,
        "-m",
        "flows.commands",
        "curate",
        str(documents),
        "--out",
        str(out),
        "--params",
        str(params),
    ]
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_native_and_ray_give_the_same_bytes(tmp_path: Path) -> None:
    common = {"shard_megabytes": 0.05, "max_document_megabytes": 0.05, "workers": 2}  # several shards for each worker
    (tmp_path / "native.yaml").write_text(yaml.safe_dump({"annotate_documents": common}), encoding="utf-8")
    native = curate(tmp_path / "out", tmp_path / "native.yaml")
    (tmp_path / "out").rename(tmp_path / "native")
    with cluster(Path(sys.executable), tmp_path) as (address, token):
        told = common | {"engine": "ray", "ray_address": address}
        (tmp_path / "ray.yaml").write_text(yaml.safe_dump({"annotate_documents": told}), encoding="utf-8")
        on_ray = curate(tmp_path / "out", tmp_path / "ray.yaml", **token)
        with pytest.raises(AssertionError, match=r"(?i)token"):
            curate(tmp_path / "refused", tmp_path / "ray.yaml", RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="0" * 32)
    assert len([name for name in native if name.startswith("attributes/quality/")]) >= 4
    assert on_ray == native
