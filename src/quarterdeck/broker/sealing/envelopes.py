"""Values under a data key (contract: broker §3.3): how agents send what they have read."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from quarterdeck.broker.sealing.agreement import KEY, NONCE, Unsealable
from quarterdeck.kernel.ids import Ids

ALGORITHM = "aes-256-gcm"


class Envelope(Struct, frozen=True, kw_only=True):
    """A value, and the data key that it is under in the form in which the server gave it out. Bytes are standard base64
    in JSON.
    """

    algorithm: str = ALGORITHM
    ciphertext: bytes
    nonce: bytes
    dek_ciphertext: bytes
    dek_kms_key_id: str | None = None


def close(key: bytes, plaintext: bytes, ids: Ids | None = None) -> tuple[bytes, bytes]:
    """A fresh nonce, and the ciphertext with its tag."""
    nonce = (ids or Ids()).randbytes(NONCE)
    return nonce, AESGCM(key).encrypt(nonce, plaintext, None)


def open_envelope(key: bytes, envelope: Envelope) -> bytes:
    """Raises `Unsealable`."""
    if envelope.algorithm != ALGORITHM or len(envelope.nonce) != NONCE or len(key) != KEY:
        raise Unsealable
    try:
        return AESGCM(key).decrypt(envelope.nonce, envelope.ciphertext, None)
    except (InvalidTag, ValueError):
        raise Unsealable from None
