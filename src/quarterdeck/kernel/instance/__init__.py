"""Who this installation is: its uid, and keys that live as long as it does."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.instance.model import Instance
from quarterdeck.kernel.vault import Secret


@dataclass(frozen=True, slots=True)
class Identity:
    """`uid` marks everything that we create on hosts; `key` signs session tokens and cursors."""

    uid: str
    key: Secret[bytes]


def identity(tx: Tx) -> Identity:
    """The identity of this installation, drawn at its first start."""
    row = tx.get(Instance, 1)
    if row is None:
        uid = tx.ids.uid()
        sealed = tx.vault.seal(Instance.__tablename__, uid, "signing_key", tx.ids.token(32))
        row = tx.add(Instance(id=1, uid=uid, signing_key=sealed, created_at=tx.now))
    key = tx.vault.open(Instance.__tablename__, row.uid, "signing_key", row.signing_key)
    return Identity(row.uid, Secret(key.reveal().encode()))
