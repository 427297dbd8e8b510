"""dolma's fastText language tagger with a local model; read by dolma itself (see dolma_steps.py)."""

from __future__ import annotations

import os

from dolma import add_tagger
from dolma.taggers.language import FastTextAllLanguagesDocumentMinScoreTagger


@add_tagger("local_language")
class LocalLanguage(FastTextAllLanguagesDocumentMinScoreTagger):
    """As ft_lang_id_1e2 (probabilities from 0.01 on), which would download lid.176.bin."""

    MODEL_PATH = os.environ["BENCHMARK_LANGUAGE_MODEL"]
