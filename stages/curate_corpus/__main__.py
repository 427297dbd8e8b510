"""Keep openly licensed, readable, unique documents by what was judged of them; drop the others with their reason.

python -m stages.curate_corpus --attributes data/attributes --out data/corpus
"""

from __future__ import annotations

from pathlib import Path

from stages import gate
from stages.artifact import new_folder, read_json, write_json, write_text
from stages.curate_corpus import clusters, expectations, mix, page, report
from stages.curate_corpus.attributes import read_reading_errors, shard_numbers
from stages.curate_corpus.attribution import attribution, obligations_record
from stages.curate_corpus.card import data_card
from stages.curate_corpus.croissant import croissant
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.shard import STAYS
from stages.errors import Trouble
from stages.node import arguments, run
from stages.params import load


def main() -> str:
    """Run the node; returns its counts in words."""
    args = arguments(__doc__, attributes="documents and what was judged of them", out="the curated corpus")
    return curate(args.attributes, args.out, load("curate_corpus", Parameters))


def curate(attributes: Path, out: Path, params: Parameters) -> str:
    """Decide on every document, check what is left and write it with everything that tells of it."""
    verdicts = mix.decide(attributes, params)
    with new_folder(out) as folder:
        mixed = mix.write(attributes, folder, params, verdicts)
        if not mixed.tally.kept:
            raise Trouble(
                f"{attributes}: {report.summary(mixed.tally)}; wanted at least one:"
                " check params.yaml's curate_corpus, and the licences in the manifest."
            )
        _tell(folder, mixed, params)
        shards = shard_numbers(attributes)
        alike = clusters.kept_together(attributes, shards, verdicts.codes == STAYS, params.duplicates.min_jaccard)
        tables = expectations.tables(mixed, len(verdicts.codes), alike, params)
        gate.enforce(folder, tables, expectations.expected(params))
        gates = read_json(folder / gate.REPORT)
        write_text(folder / "data-docs" / "index.html", page.render_gates(gates, params.about.name))
        write_text(folder / "report.html", page.render(mixed.tally, params, gates, read_reading_errors(attributes)))
    return report.summary(mixed.tally)


def _tell(folder: Path, mixed: mix.Mixed, params: Parameters) -> None:
    """Write the lists, cards and figures."""
    write_text(folder / "attribution.md", attribution(mixed.tally))
    write_json(folder / "obligations.json", obligations_record(mixed.tally))
    write_text(folder / "data-card.md", data_card(mixed.tally, params))
    write_json(folder / "croissant.json", croissant(folder, mixed.tally, params.about))
    write_json(folder / "metrics.json", report.metrics(mixed.tally))
    report.draw(mixed.tally, folder / "plots" / "kept-and-dropped.png")


if __name__ == "__main__":
    run(main)
