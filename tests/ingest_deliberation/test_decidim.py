"""Decidim's open data in both vocabularies: what it can tell is read, what it cannot is said, names stay inside."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from stages.errors import Trouble
from stages.ingest_deliberation import sources
from stages.ingest_deliberation.conversation import Conversation

OLD: dict[str, str] = {
    "id": "7", "category/id": "1", "category/name/ca": "Govern", "scope/name/ca": "", "participatory_space/id": "3",
    "component/id": "12", "title/ca": "Més transparència", "title/es": "", "body/ca": "<p>Que l&#39;IA digui les fonts.</p>",
    "body/es": "", "state": "accepted", "supports": "41", "endorsements/total_count": "2",
    "endorsements/user_endorsements": "Joana Puig, Ane Etxeberria", "published_at": "2021-05-01 10:00:00 UTC",
    "url": "https://city.example/processes/ia/f/12/proposals/7", "is_amend": "false",
}  # fmt: skip
NEW: dict[str, str] = {
    "id": "8", "author/id": "5", "author/name": "Joana Puig", "author/url": "https://city.example/profiles/joana",
    "taxonomies": "Gobernantza", "component/id": "12", "title/eu": "Euskaraz ere", "body/eu": "Erantzun dezala euskaraz.",
    "body/machine_translations/es": "Que responda en euskera.", "title/machine_translations/es": "También en euskera",
    "state": "", "votes": "", "likes/total_count": "1", "likes/user_likes": "Jon Agirre", "withdrawn": "false",
    "published_at": "2024-05-01", "created_at": "2024-04-01",
}  # fmt: skip
COMMENT: dict[str, str] = {
    "id": "1", "created_at": "2021-05-02 10:00:00 UTC", "body": "Hi estic d'acord", "locale": "ca", "author/id": "9",
    "author/name": "Ane Etxeberria", "alignment": "1", "depth": "0", "user_group/name": "", "user_group/name/ca": "",
    "commentable_id": "7", "commentable_type": "Decidim::Proposals::Proposal", "root_commentable_url": "",
}  # fmt: skip


def table(*rows: dict[str, str], delimiter: str = ";") -> str:
    out = io.StringIO()
    header = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, header, delimiter=delimiter, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def export(path: Path, **tables: str) -> Path:
    with zipfile.ZipFile(path / "data.zip", "w") as archive:
        for entity, text in tables.items():
            archive.writestr(f"city.example-open-data-{entity}.csv", text)
    return path / "data.zip"


def read(path: Path, language: str = "es") -> Conversation:
    return sources.read("decidim", path, language)


def votes(conversation: Conversation) -> dict[tuple[str, int], int]:
    table = conversation.votes
    return {
        (table.participants[person], int(statement)): int(vote)
        for person, statement, vote in zip(table.participant, table.statement, table.vote, strict=True)
    }


def test_the_older_words_are_read_from_a_zip(tmp_path: Path) -> None:
    found = read(
        export(tmp_path, proposals=table(OLD), proposal_comments=table(COMMENT), projects="id;title\n1;x\n2;y\n")
    )
    statement = found.statements[0]
    assert (statement.id, statement.text) == (7, "Més transparència. Que l'IA digui les fonts.")
    assert (statement.language, statement.moderated, statement.supports) == ("ca", 1, 41)
    assert found.kind == "approval"
    assert votes(found) == {("Joana Puig", 7): 1, ("Ane Etxeberria", 7): 1}
    assert found.quirks["rows of projects, which are not read"] == 2
    assert set(found.inputs) == {"city.example-open-data-proposals.csv", "city.example-open-data-proposal_comments.csv"}
    assert any("same name" in guarantee for guarantee in found.lost)


def test_the_newer_words_are_read_from_a_single_file(tmp_path: Path) -> None:
    (tmp_path / "anything.csv").write_text("\ufeff" + table(NEW, delimiter=","), encoding="utf-8")
    found = read(tmp_path / "anything.csv")
    statement = found.statements[0]
    assert (statement.text, statement.language) == ("Euskaraz ere. Erantzun dezala euskaraz.", "eu")
    assert statement.translations == {"es": ("También en euskera. Que responda en euskera.", True)}
    assert (statement.moderated, statement.supports, statement.author) == (0, None, "Joana Puig")
    assert found.quirks["proposals whose number of supports is hidden or missing"] == 1
    assert votes(found) == {("Jon Agirre", 8): 1}


def test_supports_alone_give_counts_and_say_what_is_lost(tmp_path: Path) -> None:
    rows = [OLD | {"endorsements/total_count": "0", "endorsements/user_endorsements": ""}, OLD | {
        "id": "9", "supports": "3", "endorsements/total_count": "0", "endorsements/user_endorsements": ""}]  # fmt: skip
    found = read(export(tmp_path, proposals=table(*rows)))
    assert (found.kind, len(found.votes)) == ("counts", 0)
    assert [statement.supports for statement in found.statements] == [41, 3]
    assert found.lost[0].startswith("opinion groups")
    assert any("minorities" in guarantee for guarantee in found.lost)
    assert found.quirks["supports (numbers only)"] == 44


def test_nothing_to_count_is_a_text_only(tmp_path: Path) -> None:
    found = read(export(tmp_path, proposals=table(NEW | {"likes/total_count": "0", "likes/user_likes": ""})))
    assert found.kind == "text"
    assert found.lost[0].startswith("votes: the instance hides the supports")


def test_the_latest_comment_of_a_person_counts_and_neutral_ones_do_not(tmp_path: Path) -> None:
    bare = OLD | {"endorsements/total_count": "1", "endorsements/user_endorsements": "Joana Puig"}
    comments = [
        COMMENT
        | {"id": "4", "alignment": "-1", "created_at": "2021-05-02 10:30:00 UTC"},  # the latest: 11:00 +0100 is 10:00
        COMMENT | {"id": "3", "alignment": "1", "created_at": "2021-05-02 11:00:00 +0100"},
        COMMENT | {"id": "5", "alignment": "0", "author/name": "Jon Agirre"},
        COMMENT | {"id": "6", "alignment": "-1", "author/name": "Joana Puig"},  # who liked it
        COMMENT | {"id": "7", "alignment": "-1", "user_group/name/ca": "Associació de Veïnes"},
        COMMENT | {"id": "8", "commentable_type": "Decidim::Comments::Comment", "commentable_id": "4"},
        COMMENT | {"id": "9", "commentable_id": "99"},
        COMMENT | {"id": "10", "author/name": "", "author/id": "33"},
    ]
    found = read(export(tmp_path, proposals=table(bare), proposal_comments=table(*comments)))
    assert votes(found) == {
        ("Ane Etxeberria", 7): -1, ("Joana Puig", 7): 0, ("Associació de Veïnes", 7): -1, ("author:33", 7): 1,
    }  # fmt: skip
    assert found.quirks["comments for or against that a later one replaced"] == 1
    assert found.quirks["comments neither for nor against"] == 1
    assert found.quirks["people who liked and commented against, counted as pass"] == 1
    assert found.quirks["comments on other things than proposals (replies, meetings)"] == 1
    assert found.quirks["comments on proposals that are not read"] == 1


def test_withdrawn_rejected_drafts_and_amendments_are_counted(tmp_path: Path) -> None:
    rows = [
        OLD | {"id": "1", "state": "withdrawn"},
        OLD | {"id": "2", "state": "rejected"},
        OLD | {"id": "3", "state": "evaluating"},
        OLD | {"id": "4", "state": "in_progress"},
        OLD | {"id": "5", "published_at": ""},
        OLD | {"id": "6", "is_amend": "true"},
    ]
    found = read(export(tmp_path, proposals=table(*rows)))
    assert {statement.id: statement.moderated for statement in found.statements} == {1: -1, 2: -1, 3: 0, 4: 0}
    for name in (
        "proposals that their authors withdrew",
        "proposals that were rejected",
        "proposals in a state of the instance's own, taken as not looked at",
        "drafts that were never published, left out",
        "amendments to other proposals, left out",
    ):
        assert found.quirks[name] == 1, name


def test_addresses_in_bodies_are_replaced_and_authors_stay_out_of_the_text(tmp_path: Path) -> None:
    found = read(export(tmp_path, proposals=table(NEW | {"body/eu": "<p>Idatzi: <a>jon@adibidea.eus</a></p>"})))
    assert found.statements[0].text == "Euskaraz ere. Idatzi: [e-mail]"
    assert found.quirks["e-mail addresses replaced by [e-mail]"] == 1
    assert "Joana" not in str([statement.text for statement in found.statements])


def test_the_source_language_does_not_depend_on_the_order_of_columns(tmp_path: Path) -> None:
    both = OLD | {
        "title/es": "Más transparencia",
        "title/eu": "Gardentasuna",
        "title/pt-BR": "Mais",
        "title/ast": "Más",
    }
    (tmp_path / "p.csv").write_text(table(both), encoding="utf-8")
    assert read(tmp_path / "p.csv", "eu").statements[0].text == "Gardentasuna"
    found = read(tmp_path / "p.csv", "en")
    assert found.statements[0].language == "ca"
    assert list(found.statements[0].translations) == ["es", "eu", "pt"]
    assert found.quirks["texts left out because their locale is not in ISO 639-1"] == 1


def test_a_machine_s_text_never_stands_in_for_a_person_s(tmp_path: Path) -> None:
    only_machine = {name: value for name, value in NEW.items() if not name.endswith("/eu")}
    found = read(export(tmp_path, proposals=table(only_machine)))
    assert found.statements[0].text == ""
    assert found.statements[0].translations["es"][1] is True
    assert found.quirks["proposals with a machine's text only, kept without a text"] == 1


def test_rows_and_columns_in_any_order_give_the_same(tmp_path: Path) -> None:
    rows = [OLD | {"id": str(number), "title/ca": f"Títol {number}"} for number in range(1, 9)]
    comments = [COMMENT | {"id": str(number), "commentable_id": str(number)} for number in range(1, 9)]
    first = read(export(tmp_path, proposals=table(*rows), proposal_comments=table(*comments)))
    for seed in range(5):
        shuffle = random.Random(seed)
        columns = list(OLD)
        shuffle.shuffle(columns)
        mixed = [{name: row[name] for name in columns} for row in shuffle.sample(rows, len(rows))]
        shuffle.shuffle(comments)
        tables = {"proposals": table(*mixed, delimiter=","), "proposal_comments": table(*comments)}
        again = read(export(tmp_path, **tables))
        assert again.statements == first.statements
        assert votes(again) == votes(first)
        assert list(again.votes.participant) == list(first.votes.participant)
        assert list(again.quirks.items()) == list(first.quirks.items())


def test_names_with_commas_cannot_be_told_apart_and_are_left_out(tmp_path: Path) -> None:
    odd = OLD | {"endorsements/total_count": "1", "endorsements/user_endorsements": "Puig, Joana"}
    found = read(export(tmp_path, proposals=table(odd)))
    assert found.kind == "counts"
    assert found.quirks["proposals whose list of likes cannot be told apart, likes left out"] == 1


def test_only_the_wanted_components_are_read(tmp_path: Path) -> None:
    (tmp_path / "proposals.csv").write_text(table(OLD, OLD | {"id": "9", "component/id": "13"}), encoding="utf-8")
    (tmp_path / "components.csv").write_text("component\n13\n", encoding="utf-8")
    found = read(tmp_path)
    assert [statement.id for statement in found.statements] == [9]
    assert found.quirks["proposals of other components, left out"] == 1
    (tmp_path / "components.csv").write_text("component\n14\n", encoding="utf-8")
    with pytest.raises(Trouble, match="no proposal"):
        read(tmp_path)


def test_side_files_tell_what_people_declared(tmp_path: Path) -> None:
    (tmp_path / "proposals.csv").write_text(table(OLD), encoding="utf-8")
    (tmp_path / "participants.csv").write_text(
        "participant,district\nJoana Puig,north\nNobody,south\n", encoding="utf-8"
    )
    (tmp_path / "statement-languages.csv").write_text("comment-id,language\n7,eu\n", encoding="utf-8")
    found = read(tmp_path)
    assert found.attributes == {"Joana Puig": {"district": "north"}}
    assert found.statements[0].language == "ca"  # the column names the locale; the side file is for those that do not


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the header lacks id"),
        ("id;title/ca\n1;x\n", "no column body"),
        ("id;title;body\n1;x\n", "line 2: found 2 columns; wanted 3"),
        ("id;title;body\nx;a;b\n", "line 2: id is 'x'; wanted a whole number"),
        ("id;title;body\n1;a;b\n\n1;a;b\n", "line 4: proposal 1 is there a second time (first: line 2)"),
        ('id;title;body\n1;a;"b\n', "line 2: unexpected end of data; wanted CSV"),
        ("id;title;title;body\n", "the column 'title' is there twice"),
        ("id;title;body;supports;votes\n", "both supports and votes"),
        ("id;title;body;votes\n1;a;b;-3\n", "line 2: votes is '-3'"),
        ("id;title;body\n", "holds no proposal"),
        (f"id;title;body\n1;a;{'x' * 300_000}\n", "line 2: a text of 300,000 characters"),
        (f"id;title;body\n1;a;{'x' * 11_000_000}\n", "line 2: field larger than field limit"),
        ("id;title;body\n1;a\0;b\n", "line 2: holds a zero byte"),
    ],
)
def test_a_malformed_file_is_one_line_with_its_row(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "proposals.csv").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(Trouble) as trouble:
        read(tmp_path / "proposals.csv")
    assert words in str(trouble.value)
    assert "proposals.csv" in str(trouble.value)
    assert "\n" not in str(trouble.value)


def test_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "proposals.csv").write_bytes("id;title;body\n1;a;b\n2;è;b\n".encode("latin-1"))
    with pytest.raises(Trouble, match=r"line 3: byte 22 is not UTF-8"):
        read(tmp_path / "proposals.csv")


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ({"alignment": "2"}, "line 2: alignment is '2'; wanted -1, 0 or 1"),
        ({"created_at": "yesterday"}, "line 2: created_at is 'yesterday'"),
        ({"commentable_id": "x"}, "line 2: commentable_id is 'x'"),
    ],
)
def test_a_malformed_comment_is_named(tmp_path: Path, comment: dict[str, str], words: str) -> None:
    with pytest.raises(Trouble) as trouble:
        read(export(tmp_path, proposals=table(OLD), proposal_comments=table(COMMENT | comment)))
    assert words in str(trouble.value)


@pytest.mark.parametrize("names", [["proposals.csv", "x/proposals.csv"], ["meetings.csv", "projects.csv"], []])
def test_a_zip_without_one_table_of_proposals_is_refused(tmp_path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.writestr(name, table(OLD))
    with pytest.raises(Trouble, match=r"table of proposals|several tables"):
        read(tmp_path / "a.zip")


def test_a_zip_that_leaves_its_folder_or_is_cut_off_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../proposals.csv", table(OLD))
    with pytest.raises(Trouble, match=r"\.\./proposals"):
        read(tmp_path / "a.zip")
    content = export(tmp_path, proposals=table(OLD)).read_bytes()
    (tmp_path / "cut.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(Trouble):
        read(tmp_path / "cut.zip")


def test_names_do_not_leave_the_ingest_step(tmp_path: Path) -> None:
    from stages.ingest_deliberation.deliberation import pseudonymous
    from stages.ingest_deliberation.parameters import Parameters
    from stages.ingest_deliberation.pseudonyms import Key, pseudonymiser

    path = export(tmp_path, proposals=table(OLD | {"author/name": "Joana Puig"}), proposal_comments=table(COMMENT))
    settings: dict[str, Any] = {
        "source": "decidim",
        "path": "p",
        "title": "t",
        "license": "CC0-1.0",
        "simulated": False,
    }
    params = Parameters(**settings, language="ca", salt="0123456789")
    hashed = pseudonymous(read(path), pseudonymiser(Key(b"k", "k", True)), "k", params)
    said = str(vars(hashed)) if hasattr(hashed, "__dict__") else str(hashed)
    for name in ("Joana", "Etxeberria", "Puig"):
        assert name not in said
    assert "Més transparència" in said  # the check looks at the right thing
