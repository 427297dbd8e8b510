"""A tiny but whole workspace (as the nodes before would leave it) and the release made from it."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.artifact import write_csv, write_json, write_jsonl, write_text
from stages.lineage import dvc_md5
from stages.publish_release.chain import Chain
from stages.publish_release.manifest import Manifest, make_manifest
from stages.publish_release.parameters import Parameters
from stages.publish_release.recomparison import Cell, Settings, Side, recompare
from stages.records import (
    Comparison,
    ConsensusScores,
    Constitution,
    Decision,
    Document,
    DroppedDocument,
    ItemOutcome,
    PreferencePair,
    Principle,
    RatifiedPrinciple,
    RejectedStatement,
    Revision,
    Statement,
    VoteCount,
)
from stages.scoring import scores_from_items

PATHS = {
    "deliberation": "data/deliberation",
    "draft": "data/constitution/draft",
    "constitution": "data/constitution/ratified",
    "corpus": "data/corpus",
    "base": "models/base",
    "preferences": "data/preferences",
    "sft": "models/sft",
    "model": "models/tuned",
    "scores": "data/scores",
    "comparison": "data/comparison",
}
BENCHMARKS = ("adherence", "bbq")
PERMUTATIONS = 300
COMPARED = {"permutations": PERMUTATIONS, "primary": {"benchmark": "bbq", "metric": "accuracy_ambiguous"}}
SETTINGS = {"resamples": 200, "seed": 7, "confidence": 0.95, "min_items": 10, "normalisation": "token"}
PARAMS = Parameters(
    title="La constitution de l'assistant (simulée)",
    model_name="ikasi-1",
    publisher="Ajuntament d'Enlloc",
    license_model="Apache-2.0",
    license_data="CC0-1.0",
    page_languages=("en", "eu"),
)

STATEMENTS = (
    (0, "en", "Treat everyone equally.", 1),
    (1, "fr", "S'il ne sait pas, qu'il dise « je ne sais pas ».", 1),
    (2, "eu", "Herritar bakoitzari bere hizkuntzan erantzun behar dio.", 1),
    (3, "en", "<script>alert('x')</script> <img src=https://evil.example/x.png> Bold!", 1),
    (4, "ca", "Que el català sigui sempre la primera llengua.", 1),
    (5, "es", "(insulto)", -1),
)
GATE = {"rows": [{"asked": "", "expectation": "expect_column_values_to_not_be_null", "found": "", "success": True}]}


def member(group: str, number: int) -> str:
    """A pseudonym as ingest_deliberation makes them."""
    return f"{group.lower()}{number:015x}"


def ballot(statement: int, group: str, number: int) -> int:
    """Group A and B agree on 0 to 3, and are apart on 4."""
    if statement == 4:
        return 1 if group == "B" else -1
    return -1 if number == statement else 0 if number == 9 - statement else 1


VOTES = sorted(
    (member(group, number), statement, ballot(statement, group, number))
    for group in "AB"
    for number in range(10)
    for statement in range(6)
)


def votes_on(statement: int) -> dict[str, VoteCount]:
    """The counts that the draft must tell."""
    cast = {group: [v for who, s, v in VOTES if s == statement and who.startswith(group.lower())] for group in "AB"}
    return {
        group: VoteCount(agree=votes.count(1), disagree=votes.count(-1), passed=votes.count(0))
        for group, votes in cast.items()
    }


SCORES = ConsensusScores(gac=0.6, gac_geometric_mean=0.77, lower_bound=0.61, exposure=1.0)
DRAFTED = [
    Principle(
        id=f"p{id_:03d}",
        text=text,
        language=language,
        statement_ids=(id_,),
        votes=votes_on(id_),
        scores=SCORES,
        selection="place 1 of 4",
    )
    for id_, language, text, _ in STATEMENTS[:4]
]


def decision(principle: str, kind: str = "accept", **more: Any) -> Decision:
    """A decision of an assembly."""
    return Decision(principle=principle, decision=kind, reason="clear & fair", by="citizens' assembly", **more)  # type: ignore[arg-type]


REWORDED = "Treat everyone equally, whatever their origin."


def constitution() -> Constitution:
    """p000 reworded, p001 and p003 accepted, p002 rejected."""
    first = DRAFTED[0].model_copy(update={"text": REWORDED}).model_dump()
    return Constitution(
        title="A constitution",
        version="1.2.0",
        status="ratified",
        question="How should our assistant behave?",
        languages=("en", "fr"),
        principles=(
            RatifiedPrinciple(
                **first, decision=decision("p000", "reword", text=REWORDED), amended_from=DRAFTED[0].text
            ),
            RatifiedPrinciple(**DRAFTED[1].model_dump(), decision=decision("p001")),
            RatifiedPrinciple(**DRAFTED[3].model_dump(), decision=decision("p003")),
        ),
        declined=(decision("p002", "reject"),),
    )


def make_safetensors(path: Path, tensors: dict[str, list[float]], metadata: dict[str, str] | None = None) -> None:
    """A safetensors file, written by the format's own description."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, values in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    head = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(head)) + head + data)


