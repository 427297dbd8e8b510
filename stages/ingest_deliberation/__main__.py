"""Read the deliberation's statements and votes; make participants pseudonymous.

python -m stages.ingest_deliberation --source data/sample/deliberation --out data/deliberation
"""

from __future__ import annotations

import logging

from stages import gate
from stages.artifact import new_folder, write_json
from stages.ingest_deliberation import expectations, files, plots, sources
from stages.ingest_deliberation.deliberation import pseudonymous
from stages.ingest_deliberation.parameters import Parameters
from stages.ingest_deliberation.pseudonyms import SALT, key_from, pseudonymiser
from stages.node import arguments, run
from stages.params import load

log = logging.getLogger(__name__)


def main() -> str:
    """Read, make pseudonymous, check, write; return the counts in words."""
    args = arguments(__doc__, source="the export: a folder, .zip or file", out="folder to write")
    params = load("ingest_deliberation", Parameters)
    conversation = sources.read(params.source, args.source, params.language)
    key = key_from(params.salt)
    if key.public and not params.simulated:
        log.warning("Participants are hashed with the public salt; set %s to hide who they are in the export.", SALT)
    sign = conversation.sign_convention
    deliberation = pseudonymous(conversation, pseudonymiser(key), key.in_words, params)
    del conversation  # its votes are a second copy, with the platform's ids
    with new_folder(args.out) as folder:
        files.write(folder, deliberation)
        write_json(folder / "metrics.json", deliberation.metrics)
        plots.votes_per_statement(folder / "plots" / "votes-per-statement.png", deliberation)
        gate.enforce(folder, expectations.tables(deliberation), expectations.expected(deliberation))
    counts = deliberation.about["counts"]
    return (
        f"read {counts['votes']:,} votes of {counts['participants']:,} participants on {counts['statements']:,} statements"
        f" ({counts['statements_moderated_out']} moderated out); {sign}"
    )


if __name__ == "__main__":
    run(main)
