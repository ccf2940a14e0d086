"""How often grants, roles and rules have changed: what a server that does not change them itself decides by."""

from __future__ import annotations

from quarterdeck.kernel.db import Tx


def count(tx: Tx) -> None:
    """One change more. SQLite has one server, which knows what it has done."""
    if tx.dialect == "postgresql":
        tx.execute(
            "INSERT INTO access_versions (id, version) VALUES (1, 1) "
            "ON CONFLICT (id) DO UPDATE SET version = access_versions.version + 1"
        )


def current(tx: Tx) -> int:
    """The count as this unit sees it."""
    return int(tx.execute("SELECT version FROM access_versions WHERE id = 1").scalar() or 0)
