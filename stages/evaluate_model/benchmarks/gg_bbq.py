"""GG-BBQ (Satheesh et al. 2025): the gender part of BBQ in German."""

from __future__ import annotations

from functools import partial

from stages.evaluate_model.benchmarks import bbq

FILES = "*.jsonl"
SAYS = bbq.SAYS
NORMALISATIONS = bbq.NORMALISATIONS
read = partial(bbq.read, benchmark="gg-bbq", language="de")
judge = bbq.judge
