"""The auditors' check: a true release passes, and every kind of change is found by the check that is made for it."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import BENCHMARKS, REWORDED, constitution, edit_json, edit_lines, make_safetensors, seal, settings_of

from stages.errors import Trouble
from stages.lineage import dvc_md5
from stages.publish_release.checks import CHECKS, Release, folder_md5
from stages.publish_release.opening import Unsafe, open_bundle
from stages.publish_release.recomparison import Side, cell_of_score, recompare
from stages.publish_release.verify import Report, verify, verify_command
from stages.records import Comparison, ItemOutcome
from stages.scoring import scores_from_items

ROOT = Path(__file__).parents[2]


def failed(report: Report) -> dict[str, str]:
    """Check id -> what it found, of those that did not pass."""
    return {answer.id: answer.detail for answer in report.answers if answer.status != "passed"}


def test_a_true_release_passes_every_check(published: Path) -> None:
    report = verify(published)
    assert failed(report) == {}
    assert report.exit_code == 0
    assert report.verdict == f"This release holds together: all {len(CHECKS)} checks passed."
    assert any("training really used this data" in item for item in report.not_checked)


def test_says_it_in_plain_words(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_command(str(published), as_json=False) == 0
    told = capsys.readouterr().out
    assert " ✔ every principle stands on statements and votes, recounted: 3 principles, 121 votes recounted\n" in told
    assert "SIMULATED" in told
    assert "What this did not check:\n – who released it" in told


def test_says_it_as_json(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_command(str(published), as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert [answer["id"] for answer in told["answers"]] == [check.id for check in CHECKS]
    assert told["release"].startswith("1.2.0-")


def append(path: str, text: str) -> Callable[[Path], None]:
    def change(release: Path) -> None:
        with (release / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def json_change(path: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    return lambda release: edit_json(release / path, change)


def lines_change(path: str, change: Callable[[list[Any]], Any]) -> Callable[[Path], None]:
    return lambda release: edit_lines(release / path, change)


def in_first(field: str, value: Any) -> Callable[[Any], None]:
    """Set a field of the first record."""
    return lambda rows: rows[0].__setitem__(field, value)


def cut_vote(release: Path) -> None:
    path = release / "deliberation/votes.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-7]))


def flip_vote(release: Path) -> None:
    path = release / "deliberation/votes.csv"
    path.write_text(path.read_text().replace("a000000000000005,0,1\n", "a000000000000005,0,-1\n"))


def retell(release: Path) -> None:
    """Make all scores and the comparison anew from the changed answers of base/bbq."""
    rows: list[Comparison] = []
    for benchmark in BENCHMARKS:
        sides = [answered(release / "scores" / model / benchmark) for model in ("base", "tuned")]
        rows += recompare(benchmark, sides[0], sides[1], constitution(), settings_of(benchmark)).values()
    edit_json(release / "comparison/comparisons.json", lambda _: [row.model_dump() for row in rows])


def answered(folder: Path) -> Side:
    items = [ItemOutcome.model_validate_json(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    scores = scores_from_items(items, folder.name, 200, 7, 0.95, 10)
    return Side(items, {cell_of_score(score): score for score in scores})


def improve_an_answer(release: Path) -> None:
    """An answer of the tuned model is made right, and the comparison is made anew from it, but not the scores."""
    edit_lines(
        release / "scores/tuned/bbq/items.jsonl", lambda rows: rows[1]["values"].__setitem__("accuracy_ambiguous", 1.0)
    )
    retell(release)


def drop_item(release: Path) -> None:
    """The first answer of the tuned model is left out, and its scores are made again."""
    folder = release / "scores/tuned/bbq"
    edit_lines(folder / "items.jsonl", lambda rows: rows.pop(0))
    scores = answered(folder).scores.values()
    edit_json(folder / "scores.json", lambda _: [score.model_dump() for score in scores])


def explored(rows: list[Any]) -> Any:
    """The first row that was only explored."""
    return next(row for row in rows if row["family"] == "exploration")


def worst(rows: list[Any]) -> Any:
    return next(row for row in rows if row["verdict"] == "worse")


def drop_benchmark(release: Path) -> None:
    """A benchmark with bad news is left out everywhere."""
    for model in ("base", "tuned"):
        shutil.rmtree(release / "scores" / model / "bbq")
    edit_json(release / "comparison/comparisons.json", lambda rows: [row for row in rows if row["benchmark"] != "bbq"])

    def unbind(chain: Any) -> None:
        chain["bundled"] = {path: folder for path, folder in chain["bundled"].items() if not folder.endswith("/bbq")}

    edit_json(release / "chain.json", unbind)


def cut_weights(release: Path) -> None:
    path = release / "model/model.safetensors"
    path.write_bytes(path.read_bytes() + b"payload")


def pickled_weights(release: Path) -> None:
    (release / "model/model.safetensors").write_bytes(b"\x80\x04\x95" + b"." * 200)


def tensor_hole(release: Path) -> None:
    head = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}).encode()
    (release / "model/model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + b"\0" * 8)


def chain_change(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def apply(release: Path) -> None:
        edit_json(release / "chain.json", change)

    return apply


BOTH = ("constitution/draft/constitution.json", "constitution/ratified/constitution.json")


def in_both(field: str, value: Any) -> Callable[[Path], None]:
    """Set a field of p001 in the draft and in the constitution."""

    def apply(release: Path) -> None:
        for path in BOTH:
            edit_json(release / path, lambda content: content["principles"][1].__setitem__(field, value))

    return apply


def withhold_rejected(release: Path) -> None:
    """A published file is called withheld, so that its folder's hash still holds."""
    path = release / "deliberation/census.csv"
    entry = {"path": "deliberation/census.csv", "md5": dvc_md5(path), "bytes": 1, "reason": "personal"}
    path.unlink()
    edit_json(release / "chain.json", lambda chain: chain["withheld"].append(entry))


