"""Saved plans, taken in and given out piece by piece, whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from quarterdeck.infra.artefacts import sealing
from quarterdeck.infra.artefacts.store import Store, is_key, unavailable
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault.vault import Vault

PREFIX = "draft-"
LARGEST = 50 << 20
"""Bytes of a saved plan at most (contract: infra §3)."""


class Kept(NamedTuple):
    """What was taken in; checksum and size are those of the plan itself, however it lies there."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Artefacts:
    """Given to rules and handlers by the composition (`tx.part(Artefacts)`); without a store nothing can be asked."""

    store: Store | None = None
    vault: Vault | None = None

    def there(self, key: str) -> bool:
        """Whether it lies where it should, as far as this machine can tell at once."""
        return self.store is None or (is_key(key) and self.store.there(key) is not False)

    def _open(self) -> tuple[Store, Vault]:
        if self.store is None or self.vault is None:
            raise RuntimeError("artefacts were asked for without a store")
        return self.store, self.vault

    async def take(self, ids: Ids, job: str, pieces: AsyncIterator[bytes]) -> Kept:
        """Keep what comes, for a job of that uid, under a key of its own. Raises `Invalid` (`artefact_empty`,
        `artefact_too_large`) and `Unavailable`; then nothing of it is left.
        """
        store, vault = self._open()
        key = f"{job}/{ids.text(16)}"
        draft = await asyncio.to_thread(_Draft, store, vault, key)
        try:
            async for piece in pieces:
                await draft.add(piece)
            await draft.finish()
            await asyncio.to_thread(store.put, key, draft.path)
        finally:
            await asyncio.to_thread(draft.drop)
        return Kept(key, draft.digest, draft.size)

    async def give(self, kept: Kept) -> AsyncIterator[bytes]:
        """The pieces of what was taken in, once all of it has proved to be that. Raises `NotFound`
        (`artefact_missing`) and `Conflict` (`artefact_damaged`) before the first of them.
        """
        found = await self.state(kept)
        if found != "whole":
            raise missing() if found == "missing" else damaged()
        return _pieces(*self._open(), kept.key)

    async def state(self, kept: Kept) -> str:
        """`whole`, `missing` or `damaged`: all of it is read for that."""
        store, vault = self._open()
        stream = await asyncio.to_thread(store.open, kept.key)
        if stream is None:
            return "missing"
        with stream:
            return "whole" if await asyncio.to_thread(_whole, vault, stream, kept) else "damaged"

    def lying(self, before: datetime) -> list[str]:
        """Keys of all that was put there before an instant. Drafts that were left as long ago go by the way. Blocks."""
        if self.store is None:
            return []
        for draft in self.store.incoming.glob(f"{PREFIX}*"):
            with contextlib.suppress(FileNotFoundError):
                if datetime.fromtimestamp(draft.stat().st_mtime, UTC) < before:
                    draft.unlink()
        return [one.key for one in self.store.listed() if one.since < before]

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._open()[0].delete, key)


async def _pieces(store: Store, vault: Vault, key: str) -> AsyncIterator[bytes]:
    """Opened when the first piece is asked for: who goes before that leaves nothing open."""
    stream = await asyncio.to_thread(store.open, key)
    if stream is None:
        raise missing()
    with stream:
        opening = sealing.opened(vault, key, stream)
        while (piece := await asyncio.to_thread(next, opening, None)) is not None:
            yield piece


def _whole(vault: Vault, stream: BinaryIO, kept: Kept) -> bool:
    found, size = hashlib.sha256(), 0
    for piece in sealing.opened(vault, kept.key, stream):
        found.update(piece)
        size += len(piece)
    stream.seek(0)
    return (found.hexdigest(), size) == (kept.sha256, kept.size)


class _Draft:
    """A file that is written to, sealed piece by piece."""

    def __init__(self, store: Store, vault: Vault, key: str) -> None:
        descriptor, name = tempfile.mkstemp(prefix=PREFIX, dir=store.incoming)
        self.path = Path(name)
        self._file = os.fdopen(descriptor, "wb")
        self._vault, self._key = vault, key
        self._waiting = bytearray()
        self._hash = hashlib.sha256()
        self._position = self.size = 0

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    async def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > LARGEST:
            raise Invalid(
                f"A saved plan may have {LARGEST >> 20} MiB.",
                code="artefact_too_large",
                hint="Split the configuration into smaller ones.",
            )
        self._waiting += piece
        while len(self._waiting) >= sealing.PIECE:
            await self._write(bytes(self._waiting[: sealing.PIECE]))
            del self._waiting[: sealing.PIECE]

    async def _write(self, piece: bytes) -> None:
        await asyncio.to_thread(self._seal, piece)

    def _seal(self, piece: bytes) -> None:
        self._hash.update(piece)
        try:
            self._file.write(sealing.sealed(self._vault, self._key, self._position, piece))
        except OSError as error:
            raise unavailable(error.strerror or "a draft cannot be written") from None
        self._position += 1

    async def finish(self) -> None:
        if not self.size:
            raise Invalid("Empty body", code="artefact_empty", hint="Send the file that `terraform plan -out` wrote.")
        if self._waiting:
            await self._write(bytes(self._waiting))
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise unavailable(error.strerror or "a draft cannot be written") from None

    def drop(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


def missing() -> NotFound:
    return NotFound("Plan artifact not found", code="artefact_missing", hint="Plan again.")


def damaged() -> Conflict:
    return Conflict(
        "The saved plan is not what was taken in: it was altered or cut off where it lies.",
        code="artefact_damaged",
        hint="Plan again, and look after the disk or the bucket that it lies in.",
    )
