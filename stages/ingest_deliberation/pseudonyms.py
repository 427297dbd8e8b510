"""Replace the platform's participant ids by keyed hashes, so that votes stay linked to each other but not to a person."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass

SALT = "COMMONS_SALT"  # the secret of a real process lives in the environment, never in git
DIGITS = 16  # hexadecimal: 64 bits, so that two of a million people meet with a chance under 1 in 10 million


@dataclass(frozen=True)
class Key:
    """The key of the hash, and what may be said about it in public."""

    secret: bytes
    in_words: str
    public: bool


def key_from(salt: str) -> Key:
    """The key in the environment if there is one, else the published salt of params.yaml."""
    secret = os.environ.get(SALT, "")
    if secret:
        return Key(secret.encode(), f"secret key from {SALT}", public=False)
    return Key(salt.encode(), "public sample key", public=True)


def pseudonymiser(key: Key) -> Callable[[str], str]:
    """A function from participant id to pseudonym (HMAC-SHA256, the first 16 hexadecimal digits)."""

    def pseudonym(participant: str) -> str:
        return hmac.digest(key.secret, participant.encode(), "sha256").hex()[:DIGITS]

    return pseudonym
