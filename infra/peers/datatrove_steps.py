"""The four steps as datatrove does them: language, Gopher quality, e-mail and IP addresses, MinHash duplicates.

    PYTHON_WITH_DATATROVE infra/peers/datatrove_steps.py INPUT OUT --model lid.176.ftz --workers 2

INPUT is a folder of .jsonl.gz files, at least one per worker. Labels instead of drops between the steps, so that every
step sees every document. Duplicates are found, not
dropped, and nothing is mixed. Needs 'datatrove[processing]' and spacy.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    """Run four pipelines one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", required=True, help="a fastText language model")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    from datatrove.executor import LocalPipelineExecutor

    for name, tasks, steps in _pipelines(options.input, options.out, options.model, options.workers):
        # fork: the local model below must stay in place
        LocalPipelineExecutor(
            steps, tasks, options.workers, logging_dir=str(options.out / "logs" / name), start_method="fork"
        ).run()


def _pipelines(source: Path, out: Path, model: str, workers: int):
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.filters import GopherQualityFilter, LanguageFilter
    from datatrove.pipeline.formatters import PIIFormatter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils import lid

    lid.cached_asset_path_or_download = lambda *_, **__: model  # it would be downloaded

    class Labelled(GopherQualityFilter):
        def filter(self, doc):
            doc.metadata["quality"] = str(super().filter(doc))
            return True

    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
    judged, signed, pairs, clusters = (str(out / name) for name in ("judged", "signatures", "pairs", "clusters"))
    labels = [LanguageFilter(label_only=True), Labelled(), PIIFormatter()]
    yield "judge", workers, [JsonlReader(str(source), glob_pattern="*.gz"), *labels, JsonlWriter(judged)]
    yield "sign", workers, [JsonlReader(judged), MinhashDedupSignature(signed, config)]
    yield "pairs", config.num_buckets, [MinhashDedupBuckets(signed, pairs, config=config)]
    yield "clusters", 1, [MinhashDedupCluster(pairs, clusters, config=config)]


if __name__ == "__main__":
    main()
