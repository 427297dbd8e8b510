"""What must hold of a curated corpus before it is written: of every kept document, of the counts, and of each language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stages.curate_corpus.mix import Mixed
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.tally import KEPT, Tally, share
from stages.curate_corpus.words import QUALITY

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation


def tables(mixed: Mixed, read: int, near_duplicates: int, params: Parameters) -> Mapping[str, pd.DataFrame]:
    """The thin table of kept documents (no texts), and the metrics: as a whole, by source and language, by rule.

    `read` is the number of documents that the attributes tell of, `near_duplicates` those kept beside one like them.
    """
    import pandas as pd

    tally = mixed.tally
    sample = mixed.sample.to_pandas()
    same = near_duplicates + len(sample) - sample["text sha256"].nunique()
    whole = {
        "documents kept": tally.kept,
        "documents unaccounted for": read - tally.read,
        "near-duplicate share": same / max(tally.kept, 1),
        "residual personal data": int(sample["residual personal data"].sum()),
        "benchmark overlaps": int(sample["benchmark overlaps"].sum()),
    }
    return {
        "documents": sample,
        "counts": pd.DataFrame([whole]),
        "sources and languages": pd.DataFrame(_cells(tally)),
        "languages": pd.DataFrame(_languages(tally, params)),
        "quality rules": pd.DataFrame(_drop_shares(tally, params), columns=["rule", "language", "drop share"]),
    }


def _cells(tally: Tally) -> list[dict[str, Any]]:
    """One row for each source and language."""
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for (source, language, outcome), count in sorted(tally.outcomes.items()):
        row = cells.setdefault((source, language), {"source": source, "language": language, "kept": 0, "dropped": 0})
        row["kept" if outcome == KEPT else "dropped"] += count
    return list(cells.values())


def _languages(tally: Tally, params: Parameters) -> list[dict[str, Any]]:
    """One row for each declared language: its share of the kept characters."""
    characters = dict.fromkeys(params.languages, 0)
    for (_, language), count in tally.characters_kept.items():
        if count:
            characters[language] = characters.get(language, 0) + count
    return [{"language": language, "share": share(characters, language)} for language in sorted(characters)]


def _drop_shares(tally: Tally, params: Parameters) -> list[dict[str, Any]]:
    """One row for each declared language and quality rule: the share of its documents that break it, whatever else they break."""
    by_language = tally.by_language
    return [
        {"id": f"{rule} in {language}", "drop share": tally.alone[rule, language] / read}
        for language in params.languages
        if (read := by_language.get(language, Counter[str]()).total()) >= params.gates.min_documents
        for rule in QUALITY
    ]


def expected(params: Parameters) -> Mapping[str, Sequence[Expectation]]:
    """The expectations on each table."""
    import great_expectations.expectations as gxe

    gates = params.gates
    verdicts = ["allowed", "not captured"] if params.opt_out.not_captured == "keep" else ["allowed"]
    return {
        "documents": [
            gxe.ExpectColumnValuesToNotBeNull(column="id"),
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValuesToBeInSet(column="license", value_set=list(params.licenses)),
            gxe.ExpectColumnValuesToBeInSet(column="language", value_set=list(params.languages)),
            *_withdrawn(params),
            gxe.ExpectColumnValuesToBeInSet(column="opt-out verdict", value_set=verdicts),
            gxe.ExpectColumnValuesToBeBetween(column="characters", min_value=1),
        ],
        "counts": [
            gxe.ExpectColumnValuesToBeBetween(column="documents kept", min_value=1),
            gxe.ExpectColumnValuesToBeInSet(column="documents unaccounted for", value_set=[0]),
            gxe.ExpectColumnValuesToBeBetween(column="near-duplicate share", max_value=gates.max_near_duplicate_share),
            gxe.ExpectColumnValuesToBeBetween(
                column="residual personal data", max_value=gates.max_residual_personal_data
            ),
            gxe.ExpectColumnValuesToBeInSet(column="benchmark overlaps", value_set=[0]),
        ],
        "sources and languages": [
            gxe.ExpectColumnValuesToNotBeNull(column="source"),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["source", "language"]),
        ],
        "languages": [
            gxe.ExpectColumnValuesToBeInSet(column="language", value_set=list(params.languages)),
            gxe.ExpectColumnValuesToBeBetween(column="share", min_value=gates.min_language_share),
        ],
        "quality rules": [gxe.ExpectColumnValuesToBeBetween(column="drop share", max_value=gates.max_drop_share)],
    }


def _withdrawn(params: Parameters) -> list[Expectation]:
    """Nothing of a source that was taken out is left."""
    import great_expectations.expectations as gxe

    sources = [removal.source for removal in params.remove]
    return [gxe.ExpectColumnValuesToNotBeInSet(column="source", value_set=sources)] if sources else []
