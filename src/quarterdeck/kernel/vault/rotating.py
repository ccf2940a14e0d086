"""Another master key for every data key, and another data key: audited, and safe to be cut off anywhere.

A key backend elsewhere is asked outside of units of work: what it has wrapped is written only where the data key is
still wrapped as it was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from quarterdeck.kernel import audit
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.faults import committing, point
from quarterdeck.kernel.vault.backend import KeyBackend, Wrapped
from quarterdeck.kernel.vault.rows import LOCK, DataKeyRow, add, data_keys, exchange

if TYPE_CHECKING:
    from quarterdeck.kernel.db import Database, Tx
    from quarterdeck.kernel.vault.wrapping import Wrapping

ROTATE = "quarterdeck vault rotate"
ROUNDS = 5


class VaultAction(audit.Action):
    ROTATED = "vault.rotated"
    RENEWED = "vault.data-key-renewed"


def rotate(wrapping: Wrapping, db: Database, *, stage: bool) -> int:
    """See `Vault.rotate`."""
    backend = wrapping.current
    wrapping.open(db.read_sync(data_keys))
    if stage:
        _stage(backend, db)
        point("vault.staged")
    done: set[str] = set()
    for _ in range(ROUNDS):
        rows = db.read_sync(data_keys)
        waiting = [row for row in rows if row.id not in done or not _under(backend, row)]
        if not waiting:
            break
        made = [(row, wrapping.wrapped(row.id, wrapping.plain(row))) for row in waiting]
        done |= db.write_sync(_exchange, backend, made)
        wrapping.look()
    else:
        raise Conflict(
            "The data keys are being changed by somebody else all the time. Every one of them still opens.",
            code="vault_busy",
            hint=f"Run it again when nobody else does: {ROTATE}",
        )
    db.write_sync(_retire, backend)
    return len(rows)


def _under(backend: KeyBackend, row: DataKeyRow) -> bool:
    return row.backend == backend.name and row.master_key_id == backend.current


def _stage(backend: KeyBackend, db: Database) -> None:
    """A new master key, unless the current one is new already: of a backend that wraps nothing yet, or of a rotation
    that was cut off.
    """
    if backend.here:
        db.write_sync(_stage_here, backend)
    elif any(_under(backend, row) for row in db.read_sync(data_keys)):
        backend.stage()


def _stage_here(tx: Tx, backend: KeyBackend) -> None:
    tx.lock(LOCK)
    backend.open(create=False)
    if any(_under(backend, row) for row in data_keys(tx)):
        backend.stage()


def _exchange(tx: Tx, backend: KeyBackend, made: Sequence[tuple[DataKeyRow, Wrapped]]) -> set[str]:
    """The ids of those that got their new wrap. All of them stand in the trail, or none has changed."""
    tx.lock(LOCK)
    changed = {row.id: wrapped for row, wrapped in made if exchange(tx, row, backend.name, wrapped)}
    for master in sorted({wrapped.master_key_id for wrapped in changed.values()}):
        under = [key_id for key_id, wrapped in changed.items() if wrapped.master_key_id == master]
        _record(tx, VaultAction.ROTATED, backend.name, master, under)
    committing(tx, "vault.rewrapped")
    return set(changed)


def _retire(tx: Tx, backend: KeyBackend) -> None:
    """The old master keys go once nothing that is written, or is just being written, needs them."""
    tx.lock(LOCK)
    if backend.here:
        backend.open(create=False)
    if all(_under(backend, row) for row in data_keys(tx) if row.backend == backend.name):
        backend.retire()


def renewed(tx: Tx, backend: KeyBackend, key_id: str, wrapped: Wrapped) -> None:
    """A data key that was wrapped outside, from now on the one that seals."""
    tx.lock(LOCK)
    if not backend.keeps(wrapped.master_key_id):
        raise Conflict(
            "The master key was rotated at the same moment. No data key was made.",
            code="vault_busy",
            hint="Run it again: quarterdeck vault renew",
        )
    add(tx, key_id, backend.name, wrapped)
    _record(tx, VaultAction.RENEWED, backend.name, wrapped.master_key_id, [key_id])


def _record(tx: Tx, action: VaultAction, backend: str, master_key_id: str, data_keys: list[str]) -> None:
    audit.record(
        tx,
        action,
        resource_type="vault",
        resource_id=backend,
        detail={"backend": backend, "masterKeyId": master_key_id, "dataKeys": data_keys},
    )
