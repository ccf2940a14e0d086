"""Sealing a value for whoever has the private half of an X25519 key (contract: broker §3.2): a fresh key pair for each
call, HKDF-SHA256 over what both agree on, AES-256-GCM without associated data.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from quarterdeck.kernel.ids import Ids

ALGORITHM = "x25519-hkdf-aes-gcm"
KEY_ALGORITHM = "x25519"
INFO = b"secrets-bridge.wrap.v1"
KEY, NONCE, TAG = 32, 12, 16
"""Bytes of a key, a nonce and a tag."""


class Sealed(Struct, frozen=True, kw_only=True):
    """What travels; bytes are standard base64 in JSON."""

    algorithm: str = ALGORITHM
    ciphertext: bytes
    nonce: bytes
    ephemeral_public_key: bytes


class Unsealable(Exception):
    """It was altered, sealed for another key, or is not of this form. Nothing is said of which."""


def seal(recipient: bytes, plaintext: bytes, ids: Ids | None = None) -> Sealed:
    """Seal for a raw public key of 32 bytes. Raises `Unsealable` for one that agrees on nothing."""
    drawn = ids or Ids()
    return sealed_with(recipient, plaintext, drawn.randbytes(KEY), drawn.randbytes(NONCE))


def sealed_with(recipient: bytes, plaintext: bytes, ephemeral: bytes, nonce: bytes) -> Sealed:
    """`seal` with a given ephemeral private key and nonce, which count once."""
    try:
        mine = X25519PrivateKey.from_private_bytes(ephemeral)
        agreed = mine.exchange(X25519PublicKey.from_public_bytes(recipient))
    except ValueError:
        raise Unsealable from None
    public = mine.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    ciphertext = AESGCM(_derived(agreed, public, recipient)).encrypt(nonce, plaintext, None)
    return Sealed(ciphertext=ciphertext, nonce=nonce, ephemeral_public_key=public)


def open_sealed(private: bytes, sealed: Sealed) -> bytes:
    """Open with a raw private key of 32 bytes. Raises `Unsealable`."""
    if sealed.algorithm != ALGORITHM or len(sealed.nonce) != NONCE:
        raise Unsealable
    try:
        mine = X25519PrivateKey.from_private_bytes(private)
        agreed = mine.exchange(X25519PublicKey.from_public_bytes(sealed.ephemeral_public_key))
        public = mine.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        key = _derived(agreed, sealed.ephemeral_public_key, public)
        return AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, None)
    except (InvalidTag, ValueError):
        raise Unsealable from None


def public_of(private: bytes) -> bytes:
    """The raw public key that belongs to a raw private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def agrees(public: bytes, ids: Ids | None = None) -> bool:
    """Whether something can be sealed for a public key: a point of small order agrees on nothing with anybody."""
    try:
        seal(public, b"", ids)
    except Unsealable:
        return False
    return True


def _derived(agreed: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY, salt=ephemeral + recipient, info=INFO).derive(agreed)
