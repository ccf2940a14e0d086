"""Jobs that an administrator asks for (contract: broker §1.10): never those that requests are carried out by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.work.creating import Asked, create
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.types import BY_HAND, OF_REQUESTS
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.redaction import sensitive
from quarterdeck.kernel.storable import storable

CONFIG = "target_provider_config"


def ask(
    tx: Tx,
    job_type: str,
    agent_scope: Mapping[str, Any] | None = None,
    payload: Mapping[str, Any] | None = None,
    request_uid: str | None = None,
    correlation_uid: str | None = None,
) -> BrokerJob:
    """A job of the caller's organization. A request that is named lends its correlation id and nothing else.

    Raises `Invalid` (`job_type_unknown`, `job_type_reserved`, `provider_config_refused`, `payload_with_credentials`)
    and `NotFound` (`request_not_found`, `connection_not_found`).
    """
    if job_type in OF_REQUESTS:
        raise Invalid(
            f"A {job_type} job is made by the approval of a request.",
            code="job_type_reserved",
            hint="Submit a request, and have it approved.",
            field="job_type",
        )
    if job_type not in BY_HAND:
        raise Invalid(
            f"{job_type[:40]!r} is not a type of job.",
            code="job_type_unknown",
            hint=f"Send one of {', '.join(BY_HAND)}.",
            field="job_type",
        )
    organization_id, said = tx.principal.acts_in, dict(storable(dict(payload or {})))
    _require_harmless(said)
    connection = _connection(tx, organization_id, said)
    if connection is not None:
        said["target_provider_type"] = connection.provider_type
        said[CONFIG] = {}
    request = None
    if request_uid is not None:
        mine = select(Request).where(Request.uid == request_uid, Request.organization_id == organization_id)
        request = tx.first(mine)
        if request is None:
            raise NotFound("There is no such request.", code="request_not_found", hint="See the list of requests.")
    return create(
        tx,
        Asked(
            job_type,
            organization_id,
            connection=connection,
            agent_scope=agent_scope or {},
            payload=said,
            correlation_uid=request.uid if request is not None else correlation_uid,
        ),
    )


def _connection(tx: Tx, organization_id: int, said: Mapping[str, Any]) -> Connection | None:
    """The connection that a payload names. An address in it would have the agent show its own credential there."""
    config = said.get(CONFIG) or {}
    name = config.get("connection") if isinstance(config, dict) else None
    if not isinstance(config, dict) or (config and (set(config) != {"connection"} or not isinstance(name, str))):
        raise Invalid(
            f"{CONFIG} may only name a connection.",
            code="provider_config_refused",
            hint='Define a connection, and send {"connection": "its name"}.',
            field=CONFIG,
        )
    if name is None:
        return None
    found = tx.first(
        select(Connection).where(
            Connection.organization_id == organization_id,
            Connection.name == name,
            Connection.deleted_at.is_(None),
            Connection.enabled,
        )
    )
    if found is None:
        raise NotFound("There is no such connection.", code="connection_not_found", hint="See the list of connections.")
    return found


def _require_harmless(said: Mapping[str, Any]) -> None:
    stack: list[Any] = [said]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            for name, value in one.items():
                if sensitive(str(name)) and not isinstance(value, dict | list):
                    raise Invalid(
                        f"The payload has a field {str(name)[:40]!r}, which looks like a credential.",
                        code="payload_with_credentials",
                        hint="Payloads are kept as they are; credentials belong into a connection.",
                        field="payload",
                    )
                stack.append(value)
        elif isinstance(one, list):
            stack.extend(one)
