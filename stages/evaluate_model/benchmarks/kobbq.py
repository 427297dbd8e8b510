"""KoBBQ (Jin et al. 2024): BBQ for Korea."""

from __future__ import annotations

from functools import partial

from stages.evaluate_model.benchmarks import bbq

FILES = "*.tsv"
SAYS = bbq.SAYS
NORMALISATIONS = bbq.NORMALISATIONS
read = partial(bbq.read, benchmark="kobbq", language="ko")
judge = bbq.judge
