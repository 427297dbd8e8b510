"""The decision on every document: which rule, at what value, and who stays of those that say the same."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages import corpus
from stages.curate_corpus import clusters, mix
from stages.curate_corpus.attributes import shard_numbers
from stages.curate_corpus.mix import Mixed
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.rules import ORDER
from stages.curate_corpus.shard import STAYS
from stages.curate_corpus.tally import Right
from stages.errors import Trouble
from tests.curate_corpus.conftest import PLAIN
from tests.curate_corpus.tables import GOOD_TEXT, document, write_attributes

Make = Callable[..., Parameters]


def run(attributes: Path, folder: Path, params: Parameters) -> tuple[Mixed, dict[str, dict[str, Any]]]:
    """The counts, and every decision by id."""
    folder.mkdir()
    mixed = mix.write(attributes, folder, params, mix.decide(attributes, params))
    return mixed, {row["id"]: row for row in pq.read_table(folder / "decisions.parquet").to_pylist()}


def rule_of(tmp_path: Path, params: Parameters, *documents: Any, **tables: Any) -> dict[str, str]:
    attributes = write_attributes(tmp_path / "attributes", [list(documents)], **tables)
    _, decisions = run(attributes, tmp_path / "corpus", params)
    return {id: row["rule"] for id, row in decisions.items()}


def test_each_rule_drops_its_document_and_says_what_was_found_and_wanted(tmp_path: Path, make: Make) -> None:
    said: dict[str, tuple[dict[str, Any], str, str]] = {
        "removed": (
            {"source": "diari"}, "source diari", "not withdrawn (withdrawn on 2026-03-01: l’autora ho demana)"
        ),
        "license": (
            {"license__license": "", "license__evidence": "no licence is named"},
            "unclear (no licence is named)", "one of CC0-1.0, CC-BY-4.0, CC-BY-SA-4.0",
        ),
        "opt_out": (
            {"opt_out__verdict": "refused", "opt_out__evidence": "ai.txt excludes it"},
            "refused (ai.txt excludes it, captured 2025-11-03)", "allowed or not captured",
        ),
        "language": ({"language__identified": "es"}, "reads as es (probability 1.00)", "ca, as stated"),
        "mixed_language": ({"language__other_share": 0.75}, "0.75 in other languages", "at most 0.5"),
        "short": ({"quality__characters": 49}, "49 characters", "at least 50"),
        "long": ({"quality__characters": 1001}, "1001 characters", "at most 1000"),
        "gopher_min_words": ({"quality__words": 19}, "words 19", "at least 20"),
        "gopher_max_duplicate_line_share": (
            {"quality__duplicate_line_share": 0.5}, "duplicate line share 0.5", "at most 0.3"
        ),
        "gopher_min_stop_words": ({"quality__stop_words": 1}, "stop words 1", "at least 2"),
        "c4_max_curly_brackets": ({"quality__curly_brackets": 2}, "curly brackets 2", "at most 0"),
        "c4_max_lorem_ipsum": ({"quality__lorem_ipsum": True}, "lorem ipsum 1", "at most 0"),
        "fineweb_min_terminal_line_share": (
            {"quality__terminal_line_share": 0.1}, "terminal line share 0.1", "at least 0.12"
        ),
        "toxicity": ({"toxicity__score": 0.95}, "0.95", "at most 0.9"),
        "contamination": ({}, "bbq item-7 (8-gram, 3)", "at most 0 runs and no whole item"),
    }  # fmt: skip
    documents = [document(rule, **({"toxicity__score": 0.1} | changes)) for rule, (changes, _, _) in said.items()]
    documents += [document("kept", toxicity__score=0.1)]
    removal = {"source": "diari", "reason": "l’autora ho demana", "date": "2026-03-01"}
    attributes = write_attributes(
        tmp_path / "attributes", [documents], hits=[("contamination", "bbq", "item-7", "8-gram", 3)]
    )
    mixed, decisions = run(attributes, tmp_path / "corpus", make(remove=[removal], toxicity__max_score=0.9))
    assert {id: row["rule"] for id, row in decisions.items()} == {rule: rule for rule in said} | {"kept": ""}
    for rule, (_, value, wanted) in said.items():
        assert (decisions[rule]["value"], decisions[rule]["threshold"]) == (value, wanted)
    assert decisions["kept"]["kept"] and decisions["kept"]["also"] == []
    assert mixed.tally.dropped == dict.fromkeys((rule for rule in ORDER if rule in said), 1)
    assert corpus.count_dropped(tmp_path / "corpus") == dict.fromkeys(said, 1)


def test_values_at_the_threshold_stay_and_unknown_stop_words_are_not_judged(tmp_path: Path, make: Make) -> None:
    at = document(
        "at", quality__characters=50, quality__words=20, quality__duplicate_line_share=0.3,
        quality__terminal_line_share=0.12, quality__stop_words=2, language__other_share=0.5,
    )  # fmt: skip
    unknown = document("unknown", quality__stop_words=-1)
    unsure = document("unsure", language__identified="oc", language__probability=0.69)
    assert set(rule_of(tmp_path, make(), at, unknown, unsure).values()) == {""}


def test_the_first_rule_counts_and_the_others_are_written_beside_it(tmp_path: Path, make: Make) -> None:
    both = document("both", license__license="", quality__words=3, quality__curly_brackets=1)
    attributes = write_attributes(tmp_path / "attributes", [[both, document("other")]])
    mixed, decisions = run(attributes, tmp_path / "corpus", make())
    assert decisions["both"]["rule"] == "license"
    assert [other["rule"] for other in decisions["both"]["also"]] == ["gopher_min_words", "c4_max_curly_brackets"]
    assert mixed.tally.alone == {
        ("license", "ca"): 1, ("gopher_min_words", "ca"): 1, ("c4_max_curly_brackets", "ca"): 1
    }  # fmt: skip


def test_a_family_that_is_switched_off_is_counted_but_drops_nothing(tmp_path: Path, make: Make) -> None:
    attributes = write_attributes(tmp_path / "attributes", [[document("a", quality__curly_brackets=9)]])
    mixed, decisions = run(attributes, tmp_path / "corpus", make(quality__families=["gopher"]))
    assert decisions["a"]["kept"]
    assert mixed.tally.idle == {("c4_max_curly_brackets", "ca"): 1}


def test_thresholds_of_a_language_and_a_kind(tmp_path: Path, make: Make) -> None:
    overrides = [
        {"kind": "law", "gopher": {"max_duplicate_line_share": 0.6}},
        {"language": "oc", "kind": "law", "gopher": {"max_duplicate_line_share": None, "min_words": 10}},
    ]
    half = {"quality__duplicate_line_share": 0.5}
    found = rule_of(
        tmp_path,
        make(quality__overrides=overrides),
        document("notice", **half),
        document("law", kind="law", **half),
        document("law-more", kind="law", quality__duplicate_line_share=0.7),
        document("oc-law", kind="law", language="oc", quality__duplicate_line_share=0.9, quality__words=12),
        document("oc", language="oc", quality__words=12),
    )
    assert found == {
        "notice": "gopher_max_duplicate_line_share", "law": "", "law-more": "gopher_max_duplicate_line_share",
        "oc-law": "", "oc": "gopher_min_words",
    }  # fmt: skip


def test_texts_without_a_stated_language_are_dropped_or_taken_as_they_read(tmp_path: Path, make: Make) -> None:
    nameless = [document("sure", language="", language__identified="oc"),
                document("unsure", language="", language__identified="oc", language__probability=0.4)]  # fmt: skip
    assert rule_of(tmp_path, make(), *nameless) == {"sure": "language", "unsure": "language"}
    taken = make(language_identification__undeclared="identified")
    (tmp_path / "again").mkdir()
    assert rule_of(tmp_path / "again", taken, *nameless) == {"sure": "", "unsure": "language"}
    assert [d.language for d in corpus.read_documents(tmp_path / "again" / "corpus")] == ["oc"]


def test_of_alternatives_the_first_allowed_licence_is_written(tmp_path: Path, make: Make) -> None:
    attributes = write_attributes(
        tmp_path / "attributes", [[document("a", license__license="MIT OR CC-BY-SA-4.0 OR CC0-1.0")]]
    )
    mixed, _ = run(attributes, tmp_path / "corpus", make())
    assert pq.read_table(tmp_path / "corpus" / "corpus")["license"].to_pylist() == ["CC-BY-SA-4.0"]
    assert list(mixed.tally.rights) == [("butlletí", "CC-BY-SA-4.0")]


def test_texts_that_nobody_looked_up_are_dropped_where_that_is_wanted(tmp_path: Path, make: Make) -> None:
    unknown = document("a", opt_out__verdict="not captured")
    assert rule_of(tmp_path, make(opt_out__not_captured="drop"), unknown, document("b")) == {"a": "opt_out", "b": ""}


def copy_of(representative: str, id: str, jaccard: float = 0.9, **said: Any) -> Any:
    return document(id, duplicates__representative=representative, duplicates__jaccard=jaccard, **said)


def test_a_copy_gives_way_to_its_representative_and_says_to_whom(tmp_path: Path, make: Make) -> None:
    documents = [
        document("first"),
        copy_of("first", "near"),
        copy_of("first", "same", jaccard=1.0, duplicates__exact=True),
        copy_of("first", "unlike", jaccard=0.69),
    ]
    attributes = write_attributes(tmp_path / "attributes", [documents[1:], documents[:1]])
    _, decisions = run(attributes, tmp_path / "corpus", make())
    assert {id: (row["rule"], row["value"]) for id, row in decisions.items()} == {
        "first": ("", ""),
        "near": ("near_duplicate", "Jaccard 0.90 to first"),
        "same": ("duplicate", "same words as first"),
        "unlike": ("", ""),
    }


def test_the_next_in_rank_stays_where_another_rule_drops_the_representative(tmp_path: Path, make: Make) -> None:
    documents = [
        document("first", license__license="CC-BY-NC-4.0"),
        copy_of("first", "b", license__license="CC-BY-4.0", quality__characters=900),
        copy_of("first", "c", license__license="CC0-1.0", quality__characters=400),
        copy_of("first", "a", license__license="CC0-1.0", quality__characters=500),
        copy_of("first", "aa", license__license="CC0-1.0", quality__characters=500),
        copy_of("first", "0-short", license__license="CC0-1.0", quality__characters=9),
    ]
    attributes = write_attributes(tmp_path / "attributes", [documents[:3], documents[3:]])
    params = make()
    mixed, decisions = run(attributes, tmp_path / "corpus", params)
    assert [id for id, row in decisions.items() if row["kept"]] == ["a"]
    assert decisions["c"]["value"] == "Jaccard 0.90 to first, which another rule dropped; a stays for both"
    assert decisions["0-short"]["rule"] == "short"
    assert [other["rule"] for other in decisions["0-short"]["also"]] == ["near_duplicate"]
    assert mixed.tally.stand_ins == 1


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_one_of_every_cluster_stays_as_a_slow_search_says(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    size = data.draw(st.integers(1, 12))
    ids = [f"d{place}" for place in range(size)]
    heads = [data.draw(st.integers(0, place)) for place in range(size)]
    heads = [head if heads[head] == head else place for place, head in enumerate(heads)]  # no chains
    passes = [data.draw(st.booleans()) for _ in ids]
    licenses = [data.draw(st.sampled_from(PLAIN["licenses"])) for _ in ids]
    lengths = [data.draw(st.integers(60, 63)) for _ in ids]
    documents = [
        document(
            id, duplicates__representative=ids[head], quality__characters=length, license__license=license,
            quality__words=100 if good else 1,
        )
        for id, head, length, license, good in zip(ids, heads, lengths, licenses, passes, strict=True)
    ]  # fmt: skip
    wanted = set()
    for head in set(heads):
        able = [place for place in range(size) if heads[place] == head and passes[place]]
        if able:
            wanted.add(
                head if passes[head]
                else min(able, key=lambda p: (PLAIN["licenses"].index(licenses[p]), -lengths[p], ids[p]))
            )  # fmt: skip
    order = data.draw(st.permutations(range(size)))
    cut = data.draw(st.integers(0, size))
    shards = [[documents[place] for place in part] for part in (order[:cut], order[cut:]) if part]
    folder = tmp_path_factory.mktemp("clusters")
    attributes = write_attributes(folder / "attributes", shards)
    params = Parameters.model_validate(PLAIN)
    verdicts = mix.decide(attributes, params)
    kept = {id for shard, id in zip(verdicts.codes == STAYS, [d["documents"]["id"] for s in shards for d in s],
                                    strict=True) if shard}  # fmt: skip
    assert kept == {ids[place] for place in wanted}
    assert clusters.kept_together(attributes, shard_numbers(attributes), verdicts.codes == STAYS, 0.7) == 0


def test_copies_that_are_kept_together_are_counted(tmp_path: Path) -> None:
    import numpy as np

    shards = [
        [document("a"), copy_of("a", "b"), copy_of("a", "c")],
        [document("d"), copy_of("e", "f")],
        [document("e")],
    ]
    attributes = write_attributes(tmp_path / "attributes", shards)
    everything = np.ones(6, np.bool_)
    assert clusters.kept_together(attributes, [0, 1, 2], everything, 0.7) == 3
    assert clusters.kept_together(attributes, [0, 1, 2], np.array([0, 1, 0, 1, 1, 0], np.bool_), 0.7) == 0


def test_the_smallest_hashes_of_each_language_stay_after_all_other_rules(tmp_path: Path, make: Make) -> None:
    documents = [document(f"ca{n}") for n in range(9)] + [document(f"es{n}", language="es") for n in range(2)]
    documents += [document("ca-short", quality__characters=3)]
    random.Random(1).shuffle(documents)
    attributes = write_attributes(tmp_path / "attributes", [documents[:5], documents[5:]])
    _, decisions = run(attributes, tmp_path / "corpus", make(max_documents_per_language=3))
    by_hash = sorted((f"ca{n}" for n in range(9)), key=lambda id: hashlib.sha256(id.encode()).hexdigest())
    assert {id for id, row in decisions.items() if row["kept"]} == {*by_hash[:3], "es0", "es1"}
    assert decisions[by_hash[3]]["rule"] == "maximum"
    assert decisions[by_hash[3]]["threshold"] == "at most 3 in ca"


def test_personal_data_is_masked_in_kept_texts_and_counted(tmp_path: Path, make: Make) -> None:
    text = GOOD_TEXT + "Escriviu a júlia@ajuntament.example o truqueu al 972 000 000. " + GOOD_TEXT
    at, phone = text.index("júlia"), text.index("972")
    attributes = write_attributes(
        tmp_path / "attributes",
        [[document("a", text=text), document("dropped", quality__words=1)]],
        spans=[("a", "PHONE", phone, phone + 11), ("a", "EMAIL", at, at + 24), ("dropped", "PHONE", 0, 4)],
    )
    mixed, _ = run(attributes, tmp_path / "corpus", make())
    written = pq.read_table(tmp_path / "corpus" / "corpus")["text"].to_pylist()
    assert written == [GOOD_TEXT + "Escriviu a [EMAIL] o truqueu al [PHONE]. " + GOOD_TEXT]
    assert (mixed.tally.masked, mixed.tally.masked_documents) == ({"EMAIL": 1, "PHONE": 1}, 1)
    assert mixed.tally.characters_kept.total() == len(written[0])


def test_taking_a_source_out_touches_only_its_documents_and_the_log_says_so(tmp_path: Path, make: Make) -> None:
    documents = [
        document("a", source="diari"), document("b"), document("c", source="diari", quality__words=1),
        copy_of("a", "d"),
    ]  # fmt: skip
    attributes = write_attributes(tmp_path / "attributes", [documents])
    before = {path: path.read_bytes() for path in sorted(attributes.rglob("*.parquet"))}
    _, first = run(attributes, tmp_path / "before", make())
    removal = {"source": "diari", "reason": "petició de l’editor", "date": "2026-03-01"}
    _, second = run(attributes, tmp_path / "after", make(remove=[removal]))
    assert {path: path.read_bytes() for path in sorted(attributes.rglob("*.parquet"))} == before
    assert [id for id in first if first[id]["kept"]] == ["a", "b"]
    assert [id for id in second if second[id]["kept"]] == ["b", "d"]  # the copy of another source is kept now
    assert second["a"]["rule"] == second["c"]["rule"] == "removed"
    assert second["a"]["threshold"] == "not withdrawn (withdrawn on 2026-03-01: petició de l’editor)"
    assert [other["rule"] for other in second["c"]["also"]] == ["gopher_min_words"]


def test_a_withdrawal_that_names_no_source_stops_the_run(tmp_path: Path, make: Make) -> None:
    attributes = write_attributes(tmp_path / "attributes", [[document("a", source="diari")]])
    removal = {"source": "diary", "reason": "r", "date": "2026-03-01"}
    with pytest.raises(Trouble, match="names the source 'diary', which no document has; sources: diari: write it as"):
        mix.decide(attributes, make(remove=[removal]))


def test_the_order_and_number_of_shards_decide_nothing(tmp_path: Path, make: Make) -> None:
    documents = [document(f"d{n}", quality__words=n % 30) for n in range(12)] + [
        copy_of("d11", "e"),
        copy_of("d25", "f"),
    ]
    params = make(max_documents_per_language=4)

    def decided(name: str, shards: Sequence[Sequence[Any]]) -> dict[str, dict[str, Any]]:
        return run(write_attributes(tmp_path / name, shards), tmp_path / f"{name}-corpus", params)[1]

    one = decided("one", [documents])
    assert decided("three", [documents[9:], documents[:2], documents[2:9]]) == one


@pytest.mark.parametrize("table", ["language", "quality", "duplicates", "license", "opt_out", "personal_data"])
def test_a_missing_table_is_trouble_in_one_line(tmp_path: Path, make: Make, table: str) -> None:
    attributes = write_attributes(tmp_path / "attributes", [[document("a")]])
    (attributes / table / "part-00000.parquet").unlink()
    with pytest.raises(
        Trouble, match=rf"{table}/part-00000.parquet is missing; wanted one part per shard: make it again"
    ):
        mix.decide(attributes, make())


def test_tables_of_other_documents_and_broken_ones_are_trouble(tmp_path: Path, make: Make) -> None:
    attributes = write_attributes(tmp_path / "attributes", [[document("a")]])
    other = write_attributes(tmp_path / "other", [[document("b")]])
    quality = attributes / "quality" / "part-00000.parquet"
    quality.write_bytes((other / "quality" / "part-00000.parquet").read_bytes())
    with pytest.raises(Trouble, match="tells of 1 documents that are not the 1 of"):
        mix.decide(attributes, make())
    quality.write_bytes(quality.read_bytes()[:-20])
    with pytest.raises(Trouble, match=r"quality/part-00000\.parquet cannot be read"):
        mix.decide(attributes, make())
    with pytest.raises(Trouble, match="holds no part-"):
        mix.decide(tmp_path / "empty", make())


def test_a_score_that_is_wanted_but_not_there_is_trouble(tmp_path: Path, make: Make) -> None:
    attributes = write_attributes(tmp_path / "attributes", [[document("a")]])
    with pytest.raises(Trouble, match=r"toxicity\.max_score is 0.5, but no scores were given"):
        mix.decide(attributes, make(toxicity__max_score=0.5))


def test_several_findings_of_one_kind_are_told_each_at_its_own_value(tmp_path: Path, make: Make) -> None:
    documents = [
        document("a", quality__words=3, license__license="", license__evidence="none"),
        document("b", quality__words=19, language="", language__identified="es"),
        document("c", opt_out__verdict="refused", opt_out__evidence="robots.txt", opt_out__captured=""),
        document("d", quality__words=3, license__license="CC-BY-NC-4.0", language="fr"),
    ]
    _, found = run(write_attributes(tmp_path / "attributes", [documents]), tmp_path / "corpus", make())
    told = {
        id: [(row["rule"], row["value"], row["threshold"]), *(tuple(o.values()) for o in row["also"])]
        for id, row in found.items()
    }
    words, licenses = "at least 20", "one of CC0-1.0, CC-BY-4.0, CC-BY-SA-4.0"
    languages = "one of ca, oc, es"
    assert told == {
        "a": [("license", "unclear (none)", licenses), ("gopher_min_words", "words 3", words)],
        "b": [("language", "none stated", languages), ("gopher_min_words", "words 19", words)],
        "c": [("opt_out", "refused (robots.txt)", "allowed or not captured")],
        "d": [
            ("license", "CC-BY-NC-4.0", licenses), ("language", "fr", languages), ("gopher_min_words", "words 3", words)
        ],
    }  # fmt: skip


def test_many_items_of_a_benchmark_are_told_short_and_each_document_is_counted_once(tmp_path: Path, make: Make) -> None:
    hits = [("a", "bbq", f"item-{n}", "8-gram", 2) for n in range(5)] + [("a", "crows", "x", "whole item", 0)]
    hits += [("b", "bbq", "item-9", "8-gram", 1)]
    attributes = write_attributes(tmp_path / "attributes", [[document("b"), document("a")]], hits=hits)
    mixed, found = run(attributes, tmp_path / "corpus", make(contamination__max_runs=1))
    three = ", ".join(f"bbq item-{n} (8-gram, 2)" for n in range(3))
    assert (found["a"]["value"], found["b"]["rule"]) == (f"{three} and 3 more", "")
    assert mixed.tally.contaminated == {
        ("bbq", "contamination"): 1, ("crows", "contamination"): 1, ("bbq", "kept"): 1
    }  # fmt: skip


def test_rights_are_counted_with_their_evidence_and_latest_retrieval(tmp_path: Path, make: Make) -> None:
    shards = [
        [document("b", retrieved="2025-01-01"), document("a", retrieved="", license__evidence="")],
        [document("c", url="", retrieved="2025-11-05"), document("z", quality__words=1, retrieved="2026-01-01")],
    ]
    mixed, _ = run(write_attributes(tmp_path / "attributes", shards), tmp_path / "corpus", make())
    evidence = "the document's own licence field"
    kept = 3 * len(GOOD_TEXT * 2 + "a")
    assert mixed.tally.rights == {
        ("butlletí", "CC-BY-4.0"): Right(3, kept, evidence, "https://b.example/a", "2025-11-05")
    }


def test_texts_are_read_and_masked_piece_by_piece(tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [document(f"d{n}", text=f"{n:04} " + GOOD_TEXT, quality__words=1 if n % 3 else 100) for n in range(40)]
    attributes = write_attributes(
        tmp_path / "attributes", [documents], spans=[("d39", "PHONE", 0, 4), ("d1", "X", 0, 4)]
    )
    table = attributes / "documents" / "part-00000.parquet"
    pq.write_table(pq.read_table(table), table, row_group_size=7)
    read: list[int] = []
    whole = pq.ParquetFile.read_row_group

    def counted(file: Any, group: int, **options: Any) -> Any:
        read.append(file.metadata.row_group(group).num_rows)
        return whole(file, group, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    monkeypatch.setattr(mix, "ROW_GROUP_BYTES", 500)
    mixed, _ = run(attributes, tmp_path / "corpus", make())
    assert read == [7, 7, 7, 7, 7, 5]
    texts = {d.id: d.text for d in corpus.read_documents(tmp_path / "corpus")}
    assert texts == {f"d{n}": f"{n:04} " + GOOD_TEXT for n in range(0, 39, 3)} | {"d39": "[PHONE] " + GOOD_TEXT}
    assert (mixed.tally.masked, mixed.tally.masked_documents) == ({"PHONE": 1}, 1)
    assert pq.ParquetFile(tmp_path / "corpus" / "corpus" / "part-00000.parquet").num_row_groups > 1


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_counts_are_those_of_the_log(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    drawn = st.fixed_dictionaries(
        {
            "language": st.sampled_from(["ca", "es", "fr", ""]),
            "source": st.sampled_from(["butlletí", "diari", ""]),
            "kind": st.sampled_from(["", "law"]),
            "license__license": st.sampled_from(["", "CC0-1.0", "MIT OR CC-BY-4.0", "cc-by-4.0"]),
            "quality__words": st.sampled_from([3, 100]),
            "opt_out__verdict": st.sampled_from(["allowed", "refused"]),
        }
    )
    rows = data.draw(st.lists(drawn, min_size=1, max_size=9))
    documents = [document(f"d{n}", **row) for n, row in enumerate(rows)]
    cut = data.draw(st.integers(0, len(rows)))
    folder = tmp_path_factory.mktemp("counts")
    attributes = write_attributes(folder / "attributes", [part for part in (documents[:cut], documents[cut:]) if part])
    mixed, log = run(attributes, folder / "corpus", Parameters.model_validate(PLAIN))
    outcomes = [log[f"d{n}"]["rule"] or "kept" for n in range(len(rows))]
    tally = mixed.tally
    assert tally.outcomes == Counter((r["source"], r["language"], o) for r, o in zip(rows, outcomes, strict=True))
    assert tally.kinds == Counter((r["kind"], o) for r, o in zip(rows, outcomes, strict=True))
    assert tally.licenses == Counter((r["license__license"], o) for r, o in zip(rows, outcomes, strict=True))
    assert tally.opt_outs == Counter((r["opt_out__verdict"], o) for r, o in zip(rows, outcomes, strict=True))
    broken = Counter[tuple[str, str]]()
    for row, decision in zip(rows, log.values(), strict=True):
        broken.update((rule, row["language"]) for rule in [decision["rule"], *(o["rule"] for o in decision["also"])])
    assert tally.alone == Counter({key: number for key, number in broken.items() if key[0]})
    kept = [document for document, outcome in zip(documents, outcomes, strict=True) if outcome == "kept"]
    assert tally.characters_kept.total() == sum(len(d["documents"]["text"]) for d in kept)
    assert sum(right.documents for right in tally.rights.values()) == mixed.sample.num_rows == len(kept)


def test_nothing_goes_without_a_reason_where_an_id_comes_twice(tmp_path: Path, make: Make) -> None:
    attributes = write_attributes(tmp_path / "attributes", [[document("a"), copy_of("a", "b")], [document("a")]])
    (tmp_path / "corpus").mkdir()
    with pytest.raises(Trouble, match="1 documents of shard 1, first a, would go without a rule that says why; wanted"):
        mix.write(attributes, tmp_path / "corpus", make(), mix.decide(attributes, make()))
