"""What a server that runs learns of data keys that others make: `vault renew`, and servers that stand beside it."""

from __future__ import annotations

import asyncio

import structlog

from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault.vault import Vault

SECONDS = 60.0
log = structlog.get_logger("quarterdeck.vault")


async def follow(vault: Vault) -> None:
    """Take up new data keys once a minute. What cannot be unwrapped now is tried again; what is known goes on."""
    while True:
        await asyncio.sleep(SECONDS)
        try:
            await asyncio.to_thread(vault.refresh)
        except Problem as problem:
            log.warning("data_keys_not_read", code=problem.code, message=problem.message)