def items(model: str, benchmark: str) -> list[ItemOutcome]:
    """Forty items in ten clusters and two languages: the tuned model does better on adherence and worse on bbq."""
    metric = "prefers_constitution" if benchmark == "adherence" else "accuracy_ambiguous"
    right = {"base": lambda n: n % 3 > 0, "tuned": lambda n: n % 20 > 0 if benchmark == "adherence" else n % 8 == 0}[
        model
    ]
    return [
        ItemOutcome(
            item_id=f"{benchmark}-{number}",
            language="fr" if number % 2 else "en",
            category="Religion" if number % 4 < 2 else "Age",
            cluster=f"t{number % 10}",
            principle_ids=("p001",) if benchmark == "adherence" and number < 30 else (),
            log_likelihoods=(-1.0, -2.0),
            choice="a",
            values={metric: float(right(number))},
        )
        for number in range(40)
    ]


def comparisons() -> list[Comparison]:
    """Base against tuned for every cell, and p001 by the benchmark that bears on it."""
    rows: list[Comparison] = []
    for benchmark in BENCHMARKS:
        base, tuned = (side(model, benchmark) for model in ("base", "tuned"))
        settings = Settings(200, PERMUTATIONS, 7, 0.95, 10, "accuracy_ambiguous" if benchmark == "bbq" else None)
        rows += recompare(benchmark, base, tuned, constitution(), settings).values()
    return rows


def side(model: str, benchmark: str) -> Side:
    """One model's answers and scores."""
    outcomes = items(model, benchmark)
    scores = scores_from_items(outcomes, benchmark, 200, 7, 0.95, 10)
    return Side(outcomes, {Cell(score.metric, score.language, score.category, "all"): score for score in scores})


def make_workspace(root: Path) -> Path:
    """Write every artifact, `params.yaml` and `dvc.lock`."""
    _write_deliberation(root / PATHS["deliberation"])
    _write_constitution(root / PATHS["draft"], root / PATHS["constitution"])
    _write_corpus(root / PATHS["corpus"])
    _write_models(root)
    _write_preferences(root / PATHS["preferences"])
    for model in ("base", "tuned"):
        for benchmark in BENCHMARKS:
            _write_scores(root / PATHS["scores"] / model / benchmark, model, benchmark)
    write_json(root / PATHS["comparison"] / "comparisons.json", [row.model_dump() for row in comparisons()])
    for path in {root / place for place in PATHS.values() if place != "data/scores"}:
        write_json(path / "gate.json", GATE)
    params = {
        "evaluate_model": {"benchmarks": list(BENCHMARKS)},
        "publish_release": PARAMS.model_dump(mode="json"),
    }
    write_text(root / "params.yaml", yaml.safe_dump(params))
    write_lock(root)
    return root


