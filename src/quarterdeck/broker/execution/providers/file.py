"""Secrets in one encrypted file of the data directory: a place to keep them that needs nothing beside the server.

The file is `QDSECRETS1`, a salt of 16 bytes, a nonce of 12, and AES-256-GCM over a JSON object, under a key made of the
connection's passphrase by argon2id.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from quarterdeck.broker.execution.providers.protocol import Bundle, Found, changed_meanwhile, refused
from quarterdeck.kernel.durable import write_durably
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault import Secret

T = TypeVar("T")
MAGIC = b"QDSECRETS1"
SALT, NONCE, KEY = 16, 12, 32
MEMORY_KIB, ROUNDS, LANES = 64 << 10, 3, 1
LARGEST = 32 << 20
"""Bytes of the file."""
NAME = "The encrypted file"


class Kept(msgspec.Struct):
    values: dict[str, str]
    version: int = 1


class FileProvider:
    """A `Provider`. Work with the file is done on threads; a lock file beside it keeps two writers apart."""

    def __init__(self, directory: Path, name: str, passphrase: Secret[str], ids: Ids | None = None) -> None:
        self._path = directory / f"{name.replace('/', '_')}.secrets"
        self._passphrase = passphrase
        self._ids = ids or Ids()
        self._salt: bytes | None = None
        """That of the file, once it was read."""

    async def read(self, ref: str) -> Bundle | None:
        found = (await asyncio.to_thread(self._load)).get(ref)
        return None if found is None else Bundle(found.values, str(found.version))

    async def write(self, ref: str, values: Mapping[str, str], seen: Bundle | None) -> None:
        def change(kept: dict[str, Kept]) -> None:
            before = kept.get(ref)
            if (str(before.version) if before is not None else None) != (seen.version if seen is not None else None):
                raise changed_meanwhile(ref)
            kept[ref] = Kept(dict(values), before.version + 1 if before is not None else 1)

        await asyncio.to_thread(self._change, change)

    async def find(self, labels: Mapping[str, str]) -> AsyncIterator[Found]:
        for ref, one in sorted((await asyncio.to_thread(self._load)).items()):
            if not labels:
                yield Found(ref, version=str(one.version))

    async def close(self) -> None:
        pass

    def _load(self) -> dict[str, Kept]:
        try:
            if self._path.stat().st_size > LARGEST:
                raise refused(NAME, "is too large")
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise refused(NAME, f"cannot be read ({error.strerror})") from None
        head = len(MAGIC)
        if not raw.startswith(MAGIC) or len(raw) < head + SALT + NONCE:
            raise refused(NAME, "is not one of ours")
        salt, nonce, sealed = (
            raw[head : head + SALT],
            raw[head + SALT : head + SALT + NONCE],
            raw[head + SALT + NONCE :],
        )
        try:
            plain = AESGCM(self._key(salt)).decrypt(nonce, sealed, MAGIC)
            return msgspec.json.decode(plain, type=dict[str, Kept])
        except (InvalidTag, msgspec.MsgspecError):
            raise refused(NAME, "does not open with this passphrase, or was altered") from None

    def _change(self, change: Callable[[dict[str, Kept]], None]) -> None:
        with self._alone():
            kept = self._load()
            change(kept)
            salt, nonce = self._salt or self._ids.randbytes(SALT), self._ids.randbytes(NONCE)
            sealed = AESGCM(self._key(salt)).encrypt(nonce, msgspec.json.encode(kept), MAGIC)
            if len(sealed) > LARGEST:
                raise refused(NAME, "would be too large")
            write_durably(self._path, MAGIC + salt + nonce + sealed)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path.with_suffix(".lock"), flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _key(self, salt: bytes) -> bytes:
        self._salt = salt
        return _derived(hashlib.sha256(self._passphrase.reveal().encode()).digest(), salt)


@lru_cache(maxsize=16)
def _derived(secret: bytes, salt: bytes) -> bytes:
    """It takes a quarter of a second; the process holds the server's own keys as well."""
    return hash_secret_raw(secret, salt, ROUNDS, MEMORY_KIB, LANES, KEY, Type.ID)
