"""`commons draft` works on any export: its tables, its verdicts, its refusals."""

from __future__ import annotations

import csv
import json
import random
import zipfile
from pathlib import Path

import pytest

from flows import commands

ROOT = Path(__file__).parents[2]
POLIS = ROOT / ".." / "shared" / "data" / "polis"
FILES = ("constitution.json", "statements.csv", "quality.json", "groups.csv", "deliberation/votes.csv")
TEXTS = {
    0: "Tothom ha de ser tractat igual.",
    1: "Ez dezala behar ez den daturik eskatu.",
    2: '=HYPERLINK("http://example.org") <script>alert(1)</script>',
    3: "L'assistant doit dire qu'il est une machine.",
}


def crowd(people: int = 60, statements: int = 24) -> dict[tuple[int, int], int]:
    """Two camps that agree on the first four statements and on nothing else."""
    dice = random.Random(7)
    votes = {}
    for person in range(people):
        camp = 1 if person % 5 < 3 else -1
        for statement in range(statements):
            wanted = 1 if statement < 4 else camp * (1 if statement % 2 else -1)
            votes[person, statement] = wanted if dice.random() < 0.94 else -wanted
    return votes


def export(folder: Path, votes: dict[tuple[int, int], int], shuffle: int | None = None) -> Path:
    """A Polis export; with `shuffle`, its rows and columns in another order."""
    people, ids = sorted({p for p, _ in votes}), sorted({s for _, s in votes})
    dice = random.Random(shuffle)
    if shuffle is not None:
        dice.shuffle(people)
        dice.shuffle(ids)
    folder.mkdir(parents=True)
    header = ["timestamp", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body"]
    rows = [[1, s, 1000 + s, 0, 0, 1, TEXTS.get(s, f"Statement {s}")] for s in ids]
    table(folder / "comments.csv", [header, *rows])
    matrix = [[p, "", *(votes.get((p, s), "") for s in ids)] for p in people]
    table(folder / "participants-votes.csv", [["participant", "group-id", *ids], *matrix])
    table(folder / "summary.csv", [["topic", "Com s'ha de comportar?"], ["url", "https://polis.example/2x"]])
    return folder


def table(path: Path, rows: list[list[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def draft(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        commands.main(["draft", *map(str, arguments)])
    return int(ended.value.code or 0)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_tables_of_a_draft(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = export(tmp_path / "export", crowd())
    assert draft(source, "--out", tmp_path / "draft") == 0
    assert "60 participants" in capsys.readouterr().out
    people = read(tmp_path / "draft" / "participants.csv")
    assert [row["row"] for row in people] == [str(n) for n in range(1, 61)]
    assert len({row["participant"] for row in people}) == 60
    # the export's rows are in order of person: camps are told by the row
    camps = {person % 5 < 3: row["group"] for person, row in enumerate(people)}
    assert camps == {True: "A", False: "B"}
    assert all(row["group"] == camps[person % 5 < 3] for person, row in enumerate(people))
    statements = read(tmp_path / "draft" / "statements.csv")
    assert [row["statement_id"] for row in statements] == [str(n) for n in range(24)]
    assert [row["statement_id"] for row in statements if row["selected"] == "yes"] == ["0", "1", "2", "3"]
    assert statements[2]["text"] == TEXTS[2]
    votes = crowd()
    agree_a = sum(votes[p, 5] == 1 for p in range(60) if p % 5 < 3)
    assert statements[5]["A_agree"] == str(agree_a)
    assert statements[5]["selected"] == "no" and "in group B" in statements[5]["reason"]
    a, b = (sum(votes[p, 0] == 1 for p in range(60) if (p % 5 < 3) is camp) for camp in (True, False))
    assert float(statements[0]["gac"]) == pytest.approx((a + 1) / 38 * (b + 1) / 26, abs=1e-6)
    assert float(statements[0]["exposure"]) == 1


def test_every_gate_has_its_value(tmp_path: Path) -> None:
    draft(export(tmp_path / "export", crowd()), "--out", tmp_path / "draft")
    quality = json.loads((tmp_path / "draft" / "quality.json").read_text(encoding="utf-8"))
    assert quality["reliable"] is True and quality["k"] == 2
    assert quality["verdict"].startswith("reliable groups: ")
    assert quality["stability"]["2"]["mean"] > 0.95
    assert quality["separation_p"] < 0.05
    assert all(gate["wanted"] for gate in quality["gates"])
    constitution = json.loads((tmp_path / "draft" / "constitution.json").read_text(encoding="utf-8"))
    assert constitution["status"] == "draft"
    assert constitution["question"] == "Com s'ha de comportar?"
    assert [gate["name"] for gate in constitution["method"]["gates"]] == [gate["name"] for gate in quality["gates"]]
    page = (tmp_path / "draft" / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_no_order_of_rows_or_columns_changes_a_byte(tmp_path: Path) -> None:
    made = []
    for name, shuffle in (("straight", None), ("shuffled", 3)):
        draft(export(tmp_path / name / "export", crowd(), shuffle), "--out", tmp_path / name / "draft")
        made.append([(tmp_path / name / "draft" / file).read_bytes() for file in FILES])
    assert made[0] == made[1]


def test_a_zip_says_the_same_as_its_folder(tmp_path: Path) -> None:
    source = export(tmp_path / "export", crowd())
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for path in sorted(source.iterdir()):
            archive.write(path, f"conversation/{path.name}")
    draft(source, "--out", tmp_path / "one")
    draft(tmp_path / "export.zip", "--out", tmp_path / "other")
    for name in ("constitution.json", "participants.csv", "statements.csv", "quality.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize(
    ("votes", "why"),
    [
        ({(p, s): 1 for p in range(3) for s in range(9)}, "three people"),
        ({(p, s): 1 for p in range(40) for s in range(9)}, "all vote alike"),
        ({(p, 0): (-1) ** p for p in range(40)}, "one statement"),
        ({(p, p % 9): 1 for p in range(40)}, "one vote each"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_degenerate_conversation_has_no_reliable_groups(
    tmp_path: Path, votes: dict[tuple[int, int], int], why: str
) -> None:
    assert draft(export(tmp_path / "export", votes), "--out", tmp_path / "draft") == 0
    quality = json.loads((tmp_path / "draft" / "quality.json").read_text(encoding="utf-8"))
    assert quality["verdict"].startswith("no reliable groups: "), why
    assert quality["reliable"] is False and quality["k"] <= 1
    assert len({row["group"] for row in read(tmp_path / "draft" / "participants.csv")} - {""}) <= 1
    assert "no reliable groups" in (tmp_path / "draft" / "report.html").read_text(encoding="utf-8")


def test_a_forced_number_of_groups_and_another_rule(tmp_path: Path) -> None:
    source = export(tmp_path / "export", crowd())
    assert draft(source, "--out", tmp_path / "draft", "--k", 3, "--rule", "proportional") == 0
    quality = json.loads((tmp_path / "draft" / "quality.json").read_text(encoding="utf-8"))
    assert quality["k"] == 3 and sorted(quality["stability"]) == ["2", "3", "4"]
    constitution = json.loads((tmp_path / "draft" / "constitution.json").read_text(encoding="utf-8"))
    assert {principle["selection"]["rule"] for principle in constitution["principles"]} == {"proportional"}


def test_refusals_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = export(tmp_path / "export", crowd())
    foreign = tmp_path / "mine"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("dear", encoding="utf-8")
    for arguments, words in (
        ((source, "--out", foreign), "holds other things"),
        ((tmp_path / "nowhere", "--out", tmp_path / "d"), "is missing"),
        ((source, "--out", tmp_path / "d", "--rule", "treshold"), "did you mean 'threshold'?"),
        ((source, "--out", tmp_path / "d", "--k", 9), "draft_constitution.groups"),
        ((foreign, "--out", tmp_path / "d"), "no file that tells its platform"),
    ):
        assert draft(*arguments) == 2
        said = capsys.readouterr().err
        assert words in said and said.count("\n") == 1, said
    assert (foreign / "letter.txt").exists() and not (tmp_path / "d").exists()


@pytest.mark.skipif(
    not POLIS.exists(), reason="the real conversations are not beside this checkout (../shared/data/polis)"
)
@pytest.mark.parametrize("name", ["scoop-hivemind.biodiversity", "ssis.land-bank-farmland.2rumnecbeh.2021-08-01"])
def test_real_groups_are_found_again(tmp_path: Path, name: str) -> None:
    from infra.benchmark_conversations import agreement, recorded_groups

    recorded = recorded_groups(POLIS / name / "participants-votes.csv")
    draft(POLIS / name, "--out", tmp_path / "draft", "--k", len(set(recorded) - {""}))
    assert agreement(recorded, tmp_path / "draft") >= 0.8
