"""Data keys under a key of our own, in the documented bytes of the local backend (contract: broker §3.5)."""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from quarterdeck.broker.sealing.agreement import KEY, NONCE, TAG, Unsealable

WRAPPED = NONCE + KEY + TAG
"""Bytes of a wrapped data key: nonce, ciphertext, tag."""


class LocalKey:
    """Wraps data keys of 32 bytes. `key_id` names the key and says nothing of it."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY:
            raise ValueError(f"a local key has {KEY} bytes")
        self._key = AESGCM(master)
        digest = hashlib.sha256(master).digest()
        self.key_id = f"local:{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    def wrap(self, data_key: bytes, nonce: bytes) -> bytes:
        return nonce + self._key.encrypt(nonce, data_key, None)

    def unwrap(self, wrapped: bytes, key_id: str | None = None) -> bytes:
        """Raises `Unsealable` for a key id that is another's, and for what was not wrapped by this key."""
        if len(wrapped) != WRAPPED or key_id not in {None, self.key_id}:
            raise Unsealable
        try:
            return self._key.decrypt(wrapped[:NONCE], wrapped[NONCE:], None)
        except InvalidTag:
            raise Unsealable from None
