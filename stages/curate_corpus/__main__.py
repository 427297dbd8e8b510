"""Keep openly licensed, readable, unique documents; drop the others with their reason.

python -m stages.curate_corpus --documents data/sample/documents --out data/corpus
"""

from __future__ import annotations

from stages import gate
from stages.artifact import new_folder, write_json, write_jsonl, write_text
from stages.curate_corpus import expectations, report
from stages.curate_corpus.curate import curate
from stages.curate_corpus.language_id import load_identifier
from stages.curate_corpus.licenses import attribution
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.readers import read_documents, smallest_by_hash
from stages.errors import Trouble
from stages.node import arguments, run
from stages.params import load


def main() -> str:
    """Run the node; returns its counts in words."""
    args = arguments(__doc__, documents="a file or folder of JSON Lines, Parquet or CSV", out="the curated corpus")
    params = load("curate_corpus", Parameters)
    everything = read_documents(args.documents, params.files, params.columns)
    documents, left = smallest_by_hash(everything, params.max_documents_per_language)
    identify = load_identifier(params.languages, params.language_identification.confusable)
    curation = curate(documents, params, identify)
    if not curation.kept:
        raise Trouble(
            f"{args.documents}: {report.summary(curation)}; wanted at least one: check params.yaml's curate_corpus."
        )
    with new_folder(args.out) as folder:
        write_jsonl(folder / "documents.jsonl", curation.kept)
        write_jsonl(folder / "dropped.jsonl", curation.dropped)
        write_text(folder / "attribution.md", attribution(curation.kept))
        write_json(folder / "metrics.json", report.metrics(curation, left))
        report.draw(curation, folder / "plots" / "kept-and-dropped.png")
        gate.enforce(folder, expectations.tables(curation, len(documents)), expectations.expected(params))
    return report.summary(curation)


if __name__ == "__main__":
    run(main)
