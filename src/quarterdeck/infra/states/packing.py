"""States are checked, packed and sealed off the event loop and outside of units: 50 MiB of them take their time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from quarterdeck.infra.states import contents
from quarterdeck.infra.states.contents import Draft
from quarterdeck.infra.states.model import StateVersion
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault.vault import Vault

HEAVY = ThreadPoolExecutor(2, thread_name_prefix="states")
"""Two at a time, so that memory is bounded however many runners write at once."""


async def drafted(vault: Vault, ids: Ids, data: bytes) -> Draft:
    """A state that was sent, checked and sealed. Raises `Invalid`."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(HEAVY, _drafted, vault, ids.uid(), data)


def _drafted(vault: Vault, uid: str, data: bytes) -> Draft:
    return contents.sealed(vault, uid, contents.read(data))


async def unpacked(vault: Vault, version: StateVersion) -> bytes:
    """The contents of a version. Raises `Unreadable`."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(HEAVY, contents.opened, vault, version.uid, version.sealed)
