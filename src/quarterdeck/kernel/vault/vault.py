"""Sealing and opening secrets with data keys that a key backend wraps."""

from __future__ import annotations

import base64
import binascii
import threading
from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from quarterdeck.kernel.errors import Problem, Unavailable
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault.backend import KeyBackend, Wrapped
from quarterdeck.kernel.vault.rotating import renewed, rotate
from quarterdeck.kernel.vault.rows import LOCK, DataKeyRow, add, data_keys
from quarterdeck.kernel.vault.secret import Secret
from quarterdeck.kernel.vault.wrapping import NO_OTHERS, Others, Standing, Wrapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quarterdeck.kernel.db import Database, Tx

VERSION = "v1"
NONCE = 12
ALTERED = "it was altered, or sealed for another place"


class Unreadable(Problem):
    """A sealed text that cannot be opened: moved, altered, or sealed under a key that is gone."""

    kind = "internal"
    category = "infra"
    default_code = "secret_unreadable"


def _unreadable(table: str, row_uid: str, field: str, why: str) -> Unreadable:
    return Unreadable(
        f"The secret in {table} {row_uid}, field {field}, cannot be opened: {why}.",
        hint="Enter the value again, or restore database and master key from the same backup.",
        relatedEntityType=table,
        relatedEntityId=row_uid,
        field=field,
    )


