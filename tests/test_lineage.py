"""Our fingerprints equal DVC's own, so that anyone can recompute them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from stages.lineage import dvc_md5, read_lock


def test_files_and_folders_have_the_hash_that_dvc_gives(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for name, text in {"b.txt": "bé", "a/z.txt": "", "a.txt": "1", "a-b/c.txt": "2", "A.txt": "3"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q", "--no-scm"], cwd=tmp_path, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "add", "-q", "out"], cwd=tmp_path, check=True)
    recorded = yaml.safe_load((tmp_path / "out.dvc").read_text(encoding="utf-8"))["outs"][0]["md5"]
    assert dvc_md5(folder) == recorded


def test_the_lock_is_read_as_lineage_with_code_apart(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    lock.write_text(
        "schema: '2.0'\nstages:\n  curate_corpus:\n    cmd: x\n    deps:\n"
        "    - {path: stages/curate_corpus, md5: c.dir}\n    - {path: docs, md5: d.dir}\n"
        "    params: {params.yaml: {curate_corpus: {min: 1}}}\n    outs:\n    - {path: data/corpus, md5: o.dir}\n",
        encoding="utf-8",
    )
    lineage = read_lock(lock)["curate_corpus"]
    assert lineage.inputs == {"docs": "d.dir"}
    assert lineage.code == {"stages/curate_corpus": "c.dir"}
    assert lineage.outputs == {"data/corpus": "o.dir"}
    assert lineage.params == {"curate_corpus": {"min": 1}}
    assert read_lock(tmp_path / "none.lock") == {}
