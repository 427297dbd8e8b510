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
from stages.plan import FAMILIES, sealed
from stages.publish_release.chain import Chain
from stages.publish_release.checks import Release, folder_md5
from stages.publish_release.manifest import Manifest, make_manifest
from stages.publish_release.opening import open_bundle
from stages.publish_release.parameters import Parameters
from stages.publish_release.recomparison import Settings, Side, cell_of_score, recompare
from stages.records import (
    Ballots,
    Comparison,
    ConsensusScores,
    Constitution,
    Decision,
    Document,
    Endpoint,
    EvaluationPlan,
    Gate,
    ItemOutcome,
    Method,
    OpinionGroup,
    PlannedBenchmark,
    PreferencePair,
    Principle,
    Quorum,
    Ratification,
    RejectedStatement,
    Revision,
    Selection,
    Statement,
    StatementSource,
    VoteCount,
    Wording,
)
from stages.scoring import scores_from_items
from tests.tiny_model import write_corpus

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
MARGINS = {"adherence:prefers_constitution": 0.05}
COMPARED = {
    "permutations": PERMUTATIONS,
    "primary": {"benchmark": "bbq", "metric": "accuracy_ambiguous"},
    "margins": MARGINS,
}
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


ALONE = "c000000000000000"  # cast too few votes to be placed in an opinion group
VOTES = sorted(
    [
        *(
            (member(group, number), statement, ballot(statement, group, number))
            for group in "AB"
            for number in range(10)
            for statement in range(6)
        ),
        (ALONE, 0, -1),
    ]
)


def votes_on(statement: int) -> dict[str, VoteCount]:
    """The counts that the draft must tell."""
    cast = {group: [v for who, s, v in VOTES if s == statement and who.startswith(group.lower())] for group in "AB"}
    return {
        group: VoteCount(agree=votes.count(1), disagree=votes.count(-1), passed=votes.count(0))
        for group, votes in cast.items()
    }


def everybody_on(statement: int) -> VoteCount:
    """The votes of both groups, and of the one participant without a group."""
    votes = [vote for _, s, vote in VOTES if s == statement]
    return VoteCount(agree=votes.count(1), disagree=votes.count(-1), passed=votes.count(0))


def scores_on(statement: int) -> ConsensusScores:
    """The consensus that follows from the votes (the lower bound is only told)."""
    rates = [(count.agree + 1) / 12 for count in votes_on(statement).values()]
    gac = round(rates[0] * rates[1], 6)
    return ConsensusScores(
        gac=gac, gac_geometric_mean=round(gac**0.5, 6), lower_bound=0.61, exposure=1.0, smallest_cell=10
    )


DRAFTED = tuple(
    Principle(
        id=f"p{id_:03d}",
        language=language,
        texts={language: Wording(value=text, origin="source")},
        sources=(StatementSource(statement_id=id_, platform="polis", relation="verbatim", language=language),),
        votes=votes_on(id_),
        votes_total=everybody_on(id_),
        scores=scores_on(id_),
        selection=Selection(rule="threshold", rank=id_ + 1, threshold=0.6, reason=f"place {id_ + 1} of 4"),
    )
    for id_, language, text, _ in STATEMENTS[:4]
)


def decision(principle: str, kind: str = "accept", **more: Any) -> Decision:
    """A decision of an assembly."""
    return Decision(principle=principle, decision=kind, reason="clear & fair", by="citizens' assembly", **more)  # type: ignore[arg-type]


REWORDED = "Treat everyone equally, whatever their origin."


REJECTED = tuple(
    RejectedStatement(
        statement_id=id_,
        text=text,
        language=language,
        votes=votes_on(id_),
        scores=scores_on(id_) if moderated == 1 else None,
        code="below_threshold" if moderated == 1 else "moderated",
        reason="in group A, 0 of 10 agree" if moderated == 1 else "moderated out",
    )
    for id_, language, text, moderated in STATEMENTS[4:]
)


