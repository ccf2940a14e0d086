"""Leaving a server behind SSH: what of ours is there, and taking it away unless something still needs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from quarterdeck.deploy.deployments import belonging
from quarterdeck.fleet.servers import uninstalling
from quarterdeck.fleet.servers.looking import Looking
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.uninstalling import Left
from quarterdeck.kernel.db import Tx


async def leave(looking: Looking, server_ref: str, *, remove: bool) -> tuple[Server, list[Left]]:
    """What we have left there, and with `remove` what of it is gone. Raises `Conflict` (`server_in_use`) before
    anything goes while something is placed there or needed under another name of the machine, `Invalid` for the machine
    of the control plane, and the problem of a server that cannot be signed in to.
    """
    db = looking.db
    if remove:
        await db.read(belonging.check_unused, server_ref)

    async def begin(found: list[str]) -> None:
        await db.write(_begin, server_ref, found)

    async def known(refs: Collection[str]) -> frozenset[str]:
        mine: frozenset[str] = await db.read(belonging.ours, refs)
        return mine

    server, found = await looking.uninstall(server_ref, known, begin, remove=remove)
    gone = Counter(one.kind for one in found if one.removed)
    if gone:
        await db.write(uninstalling.note, server_ref, counts=dict(gone))
    return server, found


def _begin(tx: Tx, server_ref: str, found: list[str]) -> None:
    belonging.check_unused(tx, server_ref)
    belonging.check_only_here(tx, server_ref, found)
    uninstalling.begin(tx, server_ref)
