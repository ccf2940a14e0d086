"""The data keys as the database holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import insert, select, update

from quarterdeck.kernel.vault.backend import Wrapped
from quarterdeck.kernel.vault.model import vault_keys

if TYPE_CHECKING:
    from datetime import datetime

    from quarterdeck.kernel.db import Tx

LOCK = "vault-keys"


class DataKeyRow(msgspec.Struct, frozen=True):
    id: str
    backend: str
    master_key_id: str
    wrapped: str
    active: bool
    created_at: datetime


def data_keys(tx: Tx) -> list[DataKeyRow]:
    """All there are, oldest first."""
    found = tx.execute(select(vault_keys).order_by(vault_keys.c.created_at, vault_keys.c.id))
    return [DataKeyRow(**row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name for it


def add(tx: Tx, key_id: str, backend: str, wrapped: Wrapped) -> None:
    """A new one, which seals from now on. The lock is held."""
    tx.execute(update(vault_keys).values(active=False))
    tx.execute(
        insert(vault_keys).values(
            id=key_id,
            backend=backend,
            master_key_id=wrapped.master_key_id,
            wrapped=wrapped.text,
            active=True,
            created_at=tx.now,
        )
    )


def exchange(tx: Tx, before: DataKeyRow, backend: str, wrapped: Wrapped) -> bool:
    """Another wrap for a data key; False where it has got another one meanwhile. The lock is held."""
    same = (vault_keys.c.id == before.id) & (vault_keys.c.wrapped == before.wrapped)
    values = {"backend": backend, "master_key_id": wrapped.master_key_id, "wrapped": wrapped.text}
    return bool(tx.execute(update(vault_keys).where(same).values(**values)).rowcount)  # type: ignore[attr-defined]
