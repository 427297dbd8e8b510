"""The same steps as this repository does them: on the four judgements alone, on the whole node, or with the mix after it.

    python infra/peers/ours.py INPUT OUT --until four|node|mix [--engine ray --ray-address ADDRESS] [--workers 2]

`four` judges and finds duplicates (licence and opt-out come with it, of empty captures), without counting and gates.
The parameters are fixed here, so that figures stay comparable when params.yaml changes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

if TYPE_CHECKING:
    from stages.annotate_documents.parameters import Parameters

LANGUAGES = ["ca", "de", "en", "es", "eu", "fr", "gl", "it", "oc", "pt"]
LICENSES = ["CC0-1.0", "Unlicense", "MIT", "CC-BY-4.0", "etalab-2.0"]
ANNOTATE = {
    "path": "", "captures": "", "benchmarks": "", "languages": LANGUAGES, "license_order": LICENSES,
    "ai_agents": ["GPTBot"], "max_refused_share": 1.0,
}  # fmt: skip
# Nearly everything stays, so that as much as possible is masked and written.
MIX = {
    "about": {"name": "benchmark", "description": "benchmark", "publisher": "benchmark"},
    "licenses": LICENSES,
    "opt_out": {"not_captured": "keep"},
    "languages": LANGUAGES,
    "language_identification": {"min_probability": 0.7},
    "min_characters": 1,
    "max_characters": 32_000_000,
    "quality": {"families": ["gopher", "c4", "fineweb"], "default": {"gopher": {"max_symbol_word_ratio": 0.1}}},
    "contamination": {"max_runs": 0},
    "duplicates": {"min_jaccard": 0.7},
    "gates": {
        "max_near_duplicate_share": 1.0, "max_residual_personal_data": 1_000_000, "max_drop_share": 1.0,
        "min_documents": 1, "min_language_share": 0.0, "sample": 10_000,
    },
}  # fmt: skip


def main() -> None:
    """Run until where it was said."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--until", choices=("four", "node", "mix"), default="four")
    parser.add_argument("--engine", choices=("native", "ray"), default="native")
    parser.add_argument("--ray-address")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shard-megabytes", type=float, default=16.0)
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    params = _parameters(options)
    if options.until == "four":
        _four(options.input, options.out / "attributes", params)
        return
    from stages.annotate_documents.stage import annotate_all

    print(annotate_all([options.input], None, None, options.out / "attributes", params))
    if options.until == "mix":
        from stages.curate_corpus.__main__ import curate
        from stages.curate_corpus.parameters import Parameters

        print(curate(options.out / "attributes", options.out / "corpus", Parameters.model_validate(MIX)))


def _parameters(options: argparse.Namespace) -> Parameters:
    from stages.annotate_documents.parameters import Parameters

    engine = {"engine": options.engine, "ray_address": options.ray_address, "workers": options.workers}
    shard = {"shard_megabytes": options.shard_megabytes, "max_document_megabytes": min(32.0, options.shard_megabytes)}
    return Parameters.model_validate({**ANNOTATE, **engine, **shard})


def _four(source: Path, out: Path, params: Parameters) -> None:
    from stages.annotate_documents import formats, readers
    from stages.annotate_documents.annotate import setting
    from stages.annotate_documents.judging import judge_all, write_tables
    from stages.annotate_documents.problems import Problems
    from stages.annotate_documents.shards import shards
    from stages.annotate_documents.sources import find_sources

    out.mkdir()
    work = out.with_name("work")
    work.mkdir()
    reading = formats.Reading(params.columns, int(params.max_document_megabytes * 1e6), Problems(stop=True))
    documents = readers.read(find_sources(source, "*", formats.READERS), reading)
    given = setting(params, None, None, None)
    kept = judge_all(shards(documents, int(params.shard_megabytes * 1e6)), work, given, params)
    write_tables(kept, out, work, given)
    print(f"judged {sum(shard.documents for shard in kept):,} documents in {len(kept)} shards")


if __name__ == "__main__":
    main()
