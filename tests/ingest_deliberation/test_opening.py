"""A zip reads like its folder, and one that would do harm is refused with its name."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from stages.errors import Trouble
from stages.ingest_deliberation import opening, sources
from tests.ingest_deliberation.exports import HISTORY, OLD, content, write


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    write(folder / "comments.csv", OLD, [1, "", 0, "8", 0, 0, 1, "Itsasoa garbi."], [1, "", 1, "9", 0, 0, 1, "L'eau."])
    write(folder / "votes.csv", HISTORY, [5, 0, "8", 1], [6, 1, "9", -1])
    return folder


def packed(path: Path, files: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refusal(path: Path) -> str:
    with pytest.raises(Trouble) as caught:
        sources.read("polis", path, "eu")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("inside", ["", "scoop.water/", "a/b/"])
def test_a_zip_says_what_its_folder_says(tmp_path: Path, export: Path, inside: str) -> None:
    archive = packed(tmp_path / "e.zip", {inside + name: text for name, text in files_of(export).items()})
    from_zip, from_folder = (sources.read("polis", path, "eu") for path in (archive, export))
    assert content(from_zip) == content(from_folder)
    assert from_zip.inputs == from_folder.inputs


def test_what_macos_adds_is_passed_over(tmp_path: Path, export: Path) -> None:
    more = {"__MACOSX/comments.csv": b"\x00", "__MACOSX/._votes.csv": b"\x00"}
    archive = packed(tmp_path / "e.zip", files_of(export) | more)
    assert len(sources.read("polis", archive, "eu").statements) == 2


@pytest.mark.parametrize("name", ["../comments.csv", "/etc/comments.csv", "a/../../comments.csv", "C:comments.csv"])
def test_a_name_that_leads_out_of_the_zip_is_refused(tmp_path: Path, export: Path, name: str) -> None:
    archive = packed(tmp_path / "e.zip", files_of(export) | {name: "a"})
    assert f"{archive} holds a file named {name!r}; wanted names inside the archive" in refusal(archive)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.zip", "export"]


def test_a_link_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "e.zip"
    link = zipfile.ZipInfo("comments.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(link, "/etc/passwd")
    assert "holds 'comments.csv' as a link; wanted plain files" in refusal(archive)


def test_a_zip_that_unpacks_to_a_thousand_times_its_size_is_refused(tmp_path: Path) -> None:
    archive = packed(tmp_path / "e.zip", {"comments.csv": bytes(2**25)})
    assert "'comments.csv', which unpacks to 33,554,432 bytes; wanted tables" in refusal(archive)


def test_a_zip_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "MOST_BYTES", 100)
    archive = packed(tmp_path / "e.zip", files_of(export))
    assert "wanted at most 10,000 of 100 bytes: if you trust it, unpack it and give the folder" in refusal(archive)


def test_a_damaged_zip_is_named(tmp_path: Path, export: Path) -> None:
    whole = packed(tmp_path / "e.zip", files_of(export)).read_bytes()
    archive = tmp_path / "half.zip"
    archive.write_bytes(whole[: len(whole) // 2])
    assert f"{archive} cannot be unpacked (File is not a zip file); wanted a whole .zip" in refusal(archive)
    archive.write_bytes(whole[:60] + b"\x00\xff\x00" + whole[63:])
    assert f"{archive} cannot be unpacked (" in refusal(archive)


def test_trouble_inside_a_zip_names_the_zip(tmp_path: Path, export: Path) -> None:
    archive = packed(
        tmp_path / "e.zip", files_of(export) | {"votes.csv": "timestamp,comment-id,voter-id,vote\n1,0,8,5\n"}
    )
    assert refusal(archive).startswith(f"{archive}/votes.csv, line 2: vote is '5'")


def test_two_exports_in_one_folder_are_not_guessed_between(tmp_path: Path, export: Path) -> None:
    for name in ("water", "waste"):
        write(tmp_path / "both" / name / "comments.csv", OLD)
    assert "holds several exports (waste, water); wanted one" in refusal(tmp_path / "both")


def test_an_address_is_answered_with_the_command_that_fetches_it() -> None:
    said = refusal(Path("https://pol.is/api/v3/reportExport/r1"))
    assert "run `commons snapshot https://pol.is/api/v3/reportExport/r1 FOLDER` first and give that folder" in said


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere.zip does not exist" in refusal(tmp_path / "nowhere.zip")
    write(tmp_path / "comments.csv", OLD)
    assert "comments.csv is not a folder or .zip" in refusal(tmp_path / "comments.csv")
