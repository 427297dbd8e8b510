"""Fetch the data files of a data set of the Hugging Face hub at a pinned revision; its code is never run."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path

from stages.annotate_documents.formats import READERS
from stages.annotate_documents.parameters import HuggingFace
from stages.annotate_documents.sources import Source
from stages.errors import TransientTrouble, Trouble

DATA = tuple(suffix for suffix in READERS if ".parquet" in suffix or "json" in suffix)


def hub_sources(wanted: HuggingFace) -> list[Source]:
    """The data set's Parquet and JSON Lines files, in the hub's local cache; raises Trouble where there is none."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import httpx
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    place = {"repo_id": wanted.repo, "repo_type": "dataset", "revision": wanted.revision}
    try:
        listed = HfApi().list_repo_files(**place)
        names = sorted(n for n in listed if n.endswith(DATA) and fnmatch.fnmatch(n, wanted.files))
        paths = {name: Path(hf_hub_download(filename=name, **place)) for name in names}
    except OfflineModeIsEnabled:
        raise Trouble(f"{wanted.repo} is to be fetched, but HF_HUB_OFFLINE is set; unset it for this run.") from None
    except HfHubHTTPError as error:
        raise Trouble(
            f"{wanted.repo} at {wanted.revision} cannot be fetched ({' '.join(str(error).split())[:200]});"
            " check annotate_documents.hugging_face, and HF_TOKEN where it is not public."
        ) from None
    except httpx.HTTPError as error:
        raise TransientTrouble(f"{wanted.repo}: the hub does not answer ({error}); try again.") from None
    if not paths:
        raise Trouble(
            f"{wanted.repo} has no file '{wanted.files}' of {', '.join(DATA)}; data sets made by code are not read."
        )
    return [_source(name, path) for name, path in paths.items()]


def _source(name: str, path: Path) -> Source:
    return Source(name, path.stat().st_size, lambda: path.open("rb"))
