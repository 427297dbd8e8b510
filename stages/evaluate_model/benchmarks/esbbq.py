"""EsBBQ (Ruiz-Fernández et al. 2025): BBQ for Spain, in Spanish."""

from __future__ import annotations

from functools import partial

from stages.evaluate_model.benchmarks import bbq

FILES = "*.csv"
SAYS = bbq.SAYS
NORMALISATIONS = bbq.NORMALISATIONS
read = partial(bbq.read, benchmark="esbbq", language="es")
judge = bbq.judge
