"""What must hold of a base model before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation

from stages.fetch_base_model.weights import Weights

SAFE_NAME = r"^[\w.-]+\.(safetensors|json|txt|jinja|model|md)$|^(LICENSE|NOTICE)$"


def tables(origin: dict[str, Any], weights: Weights) -> Mapping[str, pd.DataFrame]:
    """The model as one row, its files and its tensors."""
    import pandas as pd

    model = {
        "license": origin["license"],
        "parameters": weights.parameters,
        "pinned": origin["revision"] is not None or origin["hub_id"] is None,
    }
    files = [{"name": name, **entry} for name, entry in origin["files"].items()]
    tensors = [{"name": name, "type": tensor.dtype, "values": tensor.size} for name, tensor in weights.tensors.items()]
    return {"model": pd.DataFrame([model]), "files": pd.DataFrame(files), "tensors": pd.DataFrame(tensors)}


def expected() -> Mapping[str, Sequence[Expectation]]:
    """The expectations on each table."""
    import great_expectations.expectations as gxe

    return {
        "model": [
            gxe.ExpectColumnValuesToMatchRegex(column="license", regex=r"\S"),
            gxe.ExpectColumnValuesToBeBetween(column="parameters", min_value=1),
            gxe.ExpectColumnValuesToBeInSet(column="pinned", value_set=[True]),
        ],
        "files": [
            gxe.ExpectColumnValuesToMatchRegex(column="name", regex=SAFE_NAME),
            gxe.ExpectColumnValuesToBeBetween(column="bytes", min_value=1),
            gxe.ExpectColumnValueLengthsToEqual(column="sha256", value=64),
        ],
        "tensors": [
            gxe.ExpectColumnValuesToBeUnique(column="name"),
            gxe.ExpectColumnValuesToBeInSet(
                column="type", value_set=["F64", "F32", "F16", "BF16", "I64", "I32", "BOOL"]
            ),
            gxe.ExpectColumnValuesToBeBetween(column="values", min_value=1),
        ],
    }
