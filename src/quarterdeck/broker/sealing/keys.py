"""The broker's own keys: derived from the one that the vault seals, so that nothing works while the vault is locked."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quarterdeck.broker.sealing.local_key import LocalKey
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.instance import identity

DATA_KEYS, DIGESTS = b"quarterdeck broker data keys v1", b"quarterdeck broker digests v1"


def data_key_wrapper(tx: Tx) -> LocalKey:
    """What the data keys of agents are wrapped with. Raises what the vault raises."""
    return LocalKey(_derived(tx, DATA_KEYS))


def digest(tx: Tx, value: bytes) -> str:
    """A hash of a value for rows and the audit trail, 64 hexadecimal digits: without the key nobody can try guesses
    against it. Raises what the vault raises.
    """
    return hmac.new(_derived(tx, DIGESTS), value, hashlib.sha256).hexdigest()


def content_hash(value: bytes) -> str:
    """The plain SHA-256 that the protocol has beside a value, and nowhere else."""
    return hashlib.sha256(value).hexdigest()


def _derived(tx: Tx, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(identity(tx).key.reveal())
