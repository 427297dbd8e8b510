"""Bundle model, data and evidence into one release that an outsider can verify.

python -m stages.publish_release --deliberation data/deliberation ... --out data/release   (whole command: dvc.yaml)
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stages import gate
from stages.artifact import new_folder, write_json, write_text
from stages.errors import Trouble
from stages.lineage import LOCK, NodeLineage, dvc_md5, read_lock
from stages.node import arguments, run
from stages.params import load, read_file
from stages.publish_release import card, expectations, layout, page
from stages.publish_release.bundle import copy_artifacts, withheld
from stages.publish_release.chain import build_chain
from stages.publish_release.facts import Facts, read_facts
from stages.publish_release.manifest import Licences, Manifest, list_files, make_manifest
from stages.publish_release.parameters import Parameters
from stages.publish_release.scan import scan

MODELS = ("base", "tuned")  # the sides of the comparison, as dvc.yaml's matrix names them


@dataclass(frozen=True)
class Artifacts:
    """The artifacts that are bundled, each with its place in the release, and those that the chain only names."""

    bundled: Mapping[Path, str]
    hashed_only: tuple[Path, ...]
    base: Path
    benchmarks: tuple[str, ...]


def main() -> str:
    """Run the node; returns its counts in words."""
    args = arguments(
        __doc__,
        deliberation="statements and votes",
        draft="the drafted constitution",
        constitution="the ratified constitution",
        corpus="the curated documents",
        base="the base model",
        preferences="the training pairs",
        sft="the model between",
        model="the tuned model",
        scores="scores by model and benchmark",
        comparison="before and after",
        out="the release",
    )
    params = load("publish_release", Parameters)
    artifacts = artifacts_of(args, benchmarks_of(read_file()))
    lock = read_lock()
    check_current(artifacts, lock)
    with new_folder(args.out) as folder:
        manifest = publish(folder, artifacts, lock, params)
    total = sum(file.bytes for file in manifest.files)
    return f"release {manifest.release}: {len(manifest.files)} files, {total / 1e6:,.1f} MB"


def benchmarks_of(everything: Mapping[str, object]) -> tuple[str, ...]:
    """The benchmarks that the evaluation names; folders of others in data/scores are left over and not read."""
    section = everything.get("evaluate_model")
    names = section.get("benchmarks") if isinstance(section, dict) else None
    if not names:
        raise Trouble(
            "params.yaml names no evaluate_model.benchmarks; wanted at least one, for a release tells results."
        )
    return tuple(str(name) for name in names)


def artifacts_of(args: argparse.Namespace, benchmarks: tuple[str, ...]) -> Artifacts:
    """Which artifact goes where in the release."""
    scores = {
        args.scores / model / benchmark: f"{layout.SCORES}/{model}/{benchmark}"
        for model in MODELS
        for benchmark in benchmarks
    }
    bundled = {
        args.deliberation: layout.DELIBERATION,
        args.draft: layout.DRAFT,
        args.constitution: layout.RATIFIED,
        args.corpus: layout.CORPUS,
        args.preferences: layout.PREFERENCES,
        args.model: layout.MODEL,
        args.comparison: layout.COMPARISON,
        **scores,
    }
    return Artifacts(bundled, (args.base, args.sft), args.base, benchmarks)


def check_current(artifacts: Artifacts, lock: Mapping[str, NodeLineage]) -> None:
    """Raise Trouble where an artifact is not the one that dvc.lock tells of: its release would not verify."""
    recorded = {path: md5 for lineage in lock.values() for path, md5 in lineage.outputs.items()}
    for artifact in (*artifacts.bundled, *artifacts.hashed_only):
        if not artifact.exists():
            raise Trouble(f"{artifact} is missing; wanted the artifact there: run `dvc repro` first.")
        if recorded.get(artifact.as_posix(), "") != dvc_md5(artifact):
            raise Trouble(
                f"{artifact} is not what {LOCK} tells of; wanted the artifact as its node wrote it: run `dvc repro` first."
            )


def publish(folder: Path, artifacts: Artifacts, lock: Mapping[str, NodeLineage], params: Parameters) -> Manifest:
    """Fill the folder: copies, chain, documents, gate, and last the manifest, which covers all of them."""
    copy_artifacts(folder, artifacts.bundled)
    bundled = {source.as_posix(): target for source, target in artifacts.bundled.items()}
    every = [*bundled, *(path.as_posix() for path in artifacts.hashed_only)]
    chain = build_chain(lock, every, bundled, withheld(artifacts.bundled))
    write_json(folder / layout.CHAIN, chain)
    facts = read_facts(folder, artifacts.base, artifacts.benchmarks)
    write_documents(folder, facts, params)
    write_json(folder / "metrics.json", figures(folder, facts))
    files = list_files(folder)
    findings = list(scan(folder, [file.path for file in files]))
    gate.enforce(folder, expectations.tables(files, findings), expectations.expected())
    licences = Licences(model=params.license_model, data=params.license_data)
    manifest = make_manifest(folder, params.title, facts.constitution.version, facts.simulated, licences)
    write_json(folder / layout.MANIFEST, manifest)
    return manifest


def write_documents(folder: Path, facts: Facts, params: Parameters) -> None:
    """The card and the pages; the pages list the files they were made from."""
    write_text(folder / layout.CARD, card.render(facts, params))
    files = list_files(folder)
    for language in params.page_languages:
        name = page.page_name(language, params.page_languages)
        write_text(folder / name, page.render(facts, params, files, language))


def figures(folder: Path, facts: Facts) -> dict[str, float]:
    """The node's figures for people."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    verdicts = [row.verdict for row in facts.overall()]
    return {
        "files in the release": len(sizes),
        "size of the release in MB": round(sum(sizes) / 1e6, 3),
        "principles ratified": len(facts.constitution.principles),
        "measurements over all questions that got better": verdicts.count("better"),
        "measurements over all questions that got worse": verdicts.count("worse"),
        "measurements over all questions within noise": verdicts.count("within noise"),
    }


if __name__ == "__main__":
    run(main)