METHOD = Method(
    code="0.1.0",
    parameters="0" * 64,
    seed=1,
    rule="threshold",
    groups=(OpinionGroup(id="A", participants=10), OpinionGroup(id="B", participants=10)),
    reliable=True,
    verdict="reliable groups: 2 groups, mean adjusted Rand index 0.93",
    stability_mean=0.93,
    stability_lowest=0.88,
    gates=(
        Gate(name="single votes are known", passed=True, value=None, wanted="yes"),
        Gate(
            name="opinion groups stay when people are resampled",
            passed=True,
            value=0.93,
            wanted="adjusted Rand index of at least 0.85",
        ),
        Gate(
            name="statements were seen by enough people",
            passed=False,
            value=0.333333,
            wanted="at least 50% of statements seen by 30% of participants",
        ),
        Gate(name="a check that the page does not know", passed=True, value=3, wanted="at least 1"),
    ),
)
REPRESENTATION = {
    "weights": {},
    "margins": [
        {"attribute": "age", "value": "<16", "census_share": 0.1, "raw_share": 0.0, "weighted_share": 0.0, "participants": 0},
        {"attribute": "age", "value": "16-29", "census_share": 0.2, "raw_share": None, "weighted_share": None, "participants": None},
        {"attribute": "age", "value": "30+", "census_share": 0.7, "raw_share": 0.95, "weighted_share": 0.8, "participants": 19},
    ],
    "design_effect": 1.4,
    "effective_n": 14.285,
    "undeclared": 1,
    "verdict": "nobody of age: <16; few of age: 16-29",
}  # fmt: skip
INTEGRITY = {
    "flags": {"identical votes": [member("A", 1), member("A", 2)], "one answer": [], "burst": []},
    "findings": [
        {"kind": "identical votes", "looked": True, "accounts": 2, "words": "2 accounts"},
        {"kind": "burst", "looked": False, "accounts": 0, "words": "no times"},
    ],
    "judged": 20,
    "not_judged": 1,
    "flagged": 2,
}
SENSITIVITY = [
    {"kind": "flagged", "name": "without all flagged accounts", "left_out": 2, "participants": 19, "principles": 4,
     "added": ["p004"], "removed": ["p001"], "overlap": 0.6},
    {"kind": "flag", "name": "without accounts flagged as 'identical votes'", "left_out": 2, "participants": 19,
     "principles": 4, "added": [], "removed": [], "overlap": 1.0},
    {"kind": "group", "name": "without opinion group B", "left_out": 10, "participants": 11, "principles": 5,
     "added": ["p004"], "removed": [], "overlap": 0.8},
]  # fmt: skip
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082".replace(" ", "")
)


def draft() -> Constitution:
    """Four principles, two rejected statements."""
    return Constitution(
        title="A constitution",
        version="0.0.0",
        status="draft",
        question="How should our assistant behave?",
        languages=("en", "eu", "fr"),
        method=METHOD,
        principles=DRAFTED,
        rejected=REJECTED,
    )


