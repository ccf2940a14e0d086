"""Beside the server: agents are sent to look which secrets there are, and what was not seen for long is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

import structlog
from sqlalchemy import exists, select

from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.discovered import ageing
from quarterdeck.broker.work import creating
from quarterdeck.broker.work.creating import Asked
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.types import DISCOVER
from quarterdeck.kernel.db import Database, Tx, of_storage

TICK = 60.0
CHUNK = 100
log = structlog.get_logger("quarterdeck.broker")


class Ledger(Protocol):
    """What of `kernel.jobs.Jobs` is needed here."""

    may_claim: Callable[[], bool]


async def watch(db: Database, ledger: Ledger, tick: float = TICK) -> None:
    """Until it is canceled."""
    while True:
        await asyncio.sleep(tick)
        if ledger.may_claim():
            await look(db)


async def look(db: Database) -> int:
    """Send agents where it is time, and mark what was not seen; answers how many jobs were made. A connection that
    cannot be looked into keeps no other waiting.
    """
    while await db.write(ageing.run) == ageing.CHUNK:
        pass
    made = 0
    for connection_id in await db.read(due):
        try:
            made += await db.write(send, connection_id)
        except Exception as error:
            if of_storage(error):
                raise
            log.exception("secrets_not_looked_for", connection=connection_id)
    return made


def due(tx: Tx) -> Sequence[int]:
    """Row ids of connections that are to be looked into now; one at which somebody looks already waits."""
    living = exists().where(
        BrokerJob.connection_id == Connection.id, BrokerJob.job_type == DISCOVER, BrokerJob.completed_at.is_(None)
    )
    query = (
        select(Connection.id, Connection.discovered_at, Connection.discover_seconds)
        .where(Connection.enabled, Connection.deleted_at.is_(None), Connection.discover_seconds > 0, ~living)
        .order_by(Connection.id)
        .limit(CHUNK)
    )
    return [
        row.id
        for row in tx.execute(query)
        if row.discovered_at is None or row.discovered_at <= tx.now - timedelta(seconds=row.discover_seconds)
    ]


def send(tx: Tx, connection_id: int) -> bool:
    """Make the job, once."""
    query = select(Connection).where(Connection.id == connection_id).with_for_update()
    connection = tx.first(query.execution_options(populate_existing=True))
    if connection is None or connection_id not in due(tx):
        return False
    connection.discovered_at = tx.now  # what fails is tried again after the same time
    payload = {"target_provider_type": connection.provider_type, "target_provider_config": {}}
    creating.create(tx, Asked(DISCOVER, connection.organization_id, connection=connection, payload=payload))
    return True
