"""A command that is sent twice under one key is carried out once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Index, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified, Tx
from quarterdeck.kernel.errors import Conflict

REMEMBERED = timedelta(days=7)


class Remembered(Identified, Base):
    """The answer to a command. Scope, key and payload are kept as hashes only: they are the caller's, of any length."""

    __tablename__ = "kernel_idempotency"
    __table_args__ = (
        Index("uq_kernel_idempotency_key", "key_hash", unique=True),
        Index("ix_kernel_idempotency_created_at", "created_at"),
    )

    key_hash: Mapped[str] = mapped_column(String(64))
    payload_hash: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


def once(
    tx: Tx, scope: str, key: str, payload: Any, act: Callable[[], dict[str, Any]], *, sealed: bool = False
) -> dict[str, Any]:
    """Do `act` unless it was done under this key, in this organization and scope, within a week; answers what it
    answered then. Another payload under the same key is a `conflict`. What was refused is not remembered.
    With `sealed` the answer is kept by the vault: it holds a secret.
    """
    named = _hash([tx.principal.organization_id, scope, key])
    wanted = _hash(payload)
    tx.lock(f"idempotency:{named}")
    found = tx.first(
        select(Remembered).where(Remembered.key_hash == named, Remembered.created_at > tx.now - REMEMBERED)
    )
    if found is not None:
        if found.payload_hash != wanted:
            raise Conflict(
                "This idempotency key was used for another request.", hint="Use a new key for a new request."
            )
        return _opened(tx, found) if sealed else found.answer
    answer = act()
    tx.execute(delete(Remembered).where(Remembered.created_at <= tx.now - REMEMBERED))
    uid = tx.ids.uid()
    kept = {"sealed": _sealed(tx, uid, answer)} if sealed else answer
    tx.add(Remembered(uid=uid, key_hash=named, payload_hash=wanted, answer=kept, created_at=tx.now))
    return answer


def _sealed(tx: Tx, uid: str, answer: dict[str, Any]) -> str:
    return tx.vault.seal(Remembered.__tablename__, uid, "answer", msgspec.json.encode(answer).decode())


def _opened(tx: Tx, row: Remembered) -> dict[str, Any]:
    text = tx.vault.open(Remembered.__tablename__, row.uid, "answer", row.answer["sealed"]).reveal()
    answer: dict[str, Any] = msgspec.json.decode(text)
    return answer


def _hash(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