def _write_deliberation(folder: Path) -> None:
    write_jsonl(
        folder / "statements.jsonl",
        [
            Statement(id=id_, text=text, language=language, moderated=moderated, author="")
            for id_, language, text, moderated in STATEMENTS
        ],
    )
    write_csv(folder / "votes.csv", ["participant", "statement_id", "vote"], VOTES)
    counts = {"participants": 20, "votes": len(VOTES), "statements": 6, "statements_moderated_out": 1}
    write_json(
        folder / "deliberation.json", {"simulated": True, "title": "?", "url": "javascript:alert(1)", "counts": counts}
    )


def _write_constitution(draft: Path, ratified: Path) -> None:
    write_jsonl(draft / "principles.jsonl", DRAFTED)
    rejected = [
        RejectedStatement(
            statement_id=id_,
            text=text,
            language=language,
            votes=votes_on(id_),
            scores=SCORES if moderated == 1 else None,
            reason="in group A, 0 of 10 agree" if moderated == 1 else "moderated out",
        )
        for id_, language, text, moderated in STATEMENTS[4:]
    ]
    write_jsonl(draft / "rejected.jsonl", rejected)
    write_csv(
        draft / "groups.csv", ["participant", "group"], sorted((member(g, n), g) for g in "AB" for n in range(10))
    )
    write_json(draft / "draft.json", {"rejected": {"moderated out": 1, "not supported by every group": 1}})
    write_json(ratified / "constitution.json", constitution())
    shutil.copy(draft / "rejected.jsonl", ratified / "rejected.jsonl")


def _write_corpus(folder: Path) -> None:
    document = Document(
        id="d1", text="Un texte public.", language="fr", source="Gazette", url="https://a.example", license="etalab-2.0"
    )
    write_jsonl(folder / "documents.jsonl", [document])
    dropped = DroppedDocument(id="d2", source="x", language="en", rule="license", value="NC", wanted="open")
    write_jsonl(folder / "dropped.jsonl", [dropped])
    write_text(folder / "attribution.md", "- Gazette, etalab-2.0")


def _write_models(root: Path) -> None:
    for name in ("base", "sft", "tuned"):
        folder = root / "models" / name
        make_safetensors(folder / "model.safetensors", {"a": [1.0, 2.0], "b": [3.0]}, {"format": "pt"})
        write_json(folder / "config.json", {"architectures": ["LlamaForCausalLM"]})
        write_json(folder / "tokenizer.json", {"model": {"vocab": {"auto_map": 1, "/home/x": 2}}})
    write_json(
        root / "models/base/origin.json",
        {"hub_id": None, "local": "tiny", "license": "Apache-2.0", "obligations": ["Name it"]},
    )


def _write_preferences(folder: Path) -> None:
    shared = {"language": "fr", "principle_ids": ("p001",), "kind": "probe", "prompt": "?", "teacher": "written:us@1"}
    pairs = [
        PreferencePair(id=f"r{number}", chosen="Je ne sais pas.", rejected="Oui.", **shared) for number in range(3)
    ]
    revisions = [Revision(id=f"r{number}", initial="Oui.", critique="c", revision="r", **shared) for number in range(3)]
    write_jsonl(folder / "pairs.jsonl", pairs)
    write_jsonl(folder / "revisions.jsonl", revisions)


def _write_scores(folder: Path, model: str, benchmark: str) -> None:
    outcomes = items(model, benchmark)
    write_jsonl(folder / "items.jsonl", outcomes)
    scores = scores_from_items(outcomes, benchmark, 200, 7, 0.95, 10)
    write_json(folder / "scores.json", [score.model_dump() for score in scores])
    write_json(folder / "benchmark.json", {"name": benchmark, "files": {"items.jsonl": "0" * 64}, "settings": SETTINGS})
    write_json(folder / "gate.json", GATE)


