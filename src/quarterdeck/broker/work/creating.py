"""How a job comes into the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import func, select

from quarterdeck.broker.agents import scopes
from quarterdeck.broker.agents.leaving import SUBJECT
from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.execution.orders import RUN
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.work import placing
from quarterdeck.broker.work.actions import JobAction, note
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.payload import Carried
from quarterdeck.broker.work.transitions import LIVE, QUEUED
from quarterdeck.broker.work.types import DISCOVER, OF_REQUESTS, TAKES_VALUES, TYPES
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.faults import committing
from quarterdeck.workspace.model import Project

ATTEMPTS = 3
"""A job is tried so often at most, then it fails with its request."""
MOST_WAITING = 1000
"""Live jobs of one organization: what floods the queue starves the others."""
LARGEST_PAYLOAD = 64 << 10
"""Bytes of a payload as JSON."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A job. `correlation_uid` is that of the request where there is one. Without a request, `payload` is what the
    agent is told; with one it is made of the request.
    """

    job_type: str
    organization_id: int
    request: Request | None = None
    connection: Connection | None = None
    agent_scope: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    correlation_uid: str | None = None


def create(tx: Tx, asked: Asked) -> BrokerJob:
    """Put a job into the queue; a request gets one at most, and has its lock held by the caller.

    Raises `Invalid` for a type that is not there or a scope or payload that cannot be kept, and `Conflict`
    (`request_has_job`, `broker_too_many_jobs`).
    """
    request, connection = asked.request, asked.connection
    if asked.job_type not in TYPES or (asked.job_type in OF_REQUESTS) is not (request is not None):
        raise Invalid(
            f"{asked.job_type[:40]!r} is not a type of job here.",
            code="job_type_unknown",
            hint=f"Types are {', '.join(TYPES)}.",
            field="job_type",
        )
    if request is not None and request.job_id is not None:
        raise Conflict(f"The request {request.uid} has a job already.", code="request_has_job", hint="Follow that one.")
    _require_room(tx, asked.organization_id)
    scope = scopes.checked({**(connection.agent_scope if connection is not None else {}), **asked.agent_scope})
    payload = dict(asked.payload) if request is None else of_request(tx, request, connection)
    if len(msgspec.json.encode(payload)) > LARGEST_PAYLOAD:
        raise Invalid(
            f"The payload has more than {LARGEST_PAYLOAD >> 10} KiB.", code="payload_too_large_for_job", field="payload"
        )
    uid = tx.ids.uid()
    job = tx.add(
        BrokerJob(
            uid=uid,
            organization_id=asked.organization_id,
            job_type=asked.job_type,
            status=QUEUED,
            request_id=request.id if request is not None else None,
            connection_id=connection.id if connection is not None else None,
            agent_scope=scope,
            payload=payload,
            correlation_uid=request.uid if request is not None else asked.correlation_uid or uid,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    job.ledger_id = jobs.enqueue(
        tx,
        jobs.Enqueue(
            RUN,
            Carried(job_id=job.id),
            job.organization_id,
            subject=f"{SUBJECT}{job.uid}",
            lane="background" if job.job_type == DISCOVER else None,
            capabilities=placing.words(tx, job.job_type, request, connection, scope),
            max_attempts=ATTEMPTS,
            correlation_id=job.correlation_uid,
        ),
    ).id
    if request is not None:
        request.job_id = job.id
    note(tx, job, JobAction.ENQUEUED)
    tx.flush()
    committing(tx, "broker.create")
    return job


def of_request(tx: Tx, request: Request, connection: Connection | None) -> dict[str, Any]:
    """What an agent is told of a request (contract: broker §2): names and references, never a value."""
    project = tx.get(Project, request.project_id) if request.project_id is not None else None
    told: dict[str, Any] = {
        "request_id": request.uid,
        "target_provider_type": request.provider_type,
        "target_provider_config": _address(connection),
        "target_secret_ref": request.secret_ref,
        "target_keys": list(request.keys),
        "target_scope": {
            name: value
            for name, value in (
                ("project_id", project.uid if project is not None else None),
                ("environment", request.environment_name),
            )
            if value is not None
        },
    }
    if request.kind in TAKES_VALUES:
        waiting = select(Wrap).where(Wrap.request_id == request.id, Wrap.direction == "in").order_by(Wrap.id)
        told["wraps"] = [{"wrap_id": one.uid, "key_name": one.key_name} for one in tx.scalars(waiting)]
    return told


def _address(connection: Connection | None) -> dict[str, Any]:
    """The configuration that an administrator has given, without our own words."""
    if connection is None:
        return {}
    return {name: value for name, value in connection.config.items() if name != placing.SERVER_ALLOWED}


def _require_room(tx: Tx, organization_id: int) -> None:
    living = select(func.count()).select_from(BrokerJob)
    mine = living.where(BrokerJob.organization_id == organization_id, BrokerJob.completed_at.is_(None))
    if int(tx.execute(mine.where(BrokerJob.status.in_(LIVE))).scalar_one()) >= MOST_WAITING:
        raise Conflict(
            f"{MOST_WAITING} jobs wait or run already.",
            code="broker_too_many_jobs",
            hint="Wait until some have ended; look whether an agent is there that takes them.",
        )
