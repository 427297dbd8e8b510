"""A secretary fills in a table with a spreadsheet: nothing in it runs, and what was meant is read back."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.errors import Trouble
from stages.ratify_constitution.decisions import Decisions, read_decisions
from stages.ratify_constitution.ratification import ratified
from stages.ratify_constitution.table import COLUMNS
from stages.ratify_constitution.writing import write_decisions, write_template
from stages.records import Ballots, Quorum
from tests.ratify_constitution.drafted import APPLIED, DRAFT, TEXTS, decision, draft, file, principle

HEAD = "# title: Carta de barri\n# version,1.0.0\n# by,assemblea\n# quorum,30\n# present,38\n"


def table(path: Path, rows: str, head: str = HEAD, header: str = "principle,decision,reason,by,text,into") -> Path:
    path.write_text(f"{head}{header}\n{rows}", encoding="utf-8")
    return path


def test_a_table_says_the_same_as_the_yaml_file(tmp_path: Path) -> None:
    rows = (
        "p001,accept,It is fair.,citizens' assembly,,\n"
        'p002,Reword,It is fair.,citizens\' assembly,"Ez dezala behar ez den datu pertsonalik eskatu.",\n'
        "p003,accept,It is fair.,citizens' assembly,,\n"
        "p004,merge,The same in another language.,citizens' assembly,,p003\n"
        "p005, reject ,Off-topic.,citizens' assembly,,\n"
    )
    head = "# title,Charter\n# version,1.0.0\n"
    by_table = ratified(table(tmp_path / "d.csv", rows, head), DRAFT).constitution
    assert by_table == ratified(file(tmp_path / "d.yaml", list(APPLIED.values())), DRAFT).constitution


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_spreadsheets_pad_lines_use_semicolons_and_mark_the_encoding(tmp_path: Path, delimiter: str, mark: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["# title: Carta; de barri, 2026", "", "", "", "", ""])
    writer.writerow(["# version", "1.0.0", "", "", "", ""])
    writer.writerow(["# yes", "30", "", "", "", ""])
    writer.writerow(["# no", "2", "", "", "", ""])
    writer.writerow(["Principle", "Decision", "Reason", "yes", "no", "abstain", ""])
    writer.writerow(["p001", "accept", "És just;\nde debò, sí.", "20", "1", "", ""])
    writer.writerow(["", "", "", "", "", "", ""])
    writer.writerow(["p002", "", "", "", "", "", ""])
    path = tmp_path / "d.csv"
    path.write_text(mark + text.getvalue(), encoding="utf-8", newline="")
    found = read_decisions(path)
    assert (found.title, found.ballots) == ("Carta; de barri, 2026", Ballots(yes=30, no=2))
    assert [(e.principle, e.reason, e.ballots) for e in found.decisions] == [
        ("p001", "És just;\nde debò, sí.", Ballots(yes=20, no=1))
    ], "a line without a decision is not decided"


HOSTILE = ["=HYPERLINK(\"https://evil.example\")", "+1+1", "-2", "@SUM(A1)", "\t=1"]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_template_holds_no_formula_and_what_is_filled_in_comes_back(tmp_path: Path, text: str) -> None:
    drafted = draft(title=text, principles=(principle("p001", text, "en"), *DRAFT.principles[1:]))
    path = tmp_path / "template.csv"
    write_template(path, drafted, None, {"p001": ("may say the same as p002",)})
    assert path.read_bytes().startswith(b"\xef\xbb\xbf"), "a spreadsheet reads UTF-8 only where it is marked"
    with path.open(encoding="utf-8-sig", newline="") as lines:
        cells = [cell for row in csv.reader(lines) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert "A: 9 agree, 1 disagree, 0 pass; B: 4 agree, 0 disagree, 1 pass" in cells
    assert "may say the same as p002" in cells
    entries = [decision(p.id, reason=text.strip()) for p in drafted.principles]
    written = Decisions.model_validate({"title": text.strip(), "version": "1.0.0", "decisions": entries})
    write_decisions(path, written, drafted)
    assert read_decisions(path) == written


def test_everything_but_translations_survives_the_table(tmp_path: Path) -> None:
    previous = {"version": "1.0.0", "sha256": "0" * 64, "principles": {"p001": "Abans.", "p050": "Zaharra."}}
    written = Decisions.model_validate(
        {
            "title": "Carta", "version": "2.0.0", "by": "assemblea", "date": "2026-03-01",
            "quorum": Quorum(wanted=3, present=4), "ballots": {"yes": 3, "no": 1}, "previous": previous,
            "decisions": [*(APPLIED[p] for p in TEXTS), decision("p050", "reject")],
        }
    )  # fmt: skip
    path = tmp_path / "d.csv"
    flat = [e.model_copy(update={"text": " ".join(e.text.split()) if e.text else None}) for e in written.decisions]
    written = written.model_copy(update={"decisions": tuple(flat)})
    write_decisions(path, written, DRAFT)
    assert read_decisions(path) == written
    with_translation = {**APPLIED["p001"], "translations": {"fr": {"value": "Égal.", "origin": "human"}}}
    translated = Decisions.model_validate({"title": "Carta", "version": "2.0.0", "decisions": [with_translation]})
    with pytest.raises(Trouble, match="no place for translations; wanted YAML"):
        write_decisions(path, translated, DRAFT)
    assert read_decisions(path) == written, "nothing half-written"


@pytest.mark.parametrize(
    ("head", "header", "rows", "message"),
    [
        (HEAD, "principle,decision", "", r"line 6: found no column 'reason'; wanted once each: principle, decision"),
        (HEAD, "principle,decision,reason,cost", "", "line 6: found the column 'cost'"),
        (HEAD, "principle,decision,reason,reason", "", "line 6: found the column 'reason'"),
        ("# titel,x\n", "principle,decision,reason", "", "line 1: found '# titel'; wanted one of: title, version"),
        (HEAD, "principle,decision,reason", "p001,accept,És just, i clar\n", "line 7: found 4 cells; wanted 3"),
        (HEAD, "principle,decision,reason", 'p001,accept,"És "just"\n', "line 7: .*mend the quotes"),
        (HEAD, "principle,decision,reason", "p001,maybe,x\n", r"decision 1 \(on p001\), decision: Input should be"),
        (HEAD, "principle,decision,reason,yes", "p001,accept,x,many\n", r"\(on p001\), ballots.yes: Input should be a"),
        ("# version,1.0.0\n", "principle,decision,reason", "", "title: Field required"),
        ("", "p001,accept,x", "", "found no column 'principle'"),
        ("# title,x\n", "", "", "has no line with the columns principle, decision, reason"),
        (HEAD.replace("38", "12"), "principle,decision,reason", "", r"12 were present; wanted 30 \(quorum\)"),
    ],
)
def test_a_table_that_does_not_fit_is_one_line(tmp_path: Path, head: str, header: str, rows: str, message: str) -> None:
    with pytest.raises(Trouble, match=message) as caught:
        ratified(table(tmp_path / "d.csv", rows, head, header), DRAFT)
    assert "\n" not in str(caught.value)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([*COLUMNS, "# title", "# version", "1.0.0", "accept", '"', "'=", "é", "\n", ""]))
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_whatever_a_table_holds_is_read_or_refused_in_one_line(rows: list[list[str]], delimiter: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "d.csv"
        path.write_text("\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
        try:
            ratified(path, DRAFT)
        except Trouble as trouble:
            assert "\n" not in str(trouble) and "d.csv" in str(trouble)
        else:
            raise AssertionError("no such table decides on five principles")


def test_a_huge_cell_and_another_encoding_are_one_line(tmp_path: Path) -> None:
    path = table(tmp_path / "d.csv", "p001,accept," + "a" * 10_000_000 + ",,,\n")
    with pytest.raises(Trouble, match=r"line \d+: field larger than field limit"):
        read_decisions(path)
    path.write_bytes("# title,Català\n".encode("latin-1"))
    with pytest.raises(Trouble, match="is not UTF-8"):
        read_decisions(path)
