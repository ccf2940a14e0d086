"""The master key in a backup: apart, as it is, or sealed with a passphrase; and whether a key opens what is there."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from quarterdeck.backups.manifest import LOCAL, DataKey
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.backend import KeyBackend, Wrapped
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.wrapping import Others, bound

LEAST = 12
TIME_COST, MEMORY_KIB, LANES = 4, 256 * 1024, 2
"""Argon2id: about a second, because whoever has the file may try for years."""


class SealedKey(msgspec.Struct, frozen=True):
    """`text` is nonce and ciphertext, base64; the costs stand beside it so that later ones can be higher."""

    salt: str
    text: str
    time_cost: int = TIME_COST
    memory_kib: int = MEMORY_KIB
    lanes: int = LANES


def check_passphrase(passphrase: Secret[str]) -> None:
    if len(passphrase.reveal()) < LEAST:
        raise Invalid(
            f"A passphrase of a backup has at least {LEAST} characters.",
            code="backup_passphrase_short",
            hint="Choose a longer one: whoever has the file may try for years.",
        )


def seal(key: bytes, passphrase: Secret[str], instance: str, ids: Ids) -> bytes:
    """The key file, sealed for a backup of this installation."""
    check_passphrase(passphrase)
    salt, nonce = ids.randbytes(16), ids.randbytes(12)
    made = SealedKey(base64.b64encode(salt).decode(), "")
    sealed = AESGCM(_derived(made, passphrase)).encrypt(nonce, key, instance.encode())
    return msgspec.json.encode(msgspec.structs.replace(made, text=base64.b64encode(nonce + sealed).decode()))


def unseal(data: bytes, passphrase: Secret[str], instance: str) -> bytes:
    """Raises `Conflict` (`backup_passphrase_wrong`)."""
    try:
        made = msgspec.json.decode(data, type=SealedKey)
        raw = base64.b64decode(made.text, validate=True)
        return AESGCM(_derived(made, passphrase)).decrypt(raw[:12], raw[12:], instance.encode())
    except (*UNREADABLE, ValueError, InvalidTag, HashingError, OverflowError):
        raise Conflict(
            "The passphrase does not open the master key of this backup.",
            code="backup_passphrase_wrong",
            hint="Give the passphrase that the backup was made with, or the master key itself with --key.",
        ) from None


def _derived(made: SealedKey, passphrase: Secret[str]) -> bytes:
    if made.memory_kib > 4 * MEMORY_KIB or made.time_cost > 10 * TIME_COST or made.lanes > 8 * LANES:
        raise ValueError("a file that asks for this much is none of ours")
    return hash_secret_raw(
        passphrase.reveal().encode(),
        base64.b64decode(made.salt, validate=True),
        time_cost=made.time_cost,
        memory_cost=made.memory_kib,
        parallelism=made.lanes,
        hash_len=32,
        type=Type.ID,
    )


def require_opening(key_file: Path, data_keys: list[DataKey], others: Others) -> None:
    """Raise `Conflict` for data keys of a backup that do not open: `backup_key_wrong` with the master key in a file, or
    with a key backend of `others`; `backup_backend_missing` for one that is none of these. What a backend says is
    raised as it is.
    """
    opened: dict[str, KeyBackend] = {}
    for one in data_keys:
        backend = opened.get(one.backend)
        if backend is None:
            if one.backend != LOCAL and one.backend not in others:
                raise _not_configured(one.backend)
            backend = LocalBackend(key_file) if one.backend == LOCAL else others[one.backend]()
            backend.open(create=False)
            opened[one.backend] = backend
        try:
            backend.unwrap(Wrapped(one.master_key_id, one.wrapped), bound(one.id))
        except ValueError:
            raise _wrong(one) from None


def _wrong(key: DataKey) -> Conflict:
    if key.backend == LOCAL:
        return Conflict(
            "This master key does not open the secrets of the backup.",
            code="backup_key_wrong",
            hint="Give the master.key that the installation had when the backup was made: --key FILE.",
        )
    return Conflict(
        f"The key {key.master_key_id} of the key backend {key.backend} does not open the secrets of the backup.",
        code="backup_key_wrong",
        hint="Name the server, region and key that the installation had when the backup was made; the version of then "
        "has to be allowed to decrypt.",
    )


def _not_configured(backend: str) -> Conflict:
    return Conflict(
        f"Secrets of this backup are wrapped by the key backend {backend}, which is not configured here.",
        code="backup_backend_missing",
        hint=f"Give the settings of {backend} in quarterdeck.toml or in the environment, as for serve.",
    )
