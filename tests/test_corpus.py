"""The shared reader of a curated corpus: all documents in their order, in pieces, and counts that read no text."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages import corpus
from stages.errors import Trouble
from stages.records import Document
from tests.tiny_model import write_corpus


def document(id: str, language: str = "ca") -> Document:
    return Document(
        id=id, text=f"L’ordenança {id}.", language=language, source="butlletí", url="", license="CC0-1.0", title="t"
    )


@pytest.fixture
def documents(tmp_path: Path) -> list[Document]:
    made = [document(id, language) for id, language in (("z", "ca"), ("a", "eu"), ("m", "ca"))]
    write_corpus(tmp_path, made, [("x", "license"), ("y", "short"), ("w", "short")])
    return made


def test_documents_come_in_the_order_in_which_they_were_written(tmp_path: Path, documents: list[Document]) -> None:
    assert list(corpus.read_documents(tmp_path)) == documents


def test_counts_are_those_of_kept_and_of_dropped_documents(tmp_path: Path, documents: list[Document]) -> None:
    assert corpus.count_documents(tmp_path, "language") == {"ca": 2, "eu": 1}
    assert corpus.count_dropped(tmp_path) == {"license": 1, "short": 2}


def test_only_some_documents_are_held_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_corpus(tmp_path, [document(f"d{n:03}") for n in range(50)])
    monkeypatch.setattr(corpus, "ROWS_AT_ONCE", 4)
    sizes: list[int] = []
    whole = pq.ParquetFile.iter_batches

    def counted(file: pq.ParquetFile, *said: object, **named: object) -> object:
        for batch in whole(file, *said, **named):
            sizes.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    first = next(corpus.read_documents(tmp_path))
    assert (first.id, sizes) == ("d000", [4])
    assert len(list(corpus.read_documents(tmp_path))) == 50


def test_what_is_no_corpus_is_trouble_in_one_line(tmp_path: Path, documents: list[Document]) -> None:
    with pytest.raises(Trouble, match=r"nowhere/corpus holds no part-\*\.parquet; wanted a curated corpus"):
        list(corpus.read_documents(tmp_path / "nowhere"))
    with pytest.raises(Trouble, match=r"part-00000\.parquet has no column kinds; wanted a curated corpus"):
        corpus.count_documents(tmp_path, "kinds")
    part = tmp_path / "corpus" / "part-00001.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(Trouble, match=r"part-00001\.parquet cannot be read"):
        list(corpus.read_documents(tmp_path))
    (tmp_path / "decisions.parquet").unlink()
    with pytest.raises(Trouble, match=r"decisions\.parquet is missing"):
        corpus.count_dropped(tmp_path)
