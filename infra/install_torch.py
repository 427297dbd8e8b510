"""Install torch before everything else: on a machine without a GPU the CPU build, where the index offers one.

    .venv/bin/python infra/install_torch.py requirements.lock

pip with --require-hashes prefers a file whose address tells its hash, so a CPU wheel from --find-links would lose against the
index's CUDA build (several gigabytes more). So the wheel is downloaded first and held against the hashes of the lock.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Install the wheel; 0 done or nothing to do."""
    if Path("/dev/nvidia0").exists():
        return 0
    version, hashes = pinned(Path(sys.argv[1]).read_text(encoding="utf-8"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*pip, "download", "--no-deps", "--dest", folder, f"torch=={version}"], check=True)
        (wheel,) = Path(folder).iterdir()
        with wheel.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest not in hashes:
            print(f"{wheel.name} has the sha256 {digest}, which the lock does not list; wanted one of its builds.")
            return 2
        subprocess.run([*pip, "install", "--no-deps", str(wheel)], check=True)
    return 0


def pinned(lock: str) -> tuple[str, set[str]]:
    """The version of torch in the lock and the hashes of its builds."""
    found = re.search(r"^torch==(\S+)((?:\s*\\\n\s+--hash=sha256:[0-9a-f]{64})+)", lock, re.MULTILINE)
    assert found, "the lock pins torch"
    return found[1], set(re.findall(r"sha256:([0-9a-f]{64})", found[2]))


if __name__ == "__main__":
    sys.exit(main())
