"""Download a model of the Hugging Face Hub at a pinned revision; only here does the pipeline fetch anything."""

from __future__ import annotations

from pathlib import Path

from stages.errors import TransientTrouble, Trouble
from stages.fetch_base_model.files import HUB_PATTERNS


def download(hub_id: str, revision: str, folder: Path) -> None:
    """Bring the model's allowed files into `folder`; a download that was cut off is continued there."""
    import httpx
    from huggingface_hub import constants, errors, snapshot_download

    wanted = f"{hub_id} at {revision}"
    by_hand = "or bring the model yourself: its folder in fetch_base_model.path, hub_id and revision null."
    if constants.HF_HUB_OFFLINE:
        raise Trouble(f"{wanted} is not here and HF_HUB_OFFLINE is set; unset it, {by_hand}")
    try:
        snapshot_download(hub_id, revision=revision, allow_patterns=HUB_PATTERNS, local_dir=folder)
    except errors.GatedRepoError:
        raise Trouble(f"{wanted} is gated; accept its terms on its page and set HF_TOKEN in the environment.") from None
    except errors.RevisionNotFoundError:
        raise Trouble(f"{hub_id} has no revision {revision}; copy the full commit hash from its page.") from None
    except errors.RepositoryNotFoundError:
        raise Trouble(
            f"The hub has no model {hub_id}, or it is private; check fetch_base_model.hub_id or set HF_TOKEN."
        ) from None
    except (errors.LocalEntryNotFoundError, errors.HfHubHTTPError, httpx.HTTPError, ConnectionError) as error:
        raise TransientTrouble(
            f"{wanted} cannot be downloaded: the hub does not answer ({type(error).__name__}); "
            f"connect and run again, {by_hand}"
        ) from None