def constitution() -> Constitution:
    """p000 reworded, p001 and p003 accepted, p002 rejected."""
    reworded = {
        "texts": {"en": Wording(value=REWORDED, origin="human")},
        "decision": decision("p000", "reword", text=REWORDED),
        "amended_from": DRAFTED[0].text,
    }
    return Constitution(
        title="A constitution",
        version="1.2.0",
        status="ratified",
        question="How should our assistant behave?",
        languages=("en", "fr"),
        method=METHOD,
        ratification=Ratification(
            by="citizens' assembly",
            quorum=Quorum(wanted=12, present=15),
            ballots=Ballots(yes=14, no=1),
            date="2026-05-02",
        ),
        principles=(
            DRAFTED[0].model_copy(update=reworded),
            DRAFTED[1].model_copy(update={"decision": decision("p001")}),
            DRAFTED[3].model_copy(update={"decision": decision("p003")}),
        ),
        declined=(decision("p002", "reject"),),
        rejected=REJECTED,
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
        settings = settings_of(benchmark)
        rows += recompare(benchmark, base, tuned, constitution(), settings).values()
    return rows


def settings_of(benchmark: str) -> Settings:
    """How the comparison is made."""
    primary = "accuracy_ambiguous" if benchmark == "bbq" else None
    return Settings(200, PERMUTATIONS, 7, 0.95, 10, primary, margins=MARGINS)


PLAN = sealed(
    EvaluationPlan(
        benchmarks={
            name: PlannedBenchmark(
                files={"items.jsonl": "0" * 64}, items=1, asked="", says="?", normalisation="token", options={}
            )
            for name in BENCHMARKS
        },
        primary=Endpoint(benchmark="bbq", metric="accuracy_ambiguous"),
        margins=MARGINS,
        families=FAMILIES,
        resamples=200,
        permutations=PERMUTATIONS,
        seed=7,
        confidence=0.95,
        min_items=10,
        framework=None,
    )
)


def side(model: str, benchmark: str) -> Side:
    """One model's answers and scores."""
    outcomes = items(model, benchmark)
    scores = scores_from_items(outcomes, benchmark, 200, 7, 0.95, 10)
    return Side(outcomes, {cell_of_score(score): score for score in scores})


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
    write_json(root / PATHS["comparison"] / "plan.json", PLAN)
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
    write_csv(folder / "participants.csv", ["participant", "age"], [(member("A", 3), "16-29")])
    write_csv(folder / "census.csv", ["attribute", "value", "share"], [("age", "16-29", 0.2)])
    counts = {"participants": 21, "votes": len(VOTES), "statements": 6, "statements_moderated_out": 1}
    write_json(
        folder / "deliberation.json", {"simulated": True, "title": "?", "url": "javascript:alert(1)", "counts": counts}
    )


def _write_constitution(folder: Path, ratified: Path) -> None:
    write_json(folder / "constitution.json", draft())
    write_csv(
        folder / "groups.csv", ["participant", "group"], sorted((member(g, n), g) for g in "AB" for n in range(10))
    )
    write_json(folder / "representation.json", REPRESENTATION)
    write_json(folder / "integrity.json", INTEGRITY)
    write_json(folder / "sensitivity.json", SENSITIVITY)
    (folder / "plots").mkdir()
    (folder / "plots" / "opinion-groups.png").write_bytes(PIXEL)
    write_json(folder / "draft.json", {"rejected": {"moderated out": 1, "not supported by every group": 1}})
    write_json(ratified / "constitution.json", constitution())


def _write_corpus(folder: Path) -> None:
    document = Document(
        id="d1", text="Un texte public.", language="fr", source="Gazette", url="https://a.example", license="etalab-2.0"
    )
    write_corpus(folder, [document], [("d2", "license")])
    write_text(folder / "attribution.md", "- Gazette, etalab-2.0")
    asked = {"license": "etalab-2.0", "asks": ["name the source <b>and</b> the day"], "documents": 1}
    write_json(folder / "obligations.json", {"licenses": [asked], "share_alike": True})


def _write_models(root: Path) -> None:
    for name in ("base", "sft", "tuned"):
        folder = root / "models" / name
        make_safetensors(folder / "model.safetensors", {"a": [1.0, 2.0], "b": [3.0]}, {"format": "pt"})
        write_json(folder / "config.json", {"architectures": ["LlamaForCausalLM"]})
        write_json(folder / "tokenizer.json", {"model": {"vocab": {"auto_map": 1, "/home/x": 2}}})
        write_json(folder / "training.json", {"plan": PLAN.sha256})
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
    about = {"name": benchmark, "files": PLAN.benchmarks[benchmark].files, "plan": PLAN.sha256, "settings": SETTINGS}
    write_json(folder / "benchmark.json", about)
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
        opened = Release(open_bundle(release))
        for artifact, folder in content["bundled"].items():
            md5 = folder_md5(opened, folder, Chain.model_validate(content).withheld)
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
