"""The snapshot of grants, and changes that come while it is made."""

from __future__ import annotations

import threading

from quarterdeck.access import Access, grants
from quarterdeck.identity import setup, users
from quarterdeck.kernel.db import Tx


async def test_a_change_that_comes_while_the_snapshot_is_made_is_not_lost(database, monkeypatch):
    access = Access()

    def granted(tx: Tx) -> tuple[int, int]:
        user, organization = users.create(tx, username="ada"), setup.default_organization(tx)
        grants.give(tx, access, user.id, organization.id, "organization:owner")
        return user.id, organization.id

    user, organization = await database.write(granted)
    access.changed()
    execute = Tx.execute

    def slow(tx, *given):
        """Between what the snapshot reads and its keeping, the grant goes."""
        rows = execute(tx, *given).all()
        monkeypatch.setattr(Tx, "execute", execute)
        other = threading.Thread(target=database.write_sync, args=(grants.take_all, access, user, organization))
        other.start()
        other.join()
        access.changed()
        return rows

    monkeypatch.setattr(Tx, "execute", slow)
    await access.ready(database)
    assert access.loaded
    assert access.roles(user, organization) == frozenset()
