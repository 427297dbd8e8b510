"""Participants become keyed hashes, and the record says whether the key is public."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from stages.ingest_deliberation.pseudonyms import SALT, key_from, pseudonymiser


def test_the_public_salt_is_said_to_be_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SALT, raising=False)
    key = key_from("sample-salt")
    assert (key.in_words, key.public) == ("public sample key", True)
    assert pseudonymiser(key)("42") == hmac.new(b"sample-salt", b"42", hashlib.sha256).hexdigest()[:16]


def test_a_secret_in_the_environment_comes_first_and_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SALT, "our secret")
    key = key_from("sample-salt")
    assert not key.public
    assert "our secret" not in key.in_words
    assert pseudonymiser(key)("42") == hmac.new(b"our secret", b"42", hashlib.sha256).hexdigest()[:16]
