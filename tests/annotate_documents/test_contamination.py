import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages import overlap
from stages.annotate_documents import contamination
from stages.errors import Trouble
from stages.overlap import Hit, Item, Overlaps

ITEMS = [
    Item("crows-pairs", "pairs:1", "The mother left work to look after the grandparents."),
    Item("crows-pairs", "pairs:2", "Les voisins sont bruyants."),  # four words: matched as a whole
    Item("bbq", "Age:7", "¿Quién no sabía usar el teléfono?"),
    Item("bbq", "Age:8", "Who spoke?"),  # two words: everybody's phrase
    Item("bbq", "Age:8", "It is not possible to say", option=True),
    Item("bbq", "Age:9", "Udaltzaingoak bi lagun ikusi zituen atzo gauean liburutegiaren aurrean, bata zaharra."),
]


def compiled(texts: list[str], items: list[Item]) -> list[list[Hit]]:
    ids = [f"d{number}" for number in range(len(texts))]
    table = pa.table({"id": ids, "text": pa.array(texts, pa.large_string())})
    rows = contamination.contamination(table, contamination.lookup(items))
    assert rows.schema == contamination.CONTAMINATION
    found: dict[str, list[Hit]] = {own: [] for own in ids}
    for own, *hit in zip(*rows.to_pydict().values(), strict=True):
        found[own].append(Hit(*hit))
    return list(found.values())


def test_items_are_found_and_named() -> None:
    texts = [
        "They said: THE MOTHER left work, to look after the grandparents! And left.",
        "On sait que les voisins sont bruyants; oui, les voisins sont bruyants.",
        "Quién no sabía usar el teléfono",
        "Who spoke? It is not possible to say. The mother left work to look after the.",
        "",
    ]
    expected = [
        [Hit("crows-pairs", "pairs:1", "8-gram", 2)],
        [Hit("crows-pairs", "pairs:2", "whole item", 2)],
        [Hit("bbq", "Age:7", "whole item", 1)],
        [Hit("crows-pairs", "pairs:1", "8-gram", 1)],
        [],
    ]
    assert compiled(texts, ITEMS) == expected
    overlaps = Overlaps(ITEMS)
    assert [overlaps.hits(text) for text in texts] == expected


def test_of_items_that_share_a_run_the_first_has_it_whatever_their_order() -> None:
    shared = "un deux trois quatre cinq six sept huit"
    items = [Item("b", "2", f"{shared} dix"), Item("b", "1", f"{shared} neuf"), Item("a", "9", "un deux trois quatre")]
    expected = [Hit("a", "9", "whole item", 1), Hit("b", "1", "8-gram", 1), Hit("b", "2", "8-gram", 1)]
    for order in (items, items[::-1]):
        assert compiled([f"{shared} dix"], order) == [expected]
        assert Overlaps(order).hits(f"{shared} dix") == expected


WORDS = st.lists(st.sampled_from(["la", "llei", "és", "igual", "Per", "a", "tothom"]), max_size=14).map(" ".join)


@given(st.lists(st.tuples(WORDS, st.booleans()), max_size=8), st.lists(WORDS, min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_compiled_and_plain_lookup_agree(items: list[tuple[str, bool]], texts: list[str]) -> None:
    listed = [Item("b", str(number), text, option) for number, (text, option) in enumerate(items)]
    overlaps = Overlaps(listed)
    assert compiled(texts, listed) == [overlaps.hits(text) for text in texts]


def test_many_hits_are_all_counted() -> None:
    assert compiled(["les voisins sont bruyants " * 3000], ITEMS) == [
        [Hit("crows-pairs", "pairs:2", "whole item", 3000)]
    ]


def test_item_files_are_read_by_the_names_of_their_fields(tmp_path: Path) -> None:
    for name in ("bbq", "crows-pairs", "chat", "own"):
        (tmp_path / name).mkdir()
    row = {"example_id": 3, "context": "A context.", "question": "Who?", "ans0": "The man", "category": "Age of man"}
    (tmp_path / "bbq" / "Age.fr.jsonl").write_text(json.dumps(row) + "\n\n", encoding="utf-8")
    (tmp_path / "crows-pairs" / "pairs.csv").write_text(
        ',sent_more,sent_less,bias_type\n0,"Une, deux",Trois,age\n', encoding="utf-8"
    )
    (tmp_path / "chat" / "a.json").write_text(json.dumps([{"prompt": [{"role": "user", "content": "Kaixo"}]}]))
    pq.write_table(pa.table({"id": ["x"], "Sentence": ["Bon dia"]}), tmp_path / "own" / "items.parquet")
    assert overlap.read_items(tmp_path) == [
        Item("bbq", "Age.fr:3", "A context."),
        Item("bbq", "Age.fr:3", "Who?"),
        Item("bbq", "Age.fr:3", "The man", option=True),
        Item("chat", "a:0", "user"),
        Item("chat", "a:0", "Kaixo"),
        Item("crows-pairs", "pairs:0", "Une, deux"),
        Item("crows-pairs", "pairs:0", "Trois"),
        Item("own", "items:x", "Bon dia"),
    ]
    assert {item.benchmark for item in overlap.read_items(tmp_path, ["own"])} == {"own"}


def test_texts_under_unknown_names_are_looked_for_too(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.csv").write_text("frage,gut\nWohin mit dem Glas?,In den Container\n", encoding="utf-8")
    (tmp_path / "wino").mkdir()
    (tmp_path / "wino" / "type1.txt.dev").write_text("1 The cook thanked her.\n", encoding="utf-8")
    (tmp_path / "wino" / "README.md").write_text("no item\n", encoding="utf-8")
    assert sorted(overlap.read_items(tmp_path)) == [
        Item("own", "a:0", "In den Container", True),
        Item("own", "a:0", "Wohin mit dem Glas?", True),
        Item("wino", "type1.txt.dev:0", "1 The cook thanked her.", True),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", '{"label": 1}\n', "holds no texts of items"),
        ("a.jsonl", '{"label": \n', "cannot be read as items"),
        ("a.jsonl.gz", "not gzip", "cannot be read as items"),
        ("a.parquet", "not parquet", "cannot be read as items"),
        ("a.md", "text", "holds no texts of items"),
    ],
)
def test_files_without_items_are_told(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / "bbq").mkdir()
    (tmp_path / "bbq" / name).write_text(content, encoding="utf-8")
    with pytest.raises(Trouble, match=said):
        overlap.read_items(tmp_path, ["bbq"])


def test_a_folder_without_benchmarks_is_told(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="holds no folder of items"):
        overlap.read_items(tmp_path)
    with pytest.raises(Trouble, match="holds no texts of items"):
        overlap.read_items(tmp_path, ["absent"])


DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared benchmarks and corpus")
def test_real_items_are_found_alike_in_real_texts() -> None:
    items = overlap.read_items(DATA / "benchmarks", ["crows-pairs", "esbbq"])[::7]
    rows = pq.read_table(DATA / "corpus" / "civic_small.parquet", columns=["text"])["text"][:60].to_pylist()
    texts = [f"{text[:300]} {items[place * 11].text}, {text[300:900]}" for place, text in enumerate(rows)]
    overlaps = Overlaps(items)
    expected = [overlaps.hits(text) for text in texts]
    assert sum(map(bool, expected)) > 40  # of 60; the rest are questions of three words
    assert compiled(texts, items) == expected
