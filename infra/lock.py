"""Make the hash-pinned locks from pyproject.toml: `python infra/lock.py` (needs uv: `pip install uv`).

requirements.lock      everything but CUDA, for every machine
requirements-gpu.lock  the CUDA libraries that a CUDA build of torch needs beside it
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

# Held back, and what would break: written above the pin. The versions come from pyproject.toml or from the resolver.
HELD_BACK = {
    "fastapi": "Prefect 3.8 allows newer ones and dies on 0.155: Body() got an unexpected keyword argument 'min_items'",
    "dvc": "the flow uses its command line and Repo.index.graph, which is not a promised interface",
    "boto3": "aiobotocore (dvc-s3 -> s3fs) pins botocore to three patch releases",
    "botocore": "aiobotocore (dvc-s3 -> s3fs) pins botocore to three patch releases",
    "aiobotocore": "older resolvers walk it down 50 versions instead of moving boto3",
    "prefect": "3.9 needs a newer certifi than some indexes have; 3.8.8 was run together with the rest of this set",
    "mlflow": "3.18.0 is listed by some indexes without its half mlflow-skinny",
    "apprise": "prefect 3.8 wants <2",
    "omegaconf": "hydra-core (dvc) wants <2.4",
    "fsspec": "s3fs pins its twin exactly",
    "tqdm": "run together with the rest of this set",
    "torch": "no local suffix: the CPU build is taken where the index offers one (its hash is among these)",
    "transformers": "below 5.3 a model's config can run code (CVE-2026-4372)",
    "diskcache": "CVE-2025-69872 (pickle in a shared cache folder) has no fix: DVC_SITE_CACHE_DIR is set to a private folder",
}
# CPU builds of torch 2.13.0, CPython 3.11, Linux x86-64; their indexes are not asked when the lock is made.
CPU_TORCH = ["sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"]
CUDA = re.compile(r"^(nvidia-|cuda-|triton)")


def main() -> None:
    """Resolve, split and write both locks beside pyproject.toml."""
    command = [
        "uv",
        "pip",
        "compile",
        "pyproject.toml",
        "--all-extras",
        "--python-version",
        "3.11",
        "--generate-hashes",
    ]
    command += [
        "--python-platform",
        "x86_64-manylinux_2_28",
        "--no-header",
        "--no-emit-index-url",
        "--no-annotate",
        "--quiet",
        *sys.argv[1:],
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    pins = re.split(r"(?m)^(?=[a-zA-Z0-9])", output)
    cuda = [pin for pin in pins if CUDA.match(pin)]
    rest = [_annotated(pin) for pin in pins if pin.strip() and not CUDA.match(pin)]
    head = "# Made by infra/lock.py from pyproject.toml; install with --require-hashes --no-deps.\n"
    Path("requirements.lock").write_text(head + "".join(rest), encoding="utf-8")
    Path("requirements-gpu.lock").write_text(head + "".join(cuda), encoding="utf-8")


def _annotated(pin: str) -> str:
    """The pin with its reason above it, and torch with the hashes of its CPU builds."""
    name = re.match(r"[A-Za-z0-9._-]+", pin)
    assert name is not None
    if name.group() == "torch":
        first, rest = pin.split("\n", 1)
        pin = "\n".join([first, *(f"    --hash={h} \\" for h in CPU_TORCH), rest])
    reason = HELD_BACK.get(name.group())
    return f"# held back: {reason}\n{pin}" if reason else pin


if __name__ == "__main__":
    main()
