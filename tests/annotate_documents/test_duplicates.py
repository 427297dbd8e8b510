import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.annotate_documents import duplicates
from stages.annotate_documents.duplicates import Near, Shard
from stages.overlap import words_of

NEAR = Near(words=5, bands=14, rows=8, seed=7, min_jaccard=0.7)
LAW = (
    "Article 9. Ampliació excepcional del nombre d’autoritzacions. En cas que una empresa hagi esgotat el nombre "
    "d’autoritzacions que li corresponia però el nombre global encara no estigui exhaurit, la ministra competent pot "
    "acordar ampliar-ne el nombre, sempre que l’empresari justifiqui que ha tingut baixes per accident o malaltia."
)
GESETZ = (
    "Wer eine Anlage betreibt, hat der zuständigen Behörde vor Beginn schriftlich anzuzeigen, welche Stoffe in welcher "
    "Menge gelagert werden, und die Nachweise fünf Jahre lang aufzubewahren; das Nähere regelt die Verordnung."
)


def shards_of(tmp_path: Path, *parts: list[tuple[str, str, int]], near: Near = NEAR) -> list[Shard]:
    """Shards of (id, text, rank of the licence)."""
    shards = []
    for number, rows in enumerate(parts):
        ids, texts, ranks = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
        table = pa.table({"id": pa.array(ids, pa.string()), "text": pa.array(texts, pa.large_string())})
        path = tmp_path / f"part-{number:05}.parquet"
        duplicates.write_signatures(duplicates.signatures(table, near), path)
        shards.append(Shard(path, np.array(ranks, np.int64), lambda table=table: table["text"]))
    return shards


def resolved(
    tmp_path: Path, *parts: list[tuple[str, str, int]], near: Near = NEAR
) -> dict[str, tuple[str, float, bool]]:
    tables = list(duplicates.resolve(shards_of(tmp_path, *parts, near=near), near, tmp_path))
    assert [table["id"].to_pylist() for table in tables] == [[row[0] for row in rows] for rows in parts]
    assert not (tmp_path / "candidate_runs").exists()
    rows = [row for table in tables for row in table.to_pylist()]
    assert all(table.schema == duplicates.DUPLICATES for table in tables)
    return {row["id"]: (row["representative"], pytest.approx(row["jaccard"], abs=1e-6), row["exact"]) for row in rows}


def slow_runs(text: str, size: int = 5) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[start : start + size]) for start in range(max(len(words) - size, 0) + 1)}


def slow_jaccard(first: str, second: str) -> float:
    a, b = slow_runs(first), slow_runs(second)
    return len(a & b) / len(a | b)


def test_the_same_words_are_the_same_text(tmp_path: Path) -> None:
    found = resolved(
        tmp_path,
        [("c", LAW, 1), ("a", GESETZ, 0), ("e", "!!!", 0)],
        [("b", LAW.upper(), 1), ("d", f"  {LAW}\n", 0), ("f", "???", 0), ("g", "", 0)],
    )
    assert found == {
        "a": ("a", 1.0, False),
        "b": ("d", 1.0, True),  # d has the better licence
        "c": ("d", 1.0, True),
        "d": ("d", 1.0, False),
        "e": ("e", 1.0, False),  # texts without words are like no other
        "f": ("f", 1.0, False),
        "g": ("g", 1.0, False),
    }


def test_the_best_licence_then_the_longest_then_the_smallest_id_stands_for_the_others(tmp_path: Path) -> None:
    longer = f"{LAW} Fi de l’article."
    jaccard = slow_jaccard(LAW, longer)
    assert 0.7 < jaccard < 1
    found = resolved(tmp_path, [("a", LAW, 0), ("b", longer, 0)])
    assert found == {"a": ("b", pytest.approx(jaccard, abs=1e-6), False), "b": ("b", 1.0, False)}
    found = resolved(tmp_path, [("a", LAW, 0), ("b", longer, 1)])
    assert found["b"] == ("a", pytest.approx(jaccard, abs=1e-6), False)
    found = resolved(tmp_path, [("z", f"{LAW} aa", 0)], [("y", f"{LAW} bb", 0)])
    assert {name: row[0] for name, row in found.items()} == {"y": "y", "z": "y"}


def test_no_text_is_dropped_for_one_that_it_is_not_like(tmp_path: Path) -> None:
    words = [f"w{number:03}" for number in range(130)]
    texts = {f"d{start}": " ".join(words[start : start + 100]) for start in (0, 10, 20, 30)}
    assert slow_jaccard(texts["d0"], texts["d10"]) > 0.7 > slow_jaccard(texts["d0"], texts["d20"])
    found = resolved(tmp_path, [(name, text, 0) for name, text in texts.items()])
    for name, (leader, jaccard, exact) in found.items():
        assert jaccard == slow_jaccard(texts[name], texts[leader]) >= 0.7
        assert not exact
    assert {leader for leader, _, _ in found.values()} == {"d0", "d20"}


