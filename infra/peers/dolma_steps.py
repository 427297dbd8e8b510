"""The four steps as dolma does them: language, Gopher quality, personal data by regex, duplicates by Bloom filter.

    PYTHON_WITH_DOLMA infra/peers/dolma_steps.py INPUT OUT --model lid.176.ftz --workers 2

INPUT is a folder `documents` of .jsonl.gz files; attributes are written beside it, the filter to OUT. dolma has no
MinHash: a text is a duplicate where 0.8 of its runs of five words were seen before.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

MODEL = "BENCHMARK_LANGUAGE_MODEL"
TAGGERS = ("local_language", "gopher_v1", "pii_regex_with_counts_v2")


def main() -> None:
    """Run `dolma tag` and `dolma dedupe`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", required=True, help="a fastText language model")
    parser.add_argument("--workers", default="2")
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    os.environ[MODEL] = options.model
    here = Path(__file__).parent
    os.environ["PYTHONPATH"] = str(here)
    dolma = [str(Path(sys.executable).parent / "dolma")]
    common = ["--documents", f"{options.input}/*.gz", "--processes", options.workers]
    modules = ["--tagger_modules", str(here / "dolma_language.py")]
    subprocess.run([*dolma, "tag", *common, "--experiment", "judged", *modules, "--taggers", *TAGGERS], check=True)
    told = {
        "dedupe.name": "duplicates",
        "dedupe.paragraphs.attribute_name": "duplicate",
        "dedupe.paragraphs.by_ngram.ngram_length": "5",
        "dedupe.paragraphs.by_ngram.stride": "1",
        "dedupe.paragraphs.by_ngram.overlap_threshold": "0.8",
        "dedupe.paragraphs.paragraph_separator": "\x1f",  # never there: the whole text is one paragraph
        "bloom_filter.file": str(options.out / "filter.bin"),
        "bloom_filter.estimated_doc_count": "20000000",  # runs of words
        "bloom_filter.desired_false_positive_rate": "0.001",
    }
    flags = [part for name, value in told.items() for part in (f"--{name}", value)]
    switches = [
        "--dedupe.paragraphs.by_ngram.skip_short_paragraphs",
        "--dedupe.skip_empty",
        "--no-bloom_filter.read_only",
    ]
    subprocess.run([*dolma, "dedupe", *common, *flags, *switches], check=True)


if __name__ == "__main__":
    main()
