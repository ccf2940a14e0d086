"""Sealing and opening secrets with data keys that a key backend wraps."""

from __future__ import annotations

import base64
import binascii
import threading
from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, select, update

from quarterdeck.kernel.errors import Conflict, Problem, Unavailable
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault.backend import KeyBackend, Wrapped
from quarterdeck.kernel.vault.model import vault_keys
from quarterdeck.kernel.vault.secret import Secret

if TYPE_CHECKING:
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

    def __init__(self, backend: KeyBackend, *, ids: Ids | None = None) -> None:
        self._backend = backend
        self._ids = ids or Ids()
        self._keys: dict[str, AESGCM] = {}
        self._active: str | None = None
        self._db: Database | None = None
        self._lock = threading.Lock()

    def unlock(self, db: Database) -> None:
        """Load the data keys, and make master key and first data key where nothing has been sealed yet.

        Blocks; raises `Conflict` for a master key that is missing, damaged or readable by others.
        """
        self._db = db
        self._backend.open(create=not db.read_sync(_exist))
        db.write_sync(self._load)

    def _load(self, tx: Tx) -> None:
        tx.lock("vault-keys")
        if not _exist(tx):
            self._make(tx)
        self._take(tx)

    def _take(self, tx: Tx) -> None:
        keys: dict[str, AESGCM] = {}
        active = None
        for row in tx.execute(select(vault_keys).order_by(vault_keys.c.created_at, vault_keys.c.id)):
            try:
                plain = self._unwrap(Wrapped(row.master_key_id, row.wrapped), associated_key(row.id))
            except ValueError:
                raise Conflict(
                    f"The data key {row.id} does not open with the master key {row.master_key_id}.",
                    code="data_key_unreadable",
                    hint="Restore database and master key from the same backup.",
                ) from None
            keys[row.id] = AESGCM(plain)
            if row.active:
                active = row.id
        with self._lock:
            self._keys, self._active = keys, active

    def _unwrap(self, wrapped: Wrapped, associated: bytes) -> bytes:
        try:
            return self._backend.unwrap(wrapped, associated)
        except ValueError:
            self._backend.open(create=False)  # another process may have rotated the master key since we read it
            return self._backend.unwrap(wrapped, associated)

    def _make(self, tx: Tx) -> str:
        key_id = self._ids.text(12)
        wrapped = self._backend.wrap(AESGCM.generate_key(bit_length=256), associated_key(key_id))
        tx.execute(update(vault_keys).values(active=False))
        tx.execute(
            insert(vault_keys).values(
                id=key_id,
                backend=self._backend.name,
                master_key_id=wrapped.master_key_id,
                wrapped=wrapped.text,
                active=True,
                created_at=tx.now,
            )
        )
        return key_id

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
        if key is None and self._db is not None:  # another replica may have made it meanwhile
            self._db.read_sync(self._take)
            with self._lock:
                key = self._keys.get(key_id)
        return key

    def renew_data_key(self, db: Database) -> str:
        """Seal with a new data key from now on; older ones still open. Blocks. Returns its id."""
        key_id = db.write_sync(self._renew)
        db.read_sync(self._take)
        return key_id

    def _renew(self, tx: Tx) -> str:
        tx.lock("vault-keys")
        self._backend.open(create=False)
        return self._make(tx)

    def rotate(self, db: Database) -> int:
        """Re-wrap every data key under a new master key and forget the old one. Blocks. Returns how many.

        Nothing that was sealed changes. After a crash at any point both keys are kept; run it again.
        """
        self._backend.open(create=False)
        self._backend.stage()
        count = db.write_sync(self._rewrap)
        self._backend.retire()
        return count

    def _rewrap(self, tx: Tx) -> int:
        tx.lock("vault-keys")
        rows = tx.execute(select(vault_keys)).all()
        for row in rows:
            associated = associated_key(row.id)
            plain = self._backend.unwrap(Wrapped(row.master_key_id, row.wrapped), associated)
            wrapped = self._backend.wrap(plain, associated)
            tx.execute(
                update(vault_keys)
                .where(vault_keys.c.id == row.id)
                .values(master_key_id=wrapped.master_key_id, wrapped=wrapped.text, backend=self._backend.name)
            )
        return len(rows)


def _exist(tx: Tx) -> bool:
    return tx.execute(select(vault_keys.c.id).limit(1)).first() is not None


def associated_key(key_id: str) -> bytes:
    """What a wrapped data key is bound to."""
    return f"quarterdeck data key {key_id}".encode()


def _associated(key_id: str, table: str, row_uid: str, field: str) -> bytes:
    return msgspec.json.encode([VERSION, key_id, table, row_uid, field])
