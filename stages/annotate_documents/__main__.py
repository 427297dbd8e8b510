"""Read the documents and judge each once: language, quality, personal data, duplicates, contamination, licence, opt-out.

python -m stages.annotate_documents --documents data/sample/documents --captures data/sample/captures \
    --benchmarks data/sample/benchmarks --out data/attributes
"""

from __future__ import annotations

from stages.annotate_documents.parameters import Parameters
from stages.annotate_documents.stage import annotate_all
from stages.node import arguments, run
from stages.params import load


def main() -> str:
    """Run the node; returns its counts in words."""
    args = arguments(
        __doc__,
        documents="a file, folder or address (s3://…) of Parquet, JSON Lines, CSV or text files",
        captures="a folder of captured robots.txt, tdmrep.json and ai.txt files, one folder per host",
        benchmarks="a folder of benchmark items, one folder per benchmark",
        out="the attribute tables",
    )
    params = load("annotate_documents", Parameters)
    return annotate_all([args.documents], args.captures, args.benchmarks, args.out, params)


if __name__ == "__main__":
    run(main)