def node(chain: Any, name: str) -> Any:
    return next(entry for entry in chain["nodes"] if entry["node"] == name)


# What is changed; whether the forger makes the chain's hashes anew; which checks find it; what the first of them says.
# The manifest is always made anew, so that only the meaning is wrong.
FORGERIES: dict[str, tuple[Callable[[Path], None], bool, str, str]] = {
    "plan made after the results": (
        json_change("comparison/plan.json", lambda plan: plan["primary"].__setitem__("metric", "bias_ambiguous")),
        True, "plan", "the plan tells the sha256",
    ),
    "trained before the plan": (
        json_change("model/training.json", lambda made: made.__setitem__("plan", "1" * 64)),
        True, "plan", "the model was trained under the plan 111111111111…",
    ),
    "measured by another plan": (
        json_change("scores/tuned/bbq/benchmark.json", lambda about: about.__setitem__("plan", "2" * 64)),
        True, "plan", "tuned was measured on bbq by another plan",
    ),
    "artifact is not the one that was made": (append("corpus/attribution.md", "x"), False, "chain", "corpus is not the"),
    "input from nowhere": (
        chain_change(lambda c: node(c, "finetune_dpo")["inputs"].append({"path": "data/secret", "md5": "0" * 32, "bytes": 1, "external": False})),
        True, "chain", "finetune_dpo read data/secret, which no node made",
    ),
    "other input than was made": (
        chain_change(lambda c: node(c, "finetune_dpo")["inputs"][1].__setitem__("md5", "0" * 32)),
        False, "chain", "finetune_dpo read models/sft as 00000000000000000000000000000000",
    ),
    "taught by something else": (
        chain_change(lambda c: [
            node(c, name).__setitem__("inputs", [link for link in node(c, name)["inputs"] if link["path"] != "data/preferences"])
            for name in ("finetune_sft", "finetune_dpo")
        ] and None),
        True, "chain", "no step leads from preferences to model",
    ),
    "made thing called external": (
        chain_change(lambda c: node(c, "finetune_sft")["inputs"][1].__setitem__("external", True)),
        True, "chain", "external, but a node of the chain made it",
    ),
    "file that no step made": (append("scores/extra.json", "{}"), True, "chain", "scores/extra.json belongs to no step"),
    "vote flipped": (flip_vote, True, "votes", "p000, opinion group A: it states 8 agree, 1 disagree, 1 pass, the votes say 7 agree, 2 disagree"),
    "votes cut": (cut_vote, True, "votes", "opinion group B"),
    "support invented": (
        json_change("constitution/draft/constitution.json", lambda c: c["principles"][1]["votes"]["B"].__setitem__("agree", 99)),
        True, "votes, decisions", "p001, opinion group B: it states 99 agree",
    ),
    "statement invented": (
        lines_change("deliberation/statements.jsonl", lambda rows: rows.pop(2)),
        True, "votes, statements", "p002 stands on no known statement (2)",
    ),
    "principle that nobody drafted": (
        json_change("constitution/draft/constitution.json", lambda c: c["principles"].pop(1) and None),
        True, "statements, decisions", "statement 1 was neither drafted nor rejected: it got lost",
    ),
    "principle slipped past the assembly": (
        json_change("constitution/ratified/constitution.json", lambda c: c["declined"].clear()),
        True, "decisions", "p002 was drafted, but nobody decided on it",
    ),
    "principle reworded after the decision": (
        json_change("constitution/ratified/constitution.json", lambda c: c["principles"][1]["texts"]["fr"].__setitem__("value", "Il sait tout.")),
        True, "decisions", "p001 does not have the text that was decided",
    ),
    "statements added to a principle": (
        json_change("constitution/ratified/constitution.json", lambda c: c["principles"][1]["sources"].append({**c["principles"][1]["sources"][0], "statement_id": 4})),
        True, "decisions", "p001 names other statements",
    ),
    "other version": (
        json_change("constitution/ratified/constitution.json", lambda c: c.__setitem__("version", "9.9.9")),
        True, "decisions", "the constitution is 9.9.9",
    ),
    "everybody's votes invented": (
        in_both("votes_total", {"agree": 21, "disagree": 0, "passed": 0}),
        True, "votes", "p001, everybody: it states 21 agree, 0 disagree, 0 pass, the votes say 16 agree, 2 disagree",
    ),
    "consensus invented": (
        lambda r: [edit_json(r / path, lambda c: c["principles"][1]["scores"].__setitem__("gac", 0.99)) for path in BOTH],
        True, "votes", "p001: gac is told as 0.99, the votes give 0.5625",
    ),
    "votes on a rejected statement turned": (
        lambda r: [edit_json(r / path, lambda c: c["rejected"][0]["votes"]["B"].__setitem__("agree", 0)) for path in BOTH],
        True, "votes", "statement 4, opinion group B: it states no votes, the votes say 10 agree",
    ),
    "rejected statement forgotten": (
        lambda r: [edit_json(r / path, lambda c: c["rejected"].pop(0) and None) for path in BOTH],
        True, "statements", "statement 4 was neither drafted nor rejected: it got lost",
    ),
    "rejected statement reworded": (
        lambda r: [edit_json(r / path, lambda c: c["rejected"][0].__setitem__("text", "Res.")) for path in BOTH],
        True, "statements", "rejected statement 4 does not have its own words",
    ),
    "rejected without a reason": (
        lambda r: [edit_json(r / path, lambda c: c["rejected"][0].__setitem__("reason", " ")) for path in BOTH],
        True, "statements", "statement 4 was rejected without a reason",
    ),
    "rejected statement missing in the constitution": (
        json_change("constitution/ratified/constitution.json", lambda c: c["rejected"].pop(0) and None),
        True, "statements", "the constitution's list of rejected statements is not the draft's",
    ),
    "drafted in other words than the citizens'": (
        lines_change("deliberation/statements.jsonl", in_first("text", "Treat me best.")),
        True, "statements", "p000 does not have the words of statement 0",
    ),
    "draft told as ratified": (
        json_change("constitution/ratified/constitution.json", lambda c: c.__setitem__("status", "draft")),
        True, "decisions", "the constitution has the status draft, its draft draft",
    ),
    "nobody decided": (
        json_change("constitution/ratified/constitution.json", lambda c: c["principles"][1].__setitem__("decision", None)),
        True, "decisions", "p001 is in the constitution, but nobody decided on it",
    ),
    "people's rewording told as the citizens' own words": (
        json_change("constitution/ratified/constitution.json", lambda c: c["principles"][0]["texts"]["en"].__setitem__("origin", "source")),
        True, "decisions", "p000 does not say truly whose words it has",
    ),
    "other draft told than people saw": (
        json_change("constitution/ratified/constitution.json", lambda c: c["principles"][0].__setitem__("amended_from", "Hm.")),
        True, "decisions", "p000 tells of another draft than the one that people saw",
    ),
    "merged into nothing": (
        json_change("constitution/ratified/constitution.json", lambda c: c["declined"][0].update(decision="merge", into="p042")),
        True, "decisions", "p002 was merged into p042, which is not in the constitution",
    ),
    "other declined draft told than people saw": (
        json_change("constitution/ratified/constitution.json", lambda c: c["declined"][0].__setitem__("drafted", "Hm.")),
        True, "decisions", "p002 tells of another draft than the one that people saw",
    ),
    "decision without a reason": (
        json_change("constitution/ratified/constitution.json", lambda c: c["declined"][0].__setitem__("reason", "")),
        True, "decisions", "the decision on p002 does not say why",
    ),
    "too few were present": (
        json_change("constitution/ratified/constitution.json", lambda c: c.__setitem__(
            "ratification", {"by": "assembly", "quorum": {"wanted": 50, "present": 12}, "ballots": None, "date": ""}
        )),
        True, "decisions", "12 were present, the quorum is 50",
    ),
    "an uncomfortable file withheld": (
        withhold_rejected, True, "chain", "deliberation/census.csv is withheld, but it is not personal",
    ),
    "another withheld file": (
        chain_change(lambda c: c["withheld"][0].__setitem__("md5", "0" * 32)),
        False, "chain", "deliberation is not the data/deliberation that was made",
    ),
    "withheld file forgotten": (
        chain_change(lambda c: c["withheld"].clear()), False, "chain", "deliberation is not the data/deliberation that was made",
    ),
    "personal file published": (
        append("deliberation/participants.csv", "participant,age\n"),
        True, "chain", "deliberation/participants.csv is personal and must not be published",
    ),
    "lesson without principle": (
        lines_change("preferences/pairs.jsonl", in_first("principle_ids", ["p042"])),
        True, "lessons", "r0 teaches p042, which the constitution does not have",
    ),
    "declined principle is taught": (
        lines_change("preferences/revisions.jsonl", in_first("principle_ids", ["p002"])),
        True, "lessons", "r0 teaches p002",
    ),
    "better score told": (
        json_change("scores/base/bbq/scores.json", lambda rows: rows[0].__setitem__("low", rows[0]["low"] - 0.01)),
        True, "scores", "scores/base/bbq: bbq, accuracy_ambiguous, all, all: low is told as",
    ),
    "answer changed": (improve_an_answer, True, "scores", "scores/tuned/bbq: bbq, accuracy_ambiguous, all, "),
    "score left out": (
        json_change("scores/tuned/bbq/scores.json", lambda rows: rows.pop(-1) and None),
        True, "scores", "was left out",
    ),
    "item left out": (drop_item, True, "same-questions", "bbq: base and tuned did not answer the same items (bbq-0)"),
    "benchmark left out": (drop_benchmark, True, "same-questions", "planned were adherence, bbq, told are adherence"),
    "asked from other files": (
        json_change("scores/tuned/bbq/benchmark.json", lambda c: c["files"].__setitem__("items.jsonl", "1" * 64)),
        True, "same-questions, plan", "bbq: base and tuned were asked from different files",
    ),
    "loss told as gain": (
        json_change("comparison/comparisons.json", lambda rows: rows[0].__setitem__("tuned", 0.99)),
        True, "comparison", "adherence, prefers_constitution, all, all, all: tuned is told as 0.99",
    ),
    "interval narrowed": (
        json_change("comparison/comparisons.json", lambda rows: rows[0].__setitem__("low", rows[0]["low"] + 0.01)),
        True, "comparison", "adherence, prefers_constitution, all, all, all: low is told as",
    ),
    "error narrowed": (
        json_change("comparison/comparisons.json", in_first("standard_error", 0.0001)),
        True, "comparison", "adherence, prefers_constitution, all, all, all: standard_error is told as 0.0001",
    ),
    "detectable change told smaller": (
        json_change("comparison/comparisons.json", in_first("mde", None)),
        True, "comparison", "adherence, prefers_constitution, all, all, all: mde is told as None, the answers give 0.",
    ),
    "harm told as tested": (
        json_change("comparison/comparisons.json", in_first("p_equivalence", 0.001)),
        True, "comparison", "adherence, prefers_constitution, all, all, all: p_equivalence is told as 0.001",
    ),
    "margin widened": (
        json_change("comparison/comparisons.json", in_first("margin", 0.2)),
        True, "comparison", "adherence, prefers_constitution, all, all, all: margin is told as 0.2, the answers give 0.05",
    ),
    "margin invented": (
        json_change("comparison/comparisons.json", lambda rows: worst(rows).__setitem__("margin", 0.2)),
        True, "comparison", "bbq, accuracy_ambiguous, all, all, all: margin is told as 0.2, the answers give None",
    ),
    "other result named": (
        json_change("comparison/comparisons.json", in_first("family", "primary")),
        True, "comparison", "all, all, all: family is told as primary, the answers give overall",
    ),
    "exploration told as claim": (
        json_change("comparison/comparisons.json", lambda rows: explored(rows).__setitem__("q_value", None)),
        True, "comparison", "q_value is told as None, the answers give",
    ),
    "range invented": (
        json_change("comparison/comparisons.json", in_first("range_low", -0.1)),
        True, "comparison", "range_low is told as -0.1, the answers give None",
    ),
    "standard error of a score narrowed": (
        json_change("scores/base/bbq/scores.json", in_first("standard_error", 0.0001)),
        True, "scores", "scores/base/bbq: bbq, accuracy_ambiguous, all, all: standard_error is told as 0.0001",
    ),
    "result left out": (
        json_change("comparison/comparisons.json", lambda rows: rows.pop(3) and None),
        True, "comparison", "the comparison leaves out adherence",
    ),
    "verdict softened": (
        json_change("comparison/comparisons.json", lambda rows: worst(rows).__setitem__("verdict", "within noise")),
        True, "comparison", "bbq, accuracy_ambiguous, all, all, all is told as within noise, the answers make it worse",
    ),
    "pickle": (pickled_weights, True, "weights", "model/model.safetensors is not safetensors"),
    "pickle beside the weights": (append("model/optimizer.pt", "x"), True, "weights", "model/optimizer.pt is of a kind that can run code"),
    "hidden bytes behind the weights": (cut_weights, True, "weights", "does not end where its last tensor ends"),
    "hole in the weights": (tensor_hole, True, "weights", "a hole or an overlap at byte 0"),
    "foreign code in the config": (
        json_change("model/config.json", lambda c: c.__setitem__("text", {"auto_map": {"AutoModel": "x--y.Z"}})),
        True, "weights", "model/config.json has auto_map",
    ),
    "gate failed": (
        json_change("corpus/gate.json", lambda c: c["rows"][0].__setitem__("success", False)),
        True, "gates", "corpus/gate.json: rows did not meet expect_column_values_to_not_be_null",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_careful_forgery_is_found_by_its_check(release: Path, name: str) -> None:
    change, chain, check, told = FORGERIES[name]
    change(release)
    seal(release, chain)
    report = verify(release)
    checks = check.split(", ")
    assert [answer.id for answer in report.answers if answer.status == "failed"] == checks
    assert told in failed(report)[checks[0]]
    assert report.exit_code == 1
    assert report.verdict.startswith(f"DO NOT RELY on this release: {len(checks)} of ")


def add_dotfile(release: Path) -> None:
    (release / ".git").mkdir()
    (release / ".git/hook").write_text("x")


def overlong(release: Path) -> None:
    edit_json(release / "manifest.json", lambda m: m["files"].reverse())


# Changes by someone who does not make the manifest anew.
TAMPERINGS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "other number": (json_change("manifest.json", lambda m: m.__setitem__("release", "1.2.0-000000000000")), "manifest", "its files make it '1.2.0-"),
    "not sorted": (overlong, "manifest", "its list is not sorted"),
    "other kind": (json_change("manifest.json", lambda m: m.__setitem__("schema_version", "x")), "manifest", "it is of the kind 'x'"),
    "page changed": (append("index.html", "<p>Trust us"), "files", "index.html has "),
    "same size, other bytes": (lambda r: (r / "README.md").write_bytes((r / "README.md").read_bytes()[:-2] + b"?\n"), "files", "README.md was changed (its sha256 differs)"),
    "document missing": (lambda r: (r / "index.eu.html").unlink(), "files", "index.eu.html is missing"),
    "file added": (append("corpus/../note.txt", "x"), "nothing-added", "note.txt is not in the manifest"),
    "hidden file added": (add_dotfile, "nothing-added", ".git/hook is not in the manifest"),
    "empty folder added": (lambda r: (r / "comparison/new").mkdir(), "nothing-added", "comparison/new is an empty folder"),
    "symlink added": (lambda r: (r / "passwd").symlink_to("/etc/passwd"), "nothing-added", "passwd is a symbolic link"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_by_its_check(release: Path, name: str) -> None:
    change, check, told = TAMPERINGS[name]
    change(release)
    report = verify(release)
    assert list(failed(report)) == [check]
    assert told in failed(report)[check]


def test_every_check_catches_something() -> None:
    caught = {check.split(", ")[0] for _, _, check, _ in FORGERIES.values()} | {
        check for _, check, _ in TAMPERINGS.values()
    }
    assert caught == {check.id for check in CHECKS}


def test_a_missing_file_is_no_pass_for_the_checks_that_need_it(release: Path) -> None:
    (release / "deliberation/votes.csv").unlink()
    report = verify(release)
    statuses = {answer.id: answer.status for answer in report.answers}
    assert statuses["files"] == "failed"
    assert statuses["votes"] == "not checked"
    assert "deliberation/votes.csv is missing" in failed(report)["votes"]


def test_not_checkable_is_told_apart_from_wrong(release: Path) -> None:
    (release / "preferences/pairs.jsonl").write_text("[]\n")
    seal(release)
    report = verify(release)
    assert list(failed(report)) == ["lessons"]
    assert report.exit_code == 2
    assert report.verdict.startswith("NOT PROVEN")


def test_a_zip_is_checked_without_unpacking(published: Path, tmp_path: Path) -> None:
    whole = shutil.make_archive(str(tmp_path / "release"), "zip", published)
    inside = shutil.make_archive(str(tmp_path / "inside"), "zip", published.parent, published.name)
    before = sorted(tmp_path.iterdir())
    assert failed(verify(Path(whole))) == {}
    assert failed(verify(Path(inside))) == {}  # as `zip -r release.zip release` makes it
    assert sorted(tmp_path.iterdir()) == before


# --- bundles made to harm


def zip_with(tmp_path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def link_member() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("model/config.json")
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("members", "told"),
    [
        ([("../../evil.txt", b"x")], "leads out of the bundle"),
        ([("/etc/passwd", b"x")], "leads out of the bundle"),
        ([("a\\..\\b", b"x")], "leads out of the bundle"),
        ([(link_member(), b"/etc/passwd")], "symbolic link model/config.json"),
        ([("manifest.json", b"{}"), ("Manifest.json", b"{}")], "holds Manifest.json twice"),
        ([("manifest.json", b" " * 30_000_000)], "a zip bomb"),
    ],
)  # fmt: skip
def test_a_harmful_zip_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], members: list[Any], told: str
) -> None:
    assert verify_command(str(zip_with(tmp_path, *members)), as_json=False) == 1
    line = capsys.readouterr().err
    assert line.startswith("commons verify: refused: ") and told in line and line.count("\n") == 1


def test_a_manifest_that_leads_out_is_refused(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit_json(release / "manifest.json", lambda m: m["files"][0].__setitem__("path", "../../etc/passwd"))
    assert verify_command(str(release), as_json=True) == 1
    assert "leads out of the bundle; refused" in json.loads(capsys.readouterr().out)["verdict"]


def test_a_file_that_grew_after_the_listing_is_refused(release: Path) -> None:
    bundle = open_bundle(release)
    append("corpus/attribution.md", "more than was listed")(release)
    with pytest.raises(Unsafe, match=r"corpus/attribution\.md is longer than it says"):
        bundle.text("corpus/attribution.md")


def test_an_empty_folder_in_a_zip_is_seen(tmp_path: Path) -> None:
    bundle = open_bundle(zip_with(tmp_path, ("manifest.json", b"{}"), ("corpus/new/", b"")))
    assert bundle.oddities == ["corpus/new is an empty folder"]


def test_endless_work_is_refused(release: Path) -> None:
    edit_json(release / "scores/base/bbq/benchmark.json", lambda c: c["settings"].__setitem__("resamples", 10**12))
    seal(release)
    with pytest.raises(Unsafe, match=r"asks for 1,000,000,000,000 resamples; at most 1,000,000 are drawn"):
        verify(release)


def test_giant_json_is_refused(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.publish_release.opening.MOST_JSON_BYTES", 1000)
    with pytest.raises(Unsafe, match=r"manifest.json has [\d,]+ bytes; at most 1,000 are read whole"):
        verify(release)


@pytest.mark.parametrize(
    "content", ["[" * 100_000, "NaN", '{"files": 1e999}', "\ud800".encode("utf-16", "surrogatepass").decode("latin-1")]
)
def test_broken_json_gets_an_answer_and_no_traceback(release: Path, content: str) -> None:
    (release / "manifest.json").write_text(content, encoding="utf-8")
    report = verify(release)
    assert "manifest" in failed(report)
    assert report.exit_code == 1


def test_control_characters_do_not_reach_the_screen(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit_json(release / "manifest.json", lambda m: m.__setitem__("release", "\x1b[2J all fine"))
    verify_command(str(release), as_json=False)
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nowhere", "not-a-zip"])
def test_nothing_to_check_is_not_a_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (tmp_path / "not-a-zip").write_text("hello")
    assert verify_command(str(tmp_path / name), as_json=False) == 2
    assert "wanted a release: a folder" in capsys.readouterr().err


def test_runs_light(published: Path) -> None:
    """As an auditor has it: none of the heavy libraries is imported, and the exit code is the verdict."""
    heavy = "torch pandas prefect dvc jinja2 scipy sklearn transformers great_expectations mlflow yaml huggingface_hub"
    code = (
        "import sys; from stages.publish_release.verify import main;"
        f"code = main([{str(published)!r}]); assert not [m for m in {heavy.split()!r} if m in sys.modules]; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of DVC's own libraries
def test_dvc_agrees_on_the_hash_of_a_folder(release: Path, tmp_path: Path) -> None:
    """Against the installed DVC itself, with names whose order is easily got wrong."""
    dvc_repo = pytest.importorskip("dvc.repo")
    folder = tmp_path / "repo" / "made"
    for name in ("a/b", "a-b", "é/ü.json", "crlf.txt", "empty"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"" if name == "empty" else f"{name}\r\n".encode())
    repo = dvc_repo.Repo.init(str(tmp_path / "repo"), no_scm=True)
    repo.config["core"]["analytics"] = False
    (stage,) = repo.add(str(folder))
    repo.close()
    assert folder_md5(Release(open_bundle(tmp_path / "repo")), "made") == stage.outs[0].hash_info.value


def test_the_reworded_text_is_the_decided_one(published: Path) -> None:
    content = json.loads((published / "constitution/ratified/constitution.json").read_text())
    assert content["principles"][0]["texts"]["en"]["value"] == REWORDED


def test_a_release_may_hold_a_vocabulary_with_any_words(release: Path) -> None:
    """The words of a tokenizer's vocabulary are not settings: 'auto_map' may be one."""
    assert "auto_map" in (release / "model/tokenizer.json").read_text()
    assert failed(verify(release)) == {}


def test_other_weights_types_are_read(release: Path) -> None:
    make_safetensors(release / "model/model-00002-of-00002.safetensors", {"c": [1.0]}, None)
    seal(release)
    assert failed(verify(release)) == {}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="is not there; wanted a release"):
        verify(tmp_path / "x")
