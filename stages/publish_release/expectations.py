"""The gate of a release: every file has its place and kind, weights are safetensors, and no secret leaves the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stages.publish_release import layout
from stages.publish_release.manifest import ReleasedFile
from stages.publish_release.scan import Finding

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation


def tables(files: Sequence[ReleasedFile], findings: Sequence[Finding]) -> dict[str, pd.DataFrame]:
    """One row per file, one column per question."""
    import pandas as pd

    found: dict[str, str] = {}
    for finding in findings:
        found.setdefault(finding.path, f"{finding.what} in {finding.path}, line {finding.line}")
    rows = [
        {
            "path": file.path,
            "role": file.role,
            "sha256": file.sha256,
            "runs code": file.path if layout.is_forbidden(file.path) else "",
            "weights outside model": file.path if _stray_weights(file.path) else "",
            "must not be published": found.get(file.path, ""),
        }
        for file in files
    ]
    roles = pd.DataFrame({"role": sorted({file.role for file in files})})
    return {"files": pd.DataFrame(rows), "roles": roles}


def _stray_weights(path: str) -> bool:
    return path.endswith(".safetensors") and not path.startswith(layout.MODEL + "/")


def expected() -> Mapping[str, Sequence[Expectation]]:
    """What is expected of the files, and that no kind of evidence is missing."""
    from great_expectations import expectations as gxe

    roles = sorted({*layout.ROLES.values(), "lineage", "document", "metrics"})
    nothing = [""]
    return {
        "files": [
            gxe.ExpectColumnValuesToBeUnique(column="path"),
            gxe.ExpectColumnValuesToMatchRegex(column="sha256", regex="^[0-9a-f]{64}$"),
            gxe.ExpectColumnValuesToBeInSet(column="role", value_set=roles),
            gxe.ExpectColumnValuesToBeInSet(column="runs code", value_set=nothing),
            gxe.ExpectColumnValuesToBeInSet(column="weights outside model", value_set=nothing),
            gxe.ExpectColumnValuesToBeInSet(column="must not be published", value_set=nothing),
        ],
        "roles": [gxe.ExpectColumnDistinctValuesToContainSet(column="role", value_set=roles)],
    }