class Vault:
    """Envelope encryption, AES-256-GCM. A sealed text is `v1.<data key id>.<base64url(nonce, ciphertext, tag)>`.

    It opens only in the table, row and field that it was sealed for. `unlock` comes first; after that sealing and
    opening need no database, so that they can be used inside and outside of units of work.
    """

    def __init__(self, backend: KeyBackend, *, others: Others = NO_OTHERS, ids: Ids | None = None) -> None:
        """`backend` wraps; `others` unwrap what was wrapped by them before, and are made when that is met."""
        self._ids = ids or Ids()
        self._wrapping = Wrapping(backend, others)
        self.elsewhere: tuple[str, ...] = ()
        """The backends but the current one that data keys were wrapped by when it was unlocked."""
        self._keys: dict[str, AESGCM] = {}
        self._active: str | None = None
        self._db: Database | None = None
        self._lock = threading.Lock()

    @property
    def backend(self) -> str:
        """The name of the one that wraps."""
        return self._wrapping.current.name

    @property
    def master_key_id(self) -> str:
        """The master key that wraps. The backend has been asked before."""
        return self._wrapping.current.current

    def unlock(self, db: Database) -> None:
        """Load the data keys, and make master key and first data key where nothing has been sealed yet.

        Blocks; raises `Conflict` for a master key that is missing, damaged or readable by others, and what the key
        backend says.
        """
        self._db = db
        rows = db.read_sync(data_keys)
        self._wrapping.open(rows)
        if not rows:
            db.write_sync(self._first)
            rows = db.read_sync(data_keys)
        self._take(rows)
        self.elsewhere = tuple(sorted({row.backend for row in rows} - {self.backend}))

    def refresh(self) -> None:
        """Take up data keys that another process has made. Blocks; raises as `unlock`, and then nothing has changed."""
        if self._db is not None:
            self._take(self._db.read_sync(data_keys))

    def _first(self, tx: Tx) -> None:
        tx.lock(LOCK)
        if not data_keys(tx):
            key_id, wrapped = self._made()
            add(tx, key_id, self.backend, wrapped)

    def _take(self, rows: Sequence[DataKeyRow]) -> None:
        with self._lock:
            known = dict(self._keys)
        keys = {row.id: known.get(row.id) or AESGCM(self._wrapping.plain(row)) for row in rows}
        active = next((row.id for row in reversed(rows) if row.active), None)
        with self._lock:
            self._keys, self._active = keys, active

    def _made(self) -> tuple[str, Wrapped]:
        key_id = self._ids.text(12)
        return key_id, self._wrapping.wrapped(key_id, AESGCM.generate_key(bit_length=256))

    def seal(self, table: str, row_uid: str, field: str, text: str | Secret[str]) -> str:
        """Seal `text` for exactly this place."""
        plain = text.reveal() if isinstance(text, Secret) else text
        key_id, sealed = self._sealed(table, row_uid, field, plain.encode())
        return f"{VERSION}.{key_id}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def seal_bytes(self, table: str, row_uid: str, field: str, data: bytes) -> bytes:
        """The same of bytes, for what lies in files: `v1.<data key id>.` and nonce, ciphertext and tag as they are."""
        key_id, sealed = self._sealed(table, row_uid, field, data)
        return f"{VERSION}.{key_id}.".encode() + sealed

    def _sealed(self, table: str, row_uid: str, field: str, plain: bytes) -> tuple[str, bytes]:
        with self._lock:
            key_id = self._active
            key = self._keys.get(key_id) if key_id else None
        if key is None or key_id is None:
            raise Unavailable(
                "The vault is locked.", code="vault_locked", hint="The server unlocks it at its start; try again."
            )
        nonce = self._ids.randbytes(NONCE)
        return key_id, nonce + key.encrypt(nonce, plain, _associated(key_id, table, row_uid, field))

    def open(self, table: str, row_uid: str, field: str, sealed: str) -> Secret[str]:
        """Open what `seal` made for this place. Raises `Unreadable`, which names the place and never the value."""
        version, _, rest = sealed.partition(".")
        key_id, _, encoded = rest.partition(".")
        try:
            raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _unreadable(table, row_uid, field, ALTERED) from None
        return Secret(self._opened(table, row_uid, field, (version, key_id, raw)).decode())

    def open_bytes(self, table: str, row_uid: str, field: str, sealed: bytes) -> bytes:
        """Open what `seal_bytes` made for this place. Raises `Unreadable`."""
        version, _, rest = sealed.partition(b".")
        key_id, _, raw = rest.partition(b".")
        named = version.decode("ascii", "replace"), key_id.decode("ascii", "replace")
        return self._opened(table, row_uid, field, (*named, raw))

    def _opened(self, table: str, row_uid: str, field: str, parts: tuple[str, str, bytes]) -> bytes:
        version, key_id, raw = parts
        if version != VERSION or not key_id or not raw:
            raise _unreadable(table, row_uid, field, "it is not in the form of a sealed text")
        key = self._key(key_id)
        if key is None:
            raise _unreadable(table, row_uid, field, "its data key is not known here")
        try:
            return key.decrypt(raw[:NONCE], raw[NONCE:], _associated(key_id, table, row_uid, field))
        except (InvalidTag, ValueError):
            raise _unreadable(table, row_uid, field, ALTERED) from None

    def _key(self, key_id: str) -> AESGCM | None:
        with self._lock:
            key = self._keys.get(key_id)
        if key is None and self._db is not None:  # another process may have made it meanwhile
            self.refresh()
            with self._lock:
                key = self._keys.get(key_id)
        return key

    def renew_data_key(self, db: Database) -> str:
        """Seal with a new data key from now on; older ones still open. Blocks. Returns its id."""
        self._wrapping.open(db.read_sync(data_keys))
        key_id, wrapped = self._made()
        db.write_sync(renewed, self._wrapping.current, key_id, wrapped)
        self._take(db.read_sync(data_keys))
        return key_id

    def rotate(self, db: Database, *, stage: bool = True) -> int:
        """Re-wrap every data key under a new master key of the current backend (with `stage` false under the one it
        has) and forget the old one. Blocks. Returns how many.

        Nothing that was sealed changes. After a crash at any point every data key still opens; run it again.
        """
        return rotate(self._wrapping, db, stage=stage)

    def standing(self, db: Database) -> list[Standing]:
        """How each data key is wrapped, and whether it opens. Blocks, and raises nothing of a key backend."""
        return self._wrapping.standing(db.read_sync(data_keys))


def _associated(key_id: str, table: str, row_uid: str, field: str) -> bytes:
    return msgspec.json.encode([VERSION, key_id, table, row_uid, field])
