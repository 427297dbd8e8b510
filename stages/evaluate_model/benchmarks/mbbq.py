"""MBBQ (Neplenbroek et al. 2024): BBQ's items that hold in English, Spanish, Dutch and Turkish, and a control set.

Files or lines tell their language. The control set has names instead of groups: it counts for accuracy only.
"""

from __future__ import annotations

from functools import partial

from stages.evaluate_model.benchmarks import bbq

FILES = "*.jsonl"
SAYS = bbq.SAYS
NORMALISATIONS = bbq.NORMALISATIONS
read = partial(bbq.read, benchmark="mbbq", language="")
judge = bbq.judge