def test_signatures_are_the_minima_of_the_slow_rule(tmp_path: Path) -> None:
    near = Near(bands=2, rows=3, seed=3)
    table = duplicates.signatures(pa.table({"id": ["a"], "text": [GESETZ]}), near)
    factors, terms = duplicates.permutations(near)
    assert all(factor % 2 == 1 for factor in factors.tolist())
    from tests.annotate_documents.test_kernels import slow_mix, slow_run

    runs = [slow_run(list(run)) for run in slow_runs(GESETZ)]
    pairs = zip(factors.tolist(), terms.tolist(), strict=True)
    least = [min(factor * ((run >> 32) ^ term) % 2**32 for run in runs) for factor, term in pairs]
    for band in range(2):
        code = band + 1
        for value in least[3 * band : 3 * band + 3]:
            code = slow_mix((code * 0x9E3779B97F4A7C15 + value) % 2**64)
        assert table[f"band_{band:02}"].to_pylist() == [code]
    assert table["words"].to_pylist() == [len(words_of(GESETZ))]
    assert table["bytes"].to_pylist() == [len(" ".join(words_of(GESETZ)).encode())]


def test_the_seed_chooses_the_permutations() -> None:
    first, again, other = (duplicates.permutations(Near(seed=seed))[0].tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) == 112


def test_order_of_shards_and_rows_changes_nothing(tmp_path: Path) -> None:
    random = np.random.Generator(np.random.PCG64(5))
    rows = []
    for base in range(12):
        words = [f"w{word}" for word in random.integers(0, 400, size=120)]
        for copy in range(random.integers(1, 9)):
            changed = list(words)
            for place in random.integers(0, 120, size=copy):
                changed[place] = f"x{place}"
            rows.append((f"{base}-{copy}", " ".join(changed), int(random.integers(0, 2))))
            rows.append((f"{base}-{copy}-again", " ".join(changed).upper(), int(random.integers(0, 2))))
    expected = resolved(tmp_path, rows)
    texts = {name: text for name, text, _ in rows}
    assert 5 < sum(name != row[0] for name, row in expected.items()) < len(rows)
    for name, (leader, jaccard, exact) in expected.items():
        assert jaccard == slow_jaccard(texts[name], texts[leader])
        assert exact == (name != leader and words_of(texts[name]) == words_of(texts[leader]))
        assert expected[leader][0] == leader
    for _ in range(3):
        order = random.permutation(len(rows)).tolist()
        mixed = [rows[place] for place in order]
        cut = int(random.integers(1, len(rows)))
        again = resolved(tmp_path, mixed[:cut], [], mixed[cut:])
        assert again == expected


def test_many_alike_cost_a_star_and_not_all_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared, plain = [], duplicates._Runs.jaccards

    def counted(self: Any, first: Any, second: Any, least: float) -> Any:
        compared.append(len(first))
        return plain(self, first, second, least)

    monkeypatch.setattr(duplicates._Runs, "jaccards", counted)
    alike = [(f"n{number:04}", f"{LAW} {number}", 0) for number in range(400)]
    same = [(f"s{number:04}", GESETZ, 0) for number in range(2000)]
    found = resolved(tmp_path, alike, same)
    assert {row[0] for name, row in found.items() if name[0] == "n"} == {"n0100"}  # the first of three digits
    assert {row[0] for name, row in found.items() if name[0] == "s"} == {"s0000"}
    assert 400 <= sum(compared) < 10 * 400  # all pairs would be 79,800


def test_memory_for_runs_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"n{number}", f"{LAW} {number}", 0) for number in range(20)]
    expected = resolved(tmp_path, rows)
    held, plain = [], duplicates._Runs._held

    def counted(self: Any, places: Any) -> Any:
        held.append(len(runs := plain(self, places)))
        return runs

    monkeypatch.setattr(duplicates._Runs, "_held", counted)
    monkeypatch.setattr(duplicates, "HELD_RUNS", 200)
    assert resolved(tmp_path, rows) == expected
    assert 0 < max(held) < 300 < sum(held)  # a text has about 50 runs


def test_texts_are_read_again_only_where_candidates_are(tmp_path: Path) -> None:
    first, second = shards_of(tmp_path, [("a", LAW, 0), ("b", f"{LAW} x", 0)], [("c", GESETZ, 0)])
    second = second._replace(texts=lambda: pytest.fail("has no candidates"))
    assert len(list(duplicates.resolve([first, second], NEAR, tmp_path))) == 2


def test_nothing_at_all_has_no_duplicates(tmp_path: Path) -> None:
    assert list(duplicates.resolve([], NEAR, tmp_path)) == []
    (table,) = duplicates.resolve(shards_of(tmp_path, []), NEAR, tmp_path)
    assert table.num_rows == 0


CORPUS = Path(__file__).parents[2] / ".." / "shared" / "data" / "corpus"


@pytest.mark.skipif(not CORPUS.is_dir(), reason="needs the shared corpus with planted near-duplicates")
def test_planted_pairs_are_found(tmp_path: Path) -> None:
    truth = [row for row in json.loads((CORPUS / "neardup_truth.json").read_text()) if row["jac5"] >= 0.8]
    wanted = {row[end] for row in truth for end in ("dup", "src")}
    documents = pq.read_table(CORPUS / "documents.parquet", columns=["id", "text"])
    rows = [(own, text, 0) for own, text in zip(*documents.to_pydict().values(), strict=True) if own in wanted]
    found = resolved(tmp_path, rows[:1000], rows[1000:])
    together = sum(found[row["dup"]][0] == found[row["src"]][0] for row in truth)
    assert together / len(truth) >= 0.99
