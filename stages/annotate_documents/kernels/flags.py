"""Say which texts cannot hold personal data, by the shapes of their bytes, so that only the others are searched.

A flag promises nothing; its absence does: no '@', no seven ASCII digits near each other, no two letters with two digits, no
d.d.d.d and no two colons near each other. (Digits of other scripts are not looked for.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from stages.annotate_documents.kernels import compiled
from stages.annotate_documents.kernels.words import utf8

AT, DIGITS, IBAN, DOTTED, COLONS = compiled.AT, compiled.DIGITS, compiled.IBAN, compiled.DOTTED, compiled.COLONS


def personal_flags(texts: Any) -> pa.UInt8Array:
    """The sum of the flags that each text's bytes allow; 0: nothing to search for."""
    data, offsets = utf8(texts)
    out = np.zeros(len(offsets) - 1, np.uint8)
    compiled.personal_flags(data, offsets, out)
    return pa.array(out)
