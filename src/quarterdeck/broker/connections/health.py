"""Whether what a connection leads to answers: what the last job there has met."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.transitions import SUCCEEDED
from quarterdeck.kernel.db import Tx

OF_PROVIDERS = frozenset(
    {
        "secret_provider_refused",
        "secret_provider_unreachable",
        "secret_provider_slow",
        "provider_credential_missing",
        "provider_library_missing",
    }
)
"""Codes of failures that say something of the connection rather than of the secret."""
OFTEN = timedelta(minutes=1)
"""What stays as it was is not written more often."""
LONGEST = 1000


def job_ended(tx: Tx, job: BrokerJob) -> None:
    """Note how the connection stands. A failure that is not the provider's says nothing of it."""
    connection = tx.get(Connection, job.connection_id) if job.connection_id is not None else None
    failed = job.error_code in OF_PROVIDERS
    if connection is None or not (failed or job.status == SUCCEEDED):
        return
    error = (job.error_message or job.error_code or "")[:LONGEST] if failed else None
    fresh = connection.checked_at is not None and tx.now - connection.checked_at < OFTEN
    if fresh and connection.health_error == error:
        return
    here = update(Connection).where(Connection.id == connection.id, Connection.deleted_at.is_(None))
    tx.execute(here.values(checked_at=tx.now, health_error=error))
    tx.session.expire(connection)
