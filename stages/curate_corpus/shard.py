"""One shard with the decision on each of its documents."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.curate_corpus import clusters, rules
from stages.curate_corpus.attributes import DOCUMENTS, Coded, Flags, Judged, Rows
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.rules import DUPLICATE, NEAR_DUPLICATE, ORDER, Finding
from stages.curate_corpus.tally import KEPT

STAYS = -1
OUTCOMES = [*ORDER, KEPT]


class Shard:
    """The documents of a shard, what was judged of them, and for each the place of its rule in ORDER, or STAYS."""

    def __init__(self, judged: Judged, params: Parameters, codes: NDArray[np.int8], stand_ins: dict[int, str]) -> None:
        self.judged, self.params, self.codes = judged, params, codes
        self.stand_ins = stand_ins  # of a superfluous document, by row, the id that stays for it
        self.ids: pa.Array = judged.ids
        self.kept: Flags = codes == STAYS
        self.copies = clusters.copies(judged, params.duplicates.min_jaccard)

    @cached_property
    def sources(self) -> Coded:
        """Who published each document."""
        return self.judged.coded(DOCUMENTS, "source")

    @cached_property
    def spoken(self) -> Coded:
        """Each document's language."""
        return rules.languages_of(self.judged, self.params)

    @cached_property
    def stated(self) -> Coded:
        """Each document's licence as an expression."""
        return self.judged.coded("license", "license")

    @cached_property
    def licenses(self) -> Coded:
        """The allowed licence that it offers."""
        return self.stated.map(lambda expression: rules.chosen_license(expression, self.params.licenses))

    @cached_property
    def own(self) -> list[Finding]:
        """What the rules say that look at a document alone."""
        return rules.findings(self.judged, self.spoken, self.params)

    @cached_property
    def exact(self) -> Flags:
        """Copies that have the very words of the one that represents their cluster."""
        same: Flags = self.judged.numbers("duplicates", "exact")
        return self.copies & same

    @cached_property
    def outcomes(self) -> Coded:
        """The rule that drops each document, or KEPT."""
        codes = self.codes.astype(np.int32)
        codes[(self.codes == ORDER.index(NEAR_DUPLICATE)) & self.exact] = ORDER.index(DUPLICATE)
        codes[self.kept] = OUTCOMES.index(KEPT)
        return Coded(OUTCOMES, codes)

    def broken(self, rule: str) -> Flags:
        """The documents that break one of the rules that look at them alone."""
        return next(finding.broken for finding in self.own if finding.rule == rule)

    def about(self, rows: Rows) -> dict[str, pa.Array]:
        """What the corpus tells of kept documents beside their texts."""
        plain = {name: self.judged.column(DOCUMENTS, name).take(rows) for name in ("url", "title", "retrieved")}
        coded = {
            "language": self.spoken,
            "source": self.sources,
            "license": self.licenses,
            "kind": self.judged.coded(DOCUMENTS, "kind"),
        }
        return {"id": self.ids.take(rows)} | plain | {name: column.at(rows) for name, column in coded.items()}
