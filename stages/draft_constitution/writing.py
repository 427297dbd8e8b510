"""Write a draft: the constitution that people decide on, and one file for each thing found on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stages.artifact import write_csv, write_json, write_text
from stages.draft_constitution import page, plots, report
from stages.draft_constitution.drafting import Drafted, Material, VoteFindings
from stages.draft_constitution.parameters import Parameters


def write(folder: Path, material: Material, drafted: Drafted, params: Parameters) -> None:
    """Fill the folder; the same draft gives the same bytes."""
    write_json(folder / "constitution.json", drafted.constitution)
    write_json(folder / "draft.json", report.describe(material.about, drafted, params))
    write_json(folder / "metrics.json", report.measure(material.about, drafted, params))
    write_text(folder / "report.html", page.render(material.about, drafted, params))
    labels = drafted.found.grouping.labels if drafted.found else {}
    write_csv(folder / "groups.csv", ["participant", "group"], sorted(labels.items()))
    if drafted.draft.certificate:
        write_json(folder / "certificate.json", asdict(drafted.draft.certificate))
    if drafted.found:
        _write_findings(folder, drafted.found)
    plots.draw(folder / "plots", material.about, drafted, params)


def _write_findings(folder: Path, found: VoteFindings) -> None:
    write_json(folder / "alike.json", asdict(found.alike))
    write_json(folder / "integrity.json", asdict(found.integrity))
    write_json(folder / "sensitivity.json", [asdict(scenario) for scenario in found.sensitivity])
    # the weights stay here: beside declared attributes they would tell about single people
    write_json(folder / "representation.json", asdict(found.representation) | {"weights": {}})
    rows: Iterable[dict[str, Any]] = [asdict(cell) for cell in found.declared]
    header = ["attribute", "value", "statement_id", "agree", "disagree", "passed", "lower_bound"]
    write_csv(folder / "groupings.csv", header, ([row[name] for name in header] for row in rows))