PARAMETERS: dict[str, Any] = {
    "evaluate_model": {"benchmarks": list(BENCHMARKS)},
    "x": {"salt": "s3cret", "path": "/home/me/x"},
}
EDGES: dict[str, tuple[list[str], list[str]]] = {
    "ingest_deliberation": (["/srv/elsewhere/export"], ["data/deliberation"]),
    "draft_constitution": (["data/deliberation"], ["data/constitution/draft"]),
    "ratify_constitution": (["data/constitution/draft", "decisions.yaml"], ["data/constitution/ratified"]),
    "curate_corpus": (["documents"], ["data/corpus"]),
    "fetch_base_model": (["base-model"], ["models/base"]),
    "generate_preferences": (["data/constitution/ratified", "prompts"], ["data/preferences"]),
    "finetune_sft": (["models/base", "data/preferences", "data/corpus"], ["models/sft"]),
    "finetune_dpo": (["models/sft", "data/preferences"], ["models/tuned"]),
    "compare_models": (["data/constitution/ratified", "data/scores"], ["data/comparison"]),
    "curate_corpus@old": (["documents"], ["data/old-corpus"]),  # an entry that nothing reads any more
} | {
    f"evaluate_model@{model}-{benchmark}": (
        [f"models/{model}", f"items/{benchmark}"],
        [f"data/scores/{model}/{benchmark}"],
    )
    for model in ("base", "tuned")
    for benchmark in BENCHMARKS
}


def write_lock(root: Path) -> None:
    """`dvc.lock` as DVC writes it, with the true hashes of what is there."""

    def entry(path: str) -> dict[str, Any]:
        inside = root / path
        known = inside.exists()
        return {"path": path, "hash": "md5", "md5": dvc_md5(inside) if known else "e" * 32, "size": 12}

    stages = {
        name: {
            "cmd": f"python -m stages.{name}",
            "deps": [*(entry(path) for path in reads), {"path": "stages/records.py", "md5": "c" * 32, "size": 3}],
            "outs": [entry(path) for path in writes],
            "params": {
                "params.yaml": {**PARAMETERS, **({"compare_models": COMPARED} if name == "compare_models" else {})}
            },
        }
        for name, (reads, writes) in EDGES.items()
    }
    write_text(root / "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": stages}))


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace; do not change it."""
    return make_workspace(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="session")
def published(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of the workspace, made by the node's own command; do not change it."""
    import os
    import sys
    from unittest import mock

    from stages.publish_release.__main__ import main

    out = tmp_path_factory.mktemp("published") / "release"
    here = Path.cwd()
    argv = [
        "publish_release",
        *(word for name, place in PATHS.items() for word in (f"--{name}", place)),
        "--out",
        str(out),
    ]
    try:
        os.chdir(workspace)
        with mock.patch.object(sys, "argv", argv):
            main()
    finally:
        os.chdir(here)
    return out


@pytest.fixture
def release(published: Path, tmp_path: Path) -> Path:
    """A copy of the release, to be changed."""
    return Path(shutil.copytree(published, tmp_path / "release"))


def seal(release: Path, chain: bool = True) -> None:
    """Write manifest (and chain) anew, as a careful forger would, so that only the meaning is wrong."""
    if chain:
        content = json.loads((release / "chain.json").read_text())
        for artifact, folder in content["bundled"].items():
            md5 = dvc_md5(release / folder)
            for node in content["nodes"]:
                for link in (*node["inputs"], *node["outputs"]):
                    if link["path"] == artifact:
                        link["md5"] = md5
        write_json(release / "chain.json", Chain.model_validate(content))
    old = Manifest.model_validate_json((release / "manifest.json").read_text())
    write_json(
        release / "manifest.json",
        make_manifest(release, old.title, old.constitution_version, old.simulated, old.licences),
    )


def edit_json(path: Path, change: Callable[[Any], Any]) -> None:
    """Change a JSON file in place."""
    content = json.loads(path.read_text(encoding="utf-8"))
    changed = change(content)
    write_json(path, content if changed is None else changed)


def edit_lines(path: Path, change: Callable[[list[Any]], Any]) -> None:
    """Change a JSON Lines file in place."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    change(rows)
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows), encoding="utf-8"
    )
