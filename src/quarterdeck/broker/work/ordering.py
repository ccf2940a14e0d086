"""The order of an attempt: everything that its worker needs, made when the job is claimed and kept nowhere."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.execution.orders import BrokerOrder, Provider, WrapRef
from quarterdeck.broker.work import claiming, holding
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs.job import Job

MARGIN = 2
"""Seconds of the lease that an attempt leaves (contract: broker §2)."""


class Taken(Struct, frozen=True):
    """What the ledger is told of a job that a foreign agent has claimed: its payload is the answer to its call."""

    job: str


def order(tx: Tx, carried: Job) -> BrokerOrder | Taken:
    """Note who has the job, and make its order. Raises `Conflict` where nothing is to be done any more, and what the
    vault raises.
    """
    job, request = claiming.taken(tx, carried)
    if holding.foreign(carried):
        return Taken(job.uid)
    provider = _provider(tx, job)
    return BrokerOrder(
        job=job.uid,
        job_type=job.job_type,
        provider_type=provider.type,
        seconds=max(carried.lease_seconds - MARGIN, 1),
        connection=provider,
        secret_ref=request.secret_ref if request is not None else _text(job.payload.get("target_secret_ref")),
        keys=list(request.keys) if request is not None else [],
        wraps=[WrapRef(**one) for one in job.payload.get("wraps", [])] if request is not None else [],
        rotation=request.rotation if request is not None else None,
        recipient_key=request.recipient_key if request is not None else None,
        label_selector=_texts(job.payload.get("label_selector")),
        cluster_name=_text(job.payload.get("cluster_name")) or job.agent_scope.get("cluster", ""),
    )


def _provider(tx: Tx, job: BrokerJob) -> Provider:
    connection = tx.get(Connection, job.connection_id) if job.connection_id is not None else None
    if connection is None or connection.deleted_at is not None or not connection.enabled:
        raise Conflict(
            "The connection of this job is gone or switched off.",
            code="connection_unusable",
            hint="Ask again, and name another connection.",
        )
    credential = None
    if connection.credential is not None:
        credential = tx.vault.open("broker_connections", connection.uid, "credential", connection.credential).reveal()
    return Provider(type=connection.provider_type, config=connection.config, credential=credential)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> dict[str, str]:
    return {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
