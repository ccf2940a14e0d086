"""Going back to an earlier version: what is heavy in it happens outside of units."""

from __future__ import annotations

import asyncio

from quarterdeck.infra.specs import specs
from quarterdeck.infra.states import contents, versions
from quarterdeck.infra.states.contents import Draft
from quarterdeck.infra.states.model import StateVersion
from quarterdeck.infra.states.packing import HEAVY, unpacked
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault.vault import Vault


async def back(db: Database, vault: Vault, spec_uid: str, number: int, reason: str) -> int:
    """Make an earlier version of a spec's state count again, as a new one with a higher serial; answers its number.
    Raises what `versions.found` and `versions.roll_back` raise.
    """

    def chosen(tx: Tx) -> tuple[StateVersion, int]:
        spec = specs.find(tx, spec_uid)
        state = versions.of(tx, spec)
        found = versions.found(tx, spec, number)
        versions.require_other(state, found)
        return found, max(state.serial or 0, found.serial) + 1

    found, serial = await db.read(chosen)
    data = await unpacked(vault, found)
    loop = asyncio.get_running_loop()
    draft = await loop.run_in_executor(HEAVY, _renumbered, vault, db.ids, data, serial)
    made: int = await db.write(
        lambda tx: versions.roll_back(tx, specs.find(tx, spec_uid), number, reason, draft).number
    )
    return made


def _renumbered(vault: Vault, ids: Ids, data: bytes, serial: int) -> Draft:
    return contents.sealed(vault, ids.uid(), contents.read(contents.numbered(data, serial)))
